use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    contacts::{
        contact::{ConsentState, Contact, NewContact, Status},
        input::Member,
    },
    db::TenantTx,
    error::Result,
};

/// `select … from contacts c` with everything a [`Contact`] holds; the caller says which and in what order.
macro_rules! select_contacts {
    ($rest:tt, $($argument:expr),* $(,)?) => {
        sqlx::query_as!(
            Contact,
            r#"select c.id, c.status as "status: Status", c.first_name, c.last_name, c.phone_e164, c.phone_ext, c.phone_raw, c.email,
                 c.stage_id, s.name as "stage?", c.stage_position, c.source, c.owner_id, c.timezone, c.state, c.postal, c.country,
                 c.properties, array(select l.name from patchbay.contact_labels cl
                   join patchbay.labels l on l.tenant_id = cl.tenant_id and l.id = cl.label_id
                   where cl.tenant_id = c.tenant_id and cl.contact_id = c.id order by lower(l.name)) as "labels!",
                 c.consent_sms as "consent_sms: ConsentState", c.consent_whatsapp as "consent_whatsapp: ConsentState",
                 c.consent_email as "consent_email: ConsentState",
                 coalesce((select jsonb_object_agg(k.channel, jsonb_build_object('basis', k.basis, 'expires_at', k.expires_at))
                   from patchbay.consents k where k.tenant_id = c.tenant_id and k.address in (c.phone_e164, c.email)
                     and k.expires_at is not null and k.state = 'subscribed'), '{}') as "implied!: crate::contacts::contact::Terms", c.last_contacted_at, c.last_replied_at, c.merged_into,
                 c.archived_at, c.created_at, c.updated_at
               from patchbay.contacts c left join patchbay.stages s on s.tenant_id = c.tenant_id and s.id = c.stage_id "# + $rest,
            $($argument),*
        )
    };
}

pub(in crate::contacts::sql) use select_contacts;

pub(in crate::contacts) async fn find(tx: &mut TenantTx, id: Uuid) -> Result<Option<Contact>> {
    let tenant = tx.tenant();
    Ok(select_contacts!("where c.tenant_id = $1 and c.id = $2", tenant, id).fetch_optional(tx.conn()).await?)
}

/// The rows of `ids`, in their order; ids that are not there are left out.
pub(in crate::contacts) async fn list_by_ids(tx: &mut TenantTx, ids: &[Uuid]) -> Result<Vec<Contact>> {
    let tenant = tx.tenant();
    Ok(select_contacts!(
        "where c.tenant_id = $1 and c.id = any($2) order by array_position($2, c.id)",
        tenant,
        ids
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Keeps the row from changing until the transaction ends.
pub(in crate::contacts) async fn lock(tx: &mut TenantTx, id: Uuid) -> Result<Option<Contact>> {
    let tenant = tx.tenant();
    Ok(select_contacts!("where c.tenant_id = $1 and c.id = $2 for no key update of c", tenant, id)
        .fetch_optional(tx.conn())
        .await?)
}

/// The contact behind an address, archived ones too; see the function in the schema for who wins.
pub(in crate::contacts) async fn match_id(
    tx: &mut TenantTx,
    phone: Option<&str>,
    email: Option<&str>,
) -> Result<Option<Uuid>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!("select patchbay.match_contact($1, $2, $3)", tenant, phone, email)
        .fetch_one(tx.conn())
        .await?)
}

/// Waits for other writers who bring the same e-mail.
pub(in crate::contacts) async fn lock_email(tx: &mut TenantTx, email: &str) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!("select patchbay.lock_email($1, $2)::text", tenant, email).fetch_one(tx.conn()).await?;
    Ok(())
}

