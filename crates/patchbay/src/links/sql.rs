use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::Text;
use crate::{db::TenantTx, error::Result};

/// Destinations with their ids, old and new.
pub(super) async fn targets(
    tx: &mut TenantTx,
    ids: Vec<Uuid>,
    urls: Vec<String>,
    now: DateTime<Utc>,
) -> Result<Vec<(String, Uuid)>> {
    let tenant = tx.tenant();
    sqlx::query!(
        "insert into patchbay.link_targets (tenant_id, id, url, created_at) select $1, n.id, n.url, $4 from unnest($2::uuid[], $3::text[]) n (id, url)
         on conflict (tenant_id, url) do nothing",
        tenant,
        &ids,
        &urls,
        now,
    )
    .execute(tx.conn())
    .await?;
    let rows = sqlx::query!(
        "select url, id from patchbay.link_targets where tenant_id = $1 and url = any($2)",
        tenant,
        &urls
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.url, row.id)).collect())
}

/// Links on their way in, column by column.
#[derive(Default)]
pub(super) struct NewLinks {
    ids: Vec<Uuid>,
    tokens: Vec<String>,
    targets: Vec<Option<Uuid>>,
    contacts: Vec<Uuid>,
    messages: Vec<Uuid>,
    campaigns: Vec<Option<Uuid>>,
}

impl NewLinks {
    pub(super) fn push(&mut self, id: Uuid, token: &str, target: Option<Uuid>, text: &Text<'_>) {
        self.ids.push(id);
        self.tokens.push(token.to_owned());
        self.targets.push(target);
        self.contacts.push(text.contact_id);
        self.messages.push(text.message_id);
        self.campaigns.push(text.campaign_id);
    }
}

