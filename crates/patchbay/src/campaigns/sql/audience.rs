//! Audiences. They are matched on the owner's side, where indexes serve every condition, with the tenant named in
//! every statement; see `segments`.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use crate::{campaigns::audience::Audience, db::TenantTx, error::Result};

/// Writes the audience of a running campaign down: one statement, once. The order is a shuffle that is the same
/// every time for this campaign, so that templates rotated by position meet comparable people.
pub async fn snapshot(
    conn: &mut PgConnection,
    tenant: Uuid,
    id: Uuid,
    audience: &Audience,
) -> Result<Option<u64>> {
    let locked = sqlx::query_scalar!(
        "select id from patchbay.campaigns where tenant_id = $1 and id = $2 and status = 'running' and snapshot_at is null for update skip locked",
        tenant,
        id,
    )
    .fetch_optional(&mut *conn)
    .await?;
    if locked.is_none() {
        return Ok(None);
    }
    let seed = i64::from_be_bytes(id.as_bytes()[8..].try_into().expect("eight bytes"));
    let mut query = QueryBuilder::<Postgres>::new(
        "insert into patchbay.campaign_recipients (tenant_id, campaign_id, position, contact_id) select ",
    );
    query.push_bind(tenant).push(", ").push_bind(id);
    query.push(", row_number() over (order by uuid_hash_extended(c.id, ").push_bind(seed);
    query.push("), c.id) - 1, c.id from patchbay.contacts c");
    push_audience(&mut query, tenant, audience);
    Ok(Some(query.build().execute(&mut *conn).await?.rows_affected()))
}

