use chrono::{DateTime, Utc};
use patchbay_rules::{consent::Term, message::Channel};
use serde_json::Value;
use uuid::Uuid;

use super::{Change, Proof, State, Whereabouts, api::Listed};
use crate::{db::TenantTx, error::Result};

/// The second condition is [`Term::replaces`].
pub(super) async fn upsert_state(tx: &mut TenantTx, change: &Change<'_>, term: Term) -> Result<bool> {
    let tenant = tx.tenant();
    let done = sqlx::query!(
        "insert into patchbay.consents as c (tenant_id, channel, address, state, how, detail, actor_label, changed_at, basis, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         on conflict (tenant_id, channel, address) do update
           set state = excluded.state, how = excluded.how, detail = excluded.detail, actor_label = excluded.actor_label,
             changed_at = excluded.changed_at, basis = excluded.basis, expires_at = excluded.expires_at
           where c.state <> excluded.state or (c.state = 'subscribed' and c.basis <> 'express'
             and (excluded.basis = 'express' or excluded.expires_at > c.expires_at))",
        tenant,
        change.channel.as_str(),
        change.address,
        change.state.as_str(),
        change.how,
        change.detail,
        change.actor_label,
        change.at,
        term.basis.as_str(),
        term.ends_at,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() > 0)
}

pub(super) async fn insert_event(tx: &mut TenantTx, change: &Change<'_>, term: Term) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "insert into patchbay.consent_events (tenant_id, channel, address, state, how, source, wording, evidence, actor_label, created_at,
           basis, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        tenant,
        change.channel.as_str(),
        change.address,
        change.state.as_str(),
        change.how,
        change.source,
        change.wording,
        change.evidence,
        change.actor_label,
        change.at,
        (change.state == State::Subscribed).then_some(term.basis.as_str()),
        term.ends_at,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What tells where the people behind these addresses are.
pub(super) async fn whereabouts(tx: &mut TenantTx, addresses: &[&str]) -> Result<Whereabouts> {
    let tenant = tx.tenant();
    let rows = sqlx::query!(
        r#"select t.country as home, c.country as "country?", c.phone_e164 as "number?" from patchbay.tenants t
           left join patchbay.contacts c on c.tenant_id = t.id and c.merged_into is null and (c.phone_e164 = any($2) or c.email = any($2))
           where t.id = $1 limit 100"#,
        tenant,
        addresses as _,
    )
    .fetch_all(tx.conn())
    .await?;
    let home = rows.first().map(|row| row.home.clone()).unwrap_or_default();
    Ok(Whereabouts { home, contacts: rows.into_iter().map(|row| (row.country, row.number)).collect() })
}

/// Extends what is implied for these addresses until `ends_at`; whatever lasts longer stays.
pub(super) async fn extend_by_purchase(
    tx: &mut TenantTx,
    addresses: &[&str],
    at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    evidence: &Value,
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "with extended as (
           update patchbay.consents set basis = 'purchase', expires_at = $4, how = 'quote', detail = null, actor_label = null, changed_at = $3
           where tenant_id = $1 and address = any($2) and state = 'subscribed' and basis <> 'express' and expires_at < $4
           returning channel, address)
         insert into patchbay.consent_events (tenant_id, channel, address, state, how, evidence, created_at, basis, expires_at)
         select $1, channel, address, 'subscribed', 'quote', $5, $3, 'purchase', $4 from extended",
        tenant,
        addresses as _,
        at,
        ends_at,
        evidence,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Lists a number; `false` when it is listed already.
pub(super) async fn list_number(
    tx: &mut TenantTx,
    phone: &str,
    reason: &str,
    source: &str,
    actor_label: Option<&str>,
) -> Result<bool> {
    let tenant = tx.tenant();
    let done = sqlx::query!(
        "insert into patchbay.do_not_contact (tenant_id, phone_e164, reason, source, actor_label) values ($1, $2, $3, $4, $5)
         on conflict (tenant_id, phone_e164) do nothing",
        tenant,
        phone,
        reason,
        source,
        actor_label,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() > 0)
}

pub(super) async fn list_numbers(
    tx: &mut TenantTx,
    phone: Option<&str>,
    search: &str,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Listed>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        Listed,
        "select id, phone_e164 as phone, reason, source, actor_label as added_by, created_at from patchbay.do_not_contact
         where tenant_id = $1 and ($2::text is null or phone_e164 = $2) and ($3::uuid is null or id < $3)
           and ($5 = '' or position(lower($5) in lower(reason)) > 0 or position($6 in phone_e164) > 0)
         order by id desc limit $4",
        tenant,
        phone,
        before,
        limit,
        search,
        digits(search),
    )
    .fetch_all(tx.conn())
    .await?)
}

