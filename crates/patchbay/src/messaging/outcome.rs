//! From a provider's answer to a row of the ledger.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use patchbay_providers::{ErrorClass, Outcome, Outgoing};
use patchbay_rules::{
    gates,
    message::{Channel, Kind},
};
use uuid::Uuid;

use super::{
    again,
    dispatcher::{Claimed, Settlement, give_back},
    sql::reports::{self as sql, Outcomes, SettledRow},
    unreachable::{self, Failure},
};
use crate::{
    app::App,
    consent::{self, Change, State},
    crash,
    db::TenantTx,
    error::{Error, Result},
    providers::holds::{self, Refused},
    quotes,
};

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
    refused(&mut tx, settlements, now).await?;
    crash::point("settle.written").await;
    tx.commit().await
}

/// What follows for others from the refusals among the outcomes: an account or sender is held, an address is out of
/// reach, a person has opted out.
async fn refused(tx: &mut TenantTx, settlements: &[Settlement], now: DateTime<Utc>) -> Result<()> {
    let refusals = || {
        settlements.iter().filter_map(|settlement| match &settlement.outcome {
            Outcome::Refused(refusal) => Some((&settlement.claimed, refusal)),
            _ => None,
        })
    };
    let held = refusals()
        .filter_map(|(claimed, refusal)| Refused::on(&claimed.route, &claimed.outgoing.to, refusal));
    holds::hold(tx, held.collect(), now).await?;
    let failures = refusals().filter_map(|(claimed, refusal)| {
        let Outgoing { channel, to, .. } = &claimed.outgoing;
        Some(Failure { channel: channel.as_str(), address: to, code: refusal.code? })
    });
    unreachable::note(tx, &failures.collect::<Vec<_>>(), now).await?;
    for (claimed, refusal) in refusals().filter(|(_, refusal)| refusal.class == ErrorClass::OptOut) {
        let channel = crate::providers::rules_channel(claimed.outgoing.channel);
        carrier_opt_out(tx, channel, &claimed.outgoing.to, refusal.code, now).await?;
    }
    Ok(())
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
            // Certainly not accepted, and no fault of this message: it waits with all others for the hold to end.
            Outcome::Refused(refusal) if refusal.holds().is_some() => Self {
                status: "queued",
                code: number(refusal.code),
                detail: Some(refusal.detail.clone()),
                next: Some(now),
                ..empty
            },
            Outcome::Refused(refusal) => Self {
                status: "failed",
                code: number(refusal.code),
                detail: Some(refusal.detail.clone()),
                ..empty
            },
            Outcome::Retry { after, code, detail } => {
                let code_of = number(*code);
                match again::next(again::policy(*code), attempt, *after, now) {
                    Some(next) => Self {
                        status: "queued",
                        code: code_of,
                        detail: Some(detail.clone()),
                        next: Some(next),
                        ..empty
                    },
                    None => Self {
                        status: "failed",
                        code: code_of,
                        detail: Some(format!("{detail} Gave up after {attempt} attempts.")),
                        ..empty
                    },
                }
            }
            Outcome::Unknown { detail } => {
                Self { status: "unknown", detail: Some(detail.clone()), next: Some(ask_at), ..empty }
            }
        }
    }
}
