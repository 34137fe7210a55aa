//! The timeline: everything that happened with a contact, newest first, in one list: messages, notes, quotes,
//! consent, and what members and the program did.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{contact::Contact, sql};
use crate::{db::TenantTx, error::Result, web::paging::Page};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Entry {
    pub id: Uuid,
    /// `message`, `note`, `quote`, `consent`, `click` or `activity`.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub entry_type: String,
    /// What exactly: of an activity `stage.moved`, `merged`, …; of a message its kind; of a consent its state.
    pub kind: String,
    pub at: DateTime<Utc>,
    /// Who did it, where that is somebody.
    pub actor: Option<String>,
    /// A plain sentence.
    pub text: String,
    #[schema(value_type = Object)]
    pub data: Value,
}

/// A place in a timeline.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Place(pub DateTime<Utc>, pub Uuid);

/// A page of a contact's timeline.
pub async fn timeline(
    tx: &mut TenantTx,
    contact: &Contact,
    after: Option<Place>,
    limit: i64,
) -> Result<Page<Entry>> {
    let addresses: Vec<String> =
        [&contact.phone_e164, &contact.email].into_iter().flatten().cloned().collect();
    let rows = sql::list_timeline(tx, contact.id, &addresses, after, limit + 1).await?;
    Ok(Page::cut(rows, limit, |row| Place(row.at, row.id)).map(|row| Entry {
        text: sentence(&row.entry_type, &row.kind, &row.data),
        id: row.id,
        entry_type: row.entry_type,
        kind: row.kind,
        at: row.at,
        actor: row.actor,
        data: row.data,
    }))
}

/// What happened, for people. Kinds that are not known here are told by their name.
fn sentence(entry_type: &str, kind: &str, data: &Value) -> String {
    let word = |key: &str| data.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    match (entry_type, kind) {
        ("click", _) => word("url").map_or_else(|| "Opened a link".to_owned(), |url| format!("Opened {url}")),
        ("note", _) => word("body").unwrap_or("A note").to_owned(),
        ("message", _) => {
            let channel = match word("channel") {
                Some("whatsapp") => "WhatsApp message",
                Some("email") => "E-mail",
                _ => "Text message",
            };
            let way = if word("direction") == Some("inbound") { "received" } else { "sent" };
            match word("status") {
                Some(status @ ("queued" | "blocked" | "canceled" | "failed" | "undelivered")) => {
                    format!("{channel} {status}")
                }
                _ => format!("{channel} {way}"),
            }
        }
        ("quote", _) => {
            format!("Quote {} made", data.get("number").map(Value::to_string).unwrap_or_default())
        }
        ("consent", _) => consent(kind, word("channel"), word("how"), word("basis")),
        (_, "created") => match word("source") {
            Some(source) => format!("Came in through {source}"),
            None => "Came in".to_owned(),
        },
        (_, "stage.moved") => match (word("from"), word("to")) {
            (Some(from), Some(to)) => format!("Moved from {from} to {to}"),
            (None, Some(to)) => format!("Moved to {to}"),
            (Some(from), None) => format!("Taken out of {from}"),
            (None, None) => "Moved".to_owned(),
        },
        (_, "owner.changed") => match word("to_name") {
            Some(name) => format!("Given to {name}"),
            None if data.get("to").is_none_or(Value::is_null) => "Belongs to nobody now".to_owned(),
            None => "Given to somebody else".to_owned(),
        },
        (_, "address.changed") => {
            match (data.get("phone") == Some(&true.into()), data.get("email") == Some(&true.into())) {
                (true, true) => "Phone and e-mail changed".to_owned(),
                (true, false) => "Phone changed".to_owned(),
                _ => "E-mail changed".to_owned(),
            }
        }
        (_, "label.added") => format!("Labelled {}", word("label").unwrap_or("")),
        (_, "label.removed") => format!("Label {} removed", word("label").unwrap_or("")),
        (_, "archived") => "Archived".to_owned(),
        (_, "restored") => "Restored".to_owned(),
        (_, "bulk.undone") => "A change to many contacts was undone".to_owned(),
        (_, "merged") => format!("Merged with {}", word("name").unwrap_or("another contact")),
        (_, "merge.undone") => format!("Separated from {} again", word("name").unwrap_or("another contact")),
        (_, other) => told(other, data),
    }
}

fn consent(state: &str, channel: Option<&str>, how: Option<&str>, basis: Option<&str>) -> String {
    let channel = match channel {
        Some("whatsapp") => "WhatsApp",
        Some("email") => "e-mail",
        _ => "text messages",
    };
    let how = match how {
        Some("keyword") => ", by reply",
        Some("phrase") => ", in their own words",
        Some("form") => ", on a form",
        Some("import") => ", by import",
        Some("carrier") => ", told by the carrier",
        Some("link") => ", by link",
        Some("quote") => ", by accepting a quote",
        Some("api") => ", through the API",
        _ => "",
    };
    match (state, basis) {
        ("subscribed", Some("enquiry")) => format!("Enquired, which counts for {channel}{how}"),
        ("subscribed", Some("purchase")) => format!("Bought something, which counts for {channel}{how}"),
        ("subscribed", _) => format!("Agreed to {channel}{how}"),
        ("unsubscribed", _) => format!("Refused {channel}{how}"),
        _ => format!("Consent to {channel} is open{how}"),
    }
}

/// "quote.accepted" with its number reads "Quote 1001 accepted".
fn told(kind: &str, data: &Value) -> String {
    let (what, did) = kind.split_once('.').unwrap_or((kind, ""));
    let number = data
        .get("number")
        .filter(|number| number.is_number())
        .map(|number| format!(" {number}"))
        .unwrap_or_default();
    let text = format!("{what}{number} {}", did.replace(['_', '.'], " "));
    let mut letters = text.trim().chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn everything_reads_as_a_sentence() {
        for (entry_type, kind, data, text) in [
            ("activity", "stage.moved", json!({"from": "New", "to": "Quoted"}), "Moved from New to Quoted"),
            ("activity", "quote.accepted", json!({"number": 1001}), "Quote 1001 accepted"),
            ("activity", "something_new", json!({}), "Something_new"),
            ("activity", "created", json!({"source": "Web form"}), "Came in through Web form"),
            (
                "consent",
                "unsubscribed",
                json!({"channel": "sms", "how": "keyword"}),
                "Refused text messages, by reply",
            ),
            (
                "consent",
                "subscribed",
                json!({"channel": "sms", "how": "quote", "basis": "purchase"}),
                "Bought something, which counts for text messages, by accepting a quote",
            ),
            (
                "message",
                "manual",
                json!({"channel": "whatsapp", "direction": "inbound", "status": "received"}),
                "WhatsApp message received",
            ),
            (
                "message",
                "quote",
                json!({"channel": "sms", "direction": "outbound", "status": "blocked"}),
                "Text message blocked",
            ),
            ("quote", "draft", json!({"number": 7}), "Quote 7 made"),
            ("activity", "owner.changed", json!({"to": null}), "Belongs to nobody now"),
        ] {
            assert_eq!(sentence(entry_type, kind, &data), text);
        }
    }
}
