//! What buttons do to a campaign. Each goes back to its page and says what happened.

use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};
use serde::Deserialize;
use uuid::Uuid;

use super::show;
use crate::{
    app::App,
    auth::{Caller, Session},
    campaigns::{self, Campaign, Status, Test},
    error::{Error, Result},
    web::{
        extract::{Form, Path},
        notice,
        pages::html,
    },
};

/// Asks the gates: a fragment for a page that is open, the page itself without a script.
pub(super) async fn preflight(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
) -> Result<Response> {
    let problem = match campaigns::preflight(&app, &caller, id).await {
        Ok(_) => String::new(),
        Err(Error::Invalid(errors)) => errors.into_values().collect::<Vec<_>>().join(" "),
        Err(Error::Conflict { detail, .. }) => detail.into_owned(),
        Err(error) => return Err(error),
    };
    if headers.contains_key("hx-request") {
        let campaign = campaigns::get(&app, &caller, id).await?;
        return html(&show::checks(&app, &caller, &campaign, &session.csrf, problem));
    }
    let said = if problem.is_empty() { "Every gate was asked".to_owned() } else { problem };
    Ok(notice::redirect(&app, &format!("/campaigns/{id}"), &said))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TestForm {
    to: String,
}

pub(super) async fn test(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Form(form): Form<TestForm>,
) -> Result<Response> {
    let test = Test { to: form.to, contact_id: None, template_id: None };
    let sent = campaigns::test_send(&app, &caller, id, &test).await.map(|sent| match sent.len() {
        1 => "The test is on its way".to_owned(),
        many => format!("{many} tests are on their way"),
    });
    back(&app, id, sent)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct LaunchForm {
    /// How many people whoever pressed the button was told of.
    recipients: String,
}

/// Launches what was agreed to. Where the audience has moved since, the gates are asked about it again, and so is
/// whoever launches.
pub(super) async fn launch(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Path(id): Path<Uuid>,
    Form(form): Form<LaunchForm>,
) -> Result<Response> {
    if let Ok(promised) = form.recipients.parse::<i64>()
        && campaigns::has_moved(&app, &caller, id, promised).await?
    {
        return match campaigns::preflight(&app, &caller, id).await {
            Ok(found) => show::moved(&app, &session, &caller, id, promised, found.recipients).await,
            Err(error) => back(&app, id, Err(error)),
        };
    }
    let done = campaigns::launch(&app, &caller, id).await;
    back(&app, id, done.map(|campaign| launched(&campaign).to_owned()))
}

fn launched(campaign: &Campaign) -> &'static str {
    if campaign.status == Status::Scheduled {
        "It is planned, and starts by itself"
    } else {
        "It is under way"
    }
}

pub(super) async fn unschedule(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let done = campaigns::unschedule(&app, &caller, id).await;
    back(&app, id, done.map(|_| "It is a draft again".to_owned()))
}

pub(super) async fn pause(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let done = campaigns::pause(&app, &caller, id).await;
    back(&app, id, done.map(|_| "Paused: nothing more leaves".to_owned()))
}

pub(super) async fn resume(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let done = campaigns::resume(&app, &caller, id).await;
    back(&app, id, done.map(|_| "It goes on where it was".to_owned()))
}

pub(super) async fn cancel(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let done = campaigns::cancel(&app, &caller, id).await;
    back(&app, id, done.map(|_| "Called off".to_owned()))
}

pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    match campaigns::delete(&app, &caller, id).await {
        Ok(()) => Ok(notice::redirect(&app, "/campaigns", "Draft thrown away")),
        refused => back(&app, id, refused.map(|()| String::new())),
    }
}

/// The page again; a refusal is said there like a success.
fn back(app: &App, id: Uuid, said: Result<String>) -> Result<Response> {
    let text = match said {
        Ok(text) => text,
        Err(Error::Conflict { detail, .. }) => detail.into_owned(),
        Err(Error::Invalid(errors)) => errors.into_values().collect::<Vec<_>>().join(" "),
        Err(error) => return Err(error),
    };
    Ok(notice::redirect(app, &format!("/campaigns/{id}"), &text))
}
