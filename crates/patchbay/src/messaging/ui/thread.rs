//! The course of a conversation, entry by entry, as it is drawn.

use chrono::NaiveDate;
use patchbay_rules::money;
use serde_json::Value;
use uuid::Uuid;

use super::{Look, panel, words};
use crate::messaging::{
    sql::thread::{QuoteRow, ThreadMessage},
    thread::{Entry, Thread},
    view::{
        Channel,
        thread::{self as view, Event, Message, MessageState, Note, QuoteCard, Span, Unsent},
    },
};

/// What drawing the entries needs to know about the contact.
pub(super) struct Setting<'a> {
    /// What the contact is called in a sentence.
    pub name: &'a str,
    /// The contact's zone where it is known.
    pub there: Option<chrono_tz::Tz>,
    /// The first message that had not been read when the conversation was opened.
    pub first_unread: Option<Uuid>,
    /// Channels on which the contact, or the do-not-contact list, says no.
    pub refused: Vec<Channel>,
    /// Channels on which the contact agreed to be written to.
    pub agreed: Vec<Channel>,
}

/// The entries with the days between them.
pub(super) fn entries(look: &Look<'_>, thread: &Thread, setting: &Setting<'_>) -> Vec<view::Entry> {
    let zone = look.zone();
    let mut drawn = Vec::with_capacity(thread.entries.len() + 8);
    let mut today: Option<NaiveDate> = None;
    let mut channel: Option<Channel> = None;
    for (place, entry) in thread.entries.iter().enumerate() {
        let at = entry.at();
        let made = match entry {
            Entry::Message(message) => {
                let next = thread.entries.get(place + 1);
                let made = draw(look, thread, setting, message, next, channel);
                channel = Some(words::channel(&message.channel));
                Some(made)
            }
            Entry::Note(note) => Some(view::Entry::Note(Note {
                id: note.id.to_string(),
                by: words::first_word(&note.author).to_owned(),
                body: spans(&note.body),
                own: (look.caller.role.can_manage()
                    || note.author_id.is_some_and(|author| Some(author) == look.caller.actor.user_id()))
                .then(|| note.body.clone()),
                edited: note.edited_at.is_some(),
                moment: words::clock(note.created_at, zone),
            })),
            Entry::Activity(activity) => {
                let told = activity.kind == "quote.created" && has_card(thread, &activity.data);
                let said = words::happened(
                    &activity.kind,
                    &activity.data,
                    activity.actor_label.as_deref(),
                    setting.name,
                )
                .filter(|_| !told);
                said.map(|said| event(look, activity.id, at, said))
            }
            Entry::Consent(consent) => {
                words::consented(consent, setting.name).map(|said| event(look, consent.id, at, said))
            }
        };
        let Some(made) = made else { continue };
        let made = match made {
            view::Entry::Message(message) if is_unsent_campaign(entry, message.state) => {
                if let Some(view::Entry::Unsent(before)) = drawn.last_mut() {
                    before.messages.push(message);
                    continue;
                }
                view::Entry::Unsent(Unsent { messages: vec![message] })
            }
            made => made,
        };
        let day = at.with_timezone(&zone).date_naive();
        if today != Some(day) {
            today = Some(day);
            drawn.push(view::Entry::Day(words::day(at, look.now, zone)));
        }
        if setting.first_unread.is_some() && setting.first_unread == message_id(entry) {
            drawn.push(view::Entry::Unread);
        }
        drawn.push(made);
    }
    drawn
}

fn is_unsent_campaign(entry: &Entry, state: MessageState) -> bool {
    state == MessageState::Blocked && matches!(entry, Entry::Message(message) if message.kind == "campaign")
}

fn message_id(entry: &Entry) -> Option<Uuid> {
    if let Entry::Message(message) = entry { Some(message.id) } else { None }
}

/// The first of the last `unread` messages of the contact.
pub(super) fn first_unread(thread: &Thread, unread: i32) -> Option<Uuid> {
    let unread = usize::try_from(unread).unwrap_or_default();
    let inbound = thread.entries.iter().rev().filter_map(|entry| match entry {
        Entry::Message(message) if message.direction == "inbound" => Some(message.id),
        _ => None,
    });
    inbound.take(unread).last()
}

