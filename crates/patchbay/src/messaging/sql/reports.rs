//! Applying what providers say: outcomes of calls and status reports, in batches.

use chrono::{DateTime, Utc};
use patchbay_providers::Price;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{db::TenantTx, error::Result};

/// Outcomes of calls, column by column.
#[derive(Default)]
pub struct Outcomes {
    pub ids: Vec<Uuid>,
    pub attempts: Vec<i32>,
    /// `sent`, `failed`, `queued` (try again) or `unknown`.
    pub statuses: Vec<String>,
    pub provider_ids: Vec<Option<String>>,
    pub froms: Vec<Option<String>>,
    pub codes: Vec<Option<i32>>,
    pub details: Vec<Option<String>>,
    /// When to try or ask again.
    pub nexts: Vec<Option<DateTime<Utc>>>,
}

/// What settling reached: messages whose attempt was still ours.
pub struct SettledRow {
    pub id: Uuid,
    pub status: String,
    pub contact_id: Option<Uuid>,
    pub quote_id: Option<Uuid>,
    pub kind: String,
}

/// Writes outcomes, guarded by attempt. A status report may have been faster than the answer to the call: then
/// only the provider's id is added, and the status stays where it climbed to. An answer so late that the message was
/// given up and queued again still counts when it says that the message was accepted: better than a second one.
pub async fn settle(tx: &mut TenantTx, outcomes: &Outcomes, now: DateTime<Utc>) -> Result<Vec<SettledRow>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        SettledRow,
        r#"with o as (
           select * from unnest($2::uuid[], $3::int[], $4::text[], $5::text[], $6::text[], $7::int[], $8::text[], $9::timestamptz[])
             o (id, attempt, status, provider_id, from_address, code, detail, next)),
         told as (
           insert into patchbay.message_events (tenant_id, message_id, event, code, detail, provider_message_id, at)
           select $1, o.id, case o.status when 'queued' then 'retry' else o.status end, o.code, o.detail, o.provider_id, $10 from o)
         update patchbay.messages m set
           status = case when m.status in ('sending', 'unknown', 'queued') then o.status else m.status end,
           provider_message_id = coalesce(o.provider_id, m.provider_message_id),
           from_address = coalesce(m.from_address, o.from_address),
           lease_until = null,
           reconcile_after = case when m.status in ('sending', 'unknown') and o.status = 'unknown' then o.next end,
           send_after = case when o.status = 'queued' then coalesce(o.next, m.send_after) else m.send_after end,
           error_code = case when m.status in ('sending', 'unknown', 'queued') then o.code else m.error_code end,
           error_detail = case when m.status in ('sending', 'unknown', 'queued') then o.detail else m.error_detail end,
           sent_at = case when o.status = 'sent' then coalesce(m.sent_at, $10) else m.sent_at end,
           failed_at = case when o.status = 'failed' then $10 else m.failed_at end
         from o where m.tenant_id = $1 and m.id = o.id and m.attempt = o.attempt and (m.status <> 'queued' or o.status = 'sent')
         returning m.id, m.status, m.contact_id, m.quote_id, m.kind"#,
        tenant,
        &outcomes.ids,
        &outcomes.attempts,
        &outcomes.statuses,
        &outcomes.provider_ids as _,
        &outcomes.froms as _,
        &outcomes.codes as _,
        &outcomes.details as _,
        &outcomes.nexts as _,
        now,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Remembers when contacts were last written to, and when last with marketing.
