//! Messages whose time has come, with the facts their gates ask for.

use chrono::{DateTime, Utc};
use patchbay_rules::frequency;
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{db::TenantTx, error::Result};

/// Tenants with messages that are due. One index probe per tenant and priority, whatever waits there.
pub async fn due_tenants(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<Vec<Uuid>> {
    Ok(sqlx::query_scalar!(
        "select t.id from patchbay.tenants t where exists (
           select from unnest(array[0, 1, 2]::smallint[]) p (priority) where exists (
             select from patchbay.messages m
             where m.tenant_id = t.id and m.status = 'queued' and m.priority = p.priority and m.send_after <= $1))
         order by t.id",
        now,
    )
    .fetch_all(conn)
    .await?)
}

/// A due message with the facts its gates ask for.
pub struct DueRow {
    pub id: Uuid,
    pub contact_id: Option<Uuid>,
    pub channel: String,
    pub kind: String,
    pub from_address: Option<String>,
    pub to_address: String,
    pub subject: Option<String>,
    pub body: String,
    pub media: Value,
    pub content_sid: Option<String>,
    pub content_variables: Option<Value>,
    pub sender_id: Option<Uuid>,
    /// Of its campaign, if it belongs to one.
    pub campaign_status: Option<String>,
    pub campaign_id: Option<Uuid>,
    pub cost_micros: i64,
    pub attempt: i32,
    pub quiet_hours_waived: bool,
    pub gate: Option<String>,
    pub contact_timezone: Option<String>,
    pub contact_country: Option<String>,
    pub contact_state: Option<String>,
    pub contact_postal: Option<String>,
    pub last_marketed_at: Option<DateTime<Utc>>,
    /// When they were sent other marketing texts since the longest span over which these are counted.
    pub texted_at: Vec<DateTime<Utc>>,
    pub last_inbound_at: Option<DateTime<Utc>>,
    pub whatsapp_inbound_at: Option<DateTime<Utc>>,
    pub reply_from: Option<String>,
    pub consent_state: Option<String>,
    pub consent_how: Option<String>,
    pub consent_detail: Option<String>,
    pub consent_changed_at: Option<DateTime<Utc>>,
    pub consent_basis: Option<String>,
    pub consent_expires_at: Option<DateTime<Utc>>,
    pub listed_reason: Option<String>,
    pub listed_at: Option<DateTime<Utc>>,
    /// The carrier's code, if the address is out of reach.
    pub unreachable: Option<i32>,
}

/// `select` what a [`DueRow`] holds `$from` a message `m`. `$1` is the tenant, `$2` when texts begin to count. All joins are
/// by primary key.
macro_rules! select_due {
    ($with:literal, $from:literal, $which:literal, $($bind:expr),* $(,)?) => {
        sqlx::query_as!(
            DueRow,
            $with + r#"
             select m.id, m.contact_id, m.channel, m.kind, m.from_address, m.to_address, m.subject, m.body, m.media, m.content_sid, m.content_variables,
               m.sender_id, g.status as "campaign_status?", m.campaign_id, m.cost_micros, m.attempt, m.quiet_hours_waived, m.gate,
               c.timezone as "contact_timezone?", c.country as "contact_country?", c.state as "contact_state?", c.postal as "contact_postal?",
               -- an earlier attempt of its own does not suppress it
               case when m.campaign_id is null or m.attempt = 0 then c.last_marketed_at else (
                 select max(o.sent_at) from patchbay.messages o where o.tenant_id = $1 and o.contact_id = m.contact_id
                   and o.kind in ('campaign', 'sequence') and o.campaign_id is distinct from m.campaign_id) end as "last_marketed_at?",
               case when m.kind in ('campaign', 'sequence') and m.channel = 'sms' and c.last_marketed_at > $2 then array(
                 select o.sent_at from patchbay.messages o where o.tenant_id = $1 and o.contact_id = m.contact_id and o.id <> m.id
                   and o.kind in ('campaign', 'sequence') and o.channel = 'sms' and o.sent_at > $2) else '{}' end as "texted_at!",
               v.last_inbound_at as "last_inbound_at?", v.whatsapp_inbound_at as "whatsapp_inbound_at?",
               case when v.reply_channel = m.channel then v.reply_from end as reply_from,
               k.state as "consent_state?", k.how as "consent_how?", k.detail as "consent_detail?", k.changed_at as "consent_changed_at?",
               k.basis as "consent_basis?", k.expires_at as "consent_expires_at?",
               d.reason as "listed_reason?", d.created_at as "listed_at?", u.code as "unreachable?"
             from "# + $from + r#"
             left join patchbay.contacts c on c.tenant_id = $1 and c.id = m.contact_id
             left join patchbay.conversations v on v.tenant_id = $1 and v.contact_id = m.contact_id
             left join patchbay.campaigns g on g.tenant_id = $1 and g.id = m.campaign_id
             left join patchbay.consents k on k.tenant_id = $1 and k.channel = m.channel and k.address = m.to_address
             left join patchbay.do_not_contact d on d.tenant_id = $1 and d.phone_e164 = m.to_address
             left join patchbay.unreachable u on u.tenant_id = $1 and u.channel = m.channel and u.address = m.to_address and u.since is not null "# + $which,
            $($bind),*
        )
    };
}