/// Whether the message that announced this quote stands in the thread as a card.
fn has_card(thread: &Thread, data: &Value) -> bool {
    let id = data["quote_id"].as_str().and_then(|id| Uuid::parse_str(id).ok());
    id.is_some() && thread.entries.iter().any(|entry| matches!(entry, Entry::Message(message) if message.kind == "quote" && message.quote_id == id))
}

fn event(
    look: &Look<'_>,
    id: Uuid,
    at: chrono::DateTime<chrono::Utc>,
    said: words::Happening,
) -> view::Entry {
    view::Entry::Event(Event {
        id: id.to_string(),
        icon: said.icon,
        tone: said.tone,
        text: said.text,
        moment: words::clock(at, look.zone()),
    })
}

fn draw(
    look: &Look<'_>,
    thread: &Thread,
    setting: &Setting<'_>,
    row: &ThreadMessage,
    next: Option<&Entry>,
    before: Option<Channel>,
) -> view::Entry {
    let message = message(look, setting, row, next, before);
    let quote = row
        .quote_id
        .filter(|_| row.kind == "quote")
        .and_then(|id| thread.quotes.iter().find(|quote| quote.id == id));
    match quote {
        Some(quote) => view::Entry::Quote(card(look, quote, message)),
        None => view::Entry::Message(message),
    }
}

fn message(
    look: &Look<'_>,
    setting: &Setting<'_>,
    row: &ThreadMessage,
    next: Option<&Entry>,
    before: Option<Channel>,
) -> Message {
    let state = words::state(row, look.now);
    let sentence = words::sentence(row, state, look.now, look.zone(), setting.there);
    let channel = words::channel(&row.channel);
    let at = Entry::Message(Box::new(row.clone())).at();
    // The last of a run carries the line below; what needs a sentence always has its own.
    let grouped = sentence.is_empty()
        && matches!(next, Some(Entry::Message(next))
            if next.direction == row.direction && next.channel == row.channel && next.sent_by == row.sent_by && next.kind == row.kind
                && row.kind != "quote" && words::state(next, look.now) == state && words::is_run(at, Entry::Message(next.clone()).at()));
    let queued = row.status == "queued";
    let gate = row.gate.as_deref();
    let forbidden = setting.refused.contains(&channel)
        || (gate == Some("do_not_contact") && !setting.agreed.contains(&channel));
    Message {
        id: row.id.to_string(),
        inbound: row.direction == "inbound",
        subject: row.subject.clone().unwrap_or_default(),
        body: body(row),
        moment: words::clock(at, look.zone()),
        by: words::by(row),
        via: if before == Some(channel) { String::new() } else { channel.word().to_owned() },
        grouped,
        can_cancel: queued,
        can_retry: !forbidden
            && (matches!(state, MessageState::Failed | MessageState::Undelivered)
                || (state == MessageState::Blocked && !matches!(gate, Some("template" | "address")))),
        can_send_now: state == MessageState::Scheduled || (queued && gate == Some("quiet_hours")),
        sentence,
        state,
    }
}

/// What is shown of a quote where it was sent.
fn card(look: &Look<'_>, quote: &QuoteRow, message: Message) -> QuoteCard {
    const SHOWN: usize = 4;
    let amount = |cents: i64| money::format(cents, &quote.currency);
    let items = quote.items.as_array().map(Vec::as_slice).unwrap_or_default();
    let mut lines: Vec<(String, String)> =
        items.iter().take(SHOWN).map(|item| line(item, &quote.currency)).collect();
    if quote.discount_cents > 0 {
        lines.push(("Discount".to_owned(), amount(-quote.discount_cents)));
    }
    if quote.tax_cents > 0 {
        lines.push(("Tax".to_owned(), amount(quote.tax_cents)));
    }
    let mut state = panel::quote_state(quote);
    let when = match quote.status.as_str() {
        "viewed" => quote.viewed_at,
        "accepted" | "rejected" => quote.answered_at,
        _ => None,
    };
    if let Some(at) = when {
        state.word = format!("{} {}", state.word, words::when(at, look.now, look.zone()).text);
    }
    QuoteCard {
        number: quote.number.to_string(),
        href: format!("/quotes/{}", quote.id),
        state,
        lines,
        more: if items.len() > SHOWN { format!("and {} more", items.len() - SHOWN) } else { String::new() },
        total: amount(quote.total_cents),
        message,
    }
}