pub async fn touch_contacts(
    tx: &mut TenantTx,
    contacts: &[Uuid],
    marketing: &[bool],
    now: DateTime<Utc>,
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.contacts c set last_contacted_at = $4, last_marketed_at = case when t.marketing then $4 else c.last_marketed_at end
         from (select id, bool_or(marketing) as marketing from unnest($2::uuid[], $3::bool[]) t (id, marketing) group by id) t
         where c.tenant_id = $1 and c.id = t.id",
        tenant,
        contacts,
        marketing,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub struct StandingRow {
    pub id: Uuid,
    pub status: String,
    pub attempt: i32,
    pub contact_id: Option<Uuid>,
    pub quote_id: Option<Uuid>,
    pub kind: String,
    pub channel: String,
    pub to_address: String,
}

/// Where these messages stand, held until the transaction ends. Ordered, so that two batches cannot deadlock.
pub async fn lock_standing(tx: &mut TenantTx, ids: &[Uuid]) -> Result<Vec<StandingRow>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        StandingRow,
        "select id, status, attempt, contact_id, quote_id, kind, channel, to_address from patchbay.messages
         where tenant_id = $1 and id = any($2) order by id for update",
        tenant,
        ids,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// The provider's ids under which earlier attempts of these messages failed.
pub async fn former_provider_ids(tx: &mut TenantTx, ids: &[Uuid]) -> Result<Vec<(Uuid, String)>> {
    let tenant = tx.tenant();
    Ok(sqlx::query!(
        r#"select distinct message_id, provider_message_id as "provider_id!" from patchbay.message_events
         where tenant_id = $1 and message_id = any($2) and provider_message_id is not null
           and event in ('undelivered', 'failed', 'canceled')"#,
        tenant,
        ids,
    )
    .fetch_all(tx.conn())
    .await?
    .into_iter()
    .map(|row| (row.message_id, row.provider_id))
    .collect())
}

/// Our ids of messages known by the provider's.
pub async fn find_by_provider_ids(tx: &mut TenantTx, provider_ids: &[String]) -> Result<Vec<(String, Uuid)>> {
    let tenant = tx.tenant();
    Ok(sqlx::query!(
        r#"select provider_message_id as "provider_id!", id from patchbay.messages where tenant_id = $1 and provider_message_id = any($2)"#,
        tenant,
        provider_ids,
    )
    .fetch_all(tx.conn())
    .await?
    .into_iter()
    .map(|row| (row.provider_id, row.id))
    .collect())
}

/// Statuses that reports lead to, column by column.
#[derive(Default)]
pub struct Advances {
    pub ids: Vec<Uuid>,
    pub statuses: Vec<String>,
    pub provider_ids: Vec<Option<String>>,
    pub codes: Vec<Option<i32>>,
    pub details: Vec<Option<String>>,
}

pub async fn advance(tx: &mut TenantTx, advances: &Advances, now: DateTime<Utc>) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.messages m set status = a.status, lease_until = null, reconcile_after = null,
           provider_message_id = coalesce(m.provider_message_id, a.provider_id),
           error_code = a.code, error_detail = a.detail,
           sent_at = coalesce(m.sent_at, $7),
           delivered_at = case when a.status in ('delivered', 'read') then coalesce(m.delivered_at, $7) else m.delivered_at end,
           read_at = case when a.status = 'read' then coalesce(m.read_at, $7) else m.read_at end,
           failed_at = case when a.status in ('failed', 'undelivered') then $7 else m.failed_at end
         from unnest($2::uuid[], $3::text[], $4::text[], $5::int[], $6::text[]) a (id, status, provider_id, code, detail)
         where m.tenant_id = $1 and m.id = a.id",
        tenant,
        &advances.ids,
        &advances.statuses,
        &advances.provider_ids as _,
        &advances.codes as _,
        &advances.details as _,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Messages that turn out to be the carrier's `provider_ids` take them from twins (same text, same recipient) that were
/// taken for them by the carrier's list, which cannot tell twins apart. Such a twin keeps what its own reports said,
/// or is unknown again and looked for at once.
pub async fn take_back_from_twins(
    tx: &mut TenantTx,
    ids: &[Uuid],
    provider_ids: &[String],
    now: DateTime<Utc>,
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.messages m set provider_message_id = own.provider_id,
           status = case when own.provider_id is null then 'unknown' else m.status end,
           reconcile_after = case when own.provider_id is null then $4::timestamptz end
         from unnest($2::uuid[], $3::text[]) t (id, provider_id)
         cross join lateral (
           select (select e.provider_message_id from patchbay.message_events e
             where e.tenant_id = $1 and e.message_id = w.id and e.provider_message_id <> t.provider_id order by e.id desc limit 1) as provider_id, w.id
           from patchbay.messages w where w.tenant_id = $1 and w.provider_message_id = t.provider_id and w.id <> t.id and w.direction = 'outbound') own
         where m.tenant_id = $1 and m.id = own.id",
        tenant,
        ids,
        provider_ids,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Every report, applied or not.
#[derive(Default)]
pub struct Events {
    pub ids: Vec<Uuid>,
    pub events: Vec<String>,
    pub codes: Vec<Option<i32>>,
    pub details: Vec<Option<String>>,
    pub provider_ids: Vec<Option<String>>,
}

pub async fn insert_events(tx: &mut TenantTx, events: &Events, now: DateTime<Utc>) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "insert into patchbay.message_events (tenant_id, message_id, event, code, detail, provider_message_id, at)
         select $1, e.id, e.event, e.code, e.detail, e.provider_id, $7
         from unnest($2::uuid[], $3::text[], $4::int[], $5::text[], $6::text[]) e (id, event, code, detail, provider_id)",
        tenant,
        &events.ids,
        &events.events,
        &events.codes as _,
        &events.details as _,
        &events.provider_ids as _,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What the carrier charged, column by column; of several prices of a message the last one counts.
#[derive(Default)]
pub struct Prices {
    pub ids: Vec<Uuid>,
    pub micros: Vec<i64>,
    pub currencies: Vec<String>,
}

impl Prices {
    pub fn put(&mut self, id: Uuid, price: &Price) {
        match self.ids.iter().position(|known| *known == id) {
            Some(place) => {
                self.micros[place] = price.micros;
                self.currencies[place].clone_from(&price.currency);
            }
            None => {
                self.ids.push(id);
                self.micros.push(price.micros);
                self.currencies.push(price.currency.clone());
            }
        }
    }
}

/// Keeps the prices, and puts them in the place of the estimates: on the message, and on the day that the estimate was
/// booked on. In another currency than the tenant's a price is kept beside the estimate, which stays: there is no rate
/// of exchange here.
pub async fn settle_prices(tx: &mut TenantTx, prices: &Prices) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "with t as (select currency, timezone from patchbay.tenants where id = $1),
         told as (
           select m.id, p.micros, p.currency, m.cost_micros, p.currency = t.currency as comparable,
             (coalesce(m.claimed_at, m.sent_at, m.created_at) at time zone t.timezone)::date as day
           from unnest($2::uuid[], $3::bigint[], $4::text[]) p (id, micros, currency)
           cross join t join patchbay.messages m on m.tenant_id = $1 and m.id = p.id
           where m.direction = 'outbound' and (m.price_micros, m.price_currency) is distinct from (p.micros, p.currency)),
         kept as (
           update patchbay.messages m set price_micros = told.micros, price_currency = told.currency,
             cost_micros = case when told.comparable then told.micros else m.cost_micros end
           from told where m.tenant_id = $1 and m.id = told.id)
         insert into patchbay.spend_counters as s (tenant_id, day, messages, cost_micros)
         select $1, day, 0, sum(micros - cost_micros)::bigint from told where comparable group by day having sum(micros - cost_micros) <> 0
         on conflict (tenant_id, day) do update set cost_micros = greatest(0, s.cost_micros + excluded.cost_micros)",
        tenant,
        &prices.ids,
        &prices.micros,
        &prices.currencies,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A message whose receipt or price is missing.
pub struct OwedRow {
    pub id: Uuid,
    pub provider_message_id: String,
    pub channel: String,
    pub sender_id: Option<Uuid>,
    pub from_address: Option<String>,
    pub status: String,
    pub attempt: i32,
}

/// Takes messages between the ids `first` and `before` (instants, as ids are made in time order) that have no receipt or
/// no price. Each is asked about once.
pub async fn claim_owed(
    tx: &mut TenantTx,
    first: Uuid,
    before: Uuid,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<OwedRow>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        OwedRow,
        r#"update patchbay.messages m set asked_at = $4
           from (select id from patchbay.messages
                 where tenant_id = $1 and id >= $2 and id < $3 and direction = 'outbound' and asked_at is null and provider_message_id is not null
                   and (status = 'sent' or (status in ('delivered', 'read', 'undelivered') and price_micros is null)) and provider <> 'smtp'
                 order by id limit $5 for update skip locked) owed
           where m.tenant_id = $1 and m.id = owed.id
           returning m.id, m.provider_message_id as "provider_message_id!", m.channel, m.sender_id, m.from_address, m.status, m.attempt"#,
        tenant,
        first,
        before,
        now,
        limit,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// What was asked in vain is asked again another time.
pub async fn owe_again(tx: &mut TenantTx, ids: &[Uuid]) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.messages set asked_at = null where tenant_id = $1 and id = any($2)",
        tenant,
        ids
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The tenant whose receipts were looked after longest ago, at least since `before`; taken, so that other nodes take others.
pub async fn next_to_look_after(
    conn: &mut PgConnection,
    before: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Option<Uuid>> {
    Ok(sqlx::query_scalar!(
        "update patchbay.tenants set receipts_asked_at = $2 where id = (
           select id from patchbay.tenants where coalesce(receipts_asked_at, created_at) < $1
           order by receipts_asked_at nulls first limit 1 for update skip locked) returning id",
        before,
        now,
    )
    .fetch_optional(conn)
    .await?)
}