pub(super) async fn insert(
    tx: &mut TenantTx,
    links: &NewLinks,
    kind: &str,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "insert into patchbay.short_links (tenant_id, id, token, kind, target_id, contact_id, message_id, campaign_id, created_at, expires_at)
         select $1, n.id, n.token, $8, n.target, n.contact, n.message, n.campaign, $9, $10
         from unnest($2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::uuid[], $7::uuid[]) n (id, token, target, contact, message, campaign)",
        tenant,
        &links.ids,
        &links.tokens,
        &links.targets as &[Option<Uuid>],
        &links.contacts,
        &links.messages,
        &links.campaigns as &[Option<Uuid>],
        kind,
        now,
        expires_at,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Where a token leads.
pub(super) struct Destination {
    pub tenant_id: Uuid,
    pub link_id: Uuid,
    pub url: String,
}

/// The token is all that a visitor has, so this one query names no tenant.
pub(super) async fn find_destination(
    conn: &mut PgConnection,
    token: &str,
    now: DateTime<Utc>,
) -> Result<Option<Destination>> {
    Ok(sqlx::query_as!(
        Destination,
        "select l.tenant_id, l.id as link_id, t.url from patchbay.short_links l
         join patchbay.link_targets t on t.tenant_id = l.tenant_id and t.id = l.target_id
         where l.token = $1 and l.kind = 'link' and l.expires_at > $2 limit 1",
        token,
        now,
    )
    .fetch_optional(conn)
    .await?)
}

/// Whose opt-out page a token opens.
pub(super) struct OptOutLink {
    pub tenant_id: Uuid,
    pub link_id: Uuid,
}

pub(super) async fn find_opt_out(
    conn: &mut PgConnection,
    token: &str,
    now: DateTime<Utc>,
) -> Result<Option<OptOutLink>> {
    Ok(sqlx::query_as!(
        OptOutLink,
        "select tenant_id, id as link_id from patchbay.short_links where token = $1 and kind = 'opt_out' and expires_at > $2 limit 1",
        token,
        now,
    )
    .fetch_optional(conn)
    .await?)
}

/// Who asks, from whom, about which message.
pub(super) struct Asked {
    pub business: String,
    pub support_contact: Option<String>,
    pub message_id: Uuid,
    pub channel: Option<String>,
    /// Where the message went.
    pub to_address: Option<String>,
    /// The number that the contact has now, or the one it was merged into.
    pub phone: Option<String>,
    pub email: Option<String>,
}

pub(super) async fn find_asked(tx: &mut TenantTx, link: Uuid) -> Result<Option<Asked>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        Asked,
        r#"select coalesce(nullif(t.business_name, ''), t.name) as "business!", t.support_contact, l.message_id, m.channel as "channel?", m.to_address as "to_address?",
             coalesce(k.phone_e164, c.phone_e164) as phone, coalesce(k.email, c.email) as email
           from patchbay.short_links l
           join patchbay.tenants t on t.id = l.tenant_id
           join patchbay.contacts c on c.tenant_id = l.tenant_id and c.id = l.contact_id
           left join patchbay.contacts k on k.tenant_id = l.tenant_id and k.id = c.merged_into
           left join patchbay.messages m on m.tenant_id = l.tenant_id and m.id = l.message_id
           where l.tenant_id = $1 and l.id = $2"#,
        tenant,
        link,
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// Whether all of these addresses are opted out.
pub(super) async fn all_opted_out(
    tx: &mut TenantTx,
    channels: &[String],
    addresses: &[String],
) -> Result<bool> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!(
        r#"select not exists (select from unnest($2::text[], $3::text[]) a (channel, address)
             left join patchbay.consents c on c.tenant_id = $1 and c.channel = a.channel and c.address = a.address
             where c.state is distinct from 'unsubscribed') as "all!""#,
        tenant,
        channels,
        addresses,
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Hits on their way in, column by column.
#[derive(Default)]
pub(super) struct NewClicks {
    pub tenants: Vec<Uuid>,
    pub ids: Vec<Uuid>,
    pub links: Vec<Uuid>,
    pub at: Vec<DateTime<Utc>>,
    pub methods: Vec<String>,
    pub agents: Vec<String>,
    pub headers: Vec<serde_json::Value>,
    pub visitors: Vec<Vec<u8>>,
    pub networks: Vec<Option<String>>,
}

/// Writes hits, as a program's until they are judged. A link that was erased meanwhile has none any more.
pub(super) async fn insert_clicks(conn: &mut PgConnection, clicks: &NewClicks) -> Result<()> {
    sqlx::query!(
        "insert into patchbay.link_clicks (tenant_id, id, short_link_id, contact_id, message_id, campaign_id, at, method, user_agent, headers, ip_hash, network, is_bot)
         select l.tenant_id, n.id, l.id, l.contact_id, l.message_id, l.campaign_id, n.at, n.method, n.agent, n.headers, n.visitor, n.network::cidr, true
         from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::text[], $6::text[], $7::jsonb[], $8::bytea[], $9::text[])
           n (tenant, id, link, at, method, agent, headers, visitor, network)
         join patchbay.short_links l on l.tenant_id = n.tenant and l.id = n.link
         on conflict (tenant_id, id) do nothing",
        &clicks.tenants,
        &clicks.ids,
        &clicks.links,
        &clicks.at,
        &clicks.methods,
        &clicks.agents,
        &clicks.headers,
        &clicks.visitors,
        &clicks.networks as &[Option<String>],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Hits whose verdict is missing or by older rules, locked; others may be judging theirs.
pub(super) async fn claim_due(
    conn: &mut PgConnection,
    version: i16,
    before: DateTime<Utc>,
    limit: i64,
) -> Result<(Vec<Uuid>, Vec<Uuid>)> {
    let rows = sqlx::query!(
        "select tenant_id, id from patchbay.link_clicks where classifier < $1 and at < $2
         order by classifier, at limit $3 for update skip locked",
        version,
        before,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.tenant_id, row.id)).unzip())
}

/// What is known of a hit.
pub(super) struct Known {
    pub tenant_id: Uuid,
    pub id: Uuid,
    pub at: DateTime<Utc>,
    pub method: String,
    pub user_agent: String,
    pub headers: serde_json::Value,
    pub network: Option<String>,
    pub channel: Option<String>,
    pub phone: Option<String>,
    pub sent_at: Option<DateTime<Utc>>,
    pub delivered_at: Option<DateTime<Utc>>,
    pub links_nearby: i64,
    pub hits_nearby: i64,
    pub recipients_nearby: i64,
    pub confirmed: bool,
}

