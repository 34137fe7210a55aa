use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Checked, Quote, Status, lines};
use crate::{
    db::TenantTx,
    error::{Error, Result},
};

pub(super) struct Row {
    id: Uuid,
    number: i32,
    contact_id: Uuid,
    first_name: Option<String>,
    last_name: Option<String>,
    phone_e164: Option<String>,
    phone_raw: Option<String>,
    email: Option<String>,
    title: Option<String>,
    data: Value,
    items: Value,
    discount_cents: i64,
    tax_basis_points: i32,
    tax_cents: i64,
    total_cents: i64,
    currency: String,
    terms: Option<String>,
    status: String,
    held: bool,
    token: String,
    owner_id: Option<Uuid>,
    expires_on: Option<NaiveDate>,
    created_by_label: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    sent_at: Option<DateTime<Utc>>,
    viewed_at: Option<DateTime<Utc>>,
    answered_at: Option<DateTime<Utc>>,
    answer_note: Option<String>,
    answered_by: Option<String>,
    message_status: Option<String>,
}

impl TryFrom<Row> for Quote {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let contact_name = crate::contacts::full_name(row.first_name.as_deref(), row.last_name.as_deref());
        Ok(Self {
            status: row.status.parse().map_err(Error::internal)?,
            items: lines::read(&row.items),
            id: row.id,
            number: row.number,
            contact_id: row.contact_id,
            contact_name,
            contact_phone: row.phone_e164,
            contact_phone_raw: row.phone_raw,
            contact_email: row.email,
            title: row.title,
            data: row.data,
            discount_cents: row.discount_cents,
            tax_basis_points: row.tax_basis_points.unsigned_abs(),
            tax_cents: row.tax_cents,
            total_cents: row.total_cents,
            currency: row.currency,
            terms: row.terms,
            held: row.held,
            token: row.token,
            owner_id: row.owner_id,
            expires_on: row.expires_on,
            created_by: row.created_by_label,
            created_at: row.created_at,
            updated_at: row.updated_at,
            sent_at: row.sent_at,
            viewed_at: row.viewed_at,
            answered_at: row.answered_at,
            answer_note: row.answer_note,
            answered_by: row.answered_by,
            message_status: row.message_status,
        })
    }
}

/// One list of columns for every way to pick quotes; `$1` is always the tenant.
macro_rules! quotes {
    ($tail:tt, $tenant:expr $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            Row,
            "select q.id, q.number, q.contact_id, c.first_name, c.last_name, c.phone_e164, c.phone_raw, c.email, q.title, q.data, q.items,
               q.discount_cents, q.tax_basis_points, q.tax_cents, q.total_cents, q.currency, q.terms, q.status, q.held, q.token, q.owner_id,
               q.expires_on, q.created_by_label, q.created_at, q.updated_at, q.sent_at, q.viewed_at, q.answered_at, q.answer_note, q.answered_by,
               case when q.status = 'draft' and not q.held then
                 (select m.status from patchbay.messages m where m.tenant_id = q.tenant_id and m.dedupe_key = 'quote:' || q.id) end as message_status
             from patchbay.quotes q join patchbay.contacts c on c.tenant_id = q.tenant_id and c.id = q.contact_id
             where q.tenant_id = $1 " + $tail,
            $tenant $(, $argument)*
        )
    };
}

fn all(rows: Vec<Row>) -> Result<Vec<Quote>> {
    rows.into_iter().map(Quote::try_from).collect()
}

pub(super) async fn find(tx: &mut TenantTx, id: Uuid) -> Result<Option<Quote>> {
    let tenant = tx.tenant();
    quotes!("and q.id = $2", tenant, id).fetch_optional(tx.conn()).await?.map(Quote::try_from).transpose()
}