/// Inserts unless the phone is taken, by somebody who may have been a moment faster.
pub(in crate::contacts) async fn insert(
    tx: &mut TenantTx,
    id: Uuid,
    new: &NewContact,
    now: DateTime<Utc>,
) -> Result<bool> {
    let tenant = tx.tenant();
    let done = sqlx::query!(
        "insert into patchbay.contacts (tenant_id, id, status, first_name, last_name, phone_e164, phone_ext, email, source, stage_id,
           owner_id, timezone, state, postal, country, properties, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9,
           coalesce($10, (select id from patchbay.stages where tenant_id = $1 order by position, id limit 1)),
           $11, $12, $13, $14, $15, $16, $17, $17)
         on conflict (tenant_id, phone_e164) where merged_into is null do nothing",
        tenant,
        id,
        new.status.as_str(),
        new.first_name,
        new.last_name,
        new.phone,
        new.phone_ext,
        new.email,
        new.source,
        new.stage_id,
        new.owner_id,
        new.timezone,
        new.state,
        new.postal,
        new.country,
        Value::Object(new.properties.clone()),
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Fills what is empty and brings the contact back from the archive. Nothing that is known is overwritten,
/// and a row that would not change is not written.
pub(in crate::contacts) async fn fill(
    tx: &mut TenantTx,
    id: Uuid,
    new: &NewContact,
    now: DateTime<Utc>,
) -> Result<bool> {
    let tenant = tx.tenant();
    let done = sqlx::query!(
        "update patchbay.contacts c set
           first_name = coalesce(first_name, $3), last_name = coalesce(last_name, $4), phone_e164 = coalesce(phone_e164, $5),
           phone_ext = coalesce(phone_ext, $6), email = coalesce(email, $7), source = coalesce(source, $8),
           stage_id = coalesce(stage_id, $9), owner_id = coalesce(owner_id, $10), timezone = coalesce(timezone, $11),
           state = coalesce(state, $12), postal = coalesce(postal, $13), country = coalesce(country, $14),
           properties = $15 || properties, archived_at = null, updated_at = $16
         where tenant_id = $1 and id = $2
           and (archived_at is not null or $15 || properties <> properties
             or (first_name, last_name, phone_e164, phone_ext, email, source, stage_id, owner_id, timezone, state, postal, country)
               is distinct from (coalesce(first_name, $3), coalesce(last_name, $4), coalesce(phone_e164, $5), coalesce(phone_ext, $6),
                 coalesce(email, $7), coalesce(source, $8), coalesce(stage_id, $9), coalesce(owner_id, $10), coalesce(timezone, $11),
                 coalesce(state, $12), coalesce(postal, $13), coalesce(country, $14)))",
        tenant,
        id,
        new.first_name,
        new.last_name,
        new.phone,
        new.phone_ext,
        new.email,
        new.source,
        new.stage_id,
        new.owner_id,
        new.timezone,
        new.state,
        new.postal,
        new.country,
        Value::Object(new.properties.clone()),
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(in crate::contacts) async fn insert_activity(
    tx: &mut TenantTx,
    contact_id: Uuid,
    kind: &str,
    data: &Value,
    actor_label: Option<&str>,
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "insert into patchbay.activities (tenant_id, contact_id, kind, data, actor_label) values ($1, $2, $3, $4, $5)",
        tenant,
        contact_id,
        kind,
        data,
        actor_label,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Writes every field that people can change. A contact that changed its stage goes to the top there.
pub(in crate::contacts) async fn update(
    tx: &mut TenantTx,
    id: Uuid,
    new: &NewContact,
    now: DateTime<Utc>,
    moved: bool,
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.contacts set status = $3, first_name = $4, last_name = $5, phone_e164 = $6, phone_ext = $7,
           phone_raw = case when $6::text is null then phone_raw end, email = $8, source = $9, stage_id = $10, owner_id = $11,
           timezone = $12, state = $13, postal = $14, country = $15, properties = $16, updated_at = $17,
           stage_position = case when $18 then -extract(epoch from $17::timestamptz)::double precision else stage_position end
         where tenant_id = $1 and id = $2",
        tenant,
        id,
        new.status.as_str(),
        new.first_name,
        new.last_name,
        new.phone,
        new.phone_ext,
        new.email,
        new.source,
        new.stage_id,
        new.owner_id,
        new.timezone,
        new.state,
        new.postal,
        new.country,
        Value::Object(new.properties.clone()),
        now,
        moved,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Archives or restores those of `ids` that are not merged and not so already; answers which.
pub(in crate::contacts) async fn set_archived(
    tx: &mut TenantTx,
    ids: &[Uuid],
    archived: bool,
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!(
        "update patchbay.contacts set archived_at = case when $3 then $4::timestamptz end, updated_at = $4
         where tenant_id = $1 and id = any($2) and merged_into is null and (archived_at is not null) <> $3 returning id",
        tenant,
        ids,
        archived,
        now,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// The members of the tenant by name.
pub(in crate::contacts) async fn list_members(tx: &mut TenantTx) -> Result<Vec<Member>> {
    Ok(sqlx::query_as!(
        Member,
        r#"select user_id as "id!", coalesce(name, email) as "name!" from patchbay.members() order by 2"#
    )
    .fetch_all(tx.conn())
    .await?)
}
