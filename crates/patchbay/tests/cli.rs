//! The program from outside: its commands, its signals, and what it says when it cannot work.

mod world;

use std::{fs, os::unix::fs::PermissionsExt};

use serde_json::Value;
use world::{Folder, free_address};

#[test]
fn a_business_is_set_up_from_the_command_line() {
    let folder = Folder::new("setup");
    let tenant = folder.json(&[
        "tenant",
        "create",
        "--name",
        "Coastal Plumbing",
        "--timezone",
        "Australia/Sydney",
        "--country",
        "AU",
    ]);
    assert_eq!(tenant["slug"], "coastal-plumbing");
    assert!(tenant["id"].is_string());
    let user = folder.json(&[
        "user",
        "add",
        "--tenant",
        "coastal-plumbing",
        "--email",
        "Maya@Example.com",
        "--role",
        "owner",
    ]);
    assert!(user["id"].is_string());
    let link = folder.json(&["login-link", "--email", "maya@example.com"]);
    assert!(link["url"].as_str().unwrap().starts_with("http://127.0.0.1:3000/"), "{link}");
    let key = folder.json(&[
        "api-key",
        "create",
        "--tenant",
        "coastal-plumbing",
        "--name",
        "website",
        "--scope",
        "ingest",
    ]);
    assert!(key["key"].as_str().unwrap().starts_with("pb_"), "{key}");
    let url = folder.json(&["database-url"]);
    assert!(url["url"].as_str().unwrap().starts_with("postgresql://patchbay@"), "{url}");
    let mode = fs::metadata(folder.path("master.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!folder.path("postgres/postmaster.pid").exists(), "nothing is left running");
}

#[test]
fn what_is_wrong_is_one_sentence_and_a_failure() {
    let folder = Folder::new("wrong");
    folder.json(&["tenant", "create", "--name", "One"]);
    for (arguments, environment, part) in [
        (vec!["tenant", "create", "--name", "Two", "--slug", "one"], vec![], "taken"),
        (vec!["tenant", "create", "--name", " ", "--timezone", "Mars/Olympus"], vec![], "time zone"),
        (
            vec!["user", "add", "--tenant", "nobody", "--email", "a@example.com", "--role", "viewer"],
            vec![],
            "nobody",
        ),
        (vec!["login-link", "--email", "stranger@example.com"], vec![], ""),
        (vec!["api-key", "create", "--tenant", "nobody", "--name", "x"], vec![], "no tenant"),
        (vec!["migrate"], vec![("DATABASE_URL", "postgres://u:hunter2@127.0.0.1:1/x")], "does not answer"),
        (vec!["migrate"], vec![("DATABASE_URL", "mysql://u:hunter2@127.0.0.1/x")], "postgresql://"),
        (vec!["migrate"], vec![("PATCHBAY_PG_BIN", "/nonexistent")], "/nonexistent"),
        (vec!["migrate"], vec![("PATCHBAY_PUBLIC_URL", "example.com")], "PATCHBAY_PUBLIC_URL"),
        (vec!["migrate"], vec![("PATCHBAY_MASTER_KEY", "short")], "PATCHBAY_MASTER_KEY"),
        (vec!["restore", "nowhere.dump"], vec![], "not there"),
    ] {
        let output = folder.command(&arguments).envs(environment).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert_eq!(said.trim().lines().count(), 1, "{said}");
        assert!(said.contains(part) && !said.contains("hunter2") && !said.contains("panicked"), "{said}");
    }
}

#[test]
fn a_server_serves_and_stops_in_order() {
    let folder = Folder::new("serve");
    let server = folder.serve(&["serve"], &[]);
    let health: Value = serde_json::from_str(&server.get("/health/ready")).unwrap();
    assert_eq!(health["status"], "ready");
    assert!(server.get("/metrics").contains("patchbay_database_up 1"));
    // Commands beside it use the same database, and links lead to where it listens.
    folder.json(&["tenant", "create", "--name", "Beside"]);
    folder.json(&["user", "add", "--tenant", "beside", "--email", "b@example.com", "--role", "owner"]);
    let link = folder.json(&["login-link", "--email", "b@example.com"]);
    assert!(link["url"].as_str().unwrap().starts_with(&server.url), "{link}");
    // A worker may share the folder, a second server may not.
    let worker = folder.serve(&["serve", "--role", "worker", "--probe-listen", "127.0.0.1:0"], &[]);
    assert!(worker.get("/health/ready").contains("ready"));
    assert!(worker.get("/metrics").contains("patchbay_dispatcher_lag_seconds"));
    assert!(!worker.get("/sign-in").contains("<form"), "nothing else");
    let second = folder.command(&["serve", "--listen", "127.0.0.1:0"]).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("in use by another `patchbay serve`"));
    let elsewhere = Folder::new("elsewhere");
    let port = elsewhere.command(&["serve", "--listen", &server.address]).output().unwrap();
    assert_eq!(port.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&port.stderr).contains("in use by another program"));
    assert!(server.stop("TERM").success());
    assert!(folder.path("postgres/postmaster.pid").exists(), "the worker still uses the database");
    assert!(worker.stop("INT").success());
    assert!(!folder.path("postgres/postmaster.pid").exists());
}

