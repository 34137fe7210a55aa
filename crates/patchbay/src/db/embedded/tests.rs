use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use sqlx::{Connection, PgConnection};

use super::*;

/// Tests need not survive a power cut.
const HASTY: &[&str] = &["fsync=off"];

/// A data folder that goes away with the test, reachable for whoever runs PostgreSQL.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("patchbay-cluster-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder.canonicalize().unwrap())
    }

    async fn open(&self) -> Cluster {
        Cluster::open_with(&self.0, None, HASTY).await.unwrap()
    }

    fn postmaster(&self) -> Option<Pid> {
        let note = fs::read_to_string(self.0.join("postgres/postmaster.pid")).ok()?;
        Pid::from_raw(note.lines().next()?.parse().ok()?)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Some(pid) = self.postmaster() {
            let _ = kill_process(pid, Signal::QUIT);
        }
        let _ = fs::remove_dir_all(&self.0);
    }
}

async fn count(cluster: &Cluster) -> i64 {
    let mut conn = PgConnection::connect(&cluster.url()).await.unwrap();
    let _ = sqlx::query("create table if not exists visits (at timestamptz default now())")
        .execute(&mut conn)
        .await
        .unwrap();
    let _ = sqlx::query("insert into visits default values").execute(&mut conn).await.unwrap();
    sqlx::query_scalar("select count(*) from visits").fetch_one(&mut conn).await.unwrap()
}

#[tokio::test]
async fn it_is_shared_and_the_last_one_out_stops_it() {
    let folder = Folder::new("shared");
    let first = folder.open().await;
    assert_eq!(count(&first).await, 1);
    let pid = folder.postmaster();
    let second = folder.open().await;
    assert_eq!(folder.postmaster(), pid, "one server for all");
    assert_eq!(count(&second).await, 2);
    first.close().await;
    assert_eq!(count(&second).await, 3, "the second still works");
    second.close().await;
    assert_eq!(folder.postmaster(), None, "nobody left, nothing running");
    let later = folder.open().await;
    assert_eq!(count(&later).await, 4, "the data stays");
    later.close().await;
}

#[tokio::test]
async fn its_owner_may_do_no_more_than_own() {
    let folder = Folder::new("role");
    let cluster = folder.open().await;
    let mut conn = PgConnection::connect(&cluster.url()).await.unwrap();
    let (superuser, creates_roles, encoding): (bool, bool, String) = sqlx::query_as(
        "select rolsuper, rolcreaterole, current_setting('server_encoding') from pg_roles where rolname = current_user",
    )
    .fetch_one(&mut conn)
    .await
    .unwrap();
    assert_eq!((superuser, creates_roles, encoding.as_str()), (false, true, "UTF8"));
    let tcp: String = sqlx::query_scalar("show listen_addresses").fetch_one(&mut conn).await.unwrap();
    assert_eq!(tcp, "");
    let lower: String = sqlx::query_scalar("select lower('ÄÖ')").fetch_one(&mut conn).await.unwrap();
    assert!(lower == "äö" || lower == "ÄÖ", "{lower}");
    conn.close().await.unwrap();
    cluster.close().await;
}

#[tokio::test]
async fn one_left_behind_is_found_running_and_used_on() {
    let folder = Folder::new("left");
    let mut abandoned = folder.open().await;
    assert_eq!(count(&abandoned).await, 1);
    // As if the process had been killed: its locks go, its server stays.
    std::mem::forget(abandoned.server.take());
    drop(abandoned);
    let pid = folder.postmaster();
    assert!(pid.is_some());
    let cluster = folder.open().await;
    assert_eq!(folder.postmaster(), pid);
    assert_eq!(count(&cluster).await, 2);
    cluster.close().await;
    assert_eq!(folder.postmaster(), None);
}

