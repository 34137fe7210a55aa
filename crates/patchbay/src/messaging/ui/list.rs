//! The left column: views, rows, search.

use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};
use patchbay_rules::phone;
use serde::Deserialize;
use uuid::Uuid;

use super::{Look, path, words};
use crate::{
    app::App,
    auth::{Caller, Session},
    contacts::{Contact, full_name},
    db::TenantTx,
    error::Result,
    messaging::{
        inbox::{self, Counts, Hit as Found, Key, View, Wanted},
        sql::inbox::{ConversationRow as Row, MemberRow},
        view::{
            InboxPage, ListFragment,
            list::{ConversationRow, Hit, ListView, Piece},
        },
    },
    tenants::setup,
    web::{
        extract::Query,
        layout::{CountsFragment, Place},
        pages,
        paging::{Page, PageQuery},
        parts::{Empty, Face, Tab, Tag, Tone},
        shell,
    },
};

/// Which part of the inbox is looked at.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Ask {
    #[serde(default)]
    pub view: Option<String>,
    #[serde(default)]
    pub q: Option<String>,
    #[serde(default)]
    pub limit: Option<u32>,
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Ask {
    /// An unknown view is the first one: an old link should not be an error.
    pub fn view(&self) -> View {
        self.view.as_deref().and_then(|word| word.parse().ok()).unwrap_or_default()
    }
}

/// `GET /inbox`.
pub(super) async fn inbox(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    headers: HeaderMap,
    Query(ask): Query<Ask>,
) -> Result<Response> {
    let look = Look::new(&app, &caller, &session, ask.view());
    let list = build(&look, &ask, None).await?;
    if pages::wants_fragment(&headers) {
        return pages::html(&ListFragment { list });
    }
    let is_first =
        list.rows.is_empty() && list.q.is_empty() && look.view == View::Open && !has_any(&look).await?;
    let nothing = nothing(&look, is_first);
    let setup = match is_first {
        true => setup::steps(&mut app.db.tenant(caller.tenant.id).await?, &caller).await?,
        false => Vec::new(),
    };
    let shell = shell::shell(&app, &session, Place::Inbox, "Inbox").await?;
    pages::html(&InboxPage { shell, list, conversation: None, nothing, setup })
}

/// `GET /inbox/list`.
pub(super) async fn fragment(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Query(ask): Query<Ask>,
) -> Result<Response> {
    let look = Look::new(&app, &caller, &session, ask.view());
    pages::html(&ListFragment { list: build(&look, &ask, None).await? })
}

/// `GET /counts`: what waits in each room, again.
pub(super) async fn counts(State(app): State<Arc<App>>, session: Session) -> Result<Response> {
    pages::html(&CountsFragment { counts: shell::counts(&app, &session).await? })
}