/// The digits of a number as it is stored: without the trunk prefix that only its own country writes. Words hold none,
/// and match no number.
fn digits(search: &str) -> String {
    let digits: String = search.chars().filter(char::is_ascii_digit).collect();
    match digits.trim_start_matches('0') {
        "" => "-".to_owned(),
        rest => rest.to_owned(),
    }
}

/// Takes a number off the list; answers which.
pub(super) async fn delete_number(
    tx: &mut TenantTx,
    id: Option<Uuid>,
    phone: Option<&str>,
) -> Result<Option<String>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!(
        "delete from patchbay.do_not_contact where tenant_id = $1 and (id = $2 or phone_e164 = $3) returning phone_e164",
        tenant,
        id,
        phone,
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// Whether the present refusal of an address is the recipient's own.
pub(super) async fn refused_by_recipient(tx: &mut TenantTx, channel: Channel, address: &str) -> Result<bool> {
    let tenant = tx.tenant();
    let found = sqlx::query_scalar!(
        "select 1 from patchbay.consents where tenant_id = $1 and channel = $2 and address = $3 and state = 'unsubscribed'
           and how in ('keyword', 'phrase', 'link', 'carrier', 'complaint')",
        tenant,
        channel.as_str(),
        address,
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(found.is_some())
}

/// What the recipient brought about, the recipient may take back; what a person or an import listed stays.
pub(super) async fn unlist_number(tx: &mut TenantTx, phone: &str) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "delete from patchbay.do_not_contact where tenant_id = $1 and phone_e164 = $2 and source in ('keyword', 'phrase', 'link', 'carrier')",
        tenant,
        phone,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(super) async fn list_events(tx: &mut TenantTx, address: &str) -> Result<Vec<Proof>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        Proof,
        "select id, channel, state, how, basis, expires_at, source, wording, evidence, actor_label, created_at
         from patchbay.consent_events where tenant_id = $1 and address = $2 order by id desc limit 200",
        tenant,
        address,
    )
    .fetch_all(tx.conn())
    .await?)
}

pub(super) async fn find_state(tx: &mut TenantTx, channel: Channel, address: &str) -> Result<Option<String>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!(
        "select state from patchbay.consents where tenant_id = $1 and channel = $2 and address = $3",
        tenant,
        channel.as_str(),
        address,
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// Whether the present opt-out was read into somebody's words.
pub(super) async fn is_presumed(tx: &mut TenantTx, channel: Channel, address: &str) -> Result<bool> {
    let tenant = tx.tenant();
    let found = sqlx::query_scalar!(
        "select 1 from patchbay.consents where tenant_id = $1 and channel = $2 and address = $3 and state = 'unsubscribed' and how = 'phrase'",
        tenant,
        channel.as_str(),
        address,
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(found.is_some())
}

/// How an address stood.
pub(super) struct StoodRow {
    pub(super) state: String,
    pub(super) basis: Option<String>,
    pub(super) expires_at: Option<DateTime<Utc>>,
}

/// Where the address stood before its last change.
pub(super) async fn state_before(
    tx: &mut TenantTx,
    channel: Channel,
    address: &str,
) -> Result<Option<StoodRow>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        StoodRow,
        "select state, basis, expires_at from patchbay.consent_events where tenant_id = $1 and address = $3 and channel = $2 order by id desc offset 1 limit 1",
        tenant,
        channel.as_str(),
        address,
    )
    .fetch_optional(tx.conn())
    .await?)
}

pub(super) async fn unlist_presumed(tx: &mut TenantTx, phone: &str) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "delete from patchbay.do_not_contact where tenant_id = $1 and phone_e164 = $2 and source = 'phrase'",
        tenant,
        phone
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
