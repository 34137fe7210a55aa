//! What a notification says: one text message, with a link to where the work is.

use patchbay_rules::{money, phone};

use super::sql::{Held, Paused, Subject};
use crate::{campaigns, contacts::full_name};

/// Characters of what somebody wrote that are quoted.
const QUOTED: usize = 120;

/// Subject (for e-mail) and text.
pub(super) fn words(event: &str, about: &Subject, held_back: i32, public_url: &str) -> (String, String) {
    let name = full_name(about.first_name.as_deref(), about.last_name.as_deref());
    let address =
        about.phone_e164.as_deref().map(|e164| phone::format_national_or_international(e164, &about.country));
    let reach = address.or_else(|| about.email.clone());
    let who =
        if name.is_empty() { reach.clone().unwrap_or_else(|| "Somebody".to_owned()) } else { name.clone() };
    let contact_link = format!("{public_url}/contacts/{}", about.contact_id);
    let quote_link =
        about.quote_id.map_or_else(|| contact_link.clone(), |id| format!("{public_url}/quotes/{id}"));
    let amount = about
        .total_cents
        .zip(about.currency.as_deref())
        .map(|(cents, currency)| money::format(cents, currency));
    let quote = match (about.number, amount) {
        (Some(number), Some(amount)) => format!("quote {number} ({amount})"),
        _ => "a quote".to_owned(),
    };
    let note = about.answer_note.as_deref().map(|note| format!(" {}", quoted(note))).unwrap_or_default();
    match event {
        "lead.created" => {
            let mut parts = vec![who.clone()];
            parts.extend(reach.filter(|_| !name.is_empty()));
            parts.extend(about.source.clone().map(|source| format!("from {source}")));
            (format!("New lead: {who}"), format!("New lead: {}. {contact_link}", parts.join(", ")))
        }
        "message.received" => {
            let earlier = match held_back {
                0 => String::new(),
                1 => " (and 1 message before)".to_owned(),
                more => format!(" (and {more} messages before)"),
            };
            let said = about.preview.as_deref().map(str::trim).filter(|text| !text.is_empty());
            let said = said.map_or_else(|| "sent a picture or file".to_owned(), quoted);
            let link = format!("{public_url}/conversations/{}", about.contact_id);
            (format!("{who} wrote"), format!("{who}: {said}{earlier} {link}"))
        }
        "quote.viewed" => (format!("{who} opened {quote}"), format!("{who} opened {quote}. {quote_link}")),
        "quote.accepted" => {
            (format!("{who} accepted {quote}"), format!("{who} accepted {quote}.{note} {quote_link}"))
        }
        "quote.rejected" => {
            (format!("{who} declined {quote}"), format!("{who} declined {quote}.{note} {quote_link}"))
        }
        _ => (
            format!("{quote} for {who} has expired"),
            format!("The {quote} for {who} has expired. {quote_link}"),
        ),
    }
}

/// Subject and text about a campaign that paused itself.
pub(super) fn paused(paused: &Paused, public_url: &str) -> (String, String) {
    let Paused { id, name, .. } = paused;
    let why = campaigns::brake_cause(&paused.reason).map(|cause| format!(": {cause}")).unwrap_or_default();
    let subject = format!("The campaign {name} paused itself");
    let text =
        format!("{subject}{why}. Nothing more leaves until somebody resumes it. {public_url}/campaigns/{id}");
    (subject, text)
}

/// Subject and text about what the carrier refuses.
pub(super) fn held(held: &Held, public_url: &str) -> (String, String) {
    let what = match &held.sender {
        Some(address) => {
            format!("Messages from {}", phone::format_national_or_international(address, &held.country))
        }
        None => "Messages".to_owned(),
    };
    let subject = format!("{what} wait: the carrier refuses them");
    let text = format!(
        "{subject}. {} Nothing is lost: put it right, then press Try again. {public_url}/settings/sending",
        held.reason.trim_end()
    );
    (subject, text)
}

/// Said once when leads come faster than anybody reads.
pub(super) fn too_many(event: &str, minutes: i64, public_url: &str) -> (String, String) {
    let (what, place) = match event {
        "lead.created" => ("New leads", "contacts"),
        _ => ("Events", "quotes"),
    };
    let subject = format!("{what} are arriving quickly");
    let text = format!(
        "{what} are arriving quickly. To spare you, the next {minutes} minutes pass without a message; all are here: {public_url}/{place}"
    );
    (subject, text)
}

fn quoted(text: &str) -> String {
    let flat: Vec<&str> = text.split_whitespace().collect();
    let flat = flat.join(" ");
    if flat.chars().count() <= QUOTED {
        return format!("\"{flat}\"");
    }
    let cut: String = flat.chars().take(QUOTED - 3).collect();
    format!("\"{}...\"", cut.trim_end())
}
