//! The numbers and addresses a tenant sends from, each with its rate and its warm-up.

use chrono::{DateTime, NaiveDate, Utc};
use patchbay_rules::{phone, senders::is_name, warm_up};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::sql::{accounts, senders as rows};
use crate::{
    app::App,
    audit,
    auth::Caller,
    contacts::clean,
    db::TenantTx,
    error::{Error, FieldErrors, Result},
    web::patch::Patch,
};

/// A sender.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Sender {
    pub id: Uuid,
    /// sms, whatsapp or email
    pub channel: String,
    /// E.164, a short code, a sender name or an e-mail address.
    pub address: String,
    pub label: Option<String>,
    /// twilio, smtp or fake
    pub provider: String,
    pub account_id: Option<Uuid>,
    pub rate_per_second: Option<f64>,
    /// The day the number began to send; null for one that needs no warm-up.
    pub warmup_started_on: Option<NaiveDate>,
    /// What may be sent today while it warms up; null without a cap.
    pub warmup_cap: Option<u32>,
    pub sent_today: i64,
    pub is_default: bool,
    /// Of a sender name for texts: whether the business says that it is registered where names must be, as in
    /// Australia; null for numbers and addresses.
    pub name_registered: Option<bool>,
    pub created_at: DateTime<Utc>,
}

/// A sender to add.
#[derive(Debug, Clone, Default, Deserialize, utoipa::ToSchema)]
pub struct NewSender {
    pub channel: String,
    pub address: String,
    /// Follows from the accounts where absent.
    #[serde(default)]
    pub provider: Option<String>,
    /// The tenant's only account where absent.
    #[serde(default)]
    pub account_id: Option<Uuid>,
    #[serde(default)]
    pub label: Option<String>,
    #[serde(default)]
    pub rate_per_second: Option<f64>,
    #[serde(default)]
    pub warmup_started_on: Option<NaiveDate>,
    /// The first sender of a channel is its default in any case.
    #[serde(default)]
    pub is_default: Option<bool>,
    #[serde(default)]
    pub name_registered: Option<bool>,
}

/// What of a sender may change.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
pub struct SenderPatch {
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub label: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<f64>)]
    pub rate_per_second: Patch<f64>,
    #[serde(default)]
    #[schema(value_type = Option<NaiveDate>)]
    pub warmup_started_on: Patch<NaiveDate>,
    #[serde(default)]
    pub is_default: Option<bool>,
    #[serde(default)]
    pub name_registered: Option<bool>,
}

/// The senders in use, by channel, default first.
pub async fn list(app: &App, caller: &Caller) -> Result<Vec<Sender>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    load(&mut tx, today(app, caller)).await
}

/// One of them.
pub async fn find(app: &App, caller: &Caller, id: Uuid) -> Result<Sender> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    get(&mut tx, today(app, caller), id).await
}

/// The tenant's own day.
fn today(app: &App, caller: &Caller) -> NaiveDate {
    app.now().with_timezone(&caller.tenant.timezone).date_naive()
}

async fn load(tx: &mut TenantTx, today: NaiveDate) -> Result<Vec<Sender>> {
    let rows = rows::list(tx, today).await?;
    Ok(rows
        .into_iter()
        .map(|row| Sender {
            warmup_cap: row.warmup_started_on.and_then(|started| warm_up::cap(started, today)),
            name_registered: (row.channel == "sms" && is_name(&row.address)).then_some(row.name_registered),
            id: row.id,
            channel: row.channel,
            address: row.address,
            label: row.label,
            provider: row.provider,
            account_id: row.account_id,
            rate_per_second: row.rate_per_second,
            warmup_started_on: row.warmup_started_on,
            sent_today: row.sent_today,
            is_default: row.is_default,
            created_at: row.created_at,
        })
        .collect())
}

async fn get(tx: &mut TenantTx, today: NaiveDate, id: Uuid) -> Result<Sender> {
    load(tx, today).await?.into_iter().find(|sender| sender.id == id).ok_or(Error::NotFound("sender"))
}

