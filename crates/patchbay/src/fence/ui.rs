//! Settings → the page on which an owner lets a restored database send again.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

use super::{Hold, MOST, Waiting, Why};
use crate::{
    app::App,
    auth::{Caller, Role, Session},
    error::{Error, Result},
    web::{
        extract::Form,
        layout::{Place, Shell},
        moments::moment,
        notice,
        pages::html,
        parts::{Moment, Tab},
        settings::{Section, tabs},
        shell::shell,
    },
};

#[derive(Template)]
#[template(path = "fence/page.html")]
struct HeldPage {
    shell: Shell,
    tabs: Vec<Tab>,
    /// What happened, in a sentence.
    why: &'static str,
    since: Moment,
    last_sent: Option<Moment>,
    /// "12 messages were waiting"; empty when none were.
    waiting: String,
    may_decide: bool,
}

pub(super) async fn page(State(app): State<Arc<App>>, session: Session, caller: Caller) -> Result<Response> {
    let Some(hold) = super::find(&app, &caller).await? else {
        return Ok(Redirect::to(Section::Sending.href()).into_response());
    };
    let (now, zone) = (app.now(), caller.tenant.timezone);
    let page = HeldPage {
        tabs: tabs(Section::Sending, caller.role),
        why: sentence(hold.why),
        since: moment(hold.since, now, zone),
        last_sent: hold.last_sent_at.map(|at| moment(at, now, zone)),
        waiting: waiting(&hold),
        may_decide: caller.role == Role::Owner,
        shell: shell(&app, &session, Place::Settings, "Sending is held").await?,
    };
    html(&page)
}

fn sentence(why: Why) -> &'static str {
    match why {
        Why::Restored => "The data was restored from a backup.",
        Why::Copied => "This database is a copy of another one.",
        Why::Operator => "Whoever runs this server held all sending.",
    }
}

fn waiting(hold: &Hold) -> String {
    match hold.waiting {
        0 => String::new(),
        1 => "One message was waiting".to_owned(),
        more if more >= MOST => format!("{MOST} messages or more were waiting"),
        more => format!("{more} messages were waiting"),
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Decision {
    waiting: String,
}

pub(super) async fn release(
    State(app): State<Arc<App>>,
    caller: Caller,
    Form(decision): Form<Decision>,
) -> Result<Response> {
    let waiting = match decision.waiting.as_str() {
        "send" => Waiting::Send,
        "cancel" => Waiting::Cancel,
        _ => return Err(Error::field("waiting", "Choose what happens to the messages that waited.")),
    };
    let canceled = super::release(&app, &caller, waiting).await?;
    let text = match (waiting, canceled) {
        (Waiting::Send, _) | (Waiting::Cancel, 0) => "Sending goes on".to_owned(),
        (Waiting::Cancel, 1) => "Sending goes on; one message was canceled".to_owned(),
        (Waiting::Cancel, more) => format!("Sending goes on; {more} messages were canceled"),
    };
    Ok(notice::redirect(&app, Section::Sending.href(), &text))
}
