//! The rows of imports and their files.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{auth::Actor, db::TenantTx, error::Result, imports::Import};

macro_rules! select_imports {
    ($rest:tt, $($argument:expr),* $(,)?) => {
        sqlx::query_as!(
            Import,
            r#"select tenant_id, id, file_name, byte_count, format, preview, mapping, dry_run, status, problem, row_count, new_count, updated_count,
                 duplicate_count, invalid_count, opted_out_count, bytes_read, samples, expected, undo, attempt,
                 created_by_label as created_by, created_at, started_at, finished_at
               from patchbay.imports "# + $rest,
            $($argument),*
        )
    };
}

pub(in crate::imports) async fn insert(
    tx: &mut TenantTx,
    id: Uuid,
    file_name: &str,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "insert into patchbay.imports (tenant_id, id, file_name, created_by_kind, created_by, created_by_label, created_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        tenant,
        id,
        file_name,
        actor.kind.as_str(),
        actor.id,
        actor.label,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(in crate::imports) async fn insert_chunk(
    tx: &mut TenantTx,
    id: Uuid,
    position: i32,
    bytes: &[u8],
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "insert into patchbay.import_chunks (tenant_id, import_id, position, bytes) values ($1, $2, $3, $4)",
        tenant,
        id,
        position,
        bytes,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(in crate::imports) async fn find_chunk(
    conn: &mut PgConnection,
    tenant: Uuid,
    id: Uuid,
    position: i32,
) -> Result<Option<Vec<u8>>> {
    Ok(sqlx::query_scalar!(
        "select bytes from patchbay.import_chunks where tenant_id = $1 and import_id = $2 and position = $3",
        tenant,
        id,
        position,
    )
    .fetch_optional(conn)
    .await?)
}

pub(in crate::imports) async fn delete(tx: &mut TenantTx, id: Uuid) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!("delete from patchbay.imports where tenant_id = $1 and id = $2", tenant, id)
        .execute(tx.conn())
        .await?;
    Ok(())
}

pub(in crate::imports) async fn find(tx: &mut TenantTx, id: Uuid) -> Result<Option<Import>> {
    let tenant = tx.tenant();
    Ok(select_imports!("where tenant_id = $1 and id = $2", tenant, id).fetch_optional(tx.conn()).await?)
}

pub(in crate::imports) async fn lock(tx: &mut TenantTx, id: Uuid) -> Result<Option<Import>> {
    let tenant = tx.tenant();
    Ok(select_imports!("where tenant_id = $1 and id = $2 for update", tenant, id)
        .fetch_optional(tx.conn())
        .await?)
}

pub(in crate::imports) async fn list(
    tx: &mut TenantTx,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Import>> {
    let tenant = tx.tenant();
    Ok(select_imports!(
        "where tenant_id = $1 and status <> 'uploading' and ($2::uuid is null or id < $2) order by id desc limit $3",
        tenant,
        before,
        limit,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// What is known of a file once it is whole.
pub(in crate::imports) async fn set_file(
    tx: &mut TenantTx,
    id: Uuid,
    byte_count: i64,
    format: &Value,
    preview: &Value,
    mapping: &Value,
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.imports set status = 'draft', byte_count = $3, format = $4, preview = $5, mapping = $6
         where tenant_id = $1 and id = $2",
        tenant,
        id,
        byte_count,
        format,
        preview,
        mapping,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Lets the workers have it, from the first row.
pub(in crate::imports) async fn queue(
    tx: &mut TenantTx,
    id: Uuid,
    dry_run: bool,
    mapping: &Value,
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.imports set status = 'queued', dry_run = $3, mapping = $4, problem = null, lease_until = null,
           expected = case when not $3 and dry_run and status = 'finished' then jsonb_build_object('rows', row_count, 'new', new_count,
             'updated', updated_count, 'duplicate', duplicate_count, 'invalid', invalid_count, 'opted_out', opted_out_count) end,
           row_count = 0, new_count = 0, updated_count = 0, duplicate_count = 0, invalid_count = 0, opted_out_count = 0,
           bytes_read = 0, samples = '{}', started_at = null, finished_at = null
         where tenant_id = $1 and id = $2",
        tenant,
        id,
        dry_run,
        mapping,
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!("delete from patchbay.import_rejects where tenant_id = $1 and import_id = $2", tenant, id)
        .execute(tx.conn())
        .await?;
    sqlx::query!("delete from patchbay.import_ranges where tenant_id = $1 and import_id = $2", tenant, id)
        .execute(tx.conn())
        .await?;
    Ok(())
}

pub(in crate::imports) async fn set_undoing(tx: &mut TenantTx, id: Uuid) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.imports set status = 'undoing', lease_until = null, undo = '{\"deleted\": 0, \"restored\": 0, \"kept\": 0}'
         where tenant_id = $1 and id = $2",
        tenant,
        id
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Imports that wait for a node, of any tenant, oldest first.
pub(in crate::imports) async fn list_due(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
) -> Result<Vec<(Uuid, Uuid)>> {
    let rows = sqlx::query!(
        "select tenant_id, id from patchbay.imports where status in ('queued', 'running', 'undoing')
           and (lease_until is null or lease_until <= $1) order by lease_until nulls first, created_at limit 20",
        now,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.tenant_id, row.id)).collect())
}

/// Takes one, if it still waits. Whoever had it before is shut out by the new attempt.
pub(in crate::imports) async fn claim(
    conn: &mut PgConnection,
    tenant: Uuid,
    id: Uuid,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
) -> Result<Option<Import>> {
    let claimed = sqlx::query!(
        "update patchbay.imports set attempt = attempt + 1, lease_until = $4, started_at = coalesce(started_at, $3),
           status = case status when 'queued' then 'running' else status end
         where tenant_id = $1 and id = $2 and status in ('queued', 'running', 'undoing') and (lease_until is null or lease_until <= $3)",
        tenant,
        id,
        now,
        lease_until,
    )
    .execute(&mut *conn)
    .await?;
    if claimed.rows_affected() == 0 {
        return Ok(None);
    }
    Ok(select_imports!("where tenant_id = $1 and id = $2", tenant, id).fetch_optional(conn).await?)
}

/// Keeps a claimed import for longer; `false` when another node has it.
pub(in crate::imports) async fn renew(
    conn: &mut PgConnection,
    tenant: Uuid,
    id: Uuid,
    attempt: i32,
    lease_until: DateTime<Utc>,
) -> Result<bool> {
    let done = sqlx::query!(
        "update patchbay.imports set lease_until = $4 where tenant_id = $1 and id = $2 and attempt = $3 and lease_until is not null",
        tenant,
        id,
        attempt,
        lease_until,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// How far an import has come.
pub(in crate::imports) struct Progress<'a> {
    pub(in crate::imports) attempt: i32,
    /// Rows of the file before and after this batch.
    pub(in crate::imports) from: i64,
    pub(in crate::imports) to: i64,
    pub(in crate::imports) new: i64,
    pub(in crate::imports) updated: i64,
    pub(in crate::imports) duplicate: i64,
    pub(in crate::imports) invalid: i64,
    pub(in crate::imports) opted_out: i64,
    pub(in crate::imports) bytes_read: i64,
    /// All that were kept so far; batches end in any order, so the longest is the newest.
    pub(in crate::imports) samples: Option<&'a Value>,
    pub(in crate::imports) lease_until: DateTime<Utc>,
}

/// Notes that these rows are written; `false` when they were before.
pub(in crate::imports) async fn insert_range(
    conn: &mut PgConnection,
    tenant: Uuid,
    id: Uuid,
    from: i64,
    to: i64,
) -> Result<bool> {
    let done = sqlx::query!(
        "insert into patchbay.import_ranges (tenant_id, import_id, from_row, to_row) values ($1, $2, $3, $4) on conflict do nothing",
        tenant,
        id,
        from,
        to,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The rows that are written, in order.
pub(in crate::imports) async fn list_ranges(
    conn: &mut PgConnection,
    tenant: Uuid,
    id: Uuid,
) -> Result<Vec<(i64, i64)>> {
    let rows = sqlx::query!(
        "select from_row, to_row from patchbay.import_ranges where tenant_id = $1 and import_id = $2 order by from_row",
        tenant,
        id,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.from_row, row.to_row)).collect())
}

/// Counts one more batch; `false` when another node has the import.
pub(in crate::imports) async fn advance(
    conn: &mut PgConnection,
    tenant: Uuid,
    id: Uuid,
    step: &Progress<'_>,
) -> Result<bool> {
    let done = sqlx::query!(
        "update patchbay.imports set row_count = row_count + $4, new_count = new_count + $5, updated_count = updated_count + $6,
           duplicate_count = duplicate_count + $7, invalid_count = invalid_count + $8, opted_out_count = opted_out_count + $9,
           bytes_read = greatest(bytes_read, $10), lease_until = $12,
           samples = case when length($11::jsonb::text) > length(samples::text) then $11 else samples end
         where tenant_id = $1 and id = $2 and attempt = $3 and status = 'running'",
        tenant,
        id,
        step.attempt,
        step.to - step.from,
        step.new,
        step.updated,
        step.duplicate,
        step.invalid,
        step.opted_out,
        step.bytes_read,
        step.samples,
        step.lease_until,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends the work on an import, with a problem or without.
pub(in crate::imports) async fn finish(
    conn: &mut PgConnection,
    tenant: Uuid,
    id: Uuid,
    attempt: i32,
    status: &str,
    problem: Option<&str>,
    now: DateTime<Utc>,
) -> Result<bool> {
    let done = sqlx::query!(
        "update patchbay.imports set status = $4, problem = $5, finished_at = $6, lease_until = null,
           bytes_read = case when $5::text is null then byte_count else bytes_read end
         where tenant_id = $1 and id = $2 and attempt = $3 and lease_until is not null",
        tenant,
        id,
        attempt,
        status,
        problem,
        now,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Forgets the file itself.
pub(in crate::imports) async fn delete_chunks(conn: &mut PgConnection, tenant: Uuid, id: Uuid) -> Result<()> {
    sqlx::query!("delete from patchbay.import_chunks where tenant_id = $1 and import_id = $2", tenant, id)
        .execute(conn)
        .await?;
    Ok(())
}

/// Files that nobody went on with.
pub(in crate::imports) async fn delete_abandoned(
    conn: &mut PgConnection,
    before: DateTime<Utc>,
) -> Result<u64> {
    let done = sqlx::query!(
        "delete from patchbay.imports where status in ('uploading', 'draft') and created_at < $1",
        before
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// A rejected row as it was written.
pub(in crate::imports) struct Reject {
    pub(in crate::imports) row_number: i64,
    pub(in crate::imports) reason: String,
    pub(in crate::imports) cells: Value,
}

pub(in crate::imports) async fn list_rejects(
    tx: &mut TenantTx,
    id: Uuid,
    after: i64,
    limit: i64,
) -> Result<Vec<Reject>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        Reject,
        "select row_number, reason, cells from patchbay.import_rejects
         where tenant_id = $1 and import_id = $2 and row_number > $3 order by row_number limit $4",
        tenant,
        id,
        after,
        limit,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// What headings were taken for before.
pub(in crate::imports) async fn list_headings(
    tx: &mut TenantTx,
    folded: &[String],
) -> Result<Vec<(String, String)>> {
    let tenant = tx.tenant();
    let rows = sqlx::query!(
        "select heading, field from patchbay.import_headings where tenant_id = $1 and heading = any($2)",
        tenant,
        folded,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.heading, row.field)).collect())
}

pub(in crate::imports) async fn remember_headings(
    tx: &mut TenantTx,
    headings: &[String],
    fields: &[String],
    now: DateTime<Utc>,
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "insert into patchbay.import_headings (tenant_id, heading, field, used_at)
         select distinct on (heading) $1, heading, field, $4::timestamptz from unnest($2::text[], $3::text[]) g(heading, field) order by heading
         on conflict (tenant_id, heading) do update set field = excluded.field, used_at = excluded.used_at",
        tenant,
        headings,
        fields,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
