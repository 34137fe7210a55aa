//! The schema grows under data that is there already.

use std::collections::BTreeMap;

use sqlx::{Connection, Executor, PgConnection};

use super::{history::HISTORY, *};
use crate::tests::TestApp;

#[tokio::test]
async fn migrations_run_on_a_database_that_holds_data() {
    let test = TestApp::new().await;
    test.leaves_work();
    let mut conn = emptied(&test).await;
    let mut rows = BTreeMap::new();
    for migration in MIGRATIONS.iter().filter(|migration| !migration.migration_type.is_down_migration()) {
        let version = migration.version;
        MIGRATIONS.run_to(version, &mut conn).await.unwrap();
        let after = counts(&mut conn).await;
        for (table, number) in &rows {
            assert!(after.get(table) >= Some(number), "{version} loses rows of {table}");
        }
        let history = HISTORY.iter().find(|(of, _)| *of == version);
        let (_, statements) = history.unwrap_or_else(|| panic!("db/history.rs says nothing of {version}"));
        conn.execute(*statements).await.unwrap();
        rows = counts(&mut conn).await;
        let empty: Vec<_> = rows.iter().filter(|(_, number)| **number == 0).map(|(table, _)| table).collect();
        assert!(
            empty.is_empty(),
            "{version}: the next migration would find nothing in {empty:?}; see db/history.rs"
        );
    }
    sqlx::query("delete from patchbay.outbox").execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
    // Up to date is up to date, also for two nodes that start at once.
    let (one, two) = (Db::connect(&test.url, 1).await.unwrap(), Db::connect(&test.url, 1).await.unwrap());
    let (first, second) = tokio::join!(one.migrate(), two.migrate());
    assert!(first.is_ok() && second.is_ok(), "{first:?} {second:?}");
    let (all, done) = one.migrations().await.unwrap();
    assert_eq!(all, done);
}

#[tokio::test]
async fn a_schema_from_the_future_is_left_alone() {
    let test = TestApp::new().await;
    let mut conn = test.sql().await;
    sqlx::query(
        "insert into public._sqlx_migrations (version, description, success, checksum, execution_time) values (9999, 'later', true, '', 0)",
    )
    .execute(&mut conn)
    .await
    .unwrap();
    let error = test.app.db.migrate().await.unwrap_err();
    assert!(matches!(error, ConnectError::Newer(9999)), "{error}");
}

/// Backups and restores name these schemas, and nothing else of ours.
#[tokio::test]
async fn everything_of_ours_lives_in_two_schemas() {
    let test = TestApp::new().await;
    let elsewhere: Vec<String> = sqlx::query_scalar(
        "select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where n.nspname not in ('patchbay', 'api', 'information_schema') and n.nspname not like 'pg_%'
           and c.relname not like '\\_sqlx\\_migrations%'
           and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')",
    )
    .fetch_all(&mut test.sql().await)
    .await
    .unwrap();
    assert_eq!(elsewhere, Vec::<String>::new());
}

#[tokio::test]
async fn why_a_server_cannot_be_used_is_one_sentence_without_the_password() {
    for (url, part) in [
        ("mysql://u:hunter2@localhost/x", "does not begin with postgresql://"),
        ("postgres://u:hunter2@127.0.0.1:1/x", "\"x\" at 127.0.0.1:1 does not answer"),
        ("postgres://u:hunter2@nowhere.invalid/x", "\"x\" at nowhere.invalid:5432 does not answer"),
        ("postgres://u:hunter2@localhost:port/x", "is not a PostgreSQL address"),
    ] {
        let said = Db::connect(url, 1).await.err().expect("no such server").to_string();
        assert!(said.contains(part), "{said}");
        assert!(!said.contains("hunter2") && !said.contains('\n'), "{said}");
    }
}

#[test]
fn versions_are_read() {
    for (said, version) in [
        ("15.18 (Debian 15.18-0+deb12u1)", Some(15)),
        ("17beta1", Some(17)),
        ("9.6.24", Some(9)),
        ("x", None),
    ] {
        assert_eq!(major(said), version);
    }
}

/// Rows by table.
async fn counts(conn: &mut PgConnection) -> BTreeMap<String, i64> {
    let query = "select relname::text, (xpath('/row/n/text()', query_to_xml(format('select count(*) as n from patchbay.%I', relname), false, true, '')))[1]::text::bigint
        from pg_class where relnamespace = 'patchbay'::regnamespace and relkind = 'r'";
    let rows: Vec<(String, i64)> = sqlx::query_as(query).fetch_all(conn).await.unwrap();
    rows.into_iter().collect()
}

/// The test's database as it was before the first migration.
async fn emptied(test: &TestApp) -> PgConnection {
    let mut conn = test.sql().await;
    conn.execute(
        "set search_path = public; drop schema api, patchbay cascade; drop table public._sqlx_migrations",
    )
    .await
    .unwrap();
    conn
}