/// The audience is written down.
pub async fn mark_snapshot(
    conn: &mut PgConnection,
    tenant: Uuid,
    id: Uuid,
    recipients: i64,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "update patchbay.campaigns set snapshot_at = $3, recipients = $4, updated_at = $3 where tenant_id = $1 and id = $2",
        tenant,
        id,
        now,
        recipients,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The next `limit` contacts of an audience by id.
pub async fn walk(
    conn: &mut PgConnection,
    tenant: Uuid,
    audience: &Audience,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Uuid>> {
    let mut query = QueryBuilder::<Postgres>::new("select c.id from patchbay.contacts c");
    push_audience(&mut query, tenant, audience);
    if let Some(after) = after {
        query.push(" and c.id > ").push_bind(after);
    }
    query.push(" order by c.id limit ").push_bind(limit);
    Ok(query.build_query_scalar().fetch_all(conn).await?)
}

fn push_audience(query: &mut QueryBuilder<Postgres>, tenant: Uuid, audience: &Audience) {
    query.push(" where c.tenant_id = ").push_bind(tenant);
    query.push(" and c.archived_at is null and c.merged_into is null");
    audience.push_where(query);
}

/// Whether an audience holds a number with one of these beginnings.
pub async fn reaches(
    conn: &mut PgConnection,
    tenant: Uuid,
    audience: &Audience,
    starts: &[&str],
) -> Result<bool> {
    let mut query = QueryBuilder::<Postgres>::new("select exists (select from patchbay.contacts c");
    push_audience(&mut query, tenant, audience);
    let starts: Vec<String> = starts.iter().map(|start| format!("{start}%")).collect();
    query.push(" and c.phone_e164 like any(").push_bind(starts).push("))");
    Ok(query.build_query_scalar().fetch_one(conn).await?)
}

/// The chosen sender of texts, or the default one, unless its name is registered.
pub async fn unregistered_sender(tx: &mut TenantTx, chosen: Option<Uuid>) -> Result<Option<String>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!(
        "select address from patchbay.senders where tenant_id = $1 and channel = 'sms' and disabled_at is null and not name_registered
           and (id = $2 or ($2::uuid is null and is_default)) limit 1",
        tenant,
        chosen,
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// A contact with everything that its gates ask for, before there is a message.
pub struct ProspectRow {
    pub id: Uuid,
    pub phone_e164: Option<String>,
    pub email: Option<String>,
    pub timezone: Option<String>,
    pub country: Option<String>,
    pub state: Option<String>,
    pub postal: Option<String>,
    pub last_marketed_at: Option<DateTime<Utc>>,
    pub texted_at: Vec<DateTime<Utc>>,
    pub last_inbound_at: Option<DateTime<Utc>>,
    pub reply_from: Option<String>,
    pub consent_state: Option<String>,
    pub consent_how: Option<String>,
    pub consent_detail: Option<String>,
    pub consent_changed_at: Option<DateTime<Utc>>,
    pub consent_basis: Option<String>,
    pub consent_expires_at: Option<DateTime<Utc>>,
    pub listed_reason: Option<String>,
    pub listed_at: Option<DateTime<Utc>>,
    pub unreachable: Option<i32>,
}

/// `since` is when texts begin to count.
pub async fn prospects(
    tx: &mut TenantTx,
    channel: &str,
    contacts: &[Uuid],
    since: DateTime<Utc>,
) -> Result<Vec<ProspectRow>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        ProspectRow,
        r#"select c.id, c.phone_e164, c.email, c.timezone, c.country, c.state, c.postal, c.last_marketed_at,
             case when $2 = 'sms' and c.last_marketed_at > $4 then array(
               select o.sent_at from patchbay.messages o where o.tenant_id = $1 and o.contact_id = c.id
                 and o.kind in ('campaign', 'sequence') and o.channel = 'sms' and o.sent_at > $4) else '{}' end as "texted_at!",
             v.last_inbound_at as "last_inbound_at?", case when v.reply_channel = $2 then v.reply_from end as reply_from,
             k.state as "consent_state?", k.how as "consent_how?", k.detail as "consent_detail?", k.changed_at as "consent_changed_at?",
             k.basis as "consent_basis?", k.expires_at as "consent_expires_at?",
             d.reason as "listed_reason?", d.created_at as "listed_at?", u.code as "unreachable?"
           from patchbay.contacts c
           left join patchbay.conversations v on v.tenant_id = $1 and v.contact_id = c.id
           left join patchbay.consents k on k.tenant_id = $1 and k.channel = $2 and k.address = case $2 when 'email' then c.email else c.phone_e164 end
           left join patchbay.do_not_contact d on d.tenant_id = $1 and d.phone_e164 = c.phone_e164 and $2 <> 'email'
           left join patchbay.unreachable u on u.tenant_id = $1 and u.channel = $2 and u.since is not null
             and u.address = case $2 when 'email' then c.email else c.phone_e164 end
           where c.tenant_id = $1 and c.id = any($3) order by c.id"#,
        tenant,
        channel,
        contacts,
        since,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Begins a preflight: what an earlier one found is forgotten, and one that is still under way gives up.
pub async fn begin_preflight(tx: &mut TenantTx, id: Uuid, run: Uuid) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.campaigns set preflight_run = $3, preflight = null, preflight_at = null where tenant_id = $1 and id = $2",
        tenant,
        id,
        run,
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "delete from patchbay.campaign_preflight where tenant_id = $1 and campaign_id = $2",
        tenant,
        id
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What preflight found, column by column.
#[derive(Default)]
pub struct Verdicts {
    pub contacts: Vec<Uuid>,
    pub verdicts: Vec<String>,
    pub gates: Vec<String>,
    pub reasons: Vec<Option<Value>>,
    pub untils: Vec<Option<DateTime<Utc>>>,
}

/// Keeps what was found, unless another run has begun: `false`.
pub async fn keep_verdicts(tx: &mut TenantTx, id: Uuid, run: Uuid, found: &Verdicts) -> Result<bool> {
    let tenant = tx.tenant();
    let ours = sqlx::query_scalar!(
        "select id from patchbay.campaigns where tenant_id = $1 and id = $2 and preflight_run = $3 for share",
        tenant,
        id,
        run,
    )
    .fetch_optional(tx.conn())
    .await?;
    if ours.is_none() {
        return Ok(false);
    }
    sqlx::query!(
        "insert into patchbay.campaign_preflight (tenant_id, campaign_id, verdict, gate, contact_id, reason, until)
         select $1, $2, f.verdict, f.gate, f.contact_id, f.reason, f.until
         from unnest($3::uuid[], $4::text[], $5::text[], $6::jsonb[], $7::timestamptz[]) f (contact_id, verdict, gate, reason, until)
         on conflict do nothing",
        tenant,
        id,
        &found.contacts,
        &found.verdicts,
        &found.gates,
        &found.reasons as _,
        &found.untils as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(true)
}

pub async fn keep_preflight(
    tx: &mut TenantTx,
    id: Uuid,
    run: Uuid,
    answer: &Value,
    now: DateTime<Utc>,
) -> Result<bool> {
    let tenant = tx.tenant();
    let done = sqlx::query!(
        "update patchbay.campaigns set preflight = $4, preflight_at = $5 where tenant_id = $1 and id = $2 and preflight_run = $3",
        tenant,
        id,
        run,
        answer,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() > 0)
}