#[test]
fn a_killed_server_leaves_nothing_that_hinders_the_next() {
    let folder = Folder::new("killed");
    for _ in 0..2 {
        let server = folder.serve(&["demo"], &[]);
        assert!(server.get("/health/ready").contains("ready"));
        server.stop("KILL");
    }
    let server = folder.serve(&["demo"], &[]);
    assert!(server.get("/health/ready").contains("ready"));
    assert!(server.stop("INT").success());
    assert!(!folder.path("postgres/postmaster.pid").exists());
}

#[test]
fn streams_do_not_keep_a_server_from_stopping() {
    let folder = Folder::new("stream");
    folder.json(&["tenant", "create", "--name", "Stream"]);
    let key = folder.json(&["api-key", "create", "--tenant", "stream", "--name", "x"]);
    let server = folder.serve(&["serve"], &[]);
    let mut stream = server.open("/api/events", key["key"].as_str().unwrap());
    world::read_until(&mut stream, "200 OK");
    assert!(server.stop("TERM").success());
}

#[test]
fn two_signals_do_not_wait() {
    let folder = Folder::new("hurry");
    let server = folder.serve(&["serve"], &[]);
    server.signal("INT");
    server.signal("INT");
    server.wait();
    // The database was asked to stop; the next command finds it stopping, stopped or running, and works.
    folder.json(&["migrate"]);
    assert!(!folder.path("postgres/postmaster.pid").exists());
}

#[test]
fn a_backup_is_restored_whole_or_not_at_all() {
    let (folder, other) = (Folder::new("backup"), Folder::new("restored"));
    folder.json(&["tenant", "create", "--name", "Kept"]);
    let file = folder.path("kept.dump");
    let file = file.to_str().unwrap();
    let made = folder.json(&["backup", file]);
    assert!(made["bytes"].as_u64().unwrap() > 1000);
    assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    let restored = other.json(&["restore", file]);
    assert_eq!(
        (restored["tenants"].as_i64(), restored["checksum_verified"].as_bool()),
        (Some(1), Some(true))
    );
    other.json(&["user", "add", "--tenant", "kept", "--email", "k@example.com", "--role", "owner"]);
    // What the original may have sent is not sent again until somebody says so; the original itself goes on.
    let release = ["sending", "release", "--all", "--waiting", "cancel"];
    assert_eq!(folder.json(&release)["released"], 0);
    assert_eq!(other.json(&release)["released"], 1);
    assert_eq!(other.json(&["sending", "hold", "--tenant", "kept"])["held"], 1);
    // Data that is there is not replaced by accident.
    let refused = other.command(&["restore", file]).output().unwrap();
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("--force"));
    // A damaged file is noticed by its checksum, and without one by its contents: nothing changes.
    let damaged = folder.path("damaged.dump");
    let mut bytes = fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 64].fill(0xff);
    fs::write(&damaged, bytes).unwrap();
    for checksum in [true, false] {
        let beside = folder.path("damaged.dump.sha256");
        if checksum {
            fs::copy(folder.path("kept.dump.sha256"), &beside).unwrap();
        } else {
            fs::remove_file(&beside).unwrap();
        }
        let output = other.command(&["restore", damaged.to_str().unwrap(), "--force"]).output().unwrap();
        assert!(!output.status.success(), "{output:?}");
    }
    let link = other.json(&["login-link", "--email", "k@example.com"]);
    assert!(link["url"].is_string(), "what was there is still there");
    let forced = other.json(&["restore", file, "--force"]);
    assert_eq!(forced["tenants"], 1);
    assert!(!other.command(&["login-link", "--email", "k@example.com"]).output().unwrap().status.success());
}

