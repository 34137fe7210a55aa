//! Where a cluster lives and who runs it.
//!
//! Normally everything is inside the data folder. Two things may move out: as root, the whole cluster, when the
//! unprivileged user who runs PostgreSQL cannot reach the data folder (a closed home folder); and the socket,
//! when its path would be longer than operating systems allow.

use std::{
    env, fs, io,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Command,
};

use sha2::{Digest, Sha256};

use super::error::{ClusterError, Result};

/// `sun_path` holds 108 bytes on Linux and 104 on BSD and macOS, the final NUL included.
const LONGEST_SOCKET: usize = 103;
const SOCKET_NAME: &str = ".s.PGSQL.5432";
/// Inside the data folder: where the cluster lives, if not there.
const REMEMBERED: &str = "postgres.location";
/// For clusters that cannot live in their data folder.
const ELSEWHERE: &str = "/var/lib/patchbay";

/// The user and group that PostgreSQL runs as, when we are root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    pub uid: u32,
    pub gid: u32,
}

/// Where things are.
#[derive(Debug, Clone)]
pub struct Place {
    /// The data folder, absolute.
    pub data: PathBuf,
    /// PostgreSQL's own data directory.
    pub cluster: PathBuf,
    /// The folder of the socket.
    pub socket: PathBuf,
    pub log: PathBuf,
    /// Whom to become; `None` to stay who we are.
    pub account: Option<Account>,
}

/// The data folder, made if need be, as an absolute path.
pub fn data_folder(data: &Path) -> Result<PathBuf> {
    // Whoever runs PostgreSQL in our stead has to pass through, but nobody has to look around.
    let mode = if rustix::process::geteuid().is_root() { 0o711 } else { 0o700 };
    if let Some(above) = data.parent() {
        fs::create_dir_all(above).map_err(ClusterError::file(above, "created"))?;
    }
    match fs::DirBuilder::new().mode(mode).create(data) {
        Ok(()) => {}
        Err(_) if data.is_dir() => {}
        Err(cause) => return Err(ClusterError::file(data, "created")(cause)),
    }
    data.canonicalize().map_err(ClusterError::file(data, "opened"))
}

/// Decides where the cluster of `data` (absolute) lives, and makes the folders around it.
pub fn settle(data: &Path) -> Result<Place> {
    let is_root = rustix::process::geteuid().is_root();
    let home = home(data, if is_root { Some(preferred_account()?) } else { None })?;
    let cluster = home.join("postgres");
    let account = match (is_root, fs::metadata(&cluster)) {
        (false, _) => None,
        // Made before, perhaps by an ordinary user: only its owner may run it.
        (true, Ok(found)) if found.uid() != 0 => Some(Account { uid: found.uid(), gid: found.gid() }),
        (true, _) => Some(preferred_account()?),
    };
    if let Some(account) = account
        && !reaches(account, &home)
    {
        return Err(ClusterError::Unreachable { path: home, uid: account.uid });
    }
    let socket = socket_folder(&home, account)?;
    Ok(Place { data: data.to_owned(), cluster, socket, log: data.join("postgres.log"), account })
}

/// The folder that holds the cluster and its socket.
fn home(data: &Path, account: Option<Account>) -> Result<PathBuf> {
    let remembered = data.join(REMEMBERED);
    match fs::read_to_string(&remembered) {
        Ok(home) => {
            let home = PathBuf::from(home.trim());
            return if home.is_dir() { Ok(home) } else { Err(ClusterError::Gone { remembered, home }) };
        }
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
        Err(cause) => return Err(ClusterError::file(&remembered, "read")(cause)),
    }
    let Some(account) = account else { return Ok(data.to_owned()) };
    if data.join("postgres").exists() || reaches(account, data) {
        return Ok(data.to_owned());
    }
    let home = Path::new(ELSEWHERE).join(short_hash(data));
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(&home)
        .map_err(ClusterError::file(&home, "created"))?;
    for folder in [Path::new(ELSEWHERE), &home] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755))
            .map_err(ClusterError::file(folder, "opened up"))?;
    }
    if !reaches(account, &home) {
        return Err(ClusterError::Unreachable { path: home, uid: account.uid });
    }
    fs::write(&remembered, format!("{}\n", home.display()))
        .map_err(ClusterError::file(&remembered, "written"))?;
    Ok(home)
}