async fn has_any(look: &Look<'_>) -> Result<bool> {
    let mut tx = look.app.db.tenant(look.caller.tenant.id).await?;
    for view in [View::Done, View::Snoozed] {
        if !inbox::list(&mut tx, look.caller, view, None, 1).await?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What stands in the middle while no conversation is open.
fn nothing(look: &Look<'_>, is_first: bool) -> Empty {
    if !is_first {
        let text = "Choose a conversation on the left, or press j to open the first.".to_owned();
        return Empty { icon: "inbox", heading: "Nothing chosen".to_owned(), text, actions: Vec::new() };
    }
    let mut actions = Vec::new();
    if look.can_write() {
        actions.push(("Start a conversation".to_owned(), "/conversations/new".to_owned()));
    }
    if look.caller.role.can_manage() {
        actions.push(("Connect a number".to_owned(), "/settings/sending".to_owned()));
    }
    Empty {
        icon: "message-square",
        heading: "Your first conversation starts here".to_owned(),
        text:
            "Leads from your website, replies to your texts and WhatsApp messages all arrive in this inbox."
                .to_owned(),
        actions,
    }
}

/// The list as it is asked for; `open` is the conversation that is on the screen.
pub(super) async fn build(look: &Look<'_>, ask: &Ask, open: Option<Uuid>) -> Result<ListView> {
    let q = ask.q.as_deref().unwrap_or_default().trim().chars().take(200).collect::<String>();
    let wanted = Wanted::parse(&q);
    let found = match &wanted {
        Some(wanted) => Some(inbox::search(look.app, look.caller, wanted, 12, 20).await?),
        None => None,
    };
    let mut tx = look.app.db.tenant(look.caller.tenant.id).await?;
    let counts = inbox::counts(&mut tx, look.caller).await?;
    let members = crate::messaging::sql::inbox::members(&mut tx).await?;
    let live_src = format!("/inbox/list?{}", query(look.view, &q, None));
    let mut list = ListView {
        view: look.view.as_str(),
        tabs: tabs(look.view, counts),
        rows: Vec::new(),
        hits: Vec::new(),
        next: None,
        empty: None,
        live_src,
        can_send: look.can_write(),
        q,
    };
    match (found, wanted) {
        (Some(found), Some(wanted)) => {
            list.rows = people(&mut tx, look, &found.people, &members, open).await?;
            list.hits = found.hits.into_iter().map(|found| hit(look, found, wanted.words())).collect();
        }
        _ => {
            let page = PageQuery { limit: ask.limit, cursor: ask.cursor.clone() };
            let limit = i64::from(ask.limit.unwrap_or(50).clamp(1, 500));
            let rows = inbox::list(&mut tx, look.caller, look.view, page.after::<Key>()?, limit + 1).await?;
            let page = Page::cut(rows, limit, |row| (row.last_message_at, row.contact_id));
            list.next =
                page.next_cursor.map(|cursor| format!("/inbox/list?{}", query(look.view, "", Some(&cursor))));
            list.rows = page.data.iter().map(|row| self::row(look, row, &members, open)).collect();
        }
    }
    if list.rows.is_empty() && list.hits.is_empty() && ask.cursor.is_none() {
        let is_first = look.view == View::Open && list.q.is_empty() && !has_any(look).await?;
        list.empty = Some(if is_first { first() } else { empty(look.view, &list.q) });
    }
    Ok(list)
}

fn query(view: View, q: &str, cursor: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("view", view.as_str());
    if !q.is_empty() {
        query.append_pair("q", q);
    }
    if let Some(cursor) = cursor {
        query.append_pair("cursor", cursor);
    }
    query.finish()
}

fn tabs(current: View, counts: Counts) -> Vec<Tab> {
    View::ALL
        .into_iter()
        .map(|view| {
            let mut tab = Tab::new(view.label(), format!("/inbox?view={}", view.as_str()), view == current);
            tab.count = match counts.of(view) {
                ..=0 => String::new(),
                amount @ 1..1000 => amount.to_string(),
                _ => "999+".to_owned(),
            };
            tab
        })
        .collect()
}

/// Of a business that has not spoken with anybody.
fn first() -> Empty {
    Empty {
        icon: "inbox",
        heading: "No conversations yet".to_owned(),
        text: "New messages appear here by themselves.".to_owned(),
        actions: Vec::new(),
    }
}

fn empty(view: View, q: &str) -> Empty {
    let to_open = || vec![("See open conversations".to_owned(), "/inbox?view=open".to_owned())];
    if !q.is_empty() {
        let text = "Names, numbers, e-mail addresses and the words of messages are searched. Try fewer or other words.".to_owned();
        return Empty {
            icon: "search", heading: format!("Nothing about “{q}”"), text, actions: Vec::new()
        };
    }
    let (icon, heading, text, actions) = match view {
        View::Open => ("check", "All done", "New messages appear here by themselves.", Vec::new()),
        View::Unread => ("check", "All read", "What arrives next appears here by itself.", to_open()),
        View::Mine => {
            ("user-round", "Nothing is assigned to you", "Take a conversation from Open with a.", to_open())
        }
        View::Snoozed => (
            "clock",
            "Nothing is snoozed",
            "Snooze a conversation with h, and it comes back when you want it.",
            to_open(),
        ),
        View::Done => (
            "check-check",
            "Nothing is done yet",
            "Mark a conversation as done with e. It opens again when somebody writes.",
            to_open(),
        ),
    };
    Empty { icon, heading: heading.to_owned(), text: text.to_owned(), actions }
}

/// Rows for people that a search found, also those with whom nobody has spoken.
async fn people(
    tx: &mut TenantTx,
    look: &Look<'_>,
    people: &[Contact],
    members: &[MemberRow],
    open: Option<Uuid>,
) -> Result<Vec<ConversationRow>> {
    let ids: Vec<Uuid> = people.iter().map(|contact| contact.id).collect();
    let rows = inbox::list_of(tx, &ids).await?;
    Ok(people
        .iter()
        .map(|contact| match rows.iter().find(|row| row.contact_id == contact.id) {
            Some(row) => self::row(look, row, members, open),
            None => silent(look, contact, open),
        })
        .collect())
}

fn silent(look: &Look<'_>, contact: &Contact, open: Option<Uuid>) -> ConversationRow {
    let name = contact_name(look, contact);
    let address =
        contact.phone_e164.as_deref().map(|phone| number(look, phone)).or_else(|| contact.email.clone());
    ConversationRow {
        id: contact.id.to_string(),
        href: path(contact.id, look.view),
        face: Face::of(contact.id, &name),
        channel: words::channel(if contact.phone_e164.is_some() { "sms" } else { "email" }),
        moment: words::when(contact.created_at, look.now, look.zone()),
        snippet: address.unwrap_or_else(|| "No messages yet".to_owned()),
        ours: false,
        unread: false,
        current: open == Some(contact.id),
        tags: Vec::new(),
        assignee: None,
        name,
    }
}

/// A number as people here write it.
pub(super) fn number(look: &Look<'_>, e164: &str) -> String {
    phone::format_national_or_international(e164, &look.caller.tenant.country)
}

/// The name, or a readable number.
pub(super) fn contact_name(look: &Look<'_>, contact: &Contact) -> String {
    let name = full_name(contact.first_name.as_deref(), contact.last_name.as_deref());
    match (&contact.phone_e164, name.is_empty()) {
        (Some(phone), true) => number(look, phone),
        (None, true) => contact.display_name(),
        _ => name,
    }
}

fn row_name(look: &Look<'_>, row: &Row) -> String {
    let name = full_name(row.first_name.as_deref(), row.last_name.as_deref());
    if !name.is_empty() {
        return name;
    }
    let number = row.phone_e164.as_deref().map(|phone| number(look, phone));
    number
        .or_else(|| row.phone_raw.clone())
        .or_else(|| row.email.clone())
        .unwrap_or_else(|| "No name".to_owned())
}

fn row(look: &Look<'_>, row: &Row, members: &[MemberRow], open: Option<Uuid>) -> ConversationRow {
    let name = row_name(look, row);
    let assignee = row
        .assignee_id
        .filter(|id| Some(*id) != look.caller.actor.user_id())
        .and_then(|id| members.iter().find(|member| member.user_id == id))
        .map(|member| (member.label().to_owned(), Face::of(member.user_id, member.label())));
    ConversationRow {
        id: row.contact_id.to_string(),
        href: path(row.contact_id, look.view),
        face: Face::of(row.contact_id, &name),
        channel: words::channel(row.last_channel.as_deref().unwrap_or_default()),
        moment: words::when(row.last_message_at, look.now, look.zone()),
        snippet: row.last_preview.clone().unwrap_or_else(|| "No messages yet".to_owned()),
        ours: row.last_direction.as_deref() == Some("outbound"),
        unread: row.unread > 0,
        current: open == Some(row.contact_id),
        tags: tags(look, row),
        assignee,
        name,
    }
}

/// What sets a conversation apart from the others.
fn tags(look: &Look<'_>, row: &Row) -> Vec<Tag> {
    let mut tags = Vec::new();
    if row.consent == "unsubscribed" {
        tags.push(Tag::new(Tone::Stop, "ban", "Unsubscribed"));
    }
    // Whoever is unsubscribed is written to no more, sure or not.
    if row.needs_review.is_some() && row.consent != "unsubscribed" {
        tags.push(Tag::new(Tone::Wait, "circle-help", "Opt-out?"));
    }
    let ours = row.last_direction.as_deref() == Some("outbound");
    match row.message_status.as_deref() {
        Some("failed") => tags.push(Tag::new(Tone::Stop, "circle-alert", "Failed")),
        Some("undelivered") => tags.push(Tag::new(Tone::Stop, "circle-alert", "Not delivered")),
        Some("blocked") if ours && row.consent != "unsubscribed" => {
            tags.push(Tag::new(Tone::Stop, "ban", "Blocked"))
        }
        Some("queued") if row.message_gate.is_some() => tags.push(Tag::new(Tone::Wait, "clock", "Waiting")),
        Some("queued") if row.message_scheduled_at.is_some_and(|at| at > look.now) => {
            tags.push(Tag::new(Tone::Wait, "calendar-clock", "Scheduled"))
        }
        _ => {}
    }
    if let Some(until) = row.snoozed_until {
        let local = until.with_timezone(&look.zone());
        tags.push(Tag::new(Tone::Wait, "clock", local.format("%a %-d %b, %H:%M").to_string()));
    }
    if row.archived_at.is_some() {
        tags.push(Tag::new(Tone::Plain, "archive", "Archived"));
    }
    tags
}

fn hit(look: &Look<'_>, found: Found, words: &[String]) -> Hit {
    let name = contact_name(look, &found.contact);
    Hit {
        href: format!("{}#m-{}", path(found.contact.id, look.view), found.message.id),
        face: Face::of(found.contact.id, &name),
        moment: words::when(found.message.created_at, look.now, look.zone()),
        pieces: pieces(&found.message.body, words),
        name,
    }
}

/// The part of `body` around the first word that was looked for, with all of them marked.
fn pieces(body: &str, words: &[String]) -> Vec<Piece> {
    const BEFORE: usize = 36;
    const WHOLE: usize = 160;
    let text: Vec<char> = body.split_whitespace().collect::<Vec<_>>().join(" ").chars().collect();
    // One folded character for each, so that places agree.
    let folded: Vec<char> = text.iter().map(|c| fold(*c)).collect();
    let words: Vec<Vec<char>> = words.iter().map(|word| word.chars().map(fold).collect()).collect();
    let at = |from: usize| {
        (from..folded.len()).find_map(|start| {
            let word = words
                .iter()
                .filter(|word| folded[start..].starts_with(word))
                .max_by_key(|word| word.len())?;
            Some((start, start + word.len()))
        })
    };
    let first = at(0).map_or(0, |(start, _)| start);
    let begin = first.saturating_sub(BEFORE);
    // Not in the middle of a word.
    let begin =
        if begin == 0 { 0 } else { (begin..first).find(|i| text[*i] == ' ').map_or(begin, |i| i + 1) };
    let end = text.len().min(begin + WHOLE);
    let piece = |from: usize, to: usize, hit: bool| Piece { text: text[from..to].iter().collect(), hit };
    let mut pieces = Vec::new();
    if begin > 0 {
        pieces.push(Piece { text: "…".to_owned(), hit: false });
    }
    let mut from = begin;
    while let Some((start, stop)) = at(from).filter(|(start, _)| *start < end) {
        let stop = stop.min(end);
        if from < start {
            pieces.push(piece(from, start, false));
        }
        pieces.push(piece(start, stop, true));
        from = stop;
    }
    if from < end {
        pieces.push(piece(from, end, false));
    }
    pieces
}

fn fold(character: char) -> char {
    let lower = character.to_lowercase().next().unwrap_or(character);
    match lower {
        'à'..='å' | 'ā' => 'a',
        'ç' => 'c',
        'è'..='ë' => 'e',
        'ì'..='ï' => 'i',
        'ñ' => 'n',
        'ò'..='ö' | 'ø' => 'o',
        'ù'..='ü' => 'u',
        'ý' | 'ÿ' => 'y',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_looked_for_is_marked_where_it_stands() {
        let marked = |body: &str, words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            pieces(body, &words)
                .into_iter()
                .map(|p| if p.hit { format!("[{}]", p.text) } else { p.text })
                .collect::<String>()
        };
        assert_eq!(marked("Thanks, the heater\nworks", &["HEATER"]), "Thanks, the [heater] works");
        assert_eq!(marked("¿Atienden los sábados?", &["sabado"]), "¿Atienden los [sábado]s?");
        assert_eq!(marked("no such word", &["heater"]), "no such word");
        assert_eq!(marked("aaa", &["aa", "aaa"]), "[aaa]");
        assert_eq!(marked("", &["x"]), "");
        let long = format!("{} the heater is here", "word ".repeat(40));
        assert!(marked(&long, &["heater"]).starts_with("…word"), "{}", marked(&long, &["heater"]));
        assert!(marked(&"é👍 ".repeat(400), &["é"]).chars().count() < 400);
    }
}
