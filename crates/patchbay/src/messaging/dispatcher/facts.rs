//! What the gates are told: the tenant's facts, read once per claim, and from them each sender's and recipient's.

use std::{borrow::Cow, collections::HashMap};

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use chrono_tz::Tz;
use patchbay_rules::{
    calendar, frequency,
    gates::{self, ConsentState, DoNotContact, Gate, RecipientFacts, SenderFacts, TenantFacts, Verdict},
    message::Kind,
    quiet_hours::Window,
    senders,
    zones::{self, ZoneFacts},
};

use super::Meter;
use crate::{
    consent,
    db::TenantTx,
    error::Result,
    messaging::sql::dispatch::{self as sql, DueRow, SenderRow, TenantRow},
};

/// Everything about a tenant that its messages' gates ask for.
pub struct Facts {
    pub tenant: TenantFacts,
    pub today: NaiveDate,
    pub spent: (i64, i64),
    pub senders: Vec<SenderRow>,
    pub rate_per_second: Option<f64>,
    pub(super) buckets: HashMap<String, (f64, DateTime<Utc>)>,
}

/// Reads the facts of the tenant `tx` is bound to.
pub async fn facts_for(tx: &mut TenantTx, now: DateTime<Utc>) -> Result<Facts> {
    let row = sql::tenant(tx).await?;
    let timezone: Tz = row.timezone.parse().unwrap_or(Tz::UTC);
    let today = calendar::local_day(now, timezone);
    let month_start = today.with_day(1).unwrap_or(today);
    let spent = sql::spent(tx, today, month_start).await?;
    let senders = sql::senders(tx, today).await?;
    let buckets = sql::buckets(tx).await?.into_iter().map(|b| (b.key, (b.tokens, b.refilled_at))).collect();
    let rate_per_second = row.rate_per_second.map(f64::from);
    Ok(Facts { tenant: tenant_facts(row, timezone), today, spent, senders, rate_per_second, buckets })
}

fn tenant_facts(row: TenantRow, timezone: Tz) -> TenantFacts {
    // cents are hundredths, micros millionths
    let micros = |cents: i64| cents.saturating_mul(10_000);
    TenantFacts {
        kill_switch: row.kill_switch,
        timezone,
        country: row.country,
        currency: row.currency,
        budget_daily_micros: row.budget_daily_cents.map(micros),
        budget_monthly_micros: row.budget_monthly_cents.map(micros),
        suppression_days: u16::try_from(row.suppression_days).unwrap_or(u16::MAX),
        quiet: row.quiet_start.zip(row.quiet_end).map(|(start, end)| Window { start, end }),
        apply_country_rules: row.country_rules,
        rest_on_holidays: row.holiday_rules,
        quiet_hours_bind_people: row.quiet_binds_people,
    }
}

impl Facts {
    /// What every gate would say about `row` now, reserving nothing.
    pub fn explain(&self, row: &DueRow, now: DateTime<Utc>) -> Vec<(Gate, Verdict)> {
        let Ok(kind) = row.kind.parse::<Kind>() else { return Vec::new() };
        let wanted = row.from_address.as_deref().or(row.reply_from.as_deref());
        let of_channel = || self.senders.iter().filter(|s| s.channel == row.channel);
        // As the way out is chosen; see `Routes::choose`.
        let sender = of_channel()
            .find(|s| wanted == Some(&*s.address))
            .or_else(|| of_channel().find(|s| Some(s.id) == row.sender_id))
            .or_else(|| of_channel().next());
        let usage = Meter::new(self, now).usage(sender);
        let recipient = recipient_facts(row, &self.tenant);
        gates::explain_all(
            kind,
            row.cost_micros,
            &self.tenant_for(row),
            &sender_facts(sender),
            &recipient,
            &usage,
            now,
        )
    }

    /// The tenant's facts as they bind this message: a person may have waived the quiet hours.
    pub(super) fn tenant_for(&self, row: &DueRow) -> Cow<'_, TenantFacts> {
        if row.quiet_hours_waived {
            Cow::Owned(TenantFacts { quiet: None, apply_country_rules: false, ..self.tenant.clone() })
        } else {
            Cow::Borrowed(&self.tenant)
        }
    }
}

/// What the gates are told of a sender.
pub fn sender_facts(sender: Option<&SenderRow>) -> SenderFacts {
    SenderFacts {
        warmup_started_on: sender.and_then(|s| s.warmup_started_on),
        warmup_day_index: sender.map_or(0, |s| u32::try_from(s.warmup_days).unwrap_or(u32::MAX)),
        active: true,
        label: sender.map_or_else(String::new, |s| s.label.clone().unwrap_or_else(|| s.address.clone())),
        unregistered_name: sender
            .is_some_and(|s| s.channel == "sms" && senders::is_name(&s.address) && !s.name_registered),
    }
}

/// The recipient's facts of one due message.
pub fn recipient_facts(row: &DueRow, tenant: &TenantFacts) -> RecipientFacts {
    let zones = zones::resolve(&ZoneFacts {
        explicit: row.contact_timezone.as_deref().and_then(|zone| zone.parse().ok()),
        country: row.contact_country.as_deref(),
        state: row.contact_state.as_deref(),
        postal: row.contact_postal.as_deref(),
        phone_e164: row.to_address.starts_with('+').then_some(row.to_address.as_str()),
        tenant: tenant.timezone,
    });
    let country =
        row.contact_country.clone().or_else(|| zones::likely_country_of(&row.to_address).map(str::to_owned));
    let consent = match (row.consent_state.as_deref(), row.consent_changed_at) {
        (Some("subscribed"), _) => consent::agreement(row.consent_basis.as_deref(), row.consent_expires_at),
        (Some("unsubscribed"), Some(at)) => ConsentState::Unsubscribed {
            how: consent::opt_out_source(
                row.consent_how.as_deref().unwrap_or_default(),
                row.consent_detail.as_deref(),
            ),
            at,
        },
        _ => ConsentState::Unknown,
    };
    let do_not_contact =
        row.listed_reason.clone().zip(row.listed_at).map(|(reason, at)| DoNotContact { reason, at });
    RecipientFacts {
        zones,
        country,
        state: row.contact_state.clone(),
        consent,
        do_not_contact,
        campaign_paused: row.campaign_status.as_deref() == Some("paused"),
        last_marketed_at: row.last_marketed_at,
        texted_at: row.texted_at.clone(),
        cap: frequency::cap(&row.to_address).filter(|_| tenant.apply_country_rules && row.channel == "sms"),
        wants_registered_name: row.channel == "sms" && senders::wants_registered_name(&row.to_address),
        last_inbound_at: row.last_inbound_at,
    }
}
