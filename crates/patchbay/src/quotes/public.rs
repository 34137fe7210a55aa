//! The lead's own page, `/q/{token}`: no login, nothing to install, works on paper.
//!
//! `GET` never changes anything, because link scanners and previews fetch it too. That somebody looked is told by the
//! page's script with a `POST`; an answer is a form. Guessing is slowed down per address.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use serde::Deserialize;

use super::{
    Quote,
    answer::{self, Answer, Outcome},
    sheet::{self, Standing},
    sql::Business,
    view::{GonePage, PublicPage, Said},
};
use crate::{
    app::App,
    error::{Error, FieldErrors, Result},
    web::{
        client::Client,
        extract::Form,
        fields::Field,
        guesses::Guesses,
        layout::Theme,
        notice::see_other,
        pages,
        routes::{Access, Routes},
    },
};

/// The public routes, with a limiter of their own.
pub(super) fn routes(routes: Routes) -> Routes {
    let guesses = Arc::new(Guesses::default());
    let (a, b, c, d) = (guesses.clone(), guesses.clone(), guesses.clone(), guesses);
    routes
        .get("/q/{token}", Access::Public, move |state, client, path| show(a, state, client, path))
        .post("/q/{token}/viewed", Access::Public, move |state, client, path| viewed(b, state, client, path))
        .post("/q/{token}/accept", Access::Public, move |state, client, path, form| {
            reply(c, true, state, client, path, form)
        })
        .post("/q/{token}/reject", Access::Public, move |state, client, path, form| {
            reply(d, false, state, client, path, form)
        })
        // Reloading after an error asks for the form's address.
        .get("/q/{token}/accept", Access::Public, back)
        .get("/q/{token}/reject", Access::Public, back)
}

/// What a form on the page sends.
#[derive(Debug, Default, Deserialize)]
struct AnswerForm {
    name: Option<String>,
    note: Option<String>,
    edition: Option<String>,
}

async fn show(
    guesses: Arc<Guesses>,
    State(app): State<Arc<App>>,
    client: Client,
    Path(token): Path<String>,
) -> Result<Response> {
    match guarded(&guesses, &app, &client, answer::look(&app, &token)).await {
        Ok((quote, business)) => page(&app, &token, &quote, &business, StatusCode::OK, Said::default()),
        Err(error) => gone(error),
    }
}

async fn viewed(
    guesses: Arc<Guesses>,
    State(app): State<Arc<App>>,
    client: Client,
    Path(token): Path<String>,
) -> Result<StatusCode> {
    guarded(&guesses, &app, &client, answer::note_viewed(&app, &token)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn reply(
    guesses: Arc<Guesses>,
    accepted: bool,
    State(app): State<Arc<App>>,
    client: Client,
    Path(token): Path<String>,
    Form(form): Form<AnswerForm>,
) -> Result<Response> {
    let said = Answer {
        accepted,
        name: form.name,
        note: form.note,
        edition: form.edition.filter(|edition| !edition.is_empty()),
    };
    let (status, errors, changed) =
        match guarded(&guesses, &app, &client, answer::answer(&app, &token, &said)).await {
            // Whatever the page says now is the answer: thanks, answered before, expired.
            Ok(Outcome::Taken | Outcome::AnsweredBefore | Outcome::Expired) => {
                return Ok(see_other(&format!("/q/{token}")));
            }
            Ok(Outcome::Changed) => (StatusCode::CONFLICT, FieldErrors::new(), true),
            Err(Error::Invalid(errors)) => (StatusCode::UNPROCESSABLE_ENTITY, errors, false),
            Err(error) => return gone(error),
        };
    let (quote, business) = answer::look(&app, &token).await?;
    let said = Said { accepted: Some(accepted), name: said.name, note: said.note, errors, changed };
    page(&app, &token, &quote, &business, status, said)
}

async fn back(Path(token): Path<String>) -> Result<Response> {
    if answer::is_token(&token) {
        Ok(see_other(&format!("/q/{token}")))
    } else {
        gone(Error::NotFound("quote"))
    }
}

/// Runs what needs a valid token; a miss is remembered against the address it came from.
async fn guarded<T>(
    guesses: &Guesses,
    app: &App,
    client: &Client,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    guesses.check(client, app.now())?;
    let done = work.await;
    if matches!(done, Err(Error::NotFound(_))) {
        guesses.note_miss(client, app.now());
    }
    done
}

fn page(
    app: &App,
    token: &str,
    quote: &Quote,
    business: &Business,
    status: StatusCode,
    said: Said,
) -> Result<Response> {
    let now = app.now();
    let error = |field: &str| said.errors.get(field).cloned().unwrap_or_default();
    let sheet = sheet::sheet(quote, business, now);
    let mut bare = pages::bare(&format!("Quote {} · {}", quote.number, business.name), Theme::System);
    bare.branded = false;
    bare.wide = true;
    let name = said.name.clone().unwrap_or_else(|| quote.contact_name.clone());
    let note = said.note.clone().unwrap_or_default();
    let page = PublicPage {
        standing: Standing::of(quote, business, now),
        token: token.to_owned(),
        edition: quote.edition(),
        open: if said.changed { None } else { said.accepted },
        changed: said.changed,
        name: Field::text("name", "Your name").value(name).error(error("name")).autocomplete("name"),
        accept_note: Field::area("note", "Anything we should know?").value(note.clone()).error(error("note")),
        reject_note: Field::area("note", "What made you decide against it?").value(note).error(error("note")),
        bare,
        sheet,
    };
    Ok(private(pages::html_with(status, &page)?))
}

/// Unknown tokens, held drafts and too many guesses look alike to whoever guesses.
fn gone(error: Error) -> Result<Response> {
    let status = match &error {
        Error::NotFound(_) => StatusCode::NOT_FOUND,
        Error::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
        _ => return Err(error),
    };
    let mut bare = pages::bare("This quote is not here", Theme::System);
    bare.branded = false;
    let mut response =
        private(pages::html_with(status, &GonePage { bare, busy: status == StatusCode::TOO_MANY_REQUESTS })?);
    if let Error::RateLimited { retry_after, .. } = error
        && let Ok(value) = HeaderValue::from_str(&retry_after.as_secs().max(1).to_string())
    {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    Ok(response)
}

/// Not for search engines, caches or the next site's log.
fn private(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert("x-robots-tag", HeaderValue::from_static("noindex, nofollow, noarchive"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    response
}