/// The same, and nobody else changes it until the transaction ends.
pub(super) async fn lock(tx: &mut TenantTx, id: Uuid) -> Result<Option<Quote>> {
    let tenant = tx.tenant();
    quotes!("and q.id = $2 for no key update of q", tenant, id)
        .fetch_optional(tx.conn())
        .await?
        .map(Quote::try_from)
        .transpose()
}

pub(super) async fn list_recent(tx: &mut TenantTx, before: Option<Uuid>, limit: i64) -> Result<Vec<Quote>> {
    let tenant = tx.tenant();
    all(quotes!("and ($2::uuid is null or q.id < $2) order by q.id desc limit $3", tenant, before, limit)
        .fetch_all(tx.conn())
        .await?)
}

pub(super) async fn list_by_status(
    tx: &mut TenantTx,
    status: Status,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Quote>> {
    let tenant = tx.tenant();
    let rows = quotes!(
        "and q.status = $2 and ($3::uuid is null or q.id < $3) order by q.id desc limit $4",
        tenant,
        status.as_str(),
        before,
        limit,
    );
    all(rows.fetch_all(tx.conn()).await?)
}

pub(super) async fn list_of_contact(
    tx: &mut TenantTx,
    contact: Uuid,
    status: Option<Status>,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Quote>> {
    let tenant = tx.tenant();
    let rows = quotes!(
        "and q.contact_id = $2 and ($3::text is null or q.status = $3) and ($4::uuid is null or q.id < $4) order by q.id desc limit $5",
        tenant,
        contact,
        status.map(Status::as_str),
        before,
        limit,
    );
    all(rows.fetch_all(tx.conn()).await?)
}

/// Matches on the owner's side (see the migration), reads under row-level security.
pub(super) async fn list_found(
    tx: &mut TenantTx,
    words: &[String],
    status: Option<Status>,
    before: Option<Uuid>,
    limit: i32,
) -> Result<Vec<Quote>> {
    let tenant = tx.tenant();
    let ids = sqlx::query_scalar!(
        r#"select id as "id!" from patchbay.find_quotes($1, $2, $3, $4) id"#,
        words,
        status.map(Status::as_str),
        before,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    all(quotes!("and q.id = any($2) order by q.id desc", tenant, &ids).fetch_all(tx.conn()).await?)
}

/// Whom a quote is for: its id, if the contact can get one.
pub(super) async fn contact_exists(tx: &mut TenantTx, contact: Uuid) -> Result<bool> {
    let tenant = tx.tenant();
    let found = sqlx::query_scalar!(
        r#"select exists (select from patchbay.contacts where tenant_id = $1 and id = $2 and merged_into is null) as "found!""#,
        tenant,
        contact,
    );
    Ok(found.fetch_one(tx.conn()).await?)
}

/// Whether a user is a member of this tenant.
pub(super) async fn is_member(tx: &mut TenantTx, user: Uuid) -> Result<bool> {
    let tenant = tx.tenant();
    let found = sqlx::query_scalar!(
        r#"select exists (select from patchbay.memberships where tenant_id = $1 and user_id = $2) as "found!""#,
        tenant,
        user,
    );
    Ok(found.fetch_one(tx.conn()).await?)
}

pub(super) async fn insert(
    tx: &mut TenantTx,
    id: Uuid,
    quote: &Checked,
    held: bool,
    created_by: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "insert into patchbay.quotes (tenant_id, id, contact_id, title, data, items, discount_cents, tax_basis_points, tax_cents, total_cents,
           currency, terms, held, owner_id, expires_on, created_by_label, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $17)",
        tenant,
        id,
        quote.contact_id,
        quote.title,
        Value::Object(quote.data.clone()),
        serde_json::to_value(&quote.items)?,
        quote.discount_cents,
        quote.tax_basis_points.cast_signed(),
        quote.tax_cents,
        quote.total_cents,
        quote.currency,
        quote.terms,
        held,
        quote.owner_id,
        quote.expires_on,
        created_by,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(super) async fn update(tx: &mut TenantTx, id: Uuid, quote: &Checked, now: DateTime<Utc>) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.quotes set contact_id = $3, title = $4, data = $5, items = $6, discount_cents = $7, tax_basis_points = $8,
           tax_cents = $9, total_cents = $10, currency = $11, terms = $12, owner_id = $13, expires_on = $14, updated_at = $15
         where tenant_id = $1 and id = $2",
        tenant,
        id,
        quote.contact_id,
        quote.title,
        Value::Object(quote.data.clone()),
        serde_json::to_value(&quote.items)?,
        quote.discount_cents,
        quote.tax_basis_points.cast_signed(),
        quote.tax_cents,
        quote.total_cents,
        quote.currency,
        quote.terms,
        quote.owner_id,
        quote.expires_on,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Lets a held draft go; the trigger announces it.
pub(super) async fn release(tx: &mut TenantTx, id: Uuid, now: DateTime<Utc>) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.quotes set held = false, updated_at = $3 where tenant_id = $1 and id = $2 and held",
        tenant,
        id,
        now
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What a status is accompanied by.
pub(super) struct Turn<'a> {
    pub status: Status,
    pub sent_at: Option<DateTime<Utc>>,
    pub viewed_at: Option<DateTime<Utc>>,
    pub answered_at: Option<DateTime<Utc>>,
    pub answered_by: Option<&'a str>,
    pub answer_note: Option<&'a str>,
}

pub(super) async fn turn(tx: &mut TenantTx, id: Uuid, turn: &Turn<'_>, now: DateTime<Utc>) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.quotes set status = $3, held = false, sent_at = $4, viewed_at = $5, answered_at = $6, answered_by = $7, answer_note = $8, updated_at = $9
         where tenant_id = $1 and id = $2",
        tenant,
        id,
        turn.status.as_str(),
        turn.sent_at,
        turn.viewed_at,
        turn.answered_at,
        turn.answered_by,
        turn.answer_note,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The carrier has the message. A quote that was opened before we learned that keeps its later status.
pub(super) async fn mark_sent(tx: &mut TenantTx, id: Uuid, at: DateTime<Utc>) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.quotes set sent_at = $3, status = case status when 'draft' then 'sent' else status end
         where tenant_id = $1 and id = $2 and sent_at is null",
        tenant,
        id,
        at,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(super) async fn delete(tx: &mut TenantTx, id: Uuid) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!("delete from patchbay.quotes where tenant_id = $1 and id = $2", tenant, id)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Which tenant's quote a link leads to. The token is all that a lead has, so this one query names no tenant.
pub(super) async fn find_by_token(conn: &mut PgConnection, token: &str) -> Result<Option<(Uuid, Uuid)>> {
    let row = sqlx::query!("select tenant_id, id from patchbay.quotes where token = $1 and not held", token)
        .fetch_optional(conn)
        .await?;
    Ok(row.map(|row| (row.tenant_id, row.id)))
}

/// Who makes a quote, as its page names them.
pub(super) struct Business {
    pub id: Uuid,
    pub name: String,
    pub support_contact: Option<String>,
    pub timezone: String,
    pub country: String,
    pub owner_name: Option<String>,
    /// The number that the quote was texted from.
    pub texted_from: Option<String>,
}

pub(super) async fn find_business(tx: &mut TenantTx, quote: &Quote) -> Result<Business> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        Business,
        r#"select t.id, coalesce(t.business_name, t.name) as "name!", t.support_contact, t.timezone, t.country,
             (select m.name from patchbay.members() m where m.user_id = $2) as owner_name,
             (select m.from_address from patchbay.messages m
              where m.tenant_id = $1 and m.contact_id = $3 and m.quote_id = $4 and m.channel <> 'email' and m.from_address ~ '^\+'
              order by m.id desc limit 1) as texted_from
           from patchbay.tenants t where t.id = $1"#,
        tenant,
        quote.owner_id,
        quote.contact_id,
        quote.id,
    )
    .fetch_one(tx.conn())
    .await?)
}

