use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::{NewRule, Rule};
use crate::{
    db::TenantTx,
    error::{Error, Result},
};

struct Row {
    id: Uuid,
    event_type: String,
    channel: String,
    target: String,
    use_business_number: bool,
    active: bool,
    created_at: DateTime<Utc>,
}

impl TryFrom<Row> for Rule {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            channel: row.channel.parse().map_err(Error::internal)?,
            id: row.id,
            event_type: row.event_type,
            target: row.target,
            use_business_number: row.use_business_number,
            active: row.active,
            created_at: row.created_at,
        })
    }
}

pub(super) async fn list(tx: &mut TenantTx, before: Option<Uuid>, limit: i64) -> Result<Vec<Rule>> {
    let tenant = tx.tenant();
    let rows = sqlx::query_as!(
        Row,
        "select id, event_type, channel, target, use_business_number, active, created_at from patchbay.notification_rules
         where tenant_id = $1 and ($2::uuid is null or id < $2) order by id desc limit $3",
        tenant,
        before,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter().map(Rule::try_from).collect()
}

/// The rules an event wakes. Few, whatever the business: hence the limit, against a runaway writer.
pub(super) async fn list_active(tx: &mut TenantTx, event_type: &str) -> Result<Vec<Rule>> {
    let tenant = tx.tenant();
    let rows = sqlx::query_as!(
        Row,
        "select id, event_type, channel, target, use_business_number, active, created_at from patchbay.notification_rules
         where tenant_id = $1 and event_type = $2 and active order by id limit 100",
        tenant,
        event_type,
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter().map(Rule::try_from).collect()
}

pub(super) async fn find(tx: &mut TenantTx, id: Uuid) -> Result<Option<Rule>> {
    let tenant = tx.tenant();
    sqlx::query_as!(
        Row,
        "select id, event_type, channel, target, use_business_number, active, created_at from patchbay.notification_rules
         where tenant_id = $1 and id = $2",
        tenant,
        id,
    )
    .fetch_optional(tx.conn())
    .await?
    .map(Rule::try_from)
    .transpose()
}

pub(super) async fn lock(tx: &mut TenantTx, id: Uuid) -> Result<Option<Rule>> {
    let tenant = tx.tenant();
    sqlx::query_as!(
        Row,
        "select id, event_type, channel, target, use_business_number, active, created_at from patchbay.notification_rules
         where tenant_id = $1 and id = $2 for update",
        tenant,
        id,
    )
    .fetch_optional(tx.conn())
    .await?
    .map(Rule::try_from)
    .transpose()
}

pub(super) async fn find_same(tx: &mut TenantTx, rule: &NewRule) -> Result<Option<Uuid>> {
    let tenant = tx.tenant();
    let found = sqlx::query_scalar!(
        "select id from patchbay.notification_rules where tenant_id = $1 and event_type = $2 and channel = $3 and target = $4",
        tenant,
        rule.event_type,
        rule.channel.as_str(),
        rule.target,
    );
    Ok(found.fetch_optional(tx.conn()).await?)
}

/// False when the same rule is there already.
pub(super) async fn insert(tx: &mut TenantTx, id: Uuid, rule: &NewRule, now: DateTime<Utc>) -> Result<bool> {
    let tenant = tx.tenant();
    let done = sqlx::query!(
        "insert into patchbay.notification_rules (tenant_id, id, event_type, channel, target, use_business_number, active, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (tenant_id, event_type, channel, target) do nothing",
        tenant,
        id,
        rule.event_type,
        rule.channel.as_str(),
        rule.target,
        rule.use_business_number,
        rule.active,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn update(tx: &mut TenantTx, id: Uuid, rule: &NewRule) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.notification_rules set event_type = $3, channel = $4, target = $5, use_business_number = $6, active = $7
         where tenant_id = $1 and id = $2",
        tenant,
        id,
        rule.event_type,
        rule.channel.as_str(),
        rule.target,
        rule.use_business_number,
        rule.active,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(super) async fn delete(tx: &mut TenantTx, id: Uuid) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!("delete from patchbay.notification_rules where tenant_id = $1 and id = $2", tenant, id)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Whom and what an event is about.
pub(super) struct Subject {
    pub contact_id: Uuid,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub phone_e164: Option<String>,
    pub email: Option<String>,
    pub source: Option<String>,
    pub country: String,
    pub quote_id: Option<Uuid>,
    pub number: Option<i32>,
    pub total_cents: Option<i64>,
    pub currency: Option<String>,
    pub answer_note: Option<String>,
    pub preview: Option<String>,
}

pub(super) async fn find_subject(
    tx: &mut TenantTx,
    contact: Uuid,
    quote: Option<Uuid>,
    message: Option<Uuid>,
) -> Result<Option<Subject>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        Subject,
        r#"select c.id as contact_id, c.first_name, c.last_name, c.phone_e164, c.email, c.source, t.country,
             q.id as "quote_id?", q.number as "number?", q.total_cents as "total_cents?", q.currency as "currency?", q.answer_note,
             left(m.body, 400) as preview
           from patchbay.contacts c
           join patchbay.tenants t on t.id = c.tenant_id
           left join patchbay.quotes q on q.tenant_id = $1 and q.id = $3
           left join patchbay.messages m on m.tenant_id = $1 and m.id = $4
           where c.tenant_id = $1 and c.id = $2"#,
        tenant,
        contact,
        quote,
        message,
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// A campaign that paused itself.
pub(super) struct Paused {
    pub id: Uuid,
    pub name: String,
    pub reason: Value,
    pub country: String,
}

/// `None` once it is not paused any more, or by a person.
pub(super) async fn find_paused(tx: &mut TenantTx, campaign: Uuid) -> Result<Option<Paused>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        Paused,
        r#"select g.id, g.name, g.pause_reason as "reason!", t.country
           from patchbay.campaigns g join patchbay.tenants t on t.id = g.tenant_id
           where g.tenant_id = $1 and g.id = $2 and g.status = 'paused' and g.pause_reason is not null"#,
        tenant,
        campaign,
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// What the carrier refuses.
pub(super) struct Held {
    /// The number or name; `None` where everything of the account waits.
    pub sender: Option<String>,
    pub reason: String,
    pub country: String,
}

/// `None` once it was lifted.
pub(super) async fn find_held(tx: &mut TenantTx, hold: Uuid) -> Result<Option<Held>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        Held,
        r#"select s.address as "sender?", h.reason, t.country
           from patchbay.sending_holds h join patchbay.tenants t on t.id = h.tenant_id
           left join patchbay.senders s on s.tenant_id = $1 and s.id = h.sender_id
           where h.tenant_id = $1 and h.id = $2"#,
        tenant,
        hold,
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// Whether somebody made a rule for this event, switched on or off.
pub(super) async fn has_rule(tx: &mut TenantTx, event_type: &str) -> Result<bool> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!(
        r#"select exists (select from patchbay.notification_rules where tenant_id = $1 and event_type = $2) as "has!""#,
        tenant,
        event_type,
    )
    .fetch_one(tx.conn())
    .await?)
}

/// The members with these roles: who they are, and their addresses.
pub(super) async fn members(tx: &mut TenantTx, roles: &[&str]) -> Result<Vec<(Uuid, String)>> {
    let rows = sqlx::query!(
        r#"select user_id as "id!", email as "email!" from patchbay.members() where role = any($1) order by user_id limit 100"#,
        roles as _,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.email)).collect())
}