#[tokio::test]
async fn its_log_is_private_and_holds_no_rows() {
    let folder = Folder::new("log");
    let log = folder.0.join("postgres.log");
    fs::write(&log, "").unwrap();
    fs::set_permissions(&log, fs::Permissions::from_mode(0o644)).unwrap();
    let cluster = folder.open().await;
    let mut conn = PgConnection::connect(&cluster.url()).await.unwrap();
    for statement in [
        "create temp table people (phone text unique check (phone <> 'none'), age int not null)",
        "insert into people values ('+15550100', 1)",
        "insert into people values ('+15550100', 2)",
        "insert into people values ('none', 71234)",
        "insert into people values ('+15550101', null)",
    ] {
        let _ = sqlx::query(statement).execute(&mut conn).await;
    }
    let _ = sqlx::query("insert into people values ($1, null)").bind("+15550102").execute(&mut conn).await;
    drop(conn);
    cluster.close().await;
    let told = fs::read_to_string(&log).unwrap();
    assert_eq!(told.matches("ERROR:").count(), 4, "{told}");
    for secret in ["555010", "71234", "insert into"] {
        assert!(!told.contains(secret), "{secret}: {told}");
    }
    assert_eq!(fs::metadata(&log).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn one_whose_server_was_killed_recovers() {
    let folder = Folder::new("killed");
    let mut abandoned = folder.open().await;
    assert_eq!(count(&abandoned).await, 1);
    kill_process(folder.postmaster().unwrap(), Signal::KILL).unwrap();
    while abandoned.is_alive() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    std::mem::forget(abandoned.server.take());
    drop(abandoned);
    assert!(folder.postmaster().is_some(), "the note stays behind");
    let cluster = folder.open().await;
    assert_eq!(count(&cluster).await, 2);
    cluster.close().await;
}

#[tokio::test]
async fn a_server_that_dies_under_us_is_revived() {
    let folder = Folder::new("revived");
    let mut cluster = folder.open().await;
    assert_eq!(count(&cluster).await, 1);
    let url = cluster.url();
    kill_process(folder.postmaster().unwrap(), Signal::KILL).unwrap();
    while cluster.is_alive() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    cluster.revive().unwrap();
    assert_eq!(cluster.url(), url);
    assert_eq!(count(&cluster).await, 2);
    cluster.close().await;
}

#[tokio::test]
async fn an_interrupted_creation_leaves_no_trace() {
    let folder = Folder::new("interrupted");
    fs::create_dir(folder.0.join("postgres.new-1")).unwrap();
    fs::write(folder.0.join("postgres.new-1/PG_VERSION"), "15").unwrap();
    let cluster = folder.open().await;
    assert!(!folder.0.join("postgres.new-1").exists());
    assert_eq!(count(&cluster).await, 1);
    cluster.close().await;
}

#[tokio::test]
async fn two_at_once_make_one_cluster() {
    let folder = Folder::new("race");
    let (one, two) = tokio::join!(folder.open(), folder.open());
    assert_eq!(one.url(), two.url());
    assert_eq!((count(&one).await, count(&two).await), (1, 2));
    let pid = folder.postmaster();
    tokio::join!(one.close(), two.close());
    assert!(pid.is_some() && folder.postmaster().is_none());
}

#[tokio::test]
async fn what_was_made_by_another_version_is_left_alone() {
    let folder = Folder::new("version");
    fs::create_dir(folder.0.join("postgres")).unwrap();
    fs::write(folder.0.join("postgres/PG_VERSION"), "9\n").unwrap();
    let error = Cluster::open(&folder.0, None).await.err().expect("refused");
    assert!(error.to_string().contains("made by PostgreSQL 9"), "{error}");
    assert_eq!(fs::read_to_string(folder.0.join("postgres/PG_VERSION")).unwrap(), "9\n");
}

#[tokio::test]
async fn a_remembered_home_that_is_gone_is_not_replaced_by_an_empty_one() {
    let folder = Folder::new("gone");
    fs::write(folder.0.join("postgres.location"), "/nonexistent/home\n").unwrap();
    let error = Cluster::open(&folder.0, None).await.err().expect("refused");
    assert!(error.to_string().contains("/nonexistent/home"), "{error}");
}

#[test]
fn a_claim_excludes_others_until_it_is_dropped() {
    let folder = Folder::new("claim");
    let claim = Claim::take(&folder.0, "serve.lock").unwrap();
    assert!(claim.is_some());
    assert!(Claim::take(&folder.0, "serve.lock").unwrap().is_none());
    drop(claim);
    assert!(Claim::take(&folder.0, "serve.lock").unwrap().is_some());
}

#[test]
fn the_url_survives_odd_folders() {
    let url = url(Path::new("/data/Jürgen & Söhne/a+b"), NAME, NAME);
    assert_eq!(
        url,
        "postgresql://patchbay@localhost:5432/patchbay?host=/data/J%C3%BCrgen%20%26%20S%C3%B6hne/a%2Bb"
    );
}