/// A message that told of a quote.
pub(super) struct Announcement {
    pub channel: String,
    pub status: String,
    pub to_address: String,
    pub body: String,
    pub gate_reason: Option<Value>,
    pub gate_until: Option<DateTime<Utc>>,
    pub error_detail: Option<String>,
    pub send_after: DateTime<Utc>,
    pub sent_by_label: Option<String>,
    pub created_at: DateTime<Utc>,
    pub sent_at: Option<DateTime<Utc>>,
    pub delivered_at: Option<DateTime<Utc>>,
}

/// The messages that told of a quote, newest first.
pub(super) async fn list_announcements(tx: &mut TenantTx, quote: &Quote) -> Result<Vec<Announcement>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        Announcement,
        "select channel, status, to_address, body, gate_reason, gate_until, error_detail, send_after, sent_by_label, created_at, sent_at, delivered_at
         from patchbay.messages where tenant_id = $1 and contact_id = $2 and quote_id = $3 and direction = 'outbound'
         order by id desc limit 50",
        tenant,
        quote.contact_id,
        quote.id,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// How many messages have told of it, whatever became of them.
pub(super) async fn count_announcements(tx: &mut TenantTx, quote: &Quote) -> Result<i64> {
    let tenant = tx.tenant();
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from patchbay.messages where tenant_id = $1 and contact_id = $2 and quote_id = $3"#,
        tenant,
        quote.contact_id,
        quote.id,
    );
    Ok(count.fetch_one(tx.conn()).await?)
}

