//! The schema grows under data that is there already.

use sqlx::{Connection, Executor, PgConnection};

use super::*;
use crate::tests::TestApp;

/// What a business has by the time a migration comes along: each statement runs right after the migration that made
/// it possible, and has to survive all that follow. A new migration gets a line here.
const HISTORY: [(i64, &str); 5] = [
    (
        1,
        "insert into patchbay.tenants (id, name, slug) values ('00000000-0000-0000-0000-00000000000a', 'Old', 'old');
         insert into patchbay.users (id, email) values ('00000000-0000-0000-0000-0000000000a1', 'old@example.com');
         insert into patchbay.memberships (tenant_id, user_id, role) values
           ('00000000-0000-0000-0000-00000000000a', '00000000-0000-0000-0000-0000000000a1', 'owner')",
    ),
    (
        2,
        "insert into patchbay.contacts (tenant_id, id, first_name, phone_e164) values
           ('00000000-0000-0000-0000-00000000000a', '00000000-0000-0000-0000-0000000000c1', 'Maya', '+61491570156')",
    ),
    (
        3,
        "insert into patchbay.messages (tenant_id, contact_id, direction, channel, kind, status, dedupe_key, to_address, body) values
           ('00000000-0000-0000-0000-00000000000a', '00000000-0000-0000-0000-0000000000c1', 'outbound', 'sms', 'manual',
            'delivered', 'old:1', '+61491570156', 'Hello')",
    ),
    (
        4,
        "insert into patchbay.quotes (tenant_id, contact_id, total_cents, currency) values
           ('00000000-0000-0000-0000-00000000000a', '00000000-0000-0000-0000-0000000000c1', 12300, 'AUD')",
    ),
    (
        5,
        "insert into patchbay.outbox (tenant_id, event_type) values ('00000000-0000-0000-0000-00000000000a', 'old.event')",
    ),
];

#[tokio::test]
async fn migrations_run_on_a_database_that_holds_data() {
    let test = TestApp::new().await;
    let mut conn = emptied(&test).await;
    for migration in MIGRATIONS.iter().filter(|migration| !migration.migration_type.is_down_migration()) {
        MIGRATIONS.run_to(migration.version, &mut conn).await.unwrap();
        for (_, statement) in HISTORY.iter().filter(|(version, _)| *version == migration.version) {
            conn.execute(*statement).await.unwrap();
        }
    }
    let counts: Vec<i64> = sqlx::query_scalar(
        "select count(*) from patchbay.memberships union all select count(*) from patchbay.contacts where first_name = 'Maya'
         union all select count(*) from patchbay.messages where body = 'Hello'
         union all select count(*) from patchbay.quotes where total_cents = 12300
         union all select count(*) from patchbay.outbox where event_type = 'old.event'",
    )
    .fetch_all(&mut conn)
    .await
    .unwrap();
    assert_eq!(counts, [1; 5]);
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
