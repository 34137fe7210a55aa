//! Quotes as they are read, one and many.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    db::TenantTx,
    error::{Error, Result},
    quotes::{Quote, Status, lines},
};

pub(in crate::quotes) struct Row {
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
    ($first:tt $(+ $more:tt)*, $tenant:expr $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            Row,
            "select q.id, q.number, q.contact_id, c.first_name, c.last_name, c.phone_e164, c.phone_raw, c.email, q.title, q.data, q.items,
               q.discount_cents, q.tax_basis_points, q.tax_cents, q.total_cents, q.currency, q.terms, q.status, q.held, q.token, q.owner_id,
               q.expires_on, q.created_by_label, q.created_at, q.updated_at, q.sent_at, q.viewed_at, q.answered_at, q.answer_note, q.answered_by,
               case when q.status = 'draft' and not q.held then
                 (select m.status from patchbay.messages m where m.tenant_id = q.tenant_id and m.dedupe_key = 'quote:' || q.id) end as message_status
             from patchbay.quotes q join patchbay.contacts c on c.tenant_id = q.tenant_id and c.id = q.contact_id
             where q.tenant_id = $1 " + $first $(+ $more)*,
            $tenant $(, $argument)*
        )
    };
}

fn all(rows: Vec<Row>) -> Result<Vec<Quote>> {
    rows.into_iter().map(Quote::try_from).collect()
}

pub(in crate::quotes) async fn find(tx: &mut TenantTx, id: Uuid) -> Result<Option<Quote>> {
    let tenant = tx.tenant();
    quotes!("and q.id = $2", tenant, id).fetch_optional(tx.conn()).await?.map(Quote::try_from).transpose()
}

/// The same, and nobody else changes it until the transaction ends.
pub(in crate::quotes) async fn lock(tx: &mut TenantTx, id: Uuid) -> Result<Option<Quote>> {
    let tenant = tx.tenant();
    quotes!("and q.id = $2 for no key update of q", tenant, id)
        .fetch_optional(tx.conn())
        .await?
        .map(Quote::try_from)
        .transpose()
}

pub(in crate::quotes) async fn list_recent(
    tx: &mut TenantTx,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Quote>> {
    let tenant = tx.tenant();
    all(quotes!("and ($2::uuid is null or q.id < $2) order by q.id desc limit $3", tenant, before, limit)
        .fetch_all(tx.conn())
        .await?)
}

pub(in crate::quotes) async fn list_by_status(
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

/// A walk along an index of the tenant's quotes, or of those in one state, from after `$place` on; never filters what
/// it has walked over.
macro_rules! walk {
    ($tx:ident, $key:tt, $status:ident, $rising:ident, $place:expr, $limit:ident) => {{
        let (tenant, (key, id)) = ($tx.tenant(), $place);
        all(match ($status, $rising) {
            (None, false) => {
                quotes!(
                    "and (" + $key + ", q.id) < ($2, $3) order by " + $key + " desc, q.id desc limit $4",
                    tenant,
                    key,
                    id,
                    $limit
                )
                .fetch_all($tx.conn())
                .await?
            }
            (None, true) => {
                quotes!(
                    "and (" + $key + ", q.id) > ($2, $3) order by " + $key + ", q.id limit $4",
                    tenant,
                    key,
                    id,
                    $limit
                )
                .fetch_all($tx.conn())
                .await?
            }
            (Some(status), false) => {
                quotes!(
                    "and q.status = $5 and ("
                        + $key
                        + ", q.id) < ($2, $3) order by "
                        + $key
                        + " desc, q.id desc limit $4",
                    tenant,
                    key,
                    id,
                    $limit,
                    status
                )
                .fetch_all($tx.conn())
                .await?
            }
            (Some(status), true) => {
                quotes!(
                    "and q.status = $5 and ("
                        + $key
                        + ", q.id) > ($2, $3) order by "
                        + $key
                        + ", q.id limit $4",
                    tenant,
                    key,
                    id,
                    $limit,
                    status
                )
                .fetch_all($tx.conn())
                .await?
            }
        })
    }};
}

/// By what happened to them last, from after `place` on.
pub(in crate::quotes) async fn list_by_change(
    tx: &mut TenantTx,
    status: Option<&str>,
    rising: bool,
    place: (DateTime<Utc>, Uuid),
    limit: i64,
) -> Result<Vec<Quote>> {
    walk!(tx, "greatest(q.created_at, q.sent_at, q.viewed_at, q.answered_at)", status, rising, place, limit)
}

/// By what they come to, from after `place` on.
pub(in crate::quotes) async fn list_by_total(
    tx: &mut TenantTx,
    status: Option<&str>,
    rising: bool,
    place: (i64, Uuid),
    limit: i64,
) -> Result<Vec<Quote>> {
    walk!(tx, "q.total_cents", status, rising, place, limit)
}

/// By number, from after `place` on.
pub(in crate::quotes) async fn list_by_number(
    tx: &mut TenantTx,
    status: Option<&str>,
    rising: bool,
    place: (i32, Uuid),
    limit: i64,
) -> Result<Vec<Quote>> {
    walk!(tx, "q.number", status, rising, place, limit)
}

pub(in crate::quotes) async fn list_of_contact(
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
pub(in crate::quotes) async fn list_found(
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