/// Neighbours are counted no further than a verdict needs.
pub(super) async fn known(
    conn: &mut PgConnection,
    tenants: &[Uuid],
    ids: &[Uuid],
    burst: f64,
    crowd: f64,
) -> Result<Vec<Known>> {
    Ok(sqlx::query_as!(
        Known,
        r#"select k.tenant_id, k.id, k.at, k.method, k.user_agent, k.headers, host(k.network) as network,
             m.channel as "channel?", c.phone_e164 as phone, m.sent_at as "sent_at?", m.delivered_at as "delivered_at?",
             (select count(distinct o.short_link_id) from (select o.short_link_id from patchbay.link_clicks o
                where o.tenant_id = k.tenant_id and o.contact_id = k.contact_id and o.message_id = k.message_id
                  and o.at between k.at - make_interval(secs => $3) and k.at + make_interval(secs => $3) limit 50) o) as "links_nearby!",
             (select count(*) from (select from patchbay.link_clicks o where o.tenant_id = k.tenant_id and o.short_link_id = k.short_link_id
                and o.at between k.at - make_interval(secs => $3) and k.at + make_interval(secs => $3) limit 3) o) as "hits_nearby!",
             case when k.ip_hash = '' then 1 else (select count(distinct o.contact_id) from (select o.contact_id from patchbay.link_clicks o
                where o.tenant_id = k.tenant_id and o.ip_hash = k.ip_hash and o.ip_hash <> ''
                  and o.at between k.at - make_interval(secs => $4) and k.at + make_interval(secs => $4) limit 100) o) end as "recipients_nearby!",
             exists (select from patchbay.quotes q where q.tenant_id = k.tenant_id and q.contact_id = k.contact_id
                and (q.viewed_at between k.at and k.at + make_interval(secs => $4) or q.answered_at between k.at and k.at + make_interval(secs => $4))) as "confirmed!"
           from unnest($1::uuid[], $2::uuid[]) n (tenant, id)
           join patchbay.link_clicks k on k.tenant_id = n.tenant and k.id = n.id
           join patchbay.contacts c on c.tenant_id = k.tenant_id and c.id = k.contact_id
           left join patchbay.messages m on m.tenant_id = k.tenant_id and m.id = k.message_id"#,
        tenants,
        ids,
        burst,
        crowd,
    )
    .fetch_all(conn)
    .await?)
}

/// Verdicts, column by column.
#[derive(Default)]
pub(super) struct Verdicts {
    pub tenants: Vec<Uuid>,
    pub ids: Vec<Uuid>,
    pub bots: Vec<bool>,
    pub scores: Vec<i16>,
    /// Separated by blanks; arrays of arrays have to be rectangular.
    pub reasons: Vec<String>,
    pub classifiers: Vec<i16>,
}

pub(super) async fn mark_judged(conn: &mut PgConnection, verdicts: &Verdicts) -> Result<()> {
    sqlx::query!(
        "update patchbay.link_clicks k set is_bot = n.bot, score = n.score, reasons = string_to_array(n.reasons, ' '), classifier = n.classifier
         from unnest($1::uuid[], $2::uuid[], $3::boolean[], $4::smallint[], $5::text[], $6::smallint[]) n (tenant, id, bot, score, reasons, classifier)
         where k.tenant_id = n.tenant and k.id = n.id",
        &verdicts.tenants,
        &verdicts.ids,
        &verdicts.bots,
        &verdicts.scores,
        &verdicts.reasons,
        &verdicts.classifiers,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Every verdict is due again, but for those whose facts were erased.
pub(super) async fn forget_verdicts(conn: &mut PgConnection) -> Result<u64> {
    let done =
        sqlx::query!("update patchbay.link_clicks set classifier = 0 where classifier between 1 and 32766")
            .execute(conn)
            .await?;
    Ok(done.rows_affected())
}