fn line(item: &Value, currency: &str) -> (String, String) {
    let name = item["name"].as_str().or_else(|| item["description"].as_str()).unwrap_or("Item");
    let quantity = item["quantity"].as_f64().unwrap_or(1.0);
    let unit = item["unit_cents"].as_i64().unwrap_or_default();
    let total = money::line_total(unit, (quantity * 1000.0).round() as i64).unwrap_or(unit);
    let name =
        if (quantity - 1.0).abs() < f64::EPSILON { name.to_owned() } else { format!("{name} × {quantity}") };
    (name, money::format(total, currency))
}

/// The text, and what came with it.
fn body(row: &ThreadMessage) -> Vec<Span> {
    let mut body = spans(&row.body);
    for (place, url) in row.media.as_array().into_iter().flatten().filter_map(Value::as_str).enumerate() {
        if !body.is_empty() {
            body.push(Span { text: "\n".to_owned(), href: None });
        }
        body.push(Span {
            text: format!("Attachment {}", place + 1),
            href: is_link(url).then(|| url.to_owned()),
        });
    }
    body
}

fn is_link(word: &str) -> bool {
    let lower = word.get(..8).unwrap_or(word).to_ascii_lowercase();
    (lower.starts_with("https://") || lower.starts_with("http://")) && word.len() > 10
}

/// A text with its links. What a sentence puts behind a link (a full stop, a bracket) is not part of it.
pub(super) fn spans(text: &str) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut plain = String::new();
    for word in text.split_inclusive(char::is_whitespace) {
        let core = word.trim_end();
        let start = core.find("http").filter(|start| {
            is_link(&core[*start..]) && core[..*start].chars().all(|c| "([<\"'“".contains(c))
        });
        let Some(start) = start else {
            plain.push_str(word);
            continue;
        };
        let link =
            core[start..].trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '>', '"', '\'', '”']);
        plain.push_str(&core[..start]);
        if !plain.is_empty() {
            spans.push(Span { text: std::mem::take(&mut plain), href: None });
        }
        spans.push(Span { text: link.to_owned(), href: Some(link.to_owned()) });
        plain.push_str(&word[start + link.len()..]);
    }
    if !plain.is_empty() {
        spans.push(Span { text: plain, href: None });
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_and_nothing_else_is() {
        let marked = |text: &str| {
            spans(text)
                .into_iter()
                .map(|span| if span.href.is_some() { format!("[{}]", span.text) } else { span.text })
                .collect::<String>()
        };
        assert_eq!(marked("See https://brt.example/q/Fh3k."), "See [https://brt.example/q/Fh3k].");
        assert_eq!(marked("(http://example.com/a?b=c) ok"), "([http://example.com/a?b=c]) ok");
        assert_eq!(
            marked("two\nhttps://a.example/1 https://b.example/2"),
            "two\n[https://a.example/1] [https://b.example/2]"
        );
        for text in [
            "javascript:alert(1)",
            "http://",
            "xhttps://a.example",
            "",
            "<script>alert(1)</script>",
            "👍 https",
        ] {
            assert_eq!(marked(text), text);
        }
    }

    proptest::proptest! {
        #[test]
        fn spans_are_the_text(text in "\\PC{0,80}|(https?://[a-z.()]{0,12}[ \n]?){0,4}") {
            let joined: String = spans(&text).into_iter().map(|span| span.text).collect();
            proptest::prop_assert_eq!(joined, text);
        }
    }
}