/// Lets a rule speak about `subject` if it has been silent about it since `silent_since`, or speaks of the very same
/// event again. Answers how many events were held back before this one; `None` holds this one back.
pub(super) async fn may_speak(
    tx: &mut TenantTx,
    rule: Uuid,
    subject: &str,
    event: i64,
    silent_since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Option<i32>> {
    let tenant = tx.tenant();
    // `before` locks the row, so that two workers with two events of one storm take turns.
    let mark = sqlx::query!(
        "select event_id, spoke_at, held_back from patchbay.notification_marks
         where tenant_id = $1 and rule_id = $2 and subject = $3 for update",
        tenant,
        rule,
        subject,
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(mark) = mark else {
        let done = sqlx::query!(
            "insert into patchbay.notification_marks (tenant_id, rule_id, subject, event_id, spoke_at) values ($1, $2, $3, $4, $5)
             on conflict do nothing",
            tenant,
            rule,
            subject,
            event,
            now,
        )
        .execute(tx.conn())
        .await?;
        // Lost against another worker at the same instant: its event speaks.
        return Ok((done.rows_affected() == 1).then_some(0));
    };
    if mark.event_id == event {
        return Ok(Some(0));
    }
    let speaks = mark.spoke_at <= silent_since;
    sqlx::query!(
        "update patchbay.notification_marks set event_id = case when $4 then $5 else event_id end,
           spoke_at = case when $4 then $6 else spoke_at end, held_back = case when $4 then 0 else held_back + 1 end
         where tenant_id = $1 and rule_id = $2 and subject = $3",
        tenant,
        rule,
        subject,
        speaks,
        event,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(speaks.then_some(mark.held_back))
}

/// Counts an event within the window that began with the rule's first: 1 for the first one.
pub(super) async fn count_in_window(
    tx: &mut TenantTx,
    rule: Uuid,
    subject: &str,
    event: i64,
    window_since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<i32> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!(
        r#"insert into patchbay.notification_marks as m (tenant_id, rule_id, subject, event_id, spoke_at, held_back) values ($1, $2, $3, $4, $5, 1)
           on conflict (tenant_id, rule_id, subject) do update set
             held_back = case when m.event_id = $4 then m.held_back when m.spoke_at <= $6 then 1 else m.held_back + 1 end,
             spoke_at = case when m.spoke_at <= $6 then $5 else m.spoke_at end, event_id = $4
           returning held_back"#,
        tenant,
        rule,
        subject,
        event,
        now,
        window_since,
    )
    .fetch_one(tx.conn())
    .await?)
}
