//! Who may be there twice.

use uuid::Uuid;

use crate::{db::TenantTx, error::Result};

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

/// Contacts that are alike in one way.
pub(in crate::contacts) struct Together {
    /// 0 the same e-mail, 1 a number that ends alike, 2 the same name.
    pub(in crate::contacts) likeness: i32,
    /// Oldest first, a few of them.
    pub(in crate::contacts) ids: Vec<Uuid>,
    pub(in crate::contacts) count: i64,
}

/// All of a tenant's contacts, put together by what two of one person would share; likeliest first. Reads every
/// contact once per likeness.
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
