//! Taking an import back, a batch at a time. Every statement is done with what it has undone, so that doing it again
//! changes nothing more.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::Result;

/// Contacts that the import made, from `after` on.
pub(in crate::imports) async fn list_made(
    conn: &mut PgConnection,
    tenant: Uuid,
    import: Uuid,
    after: Uuid,
    limit: i64,
) -> Result<Vec<Uuid>> {
    Ok(sqlx::query_scalar!(
        "select id from patchbay.contacts where tenant_id = $1 and import_id = $2 and id > $3 order by id limit $4",
        tenant,
        import,
        after,
        limit,
    )
    .fetch_all(conn)
    .await?)
}

/// Deletes those of `ids` that nobody has touched since: no change, no talk, no quote, no note, no other label.
pub(in crate::imports) async fn delete_untouched(
    conn: &mut PgConnection,
    tenant: Uuid,
    import: Uuid,
    ids: &[Uuid],
) -> Result<u64> {
    let done = sqlx::query!(
        "delete from patchbay.contacts c where c.tenant_id = $1 and c.import_id = $2 and c.id = any($3) and c.updated_at = c.created_at
           and c.merged_into is null and c.last_contacted_at is null and c.last_replied_at is null
           and not exists (select from patchbay.messages x where x.tenant_id = $1 and x.contact_id = c.id)
           and not exists (select from patchbay.conversations x where x.tenant_id = $1 and x.contact_id = c.id)
           and not exists (select from patchbay.quotes x where x.tenant_id = $1 and x.contact_id = c.id)
           and not exists (select from patchbay.campaign_recipients x join patchbay.campaigns k on k.tenant_id = x.tenant_id and k.id = x.campaign_id
             where x.tenant_id = $1 and x.contact_id = c.id and k.finished_at is null)
           and not exists (select from patchbay.notes x where x.tenant_id = $1 and x.contact_id = c.id)
           and not exists (select from patchbay.activities x where x.tenant_id = $1 and x.contact_id = c.id)
           and not exists (select from patchbay.contact_merges x where x.tenant_id = $1 and x.kept_id = c.id)
           and not exists (select from patchbay.contact_labels x where x.tenant_id = $1 and x.contact_id = c.id and x.created_at > c.created_at)",
        tenant,
        import,
        ids,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// A change that the import made to a contact.
pub(in crate::imports) struct Change {
    pub(in crate::imports) contact_id: Uuid,
    pub(in crate::imports) before: Value,
    pub(in crate::imports) after: Value,
    /// The contact as it is now, if it is.
    pub(in crate::imports) now: Option<Value>,
}

pub(in crate::imports) async fn take_changes(
    conn: &mut PgConnection,
    tenant: Uuid,
    import: Uuid,
    limit: i64,
) -> Result<Vec<Change>> {
    Ok(sqlx::query_as!(
        Change,
        r#"with taken as (
             delete from patchbay.import_changes where tenant_id = $1 and import_id = $2 and contact_id in
               (select contact_id from patchbay.import_changes where tenant_id = $1 and import_id = $2 order by contact_id limit $3)
             returning contact_id, before, after, labels),
           unlabelled as (
             delete from patchbay.contact_labels l using taken t where l.tenant_id = $1 and l.contact_id = t.contact_id and l.label_id = any(t.labels))
           select t.contact_id as "contact_id!", t.before as "before!", t.after as "after!", to_jsonb(c) - 'search_text' - 'person_id' as now
           from taken t left join patchbay.contacts c on c.tenant_id = $1 and c.id = t.contact_id and c.merged_into is null"#,
        tenant,
        import,
        limit,
    )
    .fetch_all(conn)
    .await?)
}

/// Writes back fields, `null` where nothing was. `properties` in a patch are whole.
pub(in crate::imports) async fn restore_contacts(
    conn: &mut PgConnection,
    tenant: Uuid,
    ids: &[Uuid],
    patches: &[Value],
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        r#"with changed as (
           update patchbay.contacts c set
             phone_e164 = case when g.patch ? 'phone_e164' then g.patch ->> 'phone_e164' else c.phone_e164 end,
             phone_ext = case when g.patch ? 'phone_ext' then g.patch ->> 'phone_ext' else c.phone_ext end,
             email = case when g.patch ? 'email' then g.patch ->> 'email' else c.email end,
             first_name = case when g.patch ? 'first_name' then g.patch ->> 'first_name' else c.first_name end,
             last_name = case when g.patch ? 'last_name' then g.patch ->> 'last_name' else c.last_name end,
             status = case when g.patch ? 'status' then g.patch ->> 'status' else c.status end,
             stage_id = case when g.patch ? 'stage_id' then (g.patch ->> 'stage_id')::uuid else c.stage_id end,
             source = case when g.patch ? 'source' then g.patch ->> 'source' else c.source end,
             timezone = case when g.patch ? 'timezone' then g.patch ->> 'timezone' else c.timezone end,
             state = case when g.patch ? 'state' then g.patch ->> 'state' else c.state end,
             postal = case when g.patch ? 'postal' then g.patch ->> 'postal' else c.postal end,
             country = case when g.patch ? 'country' then g.patch ->> 'country' else c.country end,
             properties = case when g.patch ? 'properties' then g.patch -> 'properties' else c.properties end,
             archived_at = case when g.patch ? 'archived_at' then (g.patch ->> 'archived_at')::timestamptz else c.archived_at end,
             updated_at = $4
           from unnest($2::uuid[], $3::jsonb[]) g(id, patch)
           where c.tenant_id = $1 and c.id = g.id
           returning c.id, g.patch)
         insert into patchbay.outbox (tenant_id, event_type, payload, next_attempt_at)
         select $1, 'contact.readdressed', jsonb_build_object('contact_id', id), $4 from changed where patch ?| array['phone_e164', 'email']"#,
        tenant,
        ids,
        patches,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes back consent and listings that still stand as the import left them; answers how many are left.
pub(in crate::imports) async fn restore_addresses(
    conn: &mut PgConnection,
    tenant: Uuid,
    import: Uuid,
    limit: i64,
    now: DateTime<Utc>,
) -> Result<u64> {
    let taken = sqlx::query!(
        r#"with taken as (
             delete from patchbay.import_addresses where tenant_id = $1 and import_id = $2 and (channel, address) in
               (select channel, address from patchbay.import_addresses where tenant_id = $1 and import_id = $2 order by channel, address limit $3)
             returning channel, address, before, after, before_basis, before_expires_at),
           unlisted as (
             delete from patchbay.do_not_contact d using taken t
             where t.channel = 'do_not_contact' and d.tenant_id = $1 and d.phone_e164 = t.address and d.source = 'import'),
           changed as (
             update patchbay.consents c set state = coalesce(t.before, 'unknown'), changed_at = $4, detail = 'Import undone',
               basis = coalesce(t.before_basis, 'express'), expires_at = t.before_expires_at
             from taken t where c.tenant_id = $1 and c.channel = t.channel and c.address = t.address and c.state = t.after and c.how = 'import'
             returning c.channel, c.address, c.state, c.actor_label, c.basis, c.expires_at),
           proof as (
             insert into patchbay.consent_events (tenant_id, channel, address, state, how, source, evidence, actor_label, created_at, basis, expires_at)
             select $1, channel, address, state, 'import', 'Import undone', jsonb_build_object('import_id', $2::uuid), actor_label, $4,
               case when state = 'subscribed' then basis end, expires_at from changed)
           select count(*) as "count!" from taken"#,
        tenant,
        import,
        limit,
        now,
    )
    .fetch_one(conn)
    .await?;
    Ok(u64::try_from(taken.count).unwrap_or_default())
}

/// Adds to what the undo has done so far; `false` when another node has it.
pub(in crate::imports) async fn advance_undo(
    conn: &mut PgConnection,
    tenant: Uuid,
    id: Uuid,
    attempt: i32,
    counts: &Value,
    lease_until: DateTime<Utc>,
) -> Result<bool> {
    let done = sqlx::query!(
        "update patchbay.imports set lease_until = $5, undo = (
           select jsonb_object_agg(k, coalesce((undo ->> k)::bigint, 0) + coalesce(($4::jsonb ->> k)::bigint, 0)) from unnest(array['deleted', 'restored', 'kept']) k)
         where tenant_id = $1 and id = $2 and attempt = $3 and status = 'undoing'",
        tenant,
        id,
        attempt,
        counts,
        lease_until,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(in crate::imports) async fn count_made(
    conn: &mut PgConnection,
    tenant: Uuid,
    import: Uuid,
) -> Result<i64> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from patchbay.contacts where tenant_id = $1 and import_id = $2"#,
        tenant,
        import,
    )
    .fetch_one(conn)
    .await?)
}
