//! What a batch of rows writes: one statement for each kind of change, whatever the size of the batch.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::Result;

/// The import that writes, and when.
#[derive(Clone, Copy)]
pub(in crate::imports) struct Writer<'a> {
    pub(in crate::imports) tenant: Uuid,
    pub(in crate::imports) import: Uuid,
    pub(in crate::imports) actor_label: &'a str,
    pub(in crate::imports) file_name: &'a str,
    pub(in crate::imports) now: DateTime<Utc>,
}

/// New contacts, column by column.
#[derive(Default)]
pub(in crate::imports) struct Columns {
    pub(in crate::imports) id: Vec<Uuid>,
    pub(in crate::imports) person: Vec<Option<Uuid>>,
    pub(in crate::imports) phone: Vec<Option<String>>,
    pub(in crate::imports) phone_ext: Vec<Option<String>>,
    pub(in crate::imports) email: Vec<Option<String>>,
    pub(in crate::imports) first_name: Vec<Option<String>>,
    pub(in crate::imports) last_name: Vec<Option<String>>,
    pub(in crate::imports) status: Vec<Option<String>>,
    pub(in crate::imports) stage: Vec<Option<Uuid>>,
    pub(in crate::imports) source: Vec<Option<String>>,
    pub(in crate::imports) timezone: Vec<Option<String>>,
    pub(in crate::imports) state: Vec<Option<String>>,
    pub(in crate::imports) postal: Vec<Option<String>>,
    pub(in crate::imports) country: Vec<Option<String>>,
    pub(in crate::imports) properties: Vec<Option<Value>>,
}

/// Persons for addresses, made where nobody has them, in the order given.
pub(in crate::imports) async fn resolve_people(
    conn: &mut PgConnection,
    new: &Columns,
) -> Result<Vec<Option<Uuid>>> {
    let found: Option<Vec<Option<Uuid>>> = sqlx::query_scalar!(
        r#"select patchbay.resolve_people($1, $2, $3, $4) as "people: Vec<Option<Uuid>>""#,
        &new.phone as &[Option<String>],
        &new.email as &[Option<String>],
        &new.first_name as &[Option<String>],
        &new.last_name as &[Option<String>],
    )
    .fetch_one(conn)
    .await?;
    Ok(found.unwrap_or_default())
}

/// Inserts contacts, each with the consent that its addresses have; answers how many. A number that somebody else
/// brought meanwhile is left out.
pub(in crate::imports) async fn insert_contacts(
    conn: &mut PgConnection,
    by: Writer<'_>,
    new: &Columns,
    first_stage: Option<Uuid>,
) -> Result<u64> {
    let done = sqlx::query!(
        "insert into patchbay.contacts (tenant_id, id, person_id, phone_e164, phone_ext, email, first_name, last_name, status, stage_id, source,
           timezone, state, postal, country, properties, consent_sms, consent_whatsapp, consent_email, import_id, created_at, updated_at)
         select $1, g.id, g.person, g.phone, g.ext, g.mail, g.first, g.last, coalesce(g.status, 'lead'), coalesce(g.stage, $17), g.source,
           g.timezone, g.state, g.postal, g.country, coalesce(g.properties, '{}'),
           coalesce(s.state, 'unknown'), coalesce(w.state, 'unknown'), coalesce(e.state, 'unknown'), $18, $19, $19
         from unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::uuid[], $11::text[],
             $12::text[], $13::text[], $14::text[], $15::text[], $16::jsonb[])
           g(id, person, phone, ext, mail, first, last, status, stage, source, timezone, state, postal, country, properties)
         left join patchbay.consents s on s.tenant_id = $1 and s.channel = 'sms' and s.address = g.phone
         left join patchbay.consents w on w.tenant_id = $1 and w.channel = 'whatsapp' and w.address = g.phone
         left join patchbay.consents e on e.tenant_id = $1 and e.channel = 'email' and e.address = g.mail
         on conflict (tenant_id, phone_e164) where merged_into is null do nothing",
        by.tenant,
        &new.id,
        &new.person as &[Option<Uuid>],
        &new.phone as &[Option<String>],
        &new.phone_ext as &[Option<String>],
        &new.email as &[Option<String>],
        &new.first_name as &[Option<String>],
        &new.last_name as &[Option<String>],
        &new.status as &[Option<String>],
        &new.stage as &[Option<Uuid>],
        &new.source as &[Option<String>],
        &new.timezone as &[Option<String>],
        &new.state as &[Option<String>],
        &new.postal as &[Option<String>],
        &new.country as &[Option<String>],
        &new.properties as &[Option<Value>],
        first_stage,
        by.import,
        by.now,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Changes contacts by patches of columns, keeping what stood there. Contacts whose addresses changed are announced,
