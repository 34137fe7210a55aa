//! "Why?": what the seven gates say about a message, in order.

use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};
use chrono_tz::Tz;
use patchbay_rules::{gates::Gate, message::Kind};
use uuid::Uuid;

use super::{Look, path, words};
use crate::{
    app::App,
    auth::{Caller, Session},
    error::{Error, Result},
    messaging::{
        self, GateAnswer, api,
        inbox::View,
        sql::{ledger, thread::ThreadMessage},
        view::{
            WhyFragment, WhyPage,
            thread::{GateLine, Verdict, WhyView},
        },
    },
    web::{extract::Path, layout::Place, pages, shell},
};

/// `GET /messages/{id}/why`.
pub(super) async fn page(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let look = Look::new(&app, &caller, &session, View::default());
    let why = view(&look, id).await?;
    if pages::wants_fragment(&headers) {
        return pages::html(&WhyFragment { why });
    }
    let shell = shell::shell(&app, &session, Place::Inbox, "Why this message is where it is").await?;
    pages::html(&WhyPage { shell, why })
}

async fn view(look: &Look<'_>, id: Uuid) -> Result<WhyView> {
    let mut tx = look.app.db.tenant(look.caller.tenant.id).await?;
    let row = ledger::find(&mut tx, id)
        .await?
        .filter(|row| row.direction == "outbound")
        .ok_or(Error::NotFound("message"))?;
    drop(tx);
    let answers = messaging::explain(look.app, look.caller, id).await?;
    let zone = look.zone();
    let decided = api::gate(&row, look.now, zone);
    let is_over = !matches!(row.status.as_str(), "queued" | "blocked");
    let kind = row.kind.parse::<Kind>().ok();
    let conversation_href =
        row.contact_id.map_or_else(|| "/inbox".to_owned(), |contact| path(contact, View::default()));
    let sentence = sentence_of(&row, look, zone);
    let mut gates = Vec::with_capacity(7);
    let mut closed = false;
    for (gate, answer) in Gate::ALL.iter().zip(answers) {
        // What was decided when the message was due stands, whatever the gate would say now.
        let stood =
            decided.as_ref().filter(|decided| decided.name == gate.as_str() && row.status != "canceled");
        let bound = kind.is_none_or(|kind| patchbay_rules::gates::policy(kind).binds[*gate as usize]);
        let line = match stood {
            Some(stood) => GateLine {
                label: label(*gate),
                verdict: if stood.verdict == "blocked" { Verdict::Blocked } else { Verdict::Waiting },
                detail: stood.reason.clone(),
            },
            None => line(*gate, answer, bound, closed && !is_over),
        };
        closed = closed || matches!(line.verdict, Verdict::Waiting | Verdict::Blocked);
        gates.push(line);
    }
    Ok(WhyView { conversation_href, sentence, gates })
}

fn sentence_of(row: &messaging::MessageRow, look: &Look<'_>, zone: Tz) -> String {
    let message = ThreadMessage {
        id: row.id,
        direction: row.direction.clone(),
        channel: row.channel.clone(),
        kind: row.kind.clone(),
        status: row.status.clone(),
        subject: None,
        body: String::new(),
        media: serde_json::Value::Null,
        quote_id: None,
        sent_by: None,
        sent_by_label: None,
        attempt: row.attempt,
        send_after: row.send_after,
        gate: row.gate.clone(),
        gate_reason: row.gate_reason.clone(),
        gate_until: row.gate_until,
        error_detail: row.error_detail.clone(),
        created_at: row.created_at,
        sent_at: row.sent_at,
        canceled_by: None,
    };
    let state = words::state(&message, look.now);
    let sentence = words::sentence(&message, state, look.now, zone, None);
    if sentence.is_empty() { format!("{}: nothing is in its way", state.word()) } else { sentence }
}

fn line(gate: Gate, answer: GateAnswer, bound: bool, after: bool) -> GateLine {
    let (verdict, detail) = match answer.verdict {
        "waiting" => (Verdict::Waiting, answer.reason.unwrap_or_default()),
        "blocked" => (Verdict::Blocked, answer.reason.unwrap_or_default()),
        _ if !bound => (Verdict::NotAsked, "Does not matter for this kind of message".to_owned()),
        _ if after => (Verdict::Passed, "Would let it through".to_owned()),
        _ => (Verdict::Passed, open(gate).to_owned()),
    };
    GateLine { label: label(gate), verdict, detail }
}

fn label(gate: Gate) -> String {
    match gate {
        Gate::KillSwitch => "Sending is switched on",
        Gate::Budget => "Budget",
        Gate::DoNotContact => "May be written to",
        Gate::SuppressionWindow => "Not too many campaigns",
        Gate::QuietHours => "Day and hour there",
        Gate::RateLimit => "Pace of sending",
        Gate::WarmUp => "New number, small days",
    }
    .to_owned()
}

fn open(gate: Gate) -> &'static str {
    match gate {
        Gate::KillSwitch => "Nobody stopped it",
        Gate::Budget => "Within the budget",
        Gate::DoNotContact => "Nothing says no",
        Gate::SuppressionWindow => "No campaign too recently",
        Gate::QuietHours => "A good hour there",
        Gate::RateLimit => "Free to go",
        Gate::WarmUp => "Within today’s amount",
    }
}