/// Adds a sender.
///
/// # Errors
/// Every field that is wrong; a conflict with its id where the address is in use already.
pub async fn create(app: &App, caller: &Caller, new: NewSender) -> Result<Sender> {
    let mut errors = FieldErrors::new();
    let channel = new.channel.trim().to_lowercase();
    let address = match clean_address(&channel, &new.address, &caller.tenant.country) {
        Ok(address) => address,
        Err((field, message)) => {
            errors.insert(field.into(), message);
            String::new()
        }
    };
    let label = new.label.as_deref().and_then(clean::line);
    check_limits(label.as_deref(), new.rate_per_second, &mut errors);
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let (provider, account_id) = choose_account(app, &mut tx, &channel, &new, &mut errors).await?;
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }
    let today = today(app, caller);
    let is_first = !load(&mut tx, today).await?.iter().any(|sender| sender.channel == channel);
    let input = rows::SenderInput {
        id: app.new_id(),
        channel: &channel,
        address: &address,
        label: label.as_deref(),
        provider: &provider,
        account_id,
        rate_per_second: new.rate_per_second,
        warmup_started_on: new.warmup_started_on,
        is_default: new.is_default.unwrap_or(false) || is_first,
        name_registered: new.name_registered.unwrap_or(false),
        now: app.now(),
    };
    if !rows::insert(&mut tx, &input).await? {
        let existing_id = rows::find_by_address(&mut tx, &channel, &address).await?;
        return Err(Error::Conflict { detail: "This address is in use already.".into(), existing_id });
    }
    if input.is_default {
        rows::clear_other_defaults(&mut tx, &channel, input.id).await?;
    }
    let sender = get(&mut tx, today, input.id).await?;
    audit::changed(
        &mut tx,
        caller,
        "sender.created",
        sender.id,
        &serde_json::json!({ "address": [null, sender.address], "channel": [null, sender.channel] }),
    )
    .await?;
    tx.commit().await?;
    Ok(sender)
}

/// Changes what may change; the address stays.
pub async fn update(app: &App, caller: &Caller, id: Uuid, change: SenderPatch) -> Result<Sender> {
    let today = today(app, caller);
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let before = get(&mut tx, today, id).await?;
    let mut errors = FieldErrors::new();
    let label = change.label.over(before.label.clone()).and_then(|label| clean::line(&label));
    let rate = change.rate_per_second.over(before.rate_per_second);
    check_limits(label.as_deref(), rate, &mut errors);
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }
    let input = rows::SenderInput {
        id,
        channel: &before.channel,
        address: &before.address,
        label: label.as_deref(),
        provider: &before.provider,
        account_id: before.account_id,
        rate_per_second: rate,
        warmup_started_on: change.warmup_started_on.over(before.warmup_started_on),
        // A channel keeps a default: one is replaced by making another it.
        is_default: before.is_default || change.is_default.unwrap_or(false),
        name_registered: change.name_registered.or(before.name_registered).unwrap_or(false),
        now: app.now(),
    };
    rows::update(&mut tx, &input).await?;
    if input.is_default && !before.is_default {
        rows::clear_other_defaults(&mut tx, &before.channel, id).await?;
    }
    let after = get(&mut tx, today, id).await?;
    if after != before {
        audit::changed(&mut tx, caller, "sender.updated", after.id, &audit::diff(&before, &after)).await?;
        tx.commit().await?;
    }
    Ok(after)
}

/// Takes a sender out of use. Its messages and counters stay.
pub async fn remove(app: &App, caller: &Caller, id: Uuid) -> Result<()> {
    let today = today(app, caller);
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let sender = get(&mut tx, today, id).await?;
    rows::disable(&mut tx, id, app.now()).await?;
    audit::changed(
        &mut tx,
        caller,
        "sender.removed",
        sender.id,
        &serde_json::json!({ "address": [sender.address, null] }),
    )
    .await?;
    tx.commit().await
}