pub(super) struct Happening {
    pub kind: String,
    pub data: Value,
    pub actor_label: Option<String>,
    pub created_at: DateTime<Utc>,
}

/// What happened to a quote, newest first.
pub(super) async fn list_happenings(tx: &mut TenantTx, quote: &Quote) -> Result<Vec<Happening>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        Happening,
        "select kind, data, actor_label, created_at from patchbay.activities
         where tenant_id = $1 and contact_id = $2 and kind like 'quote.%' and data->>'quote_id' = $3
         order by id desc limit 100",
        tenant,
        quote.contact_id,
        quote.id.to_string(),
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Whether the timeline tells of this already: jobs may run twice.
pub(super) async fn is_told(tx: &mut TenantTx, quote: &Quote, kind: &str, at: &str) -> Result<bool> {
    let tenant = tx.tenant();
    let told = sqlx::query_scalar!(
        r#"select exists (select from patchbay.activities
             where tenant_id = $1 and contact_id = $2 and kind = $3 and data->>'quote_id' = $4 and data->>'at' = $5) as "told!""#,
        tenant,
        quote.contact_id,
        kind,
        quote.id.to_string(),
        at,
    );
    Ok(told.fetch_one(tx.conn()).await?)
}

/// Tenants with a quote whose last day may be over. A day's margin covers every time zone; each tenant's own zone
/// decides in [`expire`].
pub(super) async fn list_expiring(conn: &mut PgConnection, today: NaiveDate) -> Result<Vec<Uuid>> {
    let rows = sqlx::query_scalar!(
        "select distinct tenant_id from patchbay.quotes where status in ('sent', 'viewed') and expires_on <= $1 limit 10000",
        today,
    );
    Ok(rows.fetch_all(conn).await?)
}

pub(super) async fn expire(tx: &mut TenantTx, now: DateTime<Utc>) -> Result<u64> {
    let tenant = tx.tenant();
    let done = sqlx::query!(
        "update patchbay.quotes q set status = 'expired', updated_at = $2
         from patchbay.tenants t
         where t.id = $1 and q.tenant_id = $1 and q.status in ('sent', 'viewed') and q.expires_on < ($2::timestamptz at time zone t.timezone)::date",
        tenant,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected())
}
