//! Why the private cluster cannot be used: one sentence each, for the person at the terminal.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::db::OLDEST_SERVER;

/// The result of everything that concerns the private cluster.
pub type Result<T, E = ClusterError> = std::result::Result<T, E>;

/// What stands in the way, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    #[error(
        "No PostgreSQL {OLDEST_SERVER} or newer was found. Install it (Debian, Ubuntu: apt-get install postgresql; Fedora: \
         dnf install postgresql-server; macOS: brew install postgresql@17), name its folder in PATCHBAY_PG_BIN, or name a \
         server in DATABASE_URL."
    )]
    NoBinaries,
    #[error("PATCHBAY_PG_BIN names {0}, which does not hold initdb and postgres.")]
    NotBinaries(PathBuf),
    #[error("PostgreSQL {version} in {folder} is too old; version {OLDEST_SERVER} or newer is needed.")]
    TooOld { folder: PathBuf, version: u32 },
    #[error(
        "The data folder was made by PostgreSQL {made_by}, but only version {found} is installed. Install PostgreSQL {made_by}, \
         or move the data over with `patchbay backup` and `patchbay restore`."
    )]
    OtherVersion { made_by: u32, found: u32 },
    #[error("{path} cannot be {action}: {cause}.")]
    File { path: PathBuf, action: &'static str, cause: io::Error },
    #[error("{program} cannot be run: {cause}.")]
    Run { program: PathBuf, cause: io::Error },
    #[error("PostgreSQL refuses to run as root, and there is no user postgres or nobody to run it as.")]
    NoAccount,
    #[error(
        "{remembered} says that the database lives in {home}, which is not there. Put it back, or delete that file to start empty."
    )]
    Gone { remembered: PathBuf, home: PathBuf },
    #[error(
        "The user who runs PostgreSQL (uid {uid}) cannot reach {path}. Open its folders for searching (chmod a+x), or move the data folder."
    )]
    Unreachable { path: PathBuf, uid: u32 },
    #[error("The database could not be created: {0}")]
    Init(String),
    #[error("The database does not start: {said} (see {log})")]
    Start { said: String, log: PathBuf },
    #[error("The database of this data folder was started but cannot be used: {0}")]
    Sql(sqlx::Error),
}

impl ClusterError {
    /// For `map_err` on file operations.
    pub(super) fn file(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |cause| Self::File { path, action, cause }
    }
}
