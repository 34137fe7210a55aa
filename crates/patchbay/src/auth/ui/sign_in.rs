//! Signing in: asking for a link, following it, typing its code.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use serde::Deserialize;

use crate::{
    app::App,
    auth::{
        guard,
        sessions::{self, SignedIn},
        sign_in::{self, Link},
        view::{LinkPage, LinkState, SentPage, SignInPage},
    },
    error::{Error, Result},
    web::{
        client::Client,
        cookies,
        extract::{Form, Path, Query},
        fields::Field,
        layout::Theme,
        notice::see_other,
        pages::{bare, html, html_with},
    },
};

/// Binds a link to the browser that asked for it.
const BROWSER_COOKIE: &str = "login";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wish {
    next: String,
    email: String,
}

#[derive(Deserialize)]
pub(super) struct Code {
    #[serde(default)]
    code: String,
}

pub(super) async fn home(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response> {
    let is_signed_in = guard::load_session(&app, &headers).await?.is_some();
    Ok(see_other(if is_signed_in { "/inbox" } else { "/sign-in" }))
}

pub(super) async fn sign_in_page(
    State(app): State<Arc<App>>,
    Query(wish): Query<Wish>,
    headers: HeaderMap,
) -> Result<Response> {
    if guard::load_session(&app, &headers).await?.is_some() {
        return Ok(see_other(if sessions::is_local(&wish.next) { &wish.next } else { "/inbox" }));
    }
    html(&sign_in_form(&wish, "", ""))
}

fn sign_in_form(wish: &Wish, form_error: &str, email_error: &str) -> SignInPage {
    let email = Field::email("email", "Your e-mail address")
        .value(&wish.email)
        .error(email_error)
        .required()
        .autofocus();
    SignInPage {
        bare: bare("Sign in · Patchbay", Theme::System),
        error: form_error.to_owned(),
        email,
        next: wish.next.clone(),
    }
}

/// The answer is the same whether or not anybody has this address.
pub(super) async fn request_link(
    State(app): State<Arc<App>>,
    client: Client,
    headers: HeaderMap,
    Form(wish): Form<Wish>,
) -> Result<Response> {
    same_origin(&app, &headers)?;
    let next = Some(wish.next.as_str()).filter(|next| sessions::is_local(next));
    match sign_in::request_link(&app, &wish.email, next, &client).await {
        Ok(browser) => {
            let mut response = see_other("/sign-in/sent");
            let life = sign_in::LINK_LIFE.num_seconds();
            response
                .headers_mut()
                .append(header::SET_COOKIE, cookies::set(&app, BROWSER_COOKIE, &browser, life));
            Ok(response)
        }
        Err(Error::Invalid(errors)) => {
            let error = errors.get("email").map_or("", String::as_str);
            html_with(StatusCode::UNPROCESSABLE_ENTITY, &sign_in_form(&wish, "", error))
        }
        Err(Error::RateLimited { retry_after, .. }) => {
            let wait = match retry_after.as_secs() {
                0..=90 => "a minute".to_owned(),
                seconds => format!("{} minutes", seconds.div_ceil(60)),
            };
            let text =
                format!("Links were asked for very often. Look into your mail, or try again in {wait}.");
            let mut response = html_with(StatusCode::TOO_MANY_REQUESTS, &sign_in_form(&wish, &text, ""))?;
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(retry_after.as_secs().max(1)));
            Ok(response)
        }
        Err(error) => Err(error),
    }
}

pub(super) async fn sent_page(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response> {
    sent(&app, &headers, "", "", StatusCode::OK).await
}

async fn sent(
    app: &App,
    headers: &HeaderMap,
    typed: &str,
    error: &str,
    status: StatusCode,
) -> Result<Response> {
    let Some(browser) = browser_secret(app, headers) else { return Ok(see_other("/sign-in")) };
    let Some(email) = sign_in::awaited(app, &browser).await? else { return Ok(see_other("/sign-in")) };
    let code = Field::text("code", "Six digits")
        .value(typed)
        .error(error)
        .required()
        .autocomplete("one-time-code")
        .placeholder("123 456");
    html_with(status, &SentPage { bare: bare("Look in your mail · Patchbay", Theme::System), email, code })
}

pub(super) async fn redeem_code(
    State(app): State<Arc<App>>,
    client: Client,
    headers: HeaderMap,
    Form(form): Form<Code>,
) -> Result<Response> {
    same_origin(&app, &headers)?;
    let Some(browser) = browser_secret(&app, &headers) else { return Ok(see_other("/sign-in")) };
    match sign_in::redeem_code(&app, &form.code, &browser, former(&app, &headers).as_deref(), &client).await?
    {
        Some(signed_in) => Ok(enter(&app, &signed_in)),
        None => {
            let error = "This is not the code. After five tries a new link is needed.";
            sent(&app, &headers, &form.code, error, StatusCode::UNPROCESSABLE_ENTITY).await
        }
    }
}

/// Looking at a link changes nothing but, in another browser, that its code may be typed.
pub(super) async fn link_page(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Response> {
    let link = sign_in::inspect(&app, &token, browser_secret(&app, &headers).as_deref()).await?;
    let (status, state) = match link {
        Link::Ready { email, at_once } => (StatusCode::OK, LinkState::Ready { email, at_once }),
        Link::Elsewhere { code } => {
            let (first, last) = code.split_at(3);
            (StatusCode::OK, LinkState::Elsewhere { code: format!("{first} {last}") })
        }
        Link::Gone if guard::load_session(&app, &headers).await?.is_some() => return Ok(see_other("/inbox")),
        Link::Gone => (StatusCode::GONE, LinkState::Gone),
    };
    html_with(status, &LinkPage { bare: bare("Sign in · Patchbay", Theme::System), state })
}

pub(super) async fn redeem(
    State(app): State<Arc<App>>,
    client: Client,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Response> {
    same_origin(&app, &headers)?;
    let browser = browser_secret(&app, &headers);
    match sign_in::redeem(&app, &token, browser.as_deref(), former(&app, &headers).as_deref(), &client)
        .await?
    {
        Some(signed_in) => Ok(enter(&app, &signed_in)),
        // A double click: the first one has signed in already.
        None => link_page(State(app), Path(token), headers).await,
    }
}

/// Forms of people who are not signed in carry no token; that they come from our own page must do (OWASP ASVS 5.0,
/// 3.5.1). What they do is bound to a cookie of the asking browser besides.
fn same_origin(app: &App, headers: &HeaderMap) -> Result<()> {
    if guard::is_same_origin(app, headers) {
        Ok(())
    } else {
        Err(Error::Forbidden("This form came from another site. Open the sign-in page and try again.".into()))
    }
}

fn browser_secret(app: &App, headers: &HeaderMap) -> Option<String> {
    guard::cookie(headers, &cookies::name(app, BROWSER_COOKIE))
        .filter(|secret| !secret.is_empty())
        .map(str::to_owned)
}

/// The session that this browser had before; it ends when a new one begins.
fn former(app: &App, headers: &HeaderMap) -> Option<String> {
    guard::cookie(headers, &cookies::name(app, guard::SESSION_COOKIE)).map(str::to_owned)
}

fn enter(app: &App, signed_in: &SignedIn) -> Response {
    let mut response = see_other(&signed_in.next);
    let life = sessions::SESSION_LIFE.num_seconds();
    let headers = response.headers_mut();
    headers.append(header::SET_COOKIE, cookies::set(app, guard::SESSION_COOKIE, &signed_in.secret, life));
    headers.append(header::SET_COOKIE, cookies::clear(app, BROWSER_COOKIE));
    response
}
