//! Finds the programs of PostgreSQL. Asks nobody to install anything and changes nothing.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::error::{ClusterError, Result};
use crate::db::OLDEST_SERVER;

/// What a private cluster needs.
const SERVER: &[&str] = &["postgres", "initdb"];
/// What backups need; may be installed without the server.
const CLIENT: &[&str] = &["pg_dump", "pg_restore", "psql"];

/// A folder of PostgreSQL's programs, all of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    pub folder: PathBuf,
    /// The major version.
    pub version: u32,
}

impl Binaries {
    /// The path of one program.
    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// The programs to run a server with: `chosen`, or the newest installed. A cluster made by one major version
/// starts only with the same, which `made_by` names.
pub fn server(chosen: Option<&Path>, made_by: Option<u32>) -> Result<Binaries> {
    let mut found = match chosen {
        Some(folder) => {
            vec![look(folder, SERVER).ok_or_else(|| ClusterError::NotBinaries(folder.to_owned()))?]
        }
        None => installed(SERVER),
    };
    found.sort_by_key(|binaries| binaries.version);
    let newest = found.last().cloned().ok_or(ClusterError::NoBinaries)?;
    let binaries = match made_by {
        None => newest,
        Some(made_by) => found
            .into_iter()
            .find(|binaries| binaries.version == made_by)
            .ok_or(ClusterError::OtherVersion { made_by, found: newest.version })?,
    };
    if binaries.version < OLDEST_SERVER {
        return Err(ClusterError::TooOld { folder: binaries.folder, version: binaries.version });
    }
    Ok(binaries)
}

/// The programs to dump and restore a server of version `server` with; pg_dump refuses servers newer than itself.
pub fn client(chosen: Option<&Path>, server: u32) -> Option<Binaries> {
    let found = match chosen.and_then(|folder| look(folder, CLIENT)) {
        Some(binaries) => vec![binaries],
        None => installed(CLIENT),
    };
    found.into_iter().filter(|binaries| binaries.version >= server).min_by_key(|binaries| binaries.version)
}

/// Every folder on this machine that holds `programs`.
fn installed(programs: &[&str]) -> Vec<Binaries> {
    let mut seen = Vec::new();
    for folder in folders() {
        // Debian's /usr/bin holds wrappers under the same names that choose a version by themselves.
        if let Ok(folder) = folder.canonicalize()
            && !seen.contains(&folder)
        {
            seen.push(folder);
        }
    }
    seen.iter().filter_map(|folder| look(folder, programs)).collect()
}

/// Where PostgreSQL is usually installed.
fn folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = pg_config().into_iter().collect();
    for (parent, prefix, rest) in [
        ("/usr/lib/postgresql", "", "bin"),
        ("/usr/lib", "postgresql", "bin"),
        ("/usr/libexec", "postgresql", ""),
        ("/usr", "pgsql-", "bin"),
        ("/usr/local", "pgsql", "bin"),
        ("/opt/homebrew/opt", "postgresql", "bin"),
        ("/usr/local/opt", "postgresql", "bin"),
        ("/home/linuxbrew/.linuxbrew/opt", "postgresql", "bin"),
        ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
    ] {
        let Ok(entries) = std::fs::read_dir(parent) else { continue };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        folders.extend(
            names.filter(|name| name.starts_with(prefix)).map(|name| Path::new(parent).join(name).join(rest)),
        );
    }
    folders.extend(env::var_os("PATH").iter().flat_map(env::split_paths));
    folders
}

fn pg_config() -> Option<PathBuf> {
    let answer =
        Command::new("pg_config").arg("--bindir").stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let folder = String::from_utf8(answer.stdout).ok()?;
    (answer.status.success() && !folder.trim().is_empty()).then(|| PathBuf::from(folder.trim()))
}

/// The programs in `folder`, if they are all there and say which version they are.
fn look(folder: &Path, programs: &[&str]) -> Option<Binaries> {
    if !programs.iter().all(|program| folder.join(program).is_file()) {
        return None;
    }
    let asked = folder.join(programs.first()?);
    let answer = Command::new(asked).arg("--version").current_dir("/").stdin(Stdio::null()).output().ok()?;
    let version = parse_version(&String::from_utf8_lossy(&answer.stdout))?;
    Some(Binaries { folder: folder.to_owned(), version })
}

/// The major version in `postgres (PostgreSQL) 15.18 (Debian …)`, `… 17beta1`, `… 18devel`.
fn parse_version(said: &str) -> Option<u32> {
    let (_, number) = said.split_once("(PostgreSQL) ")?;
    let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_in_all_their_spellings() {
        for (said, version) in [
            ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", Some(15)),
            ("pg_dump (PostgreSQL) 17beta1\n", Some(17)),
            ("postgres (PostgreSQL) 18devel\n", Some(18)),
            ("postgres (PostgreSQL) 9.6.24\n", Some(9)),
            ("", None),
            ("postgres (EnterpriseDB) x", None),
        ] {
            assert_eq!(parse_version(said), version, "{said}");
        }
    }

    #[test]
    fn a_folder_that_was_named_must_hold_the_programs() {
        let error = server(Some(Path::new("/nonexistent")), None).unwrap_err();
        assert!(matches!(error, ClusterError::NotBinaries(_)), "{error}");
    }

    #[test]
    fn a_cluster_of_another_version_is_refused() {
        let error = server(None, Some(9)).unwrap_err();
        assert!(matches!(error, ClusterError::OtherVersion { made_by: 9, .. }), "{error}");
    }
}
