//! From a provider's answer to a row of the ledger.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use patchbay_providers::{ErrorClass, Outcome};
use patchbay_rules::{
    gates,
    message::{Channel, Kind},
};
use uuid::Uuid;

use super::{
    dispatcher::{Claimed, Settlement, give_back, pause},
    sql::reports::{self as sql, Outcomes, SettledRow},
};
use crate::{
    app::App,
    consent::{self, Change, State},
    crash,
    db::TenantTx,
    error::{Error, Result},
    quotes,
};

/// Attempts after which "later" becomes "failed".
const MOST_ATTEMPTS: i32 = 8;

/// Writes the outcomes of one tenant's calls and what follows from them.
pub(super) async fn settle(app: &App, tenant: Uuid, settlements: &[Settlement]) -> Result<()> {
    let now = app.now();
    let ask_at = now + TimeDelta::from_std(app.config.reconcile_after).map_err(Error::internal)?;
    let mut outcomes = Outcomes::default();
    for settlement in settlements {
        let claimed = &settlement.claimed;
        let line = Line::new(&settlement.outcome, claimed.attempt, now, ask_at);
        metrics::counter!("patchbay_messages_settled_total", "status" => line.status).increment(1);
        outcomes.ids.push(claimed.id);
        outcomes.attempts.push(claimed.attempt);
        outcomes.statuses.push(line.status.to_owned());
        outcomes.provider_ids.push(line.provider_id);
        outcomes.froms.push(line.from);
        outcomes.codes.push(line.code);
        outcomes.details.push(line.detail);
        outcomes.nexts.push(line.next);
    }
    let mut tx = app.db.tenant(tenant).await?;
    let settled = sql::settle(&mut tx, &outcomes, now).await?;
    // What left after all (its receipt was faster) or belongs to another attempt by now keeps its booking.
    let unsent: HashSet<Uuid> = settled
        .iter()
        .filter(|row| matches!(row.status.as_str(), "queued" | "failed"))
        .map(|row| row.id)
        .collect();
    let refunds: Vec<_> = settlements
        .iter()
        .map(|s| &s.claimed)
        .filter(|claimed| unsent.contains(&claimed.id))
        .map(Claimed::refund)
        .collect();
    give_back(&mut tx, &refunds).await?;
    follow_up(&mut tx, &settled, now).await?;
    for settlement in settlements {
        if let Outcome::Refused(refusal) = &settlement.outcome
            && refusal.class == ErrorClass::OptOut
        {
            carrier_opt_out(
                &mut tx,
                crate::providers::rules_channel(settlement.claimed.outgoing.channel),
                &settlement.claimed.outgoing.to,
                refusal.code,
                now,
            )
            .await?;
        }
    }
    crash::point("settle.written").await;
    tx.commit().await
}

/// Writes outcomes that no call brought, but reconciliation; answers those that were still open.
pub(super) async fn write(
    tx: &mut TenantTx,
    outcomes: &Outcomes,
    now: DateTime<Utc>,
) -> Result<Vec<SettledRow>> {
    let settled = sql::settle(tx, outcomes, now).await?;
    follow_up(tx, &settled, now).await?;
    Ok(settled)
}

/// What contacts and quotes learn from messages that left.
pub(super) async fn follow_up(tx: &mut TenantTx, settled: &[SettledRow], now: DateTime<Utc>) -> Result<()> {
    let left = || settled.iter().filter(|row| matches!(row.status.as_str(), "sent" | "delivered" | "read"));
    let (mut contacts, mut marketing) = (Vec::new(), Vec::new());
    for row in left() {
        if let Some(contact) = row.contact_id {
            contacts.push(contact);
            marketing
                .push(row.kind.parse::<Kind>().is_ok_and(|kind| gates::policy(kind).counts_as_marketing));
        }
    }
    if !contacts.is_empty() {
        sql::touch_contacts(tx, &contacts, &marketing, now).await?;
    }
    for quote in left().filter_map(|row| row.quote_id) {
        quotes::mark_sent(tx, quote, now).await?;
    }
    Ok(())
}

/// The carrier says that this person opted out: authoritative, whatever our own list said.
pub(super) async fn carrier_opt_out(
    tx: &mut TenantTx,
    channel: Channel,
    address: &str,
    code: Option<u32>,
    now: DateTime<Utc>,
) -> Result<()> {
    let detail = code.map(|code| format!("Carrier code {code}"));
    let mut change = Change::new(channel, address, State::Unsubscribed, "carrier", now);
    change.detail = detail.as_deref();
    change.evidence = serde_json::json!({ "code": code });
    consent::set(tx, &change).await?;
    Ok(())
}

/// The columns of one outcome.
struct Line {
    status: &'static str,
    provider_id: Option<String>,
    from: Option<String>,
    code: Option<i32>,
    detail: Option<String>,
    next: Option<DateTime<Utc>>,
}

impl Line {
    fn new(outcome: &Outcome, attempt: i32, now: DateTime<Utc>, ask_at: DateTime<Utc>) -> Self {
        let number = |code: Option<u32>| code.and_then(|code| i32::try_from(code).ok());
        let empty =
            Self { status: "sent", provider_id: None, from: None, code: None, detail: None, next: None };
        match outcome {
            Outcome::Accepted { provider_message_id, from, .. } => {
                Self { provider_id: Some(provider_message_id.clone()), from: from.clone(), ..empty }
            }
            Outcome::Refused(refusal) => Self {
                status: "failed",
                code: number(refusal.code),
                detail: Some(refusal.detail.clone()),
                ..empty
            },
            Outcome::Retry { after, code, detail } if attempt < MOST_ATTEMPTS => Self {
                status: "queued",
                code: number(*code),
                detail: Some(detail.clone()),
                next: Some(now + pause(attempt, *after)),
                ..empty
            },
            Outcome::Retry { code, detail, .. } => Self {
                status: "failed",
                code: number(*code),
                detail: Some(format!("{detail} Gave up after {attempt} attempts.")),
                ..empty
            },
            Outcome::Unknown { detail } => {
                Self { status: "unknown", detail: Some(detail.clone()), next: Some(ask_at), ..empty }
            }
        }
    }
}
