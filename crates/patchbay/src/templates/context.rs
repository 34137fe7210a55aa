//! What the tokens of a template stand for: the contact, the quote, the business.
//!
//! `{{ total }}` is the bare amount, so that the classic `${{total}}` reads right; `{{ total_formatted }}` brings the
//! currency's own sign. A field that is empty is left out, which makes it missing: a hole is never sent.

use patchbay_rules::money;
use serde_json::{Map, Value, json};

use super::sql::Facts;

/// The tokens offered beside the editor, with what they stand for.
pub(crate) const TOKENS: &[(&str, &str)] = &[
    ("first_name", "Contact's first name"),
    ("last_name", "Contact's last name"),
    ("full_name", "Contact's whole name"),
    ("phone", "Contact's number"),
    ("email", "Contact's e-mail"),
    ("business_name", "Your business"),
    ("owner_name", "Whose contact it is"),
    ("total", "Quote: amount without sign"),
    ("total_formatted", "Quote: amount with sign"),
    ("short_url", "Quote: link to its page"),
    ("quote.number", "Quote: number"),
    ("quote.title", "Quote: title"),
    ("quote.expires_on", "Quote: good until"),
];

/// Bare names that we give a value beside those of `patchbay_rules::template::ROOTS`.
pub(super) const OWN: &[&str] = &["total_formatted", "currency", "source", "timezone"];

/// The context of one rendering. `base` is where the addresses of quotes begin, without trailing slash.
pub(super) fn build(facts: &Facts, base: &str) -> Value {
    let mut contact = Map::new();
    put(&mut contact, "first_name", facts.first_name.as_deref());
    put(&mut contact, "last_name", facts.last_name.as_deref());
    let full_name = [facts.first_name.as_deref(), facts.last_name.as_deref()]
        .into_iter()
        .flatten()
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    put(&mut contact, "full_name", Some(&full_name));
    put(&mut contact, "phone", facts.phone_e164.as_deref());
    put(&mut contact, "email", facts.email.as_deref());
    put(&mut contact, "source", facts.source.as_deref());

    let mut own = contact.clone();
    put(&mut own, "business_name", Some(&facts.business_name));
    put(&mut own, "owner_name", facts.owner_name.as_deref());
    put(&mut own, "timezone", Some(&facts.timezone));

    let properties = object(&facts.properties);
    let data = facts.data.as_ref().map(object).unwrap_or_default();
    let quote = quote(facts, &data, base);
    for key in ["total", "total_formatted", "short_url", "currency"] {
        if let Some(value) = quote.get(key) {
            own.insert(key.to_owned(), value.clone());
        }
    }

    // Bare names: our own tokens first, then what the tenant knows of the contact, then of the quote.
    let mut context = data.clone();
    context.extend(properties.clone());
    context.extend(own);
    let mut lead = properties.clone();
    lead.extend(contact);
    lead.insert("properties".to_owned(), Value::Object(properties.clone()));
    context.insert("lead".to_owned(), Value::Object(lead));
    context.insert("properties".to_owned(), Value::Object(properties));
    if !quote.is_empty() {
        context.insert("quote".to_owned(), Value::Object(quote));
        context.insert("data".to_owned(), Value::Object(data));
    }
    Value::Object(context)
}

fn quote(facts: &Facts, data: &Map<String, Value>, base: &str) -> Map<String, Value> {
    let (Some(total), Some(currency), Some(token)) =
        (facts.total_cents, facts.currency.as_deref(), facts.token.as_deref())
    else {
        return Map::new();
    };
    let mut quote = data.clone();
    let formatted = money::format(total, currency);
    quote.insert("total".to_owned(), amount(&formatted).into());
    quote.insert("total_formatted".to_owned(), formatted.into());
    quote.insert("total_cents".to_owned(), total.into());
    quote.insert("currency".to_owned(), currency.into());
    quote.insert(
        "discount".to_owned(),
        amount(&money::format(facts.discount_cents.unwrap_or(0), currency)).into(),
    );
    quote.insert("tax".to_owned(), amount(&money::format(facts.tax_cents.unwrap_or(0), currency)).into());
    let url = format!("{base}/q/{token}");
    quote.insert("short_url".to_owned(), url.clone().into());
    quote.insert("url".to_owned(), url.into());
    quote.insert("number".to_owned(), facts.number.into());
    put(&mut quote, "title", facts.title.as_deref());
    put(&mut quote, "terms", facts.terms.as_deref());
    if let Some(day) = facts.expires_on {
        quote.insert("expires_on".to_owned(), day.format("%-d %B %Y").to_string().into());
    }
    if let Some(items) = &facts.items {
        quote.insert("items".to_owned(), items.clone());
    }
    quote.insert("data".to_owned(), Value::Object(data.clone()));
    quote
}

/// A quote for looking at a template with a contact who has none yet.
pub(super) fn with_example_quote(facts: &mut Facts, currency: &str) {
    facts.number = Some(1042);
    facts.total_cents = Some(128_400);
    facts.currency = Some(currency.to_owned());
    facts.token = Some("example".to_owned());
    facts.data = Some(json!({}));
}

/// `1,284.00` of `$1,284.00`, `CHF 1,284.00`, `-$5.00`.
fn amount(formatted: &str) -> String {
    let digits = formatted.find(|character: char| character.is_ascii_digit()).unwrap_or(0);
    let sign = if formatted.starts_with('-') { "-" } else { "" };
    format!("{sign}{}", &formatted[digits..])
}

fn put(map: &mut Map<String, Value>, key: &str, value: Option<&str>) {
    if let Some(value) = value.map(str::trim).filter(|value| !value.is_empty()) {
        map.insert(key.to_owned(), value.into());
    }
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}