/// Locks up to `limit` due messages, live ones first, each priority in the order of its due time.
///
/// Each priority is a walk along the index `messages_due`, so a million waiting rows of one priority are not
/// looked at for the sake of another.
pub async fn lock_due(tx: &mut TenantTx, now: DateTime<Utc>, limit: i64) -> Result<Vec<DueRow>> {
    let tenant = tx.tenant();
    let rows = select_due!(
        "with due as materialized (
           select d.id, d.priority, d.send_after from unnest(array[0, 1, 2]::smallint[]) p (priority) cross join lateral (
             select m.id, m.priority, m.send_after from patchbay.messages m
             where m.tenant_id = $1 and m.status = 'queued' and m.priority = p.priority and m.send_after <= $3
             order by m.send_after limit $4 for update skip locked) d
           order by d.priority, d.send_after limit $4)",
        "due join patchbay.messages m on m.tenant_id = $1 and m.id = due.id",
        "order by due.priority, due.send_after",
        tenant,
        now - frequency::LONGEST,
        now,
        limit,
    );
    Ok(rows.fetch_all(tx.conn()).await?)
}

/// The same facts of one message, whatever its status.
pub async fn facts_of(tx: &mut TenantTx, id: Uuid, now: DateTime<Utc>) -> Result<Option<DueRow>> {
    let tenant = tx.tenant();
    let row = select_due!(
        "",
        "patchbay.messages m",
        "where m.tenant_id = $1 and m.id = $3 and m.direction = 'outbound'",
        tenant,
        now - frequency::LONGEST,
        id,
    );
    Ok(row.fetch_optional(tx.conn()).await?)
}

/// Marketing that is with the carrier at this moment, or may have got there: nobody's facts tell of it yet.
pub struct UnderWayRow {
    pub contact_id: Uuid,
    pub campaign_id: Option<Uuid>,
    pub channel: String,
    pub claimed_at: DateTime<Utc>,
}

/// Asked before messages are locked: what is settled in between is then among their facts, as is what was given up.
pub async fn under_way(tx: &mut TenantTx) -> Result<Vec<UnderWayRow>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        UnderWayRow,
        r#"select contact_id as "contact_id!", campaign_id, channel as "channel!", claimed_at as "claimed_at!" from patchbay.messages
           where tenant_id = $1 and status = 'sending' and kind in ('campaign', 'sequence') and contact_id is not null and claimed_at is not null
           union all
           select contact_id, campaign_id, channel, claimed_at from patchbay.messages
           where tenant_id = $1 and status = 'unknown' and reconcile_after is not null
             and kind in ('campaign', 'sequence') and contact_id is not null and claimed_at is not null"#,
        tenant,
    )
    .fetch_all(tx.conn())
    .await?)
}