/// so that the person behind them is looked for again.
pub(in crate::imports) async fn update_contacts(
    conn: &mut PgConnection,
    by: Writer<'_>,
    ids: &[Uuid],
    patches: &[Value],
) -> Result<()> {
    sqlx::query!(
        r#"with given as (select * from unnest($2::uuid[], $3::jsonb[]) g(id, patch)),
         old as (select c.*, g.patch from patchbay.contacts c join given g on g.id = c.id where c.tenant_id = $1 order by c.id for no key update of c),
         changed as (
           update patchbay.contacts c set
             phone_e164 = coalesce(g.patch ->> 'phone_e164', c.phone_e164), phone_ext = coalesce(g.patch ->> 'phone_ext', c.phone_ext),
             email = coalesce(g.patch ->> 'email', c.email), first_name = coalesce(g.patch ->> 'first_name', c.first_name),
             last_name = coalesce(g.patch ->> 'last_name', c.last_name), status = coalesce(g.patch ->> 'status', c.status),
             stage_id = coalesce((g.patch ->> 'stage_id')::uuid, c.stage_id), source = coalesce(g.patch ->> 'source', c.source),
             timezone = coalesce(g.patch ->> 'timezone', c.timezone), state = coalesce(g.patch ->> 'state', c.state),
             postal = coalesce(g.patch ->> 'postal', c.postal), country = coalesce(g.patch ->> 'country', c.country),
             properties = c.properties || coalesce(g.patch -> 'properties', '{}'),
             archived_at = case when g.patch ? 'archived_at' then null else c.archived_at end, updated_at = $5
           from old g where c.tenant_id = $1 and c.id = g.id),
         announced as (
           insert into patchbay.outbox (tenant_id, event_type, payload, next_attempt_at)
           select $1, 'contact.readdressed', jsonb_build_object('contact_id', id), $5 from old where patch ?| array['phone_e164', 'email'])
         insert into patchbay.import_changes (tenant_id, import_id, contact_id, before, after)
         select $1, $4, o.id,
           (select jsonb_object_agg(k, case when k <> 'properties' then to_jsonb(o) -> k
              else (select coalesce(jsonb_object_agg(p, o.properties -> p), '{}') from jsonb_object_keys(o.patch -> 'properties') p) end)
            from jsonb_object_keys(o.patch) k),
           o.patch
         from old o on conflict (tenant_id, import_id, contact_id) do nothing"#,
        by.tenant,
        ids,
        patches,
        by.import,
        by.now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Ids of labels by these names, made where they are missing, in the order given.
pub(in crate::imports) async fn ensure_labels(
    conn: &mut PgConnection,
    tenant: Uuid,
    ids: &[Uuid],
    names: &[String],
) -> Result<Vec<Uuid>> {
    sqlx::query!(
        "insert into patchbay.labels (tenant_id, id, name)
         select $1, id, name from unnest($2::uuid[], $3::text[]) g(id, name) order by lower(name) on conflict (tenant_id, lower(name)) do nothing",
        tenant,
        ids,
        names,
    )
    .execute(&mut *conn)
    .await?;
    Ok(sqlx::query_scalar!(
        "select l.id from unnest($2::text[]) with ordinality g(name, n)
         join patchbay.labels l on l.tenant_id = $1 and lower(l.name) = lower(g.name) order by g.n",
        tenant,
        names,
    )
    .fetch_all(conn)
    .await?)
}

/// Gives labels to contacts; what contacts that were there before did not have yet is kept for the undo.
pub(in crate::imports) async fn attach_labels(
    conn: &mut PgConnection,
    by: Writer<'_>,
    contacts: &[Uuid],
    labels: &[Uuid],
    known: &[Uuid],
) -> Result<()> {
    sqlx::query!(
        "with added as (
           insert into patchbay.contact_labels (tenant_id, contact_id, label_id, created_at)
           select $1, contact, label, $6::timestamptz from unnest($2::uuid[], $3::uuid[]) g(contact, label) on conflict do nothing
           returning contact_id, label_id)
         insert into patchbay.import_changes as i (tenant_id, import_id, contact_id, before, after, labels)
         select $1, $5, contact_id, '{}', '{}', array_agg(label_id) from added where contact_id = any($4) group by contact_id
         on conflict (tenant_id, import_id, contact_id) do update set labels = excluded.labels",
        by.tenant,
        contacts,
        labels,
        known,
        by.import,
        by.now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Consent per row, column by column.
#[derive(Default)]
pub(in crate::imports) struct Consents {
    pub(in crate::imports) channel: Vec<String>,
    pub(in crate::imports) address: Vec<String>,
    pub(in crate::imports) state: Vec<String>,
    pub(in crate::imports) source: Vec<Option<String>>,
    pub(in crate::imports) wording: Vec<Option<String>>,
    pub(in crate::imports) at: Vec<DateTime<Utc>>,
    pub(in crate::imports) basis: Vec<String>,
    pub(in crate::imports) expires_at: Vec<Option<DateTime<Utc>>>,
    pub(in crate::imports) row: Vec<i64>,
}

/// Records consent with its proof. A refusal is never lifted and an agreement never shortened, whoever may have recorded
/// it a moment ago.
pub(in crate::imports) async fn set_consents(
    conn: &mut PgConnection,
    by: Writer<'_>,
    given: &Consents,
) -> Result<()> {
    sqlx::query!(
        "with given as (
           select distinct on (channel, address) * from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::bigint[], $12::text[], $13::timestamptz[])
             g(channel, address, state, source, wording, at, row, basis, expires_at) order by channel, address, state = 'unsubscribed' desc, row),
         old as (
           select c.channel, c.address, c.state, c.basis, c.expires_at from patchbay.consents c join given g on g.channel = c.channel and g.address = c.address
           where c.tenant_id = $1),
         changed as (
           insert into patchbay.consents as c (tenant_id, channel, address, state, how, detail, actor_label, changed_at, basis, expires_at)
           select $1, channel, address, state, 'import', left(coalesce(source, $10), 200), $11, at, basis, expires_at from given order by channel, address
           on conflict (tenant_id, channel, address) do update
             set state = excluded.state, how = excluded.how, detail = excluded.detail, actor_label = excluded.actor_label, changed_at = excluded.changed_at,
               basis = excluded.basis, expires_at = excluded.expires_at
             where c.state <> 'unsubscribed' and (c.state <> excluded.state or (c.state = 'subscribed' and c.basis <> 'express'
               and (excluded.basis = 'express' or excluded.expires_at > c.expires_at)))
           returning c.channel, c.address, c.state),
         proof as (
           insert into patchbay.consent_events (tenant_id, channel, address, state, how, source, wording, evidence, actor_label, created_at, basis, expires_at)
           select $1, c.channel, c.address, c.state, 'import', coalesce(g.source, $10), g.wording,
             jsonb_build_object('import_id', $9::uuid, 'file', $10::text, 'row', g.row), $11, g.at,
             case when c.state = 'subscribed' then g.basis end, g.expires_at
           from changed c join given g on g.channel = c.channel and g.address = c.address)
         insert into patchbay.import_addresses (tenant_id, import_id, channel, address, before, after, before_basis, before_expires_at)
         select $1, $9, c.channel, c.address, o.state, c.state, o.basis, o.expires_at
         from changed c left join old o on o.channel = c.channel and o.address = c.address on conflict do nothing",
        by.tenant,
        &given.channel,
        &given.address,
        &given.state,
        &given.source as &[Option<String>],
        &given.wording as &[Option<String>],
        &given.at,
        &given.row,
        by.import,
        by.file_name,
        by.actor_label,
        &given.basis,
        &given.expires_at as &[Option<DateTime<Utc>>],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Puts numbers on the do-not-contact list; binds at once, also what is waiting to be sent.
pub(in crate::imports) async fn list_numbers(
    conn: &mut PgConnection,
    by: Writer<'_>,
    phones: &[String],
    reasons: &[Option<String>],
) -> Result<()> {
    sqlx::query!(
        "with listed as (
           insert into patchbay.do_not_contact (tenant_id, phone_e164, reason, source, actor_label, created_at)
           select $1, phone, coalesce(reason, 'Asked not to be contacted'), 'import', $5, $6::timestamptz
           from unnest($2::text[], $3::text[]) g(phone, reason) order by phone on conflict (tenant_id, phone_e164) do nothing
           returning phone_e164)
         insert into patchbay.import_addresses (tenant_id, import_id, channel, address, after)
         select $1, $4, 'do_not_contact', phone_e164, 'listed' from listed on conflict do nothing",
        by.tenant,
        phones,
        reasons as &[Option<String>],
        by.import,
        by.actor_label,
        by.now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(in crate::imports) async fn insert_rejects(
    conn: &mut PgConnection,
    by: Writer<'_>,
    numbers: &[i64],
    reasons: &[String],
    cells: &[Value],
) -> Result<()> {
    sqlx::query!(
        "insert into patchbay.import_rejects (tenant_id, import_id, row_number, reason, cells)
         select $1, $2, number, reason, cells from unnest($3::bigint[], $4::text[], $5::jsonb[]) g(number, reason, cells)",
        by.tenant,
        by.import,
        numbers,
        reasons,
        cells,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What rows are read against.
pub(in crate::imports) async fn list_stages(
    conn: &mut PgConnection,
    tenant: Uuid,
) -> Result<Vec<(Uuid, String)>> {
    let rows = sqlx::query!(
        "select id, name from patchbay.stages where tenant_id = $1 order by position, id",
        tenant
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

pub(in crate::imports) async fn find_country(conn: &mut PgConnection, tenant: Uuid) -> Result<String> {
    Ok(sqlx::query_scalar!("select country from patchbay.tenants where id = $1", tenant)
        .fetch_one(conn)
        .await?)
}