/// Who carries the messages of a new sender.
async fn choose_account(
    app: &App,
    tx: &mut TenantTx,
    channel: &str,
    new: &NewSender,
    errors: &mut FieldErrors,
) -> Result<(String, Option<Uuid>)> {
    let known = accounts::list(tx).await?;
    let has_shared = app.config.twilio.is_some();
    let default = if channel == "email" {
        "smtp"
    } else if known.is_empty() && !has_shared {
        "fake"
    } else {
        "twilio"
    };
    let provider = new.provider.as_deref().map(str::trim).filter(|name| !name.is_empty()).unwrap_or(default);
    match (provider, channel) {
        ("fake", _) | ("smtp", "email") => {
            if new.account_id.is_some() {
                errors.insert("account_id".into(), format!("{provider:?} has no accounts. Leave this out."));
            }
            Ok((provider.to_owned(), None))
        }
        ("twilio", "sms" | "whatsapp") => {
            let account = match new.account_id {
                Some(id) => known.iter().find(|account| account.id == id),
                None => known.iter().find(|account| account.provider == "twilio"),
            };
            if account.is_none() && (new.account_id.is_some() || !has_shared) {
                errors.insert("account_id".into(), "Connect a Twilio account first.".to_owned());
            }
            Ok((provider.to_owned(), account.map(|account| account.id)))
        }
        _ => {
            errors
                .insert("provider".into(), format!("Messages by {channel} do not go through {provider:?}."));
            Ok((String::new(), None))
        }
    }
}

fn check_limits(label: Option<&str>, rate: Option<f64>, errors: &mut FieldErrors) {
    if label.is_some_and(|label| label.chars().count() > 120) {
        errors.insert("label".into(), "A label has 120 characters at most.".to_owned());
    }
    if rate.is_some_and(|rate| !(0.01..=10_000.0).contains(&rate)) {
        errors.insert("rate_per_second".into(), "Choose 0.01 to 10,000 a second.".to_owned());
    }
}

/// The address as it is stored, or the field that is wrong and why.
fn clean_address(channel: &str, text: &str, country: &str) -> Result<String, (&'static str, String)> {
    let text = text.trim();
    let plain = text.strip_prefix("whatsapp:").unwrap_or(text);
    let wrong = |message: &str| Err(("address", message.to_owned()));
    match channel {
        "sms" if is_short_code(plain) || is_sender_name(plain) => Ok(plain.to_owned()),
        "sms" | "whatsapp" => match phone::parse(plain, Some(country)) {
            Ok(phone) => Ok(phone.e164),
            // The numbers a carrier sets aside for tests are in no range in use.
            Err(_) if phone::is_e164(plain) => Ok(plain.to_owned()),
            Err(error) => wrong(&format!("{error}.")),
        },
        "email" => match text.parse::<lettre::message::Mailbox>() {
            Ok(mailbox) if text.len() <= 320 => Ok(mailbox.to_string()),
            _ => wrong("Write an address such as Ace Plumbing <office@example.com>."),
        },
        _ => Err(("channel", "Choose sms, whatsapp or email.".to_owned())),
    }
}

fn is_short_code(text: &str) -> bool {
    (3..=6).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// An alphanumeric sender: up to 11 characters with a letter among them.
fn is_sender_name(text: &str) -> bool {
    (1..=11).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b" &+-_".contains(&b))
        && text.bytes().any(|b| b.is_ascii_alphabetic())
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn addresses_by_channel() {
        for (channel, text, clean) in [
            ("sms", "(04) 1234 5678", "+61412345678"),
            ("sms", "+15005550006", "+15005550006"),
            ("whatsapp", "whatsapp:+61412345678", "+61412345678"),
            ("sms", "12345", "12345"),
            ("sms", "ACE Plumb", "ACE Plumb"),
            ("email", "Ace <office@example.com>", "Ace <office@example.com>"),
        ] {
            assert_eq!(clean_address(channel, text, "AU").as_deref(), Ok(clean), "{text}");
        }
        for (channel, text, field) in [
            ("sms", "0412 345", "address"),
            ("whatsapp", "ACE Plumb", "address"),
            ("email", "office", "address"),
            ("pigeon", "+61412345678", "channel"),
            ("sms", "", "address"),
        ] {
            assert_eq!(clean_address(channel, text, "AU").map_err(|(field, _)| field), Err(field), "{text}");
        }
    }
}
