//! One quote: what the lead sees, where it stands, what happened, and what can be done about it.

use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};
use patchbay_rules::phone;
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    app::App,
    auth::{Caller, Session},
    error::{Error, Result},
    quotes::{
        self, Quote, QuoteChange, Status, sheet,
        sql::{self, Announcement, Business, Happening},
        view::{EventRow, MessageRow, QuoteBody, ShowPage},
        words,
    },
    web::{
        extract::{Form, Path},
        layout::{Place, Shell},
        moments::{full, moment},
        notice,
        pages::{html, wants_fragment},
        shell::shell,
    },
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::quotes) struct AnswerForm {
    status: String,
    answer_note: String,
}

pub(in crate::quotes) async fn page(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
) -> Result<Response> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let quote = quotes::find(&mut tx, id).await?.ok_or(Error::NotFound("quote"))?;
    let business = sql::find_business(&mut tx, &quote).await?;
    let announcements = sql::list_announcements(&mut tx, &quote).await?;
    let happenings = sql::list_happenings(&mut tx, &quote).await?;
    drop(tx);
    let shell = shell(&app, &session, Place::Quotes, &format!("Quote {}", quote.number)).await?;
    let body = body(&app, &caller, shell, quote, &business, announcements, happenings);
    if wants_fragment(&headers) { html(&body) } else { html(&ShowPage { body }) }
}

fn body(
    app: &App,
    caller: &Caller,
    shell: Shell,
    quote: Quote,
    business: &Business,
    announcements: Vec<Announcement>,
    happenings: Vec<Happening>,
) -> QuoteBody {
    let (now, zone) = (app.now(), caller.tenant.timezone);
    let past = quote.is_past(now, zone);
    let open = quote.status.is_open() && !past;
    let messages: Vec<MessageRow> = announcements
        .iter()
        .map(|message| {
            let (tag, reason) = words::announcement(message, now, zone);
            MessageRow {
                tag,
                reason,
                channel: match message.channel.as_str() {
                    "sms" => "Text message",
                    "whatsapp" => "WhatsApp",
                    _ => "E-mail",
                },
                to: if phone::is_e164(&message.to_address) {
                    phone::format_national_or_international(&message.to_address, &caller.tenant.country)
                } else {
                    message.to_address.clone()
                },
                by: message.sent_by_label.clone().unwrap_or_default(),
                at: moment(message.sent_at.unwrap_or(message.created_at), now, zone),
                body: message.body.clone(),
            }
        })
        .collect();
    let mut events: Vec<(chrono::DateTime<chrono::Utc>, EventRow)> = happenings
        .iter()
        .map(|what| {
            let (icon, text) = words::happening(what);
            (what.created_at, EventRow { icon, text, at: moment(what.created_at, now, zone) })
        })
        .collect();
    for message in &announcements {
        if let Some(at) = message.delivered_at {
            events.push((
                at,
                EventRow {
                    icon: "check-check",
                    text: "The message was delivered".to_owned(),
                    at: moment(at, now, zone),
                },
            ));
        } else if let Some(at) = message.sent_at {
            events.push((
                at,
                EventRow { icon: "send", text: "The message was sent".to_owned(), at: moment(at, now, zone) },
            ));
        }
    }
    events.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    let can = shell.can_write;
    QuoteBody {
        sheet: sheet::Sheet { level: 2, ..sheet::sheet(&quote, business, now) },
        tag: words::tag(&quote, now, zone),
        total: words::total(&quote),
        contact: quote.contact_called(&caller.tenant.country),
        contact_id: quote.contact_id.to_string(),
        contact_href: format!("/contacts/{}", quote.contact_id),
        conversation_href: format!("/conversations/{}", quote.contact_id),
        url: quote.url(app),
        created: full(quote.created_at, zone),
        created_by: quote.created_by.clone().unwrap_or_default(),
        good_until: quote.expires_on.map(|day| day.format("%a %-d %b %Y").to_string()).unwrap_or_default(),
        id: quote.id.to_string(),
        edit_href: format!("/quotes/{}/edit", quote.id),
        held: quote.held,
        past,
        can_send: can && quote.held,
        can_resend: can && !quote.held && open,
        can_edit: can && (quote.status.is_open() || quote.status == Status::Expired),
        can_answer: can && !quote.held && (quote.status.is_open() || quote.status == Status::Expired),
        can_reopen: can && (quote.status.is_answered() || (quote.status == Status::Expired && !past)),
        messages,
        events: events.into_iter().map(|(_, event)| event).collect(),
        shell,
    }
}

pub(in crate::quotes) async fn send(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let change = QuoteChange { draft: Some(false), ..QuoteChange::default() };
    let quote = quotes::update(&app, &caller, id, change).await?;
    Ok(notice::redirect(
        &app,
        &format!("/quotes/{id}"),
        &format!("Quote {} is on its way to {}", quote.number, quote.contact_called(&caller.tenant.country)),
    ))
}

pub(in crate::quotes) async fn resend(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    quotes::resend(&app, &caller, id).await?;
    Ok(notice::redirect(&app, &format!("/quotes/{id}"), "The link is on its way again"))
}

pub(in crate::quotes) async fn note_answer(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Form(form): Form<AnswerForm>,
) -> Result<Response> {
    let status: Status = form.status.parse()?;
    let note = Some(form.answer_note).filter(|note| !note.trim().is_empty());
    if note.as_ref().is_some_and(|note| note.chars().count() > 2_000) {
        return Err(Error::field("answer_note", "A note has 2,000 characters at most."));
    }
    let change = QuoteChange { status: Some(status), answer_note: note, ..QuoteChange::default() };
    let quote = quotes::update(&app, &caller, id, change).await?;
    let text = match status {
        Status::Accepted => format!("Quote {} is accepted", quote.number),
        Status::Rejected => format!("Quote {} is declined", quote.number),
        _ => format!("Quote {} is open again", quote.number),
    };
    Ok(notice::redirect(&app, &format!("/quotes/{id}"), &text))
}

pub(in crate::quotes) async fn discard(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let quote = quotes::discard(&app, &caller, id).await?;
    Ok(notice::redirect(&app, "/quotes", &format!("Threw away draft {}", quote.number)))
}
