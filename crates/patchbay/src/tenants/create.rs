//! A tenant is born able to work: with stages, templates and, until a carrier is set up, a sender that only pretends.

use chrono_tz::Tz;
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{places, sql};
use crate::{
    app::App,
    audit,
    auth::Actor,
    contacts::clean,
    db::SystemTx,
    error::{Error, FieldErrors, Result},
    templates,
};

/// What a new tenant needs; the rest follows from the country.
#[derive(Debug, Clone, Default)]
pub struct NewTenant {
    pub name: String,
    /// Made of the name where absent.
    pub slug: Option<String>,
    /// IANA name.
    pub timezone: Option<String>,
    /// ISO 3166 alpha-2; `US` where absent.
    pub country: Option<String>,
}

/// A tenant just made.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Tenant {
    pub id: Uuid,
    pub slug: String,
    pub name: String,
}

const STAGES: [(&str, &str); 5] =
    [("New", "open"), ("Contacted", "open"), ("Quoted", "open"), ("Won", "won"), ("Lost", "lost")];

/// Makes a tenant with everything it is born with.
///
/// # Errors
/// Every field that is wrong; a slug asked for that is taken.
pub async fn create(app: &App, new: NewTenant) -> Result<Tenant> {
    let (name, place, zone) = check(&new)?;
    let now = app.now();
    let id = app.new_id();
    let mut tx = app.db.system().await?;
    let wanted = new.slug.as_deref().map_or_else(|| slug_of(&name), str::to_owned);
    let mut slug = wanted.clone();
    for number in 2..100 {
        let row = sql::NewTenantRow {
            id,
            name: &name,
            slug: &slug,
            timezone: zone.name(),
            country: place.code,
            currency: place.currency,
            now,
        };
        if sql::insert(&mut tx, &row).await? {
            furnish(app, &mut tx, id).await?;
            let changes = json!({ "name": [null, name], "slug": [null, slug] });
            let entry = audit::Entry {
                action: "tenant.created",
                entity_type: "settings",
                entity_id: Some(id.to_string()),
                changes: &changes,
            };
            audit::record_as_system(&mut tx, id, &Actor::system(), entry).await?;
            tx.commit().await?;
            return Ok(Tenant { id, slug, name });
        }
        if new.slug.is_some() {
            break;
        }
        slug = format!("{}-{number}", wanted.get(..56).unwrap_or(&wanted).trim_end_matches('-'));
    }
    Err(Error::field("slug", format!("{wanted:?} is taken.")))
}

fn check(new: &NewTenant) -> Result<(String, &'static places::Place, Tz)> {
    let mut errors = FieldErrors::new();
    let name = clean::line(&new.name).unwrap_or_default();
    if !(1..=120).contains(&name.chars().count()) {
        errors.insert("name".into(), "Give the business a name of up to 120 characters.".to_owned());
    }
    if new.slug.as_deref().is_some_and(|slug| !is_slug(slug)) {
        errors.insert("slug".into(), "Use up to 60 small letters, digits and dashes.".to_owned());
    }
    let place = places::find(&new.country.as_deref().unwrap_or("US").trim().to_uppercase());
    if place.is_none() {
        errors.insert("country".into(), "Choose a country by its two letters, such as AU.".to_owned());
    }
    let zone = new.timezone.as_deref().map(|name| name.trim().parse::<Tz>()).transpose();
    if zone.is_err() {
        errors.insert("timezone".into(), "Choose a time zone such as Australia/Perth.".to_owned());
    }
    match (place, zone) {
        (Some(place), Ok(zone)) if errors.is_empty() => Ok((name, place, zone.unwrap_or(place.zone))),
        _ => Err(Error::Invalid(errors)),
    }
}

async fn furnish(app: &App, tx: &mut SystemTx, tenant: Uuid) -> Result<()> {
    let now = app.now();
    let (names, kinds): (Vec<String>, Vec<String>) =
        STAGES.iter().map(|(name, kind)| ((*name).to_owned(), (*kind).to_owned())).unzip();
    sql::insert_stages(tx, tenant, &names, &kinds, now).await?;
    let defaults = templates::defaults();
    let born = sql::NewTemplates {
        keys: defaults.iter().map(|one| one.key.to_owned()).collect(),
        names: defaults.iter().map(|one| one.name.to_owned()).collect(),
        channels: defaults.iter().map(|one| one.channel.as_str().to_owned()).collect(),
        subjects: defaults.iter().map(|one| one.subject.map(str::to_owned)).collect(),
        contents: defaults.iter().map(|one| one.content.to_owned()).collect(),
    };
    sql::insert_templates(tx, tenant, &born, now).await?;
    match &app.config.twilio {
        Some(shared) => {
            // A messaging service without a number of ours needs no sender: it chooses by itself.
            if let Some(address) = shared.from_e164.as_deref() {
                let sender =
                    sql::NewSender { channel: "sms", address, label: "Shared number", provider: "twilio" };
                sql::insert_sender(tx, tenant, &sender, now).await?;
            }
        }
        None => {
            let address = pretended_number(tenant);
            for channel in ["sms", "whatsapp"] {
                let sender =
                    sql::NewSender { channel, address: &address, label: "Practice number", provider: "fake" };
                sql::insert_sender(tx, tenant, &sender, now).await?;
            }
        }
    }
    Ok(())
}

/// A number in an area code that is not assigned, so that it can never belong to anybody.
fn pretended_number(tenant: Uuid) -> String {
    let digest = Sha256::digest(tenant.as_bytes());
    let digits =
        digest.iter().take(4).fold(0u32, |number, byte| number << 8 | u32::from(*byte)) % 9_000 + 1_000;
    format!("+1500555{digits}")
}

fn is_slug(text: &str) -> bool {
    (1..=60).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// "Søren & Sons Pty" becomes "s-ren-sons-pty".
fn slug_of(name: &str) -> String {
    let mut slug = String::new();
    for letter in patchbay_rules::latin::plain(&name.to_lowercase()).chars() {
        if letter.is_ascii_alphanumeric() {
            slug.push(letter);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(56);
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "business".to_owned() } else { slug.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_come_of_names() {
        for (name, slug) in [
            ("Ace Plumbing", "ace-plumbing"),
            ("  Søren & Sons  ", "soren-sons"),
            ("Ünïcode", "unicode"),
            ("Straße 9", "strasse-9"),
            ("日本", "business"),
            ("--", "business"),
        ] {
            assert_eq!(slug_of(name.trim()), slug);
            assert!(is_slug(slug));
        }
        assert!(is_slug(&slug_of(&"long name ".repeat(20))));
        assert!(!is_slug("Ace") && !is_slug("-a") && !is_slug("a-") && !is_slug(""));
    }
}
