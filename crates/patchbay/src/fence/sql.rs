use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    db::{SystemTx, TenantTx},
    error::Result,
};

/// The server, the database on it and the tables in it. Restoring makes new tables, cloning a new database, and a new
/// server has another identity.
pub(super) async fn identity(tx: &mut SystemTx) -> Result<String> {
    Ok(sqlx::query_scalar!(
        r#"select concat_ws('/', (select system_identifier from pg_control_system()),
             (select oid from pg_database where datname = current_database()), 'patchbay.tenants'::regclass::oid) as "mark!""#
    )
    .fetch_one(tx.conn())
    .await?)
}

/// The mark that was written last. The lock lets one of several starting nodes be first.
pub(super) async fn lock_mark(tx: &mut SystemTx) -> Result<Option<String>> {
    sqlx::query!("lock table patchbay.instance in exclusive mode").execute(tx.conn()).await?;
    Ok(sqlx::query_scalar!("select mark from patchbay.instance").fetch_optional(tx.conn()).await?)
}

pub(super) async fn write_mark(tx: &mut SystemTx, mark: &str, now: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "insert into patchbay.instance (mark, marked_at) values ($1, $2)
         on conflict (only_one) do update set mark = excluded.mark",
        mark,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(super) async fn hold_all(tx: &mut SystemTx, why: &str, now: DateTime<Utc>) -> Result<u64> {
    let held = sqlx::query!(
        "update patchbay.tenants set sending_held_at = $1, sending_held_why = $2 where sending_held_at is null",
        now,
        why,
    )
    .execute(tx.conn())
    .await?;
    Ok(held.rows_affected())
}

pub(super) async fn hold_one(tx: &mut SystemTx, slug: &str, why: &str, now: DateTime<Utc>) -> Result<u64> {
    let held = sqlx::query!(
        "update patchbay.tenants set sending_held_at = $2, sending_held_why = $3 where slug = $1 and sending_held_at is null",
        slug,
        now,
        why,
    )
    .execute(tx.conn())
    .await?;
    Ok(held.rows_affected())
}

pub(super) async fn held_tenants(conn: &mut PgConnection, slug: Option<&str>) -> Result<Vec<Uuid>> {
    Ok(sqlx::query_scalar!(
        "select id from patchbay.tenants where sending_held_at is not null and ($1::text is null or slug = $1) order by id",
        slug,
    )
    .fetch_all(conn)
    .await?)
}

pub(super) async fn find(tx: &mut TenantTx) -> Result<Option<(DateTime<Utc>, String)>> {
    let tenant = tx.tenant();
    let row =
        sqlx::query!("select sending_held_at, sending_held_why from patchbay.tenants where id = $1", tenant)
            .fetch_one(tx.conn())
            .await?;
    Ok(row.sending_held_at.zip(row.sending_held_why))
}

/// How many messages from before `since` wait, and when the last one left.
pub(super) async fn waiting(
    tx: &mut TenantTx,
    since: DateTime<Utc>,
    most: i64,
) -> Result<(i64, Option<DateTime<Utc>>)> {
    let tenant = tx.tenant();
    let row = sqlx::query!(
        r#"select
             (select count(*) from (select from patchbay.messages
                where tenant_id = $1 and status = 'queued' and created_at < $2 limit $3) m) as "waiting!",
             (select max(sent_at) from (select sent_at from patchbay.messages
                where tenant_id = $1 and direction = 'outbound' and campaign_id is null order by id desc limit 200) m) as last_sent_at"#,
        tenant,
        since,
        most,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok((row.waiting, row.last_sent_at))
}

/// Ends the hold; `false` if there was none.
pub(super) async fn release(tx: &mut TenantTx) -> Result<bool> {
    let tenant = tx.tenant();
    let done = sqlx::query!(
        "update patchbay.tenants set sending_held_at = null, sending_held_why = null
         where id = $1 and sending_held_at is not null",
        tenant
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Up to `limit` messages that waited when the hold began, as long as it lasts.
pub(super) async fn lock_waiting(tx: &mut TenantTx, since: DateTime<Utc>, limit: i64) -> Result<Vec<Uuid>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!(
        "select id from patchbay.messages where tenant_id = $1 and status = 'queued' and created_at < $2
           and exists (select from patchbay.tenants where id = $1 and sending_held_at = $2)
         limit $3 for update",
        tenant,
        since,
        limit,
    )
    .fetch_all(tx.conn())
    .await?)
}