#[test]
fn the_doctor_says_what_to_mend() {
    let folder = Folder::new("doctor");
    folder.json(&["migrate"]);
    let sound = folder.json(&["doctor"]);
    assert_eq!(sound["sound"], true, "{sound}");
    let ill = folder
        .command(&["--json", "doctor"])
        .env("DATABASE_URL", "postgres://u:hunter2@127.0.0.1:1/x")
        .output()
        .unwrap();
    assert_eq!(ill.status.code(), Some(1));
    let said = String::from_utf8(ill.stdout).unwrap();
    assert!(
        said.contains("\"database\"") && said.contains("\"mend\"") && !said.contains("hunter2"),
        "{said}"
    );
    let keys = folder.path("master.key");
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o644)).unwrap();
    let open = folder.command(&["doctor"]).output().unwrap();
    assert_eq!(open.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&open.stdout).contains("chmod 600"));
}

#[test]
fn the_carrier_answers_until_it_is_stopped() {
    let folder = Folder::new("carrier");
    let address = free_address();
    let carrier = folder.serve(&["carrier", "--auth-token", "secret", "--listen", &address], &[]);
    let ledger: String = carrier.get("/ledger").split_whitespace().collect();
    assert_eq!(ledger, "[]");
    assert!(carrier.stop("TERM").success());
    let wrong = folder
        .command(&["carrier", "--auth-token", "x", "--reject-rate", "2", "--listen", &free_address()])
        .output()
        .unwrap();
    assert!(!wrong.status.success() && String::from_utf8_lossy(&wrong.stderr).contains("between 0 and 1"));
}

#[test]
fn the_master_key_is_changed_without_losing_what_it_sealed() {
    let folder = Folder::new("reseal");
    folder.json(&["tenant", "create", "--name", "Sealed"]);
    let key = folder.json(&["api-key", "create", "--tenant", "sealed", "--name", "x"]);
    let server = folder.serve(&["serve"], &[]);
    let account = r#"{"provider":"twilio","account_sid":"AC00000000000000000000000000000001","auth_token":"0123456789abcdef0123456789abcdef"}"#;
    let answer = server.post("/api/provider-accounts", key["key"].as_str().unwrap(), account);
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let refused = folder.command(&["reseal", "--new-key"]).output().unwrap();
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("Stop"));
    assert!(server.stop("TERM").success());
    let before = fs::read_to_string(folder.path("master.key")).unwrap();
    assert_eq!(folder.json(&["reseal", "--new-key"])["resealed"], 1);
    let after = fs::read_to_string(folder.path("master.key")).unwrap();
    assert!(after != before && after.lines().count() == 1);
    assert_eq!(folder.json(&["reseal"])["resealed"], 0);
    assert_eq!(folder.json(&["doctor"])["sound"], true);
    // With the former key alone nothing opens any more, and the doctor says so.
    fs::write(folder.path("master.key"), before).unwrap();
    fs::set_permissions(folder.path("master.key"), fs::Permissions::from_mode(0o600)).unwrap();
    let lost = folder.command(&["doctor"]).output().unwrap();
    assert!(String::from_utf8_lossy(&lost.stdout).contains("open with no configured key"));
}
