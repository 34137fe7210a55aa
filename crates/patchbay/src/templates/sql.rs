use chrono::{DateTime, NaiveDate, Utc};
use patchbay_rules::message::Channel;
use serde_json::Value;
use uuid::Uuid;

use super::{Filter, NewTemplate, Template};
use crate::{
    db::TenantTx,
    error::{Error, Result},
};

struct Row {
    id: Uuid,
    key: String,
    name: String,
    channel: String,
    subject: Option<String>,
    content: String,
    content_sid: Option<String>,
    content_variables: Option<Value>,
    archived_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl TryFrom<Row> for Template {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            channel: row.channel.parse().map_err(Error::internal)?,
            id: row.id,
            key: row.key,
            name: row.name,
            subject: row.subject,
            content: row.content,
            content_sid: row.content_sid,
            content_variables: row.content_variables,
            archived_at: row.archived_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// Templates are few; a scan of one tenant's is quicker than an index would be.
pub(super) async fn list(
    tx: &mut TenantTx,
    filter: &Filter,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Template>> {
    let tenant = tx.tenant();
    let rows = sqlx::query_as!(
        Row,
        "select id, key, name, channel, subject, content, content_sid, content_variables, archived_at, created_at, updated_at
         from patchbay.templates
         where tenant_id = $1 and (archived_at is not null) = $2 and ($3::text is null or channel = $3)
           and ($4::text is null or position(lower($4) in lower(name || ' ' || key || ' ' || content)) > 0)
           and ($5::uuid is null or id < $5)
         order by id desc limit $6",
        tenant,
        filter.archived,
        filter.channel.map(Channel::as_str),
        filter.search,
        before,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter().map(Template::try_from).collect()
}

pub(super) async fn find(tx: &mut TenantTx, id: Uuid) -> Result<Option<Template>> {
    let tenant = tx.tenant();
    sqlx::query_as!(
        Row,
        "select id, key, name, channel, subject, content, content_sid, content_variables, archived_at, created_at, updated_at
         from patchbay.templates where tenant_id = $1 and id = $2",
        tenant,
        id,
    )
    .fetch_optional(tx.conn())
    .await?
    .map(Template::try_from)
    .transpose()
}

pub(super) async fn list_by_ids(tx: &mut TenantTx, ids: &[Uuid]) -> Result<Vec<Template>> {
    let tenant = tx.tenant();
    let rows = sqlx::query_as!(
        Row,
        "select id, key, name, channel, subject, content, content_sid, content_variables, archived_at, created_at, updated_at
         from patchbay.templates where tenant_id = $1 and id = any($2)",
        tenant,
        ids,
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter().map(Template::try_from).collect()
}

pub(super) async fn find_by_key(tx: &mut TenantTx, key: &str) -> Result<Option<Template>> {
    let tenant = tx.tenant();
    sqlx::query_as!(
        Row,
        "select id, key, name, channel, subject, content, content_sid, content_variables, archived_at, created_at, updated_at
         from patchbay.templates where tenant_id = $1 and key = $2 and archived_at is null",
        tenant,
        key,
    )
    .fetch_optional(tx.conn())
    .await?
    .map(Template::try_from)
    .transpose()
}

/// Lets one change of keys at a time through per tenant, so that who comes second is told at the field.
pub(super) async fn lock_keys(tx: &mut TenantTx) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended('templates:' || $1::uuid::text, 0))", tenant)
        .execute(tx.conn())
        .await?;
    Ok(())
}

pub(super) async fn insert(
    tx: &mut TenantTx,
    id: Uuid,
    input: &NewTemplate,
    now: DateTime<Utc>,
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "insert into patchbay.templates (tenant_id, id, key, name, channel, subject, content, content_sid, content_variables, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)",
        tenant,
        id,
        input.key,
        input.name,
        input.channel.as_str(),
        input.subject,
        input.content,
        input.content_sid,
        input.content_variables,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(super) async fn update(
    tx: &mut TenantTx,
    id: Uuid,
    input: &NewTemplate,
    now: DateTime<Utc>,
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.templates set key = $3, name = $4, channel = $5, subject = $6, content = $7, content_sid = $8, content_variables = $9, updated_at = $10
         where tenant_id = $1 and id = $2",
        tenant,
        id,
        input.key,
        input.name,
        input.channel.as_str(),
        input.subject,
        input.content,
        input.content_sid,
        input.content_variables,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(super) async fn set_archived(tx: &mut TenantTx, id: Uuid, at: Option<DateTime<Utc>>) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.templates set archived_at = $3 where tenant_id = $1 and id = $2",
        tenant,
        id,
        at
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Names that mean something for this tenant: its defined fields, and the keys its latest contacts and quotes carry.
pub(super) async fn known_keys(tx: &mut TenantTx) -> Result<Vec<String>> {
    let tenant = tx.tenant();
    let keys = sqlx::query_scalar!(
        r#"select key as "key!" from (
             select key from patchbay.custom_fields where tenant_id = $1
             union
             select jsonb_object_keys(properties) from (
               select properties from patchbay.contacts where tenant_id = $1 and archived_at is null order by id desc limit 300) c
             union
             select jsonb_object_keys(data) from (
               select data from patchbay.quotes where tenant_id = $1 order by id desc limit 300) q) known
           where key ~ '^[A-Za-z_][A-Za-z0-9_]*$' order by key limit 500"#,
        tenant,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(keys)
}

/// What a template can say about a contact and a quote.
pub(super) struct Facts {
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub phone_e164: Option<String>,
    pub email: Option<String>,
    pub source: Option<String>,
    pub properties: Value,
    pub business_name: String,
    pub timezone: String,
    pub owner_name: Option<String>,
    pub quote_id: Option<Uuid>,
    pub number: Option<i32>,
    pub title: Option<String>,
    pub data: Option<Value>,
    pub items: Option<Value>,
    pub total_cents: Option<i64>,
    pub discount_cents: Option<i64>,
    pub tax_cents: Option<i64>,
    pub currency: Option<String>,
    pub terms: Option<String>,
    pub token: Option<String>,
    pub expires_on: Option<NaiveDate>,
}

/// `quote` names the quote; without it, `latest` takes the contact's newest one.
pub(super) async fn find_facts(
    tx: &mut TenantTx,
    contact: Uuid,
    quote: Option<Uuid>,
    latest: bool,
) -> Result<Option<Facts>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        Facts,
        r#"select c.first_name, c.last_name, c.phone_e164, c.email, c.source, c.properties,
             coalesce(t.business_name, t.name) as "business_name!", t.timezone,
             (select coalesce(m.name, m.email) from patchbay.members() m where m.user_id = coalesce(q.owner_id, c.owner_id) limit 1) as owner_name,
             q.id as "quote_id?", q.number as "number?", q.title, q.data as "data?", q.items as "items?", q.total_cents as "total_cents?",
             q.discount_cents as "discount_cents?", q.tax_cents as "tax_cents?", q.currency as "currency?", q.terms, q.token as "token?", q.expires_on
           from patchbay.contacts c
           join patchbay.tenants t on t.id = c.tenant_id
           left join lateral (
             select * from patchbay.quotes q
             where q.tenant_id = $1 and q.contact_id = $2 and (q.id = $3 or ($3::uuid is null and $4)) order by q.id desc limit 1) q on true
           where c.tenant_id = $1 and c.id = $2"#,
        tenant,
        contact,
        quote,
        latest,
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// The facts of many contacts, without a quote, in one statement.
pub(super) async fn list_facts(tx: &mut TenantTx, contacts: &[Uuid]) -> Result<Vec<(Uuid, Facts)>> {
    let tenant = tx.tenant();
    let rows = sqlx::query!(
        r#"select c.id, c.first_name, c.last_name, c.phone_e164, c.email, c.source, c.properties,
             coalesce(t.business_name, t.name) as "business_name!", t.timezone, coalesce(m.name, m.email) as owner_name
           from patchbay.contacts c
           join patchbay.tenants t on t.id = c.tenant_id
           left join patchbay.members() m on m.user_id = c.owner_id
           where c.tenant_id = $1 and c.id = any($2)"#,
        tenant,
        contacts,
    )
    .fetch_all(tx.conn())
    .await?;
    let facts = rows.into_iter().map(|row| {
        let facts = Facts {
            first_name: row.first_name,
            last_name: row.last_name,
            phone_e164: row.phone_e164,
            email: row.email,
            source: row.source,
            properties: row.properties,
            business_name: row.business_name,
            timezone: row.timezone,
            owner_name: row.owner_name,
            quote_id: None,
            number: None,
            title: None,
            data: None,
            items: None,
            total_cents: None,
            discount_cents: None,
            tax_cents: None,
            currency: None,
            terms: None,
            token: None,
            expires_on: None,
        };
        (row.id, facts)
    });
    Ok(facts.collect())
}

/// The facts of a contact of whom nothing but a name is known.
pub(super) async fn business_facts(tx: &mut TenantTx) -> Result<Facts> {
    let tenant = tx.tenant();
    let row = sqlx::query!(
        r#"select coalesce(business_name, name) as "business_name!", timezone from patchbay.tenants where id = $1"#,
        tenant,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(Facts {
        first_name: Some("Dana".to_owned()),
        last_name: Some("Whitfield".to_owned()),
        phone_e164: None,
        email: None,
        source: None,
        properties: Value::Object(serde_json::Map::new()),
        business_name: row.business_name,
        timezone: row.timezone,
        owner_name: None,
        quote_id: None,
        number: None,
        title: None,
        data: None,
        items: None,
        total_cents: None,
        discount_cents: None,
        tax_cents: None,
        currency: None,
        terms: None,
        token: None,
        expires_on: None,
    })
}