/// Makes the folder of the socket: in `home`, or a private one with a short name.
fn socket_folder(home: &Path, account: Option<Account>) -> Result<PathBuf> {
    let usual = home.join("socket");
    let fits = |folder: &Path| folder.join(SOCKET_NAME).as_os_str().len() <= LONGEST_SOCKET;
    if fits(&usual) {
        own_folder(&usual, account)?;
        return Ok(usual);
    }
    let name = format!("patchbay-{}", short_hash(home));
    let folder = [env::temp_dir(), PathBuf::from("/tmp")]
        .into_iter()
        .map(|temp| temp.join(&name))
        .find(|folder| fits(folder));
    let folder = folder.unwrap_or_else(|| Path::new("/tmp").join(&name));
    own_folder(&folder, account)?;
    // In a folder that everybody may write to, somebody else may have been first.
    let found = fs::symlink_metadata(&folder).map_err(ClusterError::file(&folder, "read"))?;
    let owner = account.map_or_else(|| rustix::process::geteuid().as_raw(), |account| account.uid);
    if !found.is_dir() || found.uid() != owner {
        let cause = io::Error::other("it belongs to somebody else");
        return Err(ClusterError::File { path: folder, action: "used", cause });
    }
    Ok(folder)
}

/// A folder that only the user who runs PostgreSQL may enter.
pub fn own_folder(folder: &Path, account: Option<Account>) -> Result<()> {
    match fs::DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => {}
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        Err(cause) => return Err(ClusterError::file(folder, "created")(cause)),
    }
    match account {
        Some(account) => std::os::unix::fs::chown(folder, Some(account.uid), Some(account.gid))
            .map_err(ClusterError::file(folder, "handed over to the user who runs PostgreSQL")),
        None => Ok(()),
    }
}

/// The user to run PostgreSQL as when we are root.
fn preferred_account() -> Result<Account> {
    let table = fs::read_to_string("/etc/passwd").unwrap_or_default();
    ["postgres", "_postgres", "nobody"]
        .iter()
        .find_map(|name| in_table(&table, name).or_else(|| asked(name)))
        .ok_or(ClusterError::NoAccount)
}

fn in_table(table: &str, name: &str) -> Option<Account> {
    table.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next()? != name {
            return None;
        }
        let uid = fields.nth(1)?.parse().ok()?;
        Some(Account { uid, gid: fields.next()?.parse().ok()? })
    })
}

/// For users that are not in the table but in a directory service.
fn asked(name: &str) -> Option<Account> {
    let number = |flag: &str| {
        let answer =
            Command::new("id").args([flag, name]).output().ok().filter(|answer| answer.status.success())?;
        String::from_utf8(answer.stdout).ok()?.trim().parse().ok()
    };
    Some(Account { uid: number("-u")?, gid: number("-g")? })
}

/// Whether `account` may enter `folder` and all folders above it.
fn reaches(account: Account, folder: &Path) -> bool {
    folder.ancestors().all(|folder| {
        let Ok(found) = fs::metadata(folder) else { return false };
        let needed = match () {
            () if found.uid() == account.uid => 0o100,
            () if found.gid() == account.gid => 0o010,
            () => 0o001,
        };
        found.mode() & needed != 0
    })
}

fn short_hash(path: &Path) -> String {
    let digest = Sha256::digest(path.as_os_str().as_encoded_bytes());
    digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_read_from_the_table_of_users() {
        let table = "root:x:0:0:root:/root:/bin/bash\npostgres:x:101:104:PostgreSQL,,,:/var/lib/postgresql:/bin/bash\nbroken\n";
        assert_eq!(in_table(table, "postgres"), Some(Account { uid: 101, gid: 104 }));
        assert_eq!(in_table(table, "post"), None);
        assert_eq!(in_table(table, "broken"), None);
    }

    #[test]
    fn a_closed_folder_is_out_of_reach_for_others() {
        let folder = env::temp_dir().join(format!("patchbay-reach-{}", std::process::id()));
        let inner = folder.join("inner");
        fs::create_dir_all(&inner).unwrap();
        let stranger = Account { uid: 4_000_000, gid: 4_000_000 };
        assert!(reaches(stranger, &inner));
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
        assert!(!reaches(stranger, &inner));
        let owner = fs::metadata(&folder).unwrap();
        assert!(reaches(Account { uid: owner.uid(), gid: owner.gid() }, &inner));
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn nobody_else_looks_into_the_data_folder() {
        let folder = env::temp_dir().join(format!("patchbay-data-{}", std::process::id()));
        let data = data_folder(&folder.join("data")).unwrap();
        assert_eq!(fs::metadata(&data).unwrap().mode() & 0o066, 0);
        assert_eq!(data_folder(&data).unwrap(), data, "there already");
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_long_path_gets_a_short_socket_of_its_own() {
        let long = Path::new("/nonexistent").join("x".repeat(120));
        let (one, again) = (socket_folder(&long, None).unwrap(), socket_folder(&long, None).unwrap());
        let other = socket_folder(&long.join("y"), None).unwrap();
        assert_eq!(one, again);
        assert_ne!(one, other);
        assert!(one.join(SOCKET_NAME).as_os_str().len() <= LONGEST_SOCKET);
        assert_eq!(fs::metadata(&one).unwrap().mode() & 0o777, 0o700);
        fs::remove_dir(one).unwrap();
        fs::remove_dir(other).unwrap();
    }
}
