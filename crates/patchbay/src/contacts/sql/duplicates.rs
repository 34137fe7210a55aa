//! Who may be there twice.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{contacts::duplicates::Together, db::TenantTx, error::Result};

pub(in crate::contacts) async fn list_same_email(
    tx: &mut TenantTx,
    email: &str,
    limit: i64,
) -> Result<Vec<Uuid>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!(
        "select id from patchbay.contacts where tenant_id = $1 and email = $2 and merged_into is null and archived_at is null
         order by id desc limit $3",
        tenant,
        email,
        limit,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// All of a tenant's contacts, put together by what two of one person would share; likeliest first. Reads every
/// contact, which takes a second for a million.
pub(in crate::contacts) async fn list_alike(tx: &mut TenantTx, limit: i64) -> Result<Vec<Together>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        Together,
        r#"with listed as materialized (
             select id, email, right(phone_e164, 9) as ending, lower(first_name) || ' ' || lower(last_name) as name
             from patchbay.contacts where tenant_id = $1 and merged_into is null and archived_at is null)
           select likeness as "likeness!", (array_agg(id order by id))[1:6] as "ids!", count(*) as "count!" from (
             select 0 as likeness, email as mark, id from listed where email is not null
             union all select 1, ending, id from listed where ending is not null
             union all select 2, name, id from listed where name is not null) marks
           group by likeness, mark having count(*) > 1
           order by likeness, (array_agg(id order by id desc))[1] desc limit $2"#,
        tenant,
        limit,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Whether a tenant has more than `most` contacts.
pub(in crate::contacts) async fn are_many(tx: &mut TenantTx, most: i64) -> Result<bool> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!(
        r#"select count(*) > $2 as "many!" from (select from patchbay.contacts
             where tenant_id = $1 and archived_at is null limit $2::bigint + 1) c"#,
        tenant,
        most,
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Whoever looks for duplicates does so alone, until the transaction ends.
pub(in crate::contacts) async fn try_lock_alike(tx: &mut TenantTx) -> Result<bool> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!(
        r#"select pg_try_advisory_xact_lock(hashtextextended('duplicates:' || $1::uuid, 0)) as "locked!""#,
        tenant
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Of `ids` those that neither were merged nor archived since.
pub(in crate::contacts) async fn list_standing(tx: &mut TenantTx, ids: &[Uuid]) -> Result<Vec<Uuid>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!(
        "select id from patchbay.contacts where tenant_id = $1 and id = any($2) and merged_into is null and archived_at is null",
        tenant,
        ids,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// The pairs among `ids` that are two people, the lower id first.
pub(in crate::contacts) async fn list_distinct(tx: &mut TenantTx, ids: &[Uuid]) -> Result<Vec<(Uuid, Uuid)>> {
    let tenant = tx.tenant();
    let rows = sqlx::query!(
        "select first_id, second_id from patchbay.distinct_contacts where tenant_id = $1 and first_id = any($2) and second_id = any($2)",
        tenant,
        ids,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.first_id, row.second_id)).collect())
}

/// Remembers that two contacts are two people, or forgets it; `false` if that changes nothing.
pub(in crate::contacts) async fn set_distinct(
    tx: &mut TenantTx,
    (first, second): (Uuid, Uuid),
    distinct: bool,
    by: &str,
    now: DateTime<Utc>,
) -> Result<bool> {
    let tenant = tx.tenant();
    let done = if distinct {
        sqlx::query!(
            "insert into patchbay.distinct_contacts (tenant_id, first_id, second_id, said_by, created_at)
             values ($1, $2, $3, $4, $5) on conflict do nothing",
            tenant,
            first,
            second,
            by,
            now,
        )
        .execute(tx.conn())
        .await?
    } else {
        sqlx::query!(
            "delete from patchbay.distinct_contacts where tenant_id = $1 and first_id = $2 and second_id = $3",
            tenant,
            first,
            second,
        )
        .execute(tx.conn())
        .await?
    };
    Ok(done.rows_affected() > 0)
}

/// Lists of contacts that are on a screen show themselves again.
pub(in crate::contacts) async fn tell(tx: &mut TenantTx) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!("select patchbay.tell($1, array['contacts'])::text as told", tenant)
        .fetch_one(tx.conn())
        .await?;
    Ok(())
}
