use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::QuoteSum;
use crate::{db::TenantTx, error::Result};

/// Counting stops here: nobody reads the difference.
pub(super) const MOST: i64 = 10_000;
/// Messages that the median of answers is taken from.
const SAMPLE: i64 = 10_000;

pub(super) struct Talk {
    pub today: i64,
    pub waiting: i64,
    pub waiting_since: Option<DateTime<Utc>>,
}

pub(super) async fn talk(tx: &mut TenantTx, midnight: DateTime<Utc>) -> Result<Talk> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        Talk,
        r#"select
             (select count(*) from (select from patchbay.conversations
                where tenant_id = $1 and status = any('{open,snoozed,done}') and last_message_at >= $2 limit $3) c) as "today!",
             (select count(*) from (select from patchbay.conversations
                where tenant_id = $1 and waiting_since is not null limit $3) c) as "waiting!",
             (select waiting_since from patchbay.conversations
                where tenant_id = $1 and waiting_since is not null order by waiting_since limit 1) as waiting_since"#,
        tenant,
        midnight,
        MOST,
    )
    .fetch_one(tx.conn())
    .await?)
}

#[derive(Serialize, Deserialize)]
pub(super) struct Count {
    pub place: usize,
    pub status: String,
    pub count: i64,
}

/// Messages of each day by status, from the primary key alone.
pub(super) async fn messages_by_day(
    tx: &mut TenantTx,
    days: &[(NaiveDate, Uuid, Uuid)],
) -> Result<Vec<Count>> {
    let tenant = tx.tenant();
    let (first, after): (Vec<Uuid>, Vec<Uuid>) =
        days.iter().map(|(_, first, after)| (*first, *after)).unzip();
    let rows = sqlx::query!(
        r#"select d.place as "place!", m.status as "status!", m.count as "count!"
           from unnest($2::uuid[], $3::uuid[]) with ordinality as d (first, after, place)
           cross join lateral (
             select status, count(*) from patchbay.messages where tenant_id = $1 and id >= d.first and id < d.after group by status) m"#,
        tenant,
        &first,
        &after,
    )
    .fetch_all(tx.conn())
    .await?;
    let place = |row: i64| usize::try_from(row - 1).unwrap_or(usize::MAX);
    Ok(rows
        .into_iter()
        .map(|row| Count { place: place(row.place), status: row.status, count: row.count })
        .collect())
}

/// New contacts since `first` by source, without those of imports: hops from source to source, counting each in the
/// index. Sources beyond 200 are left out.
pub(super) async fn leads_by_source(tx: &mut TenantTx, first: Uuid) -> Result<Vec<(Option<String>, i64)>> {
    let tenant = tx.tenant();
    let rows = sqlx::query!(
        r#"with recursive hop as (
             (select source from patchbay.contacts where tenant_id = $1 and archived_at is null and import_id is null and source is not null order by source limit 1)
             union all
             select (select c.source from patchbay.contacts c
                     where c.tenant_id = $1 and c.archived_at is null and c.import_id is null and c.source > hop.source order by c.source limit 1)
             from hop where hop.source is not null
           ), sources as (select source from hop where source is not null limit 200)
           select source, (select count(*) from patchbay.contacts c
             where c.tenant_id = $1 and c.archived_at is null and c.import_id is null and c.source = sources.source and c.id >= $2) as "count!"
           from sources
           union all
           select null, (select count(*) from patchbay.contacts c where c.tenant_id = $1 and c.archived_at is null and c.import_id is null and c.source is null and c.id >= $2)"#,
        tenant,
        first,
    )
    .fetch_all(tx.conn())
    .await?;
    let mut sources: Vec<_> =
        rows.into_iter().map(|row| (row.source, row.count)).filter(|(_, count)| *count > 0).collect();
    sources.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    Ok(sources)
}

/// Quotes since `first` by state and currency, from the index that carries their sums.
pub(super) async fn quotes_by_status(tx: &mut TenantTx, first: Uuid) -> Result<Vec<QuoteSum>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        QuoteSum,
        r#"select status, currency, count(*) as "count!", least(sum(total_cents), 9223372036854775807)::bigint as "total_cents!"
           from patchbay.quotes
           where tenant_id = $1 and status = any('{draft,sent,viewed,accepted,rejected,expired}') and id >= $2
           group by status, currency order by status, currency"#,
        tenant,
        first,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// The median of the seconds between a message and a person's answer to it, among the latest messages since `first`. A
/// run of messages without an answer between counts from its first.
pub(super) async fn median_reply(tx: &mut TenantTx, first: Uuid) -> Result<Option<f64>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!(
        "with latest as materialized (
           select id, contact_id, direction, kind, created_at from patchbay.messages
           where tenant_id = $1 and campaign_id is null and id >= $2 order by id desc limit $3
         ), runs as (
           select contact_id, direction, created_at,
             count(*) filter (where direction = 'outbound') over (partition by contact_id order by id rows between unbounded preceding and 1 preceding) as run
           from latest where contact_id is not null and kind in ('inbound', 'manual')
         ), waits as (
           select min(created_at) filter (where direction = 'inbound') as asked, min(created_at) filter (where direction = 'outbound') as answered
           from runs group by contact_id, run
         )
         select percentile_cont(0.5) within group (order by extract(epoch from answered - asked)::double precision)
         from waits where answered > asked",
        tenant,
        first,
        SAMPLE,
    )
    .fetch_one(tx.conn())
    .await?)
}

pub(super) struct MessageLine {
    pub id: Uuid,
    pub contact_id: Option<Uuid>,
    pub quote_id: Option<Uuid>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub to_address: String,
    pub kind: String,
    pub status: String,
    pub body: String,
    pub gate_reason: Option<serde_json::Value>,
    pub gate_until: Option<DateTime<Utc>>,
    pub error_detail: Option<String>,
    pub created_at: DateTime<Utc>,
}

/// The messages behind a number, newest first.
pub(super) async fn list_messages(
    tx: &mut TenantTx,
    statuses: &[String],
    first: Uuid,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<MessageLine>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        MessageLine,
        r#"select m.id, m.contact_id, m.quote_id, c.first_name as "first_name?", c.last_name as "last_name?", m.to_address, m.kind, m.status,
             left(m.body, 300) as "body!", m.gate_reason, m.gate_until, m.error_detail, m.created_at
           from patchbay.messages m
           left join patchbay.contacts c on c.tenant_id = m.tenant_id and c.id = m.contact_id
           where m.tenant_id = $1 and m.status = any($2) and m.id >= $3 and ($4::uuid is null or m.id < $4)
           order by m.id desc limit $5"#,
        tenant,
        statuses,
        first,
        before,
        limit,
    )
    .fetch_all(tx.conn())
    .await?)
}
