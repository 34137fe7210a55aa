//! The pages for signing in, the account and API keys.

use std::{str::FromStr, sync::Arc};

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    Caller, Scope, Session, guard, keys,
    sessions::{self, SignedIn},
    sign_in::{self, Link},
    users,
    view::{
        AccountPage, AlonePage, Invited, KeyRow, KeysPage, LinkPage, LinkState, MadeKey, SentPage,
        SessionRow, SignInPage,
    },
};
use crate::{
    app::App,
    error::{Error, FieldErrors, Result},
    web::{
        client::{Client, browser_name},
        cookies,
        extract::{Form, Path, Query},
        fields::{Choice, Field},
        layout::{Place, Theme},
        moments::moment,
        notice::{self, see_other},
        pages::{bare, html, html_with},
        parts::{Empty, Tag, Tone},
        settings::{self, Section},
        shell,
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

pub(super) async fn sign_out(State(app): State<Arc<App>>, session: Session) -> Result<Response> {
    sessions::revoke(&app, &session, session.id).await?;
    Ok(leave(&app))
}

pub(super) async fn account_page(State(app): State<Arc<App>>, session: Session) -> Result<Response> {
    account(&app, &session, session.name.clone().unwrap_or_default(), "", StatusCode::OK).await
}

async fn account(
    app: &App,
    session: &Session,
    name: String,
    error: &str,
    status: StatusCode,
) -> Result<Response> {
    let invitations = sessions::invitations(app, session)
        .await?
        .into_iter()
        .map(|one| Invited { tenant: one.tenant, role: one.role })
        .collect();
    let Some((tenant, _)) = &session.membership else {
        let mut bare = bare("Patchbay", shell::theme(&session.theme));
        bare.csrf = session.csrf.clone();
        return html_with(status, &AlonePage { bare, email: session.email.clone(), invitations });
    };
    let rows = sessions::list(app, session).await?.into_iter().map(|one| SessionRow {
        id: one.id.to_string(),
        browser: browser_name(one.user_agent.as_deref().unwrap_or_default()),
        ip: one.ip.unwrap_or_default(),
        since: moment(one.created_at, app.now(), tenant.timezone),
        // Use is noted once a minute; the session on screen is in use now.
        seen: moment(if one.id == session.id { app.now() } else { one.seen_at }, app.now(), tenant.timezone),
        is_this: one.id == session.id,
    });
    let page = AccountPage {
        invitations,
        sessions: rows.collect(),
        this_tag: Tag::new(Tone::Good, "check", "this one"),
        name: Field::text("name", "Your name")
            .value(name)
            .error(error)
            .autocomplete("name")
            .hint("Your team sees it; leads do not."),
        shell: shell::shell(app, session, Place::Account, "Account").await?,
    };
    html_with(status, &page)
}

#[derive(Deserialize)]
pub(super) struct Name {
    #[serde(default)]
    name: String,
}

pub(super) async fn rename(
    State(app): State<Arc<App>>,
    session: Session,
    Form(form): Form<Name>,
) -> Result<Response> {
    match users::rename(&app, &session, &form.name).await {
        Ok(()) => Ok(notice::redirect(&app, "/account", "Name saved")),
        Err(Error::Invalid(errors)) => {
            let error = errors.get("name").cloned().unwrap_or_default();
            account(&app, &session, form.name, &error, StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(error) => Err(error),
    }
}

pub(super) async fn join(State(app): State<Arc<App>>, session: Session) -> Result<Response> {
    sessions::join(&app, &session).await?;
    Ok(notice::redirect(&app, "/inbox", "Welcome"))
}

#[derive(Deserialize)]
pub(super) struct ThemeForm {
    theme: String,
    #[serde(default)]
    path: String,
}

pub(super) async fn set_theme(
    State(app): State<Arc<App>>,
    session: Session,
    Form(form): Form<ThemeForm>,
) -> Result<Response> {
    users::set_theme(&app, &session, &form.theme).await?;
    Ok(see_other(if sessions::is_local(&form.path) { &form.path } else { "/account" }))
}

pub(super) async fn end_session(
    State(app): State<Arc<App>>,
    session: Session,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    sessions::revoke(&app, &session, id).await?;
    Ok(if id == session.id { leave(&app) } else { notice::redirect(&app, "/account", "Signed out there") })
}

pub(super) async fn end_others(State(app): State<Arc<App>>, session: Session) -> Result<Response> {
    sessions::revoke_all(&app, &session, true).await?;
    Ok(notice::redirect(&app, "/account", "Signed out everywhere else"))
}

pub(super) async fn end_all(State(app): State<Arc<App>>, session: Session) -> Result<Response> {
    sessions::revoke_all(&app, &session, false).await?;
    Ok(leave(&app))
}

#[derive(Deserialize)]
pub(super) struct Switch {
    tenant_id: Uuid,
}

pub(super) async fn switch_tenant(
    State(app): State<Arc<App>>,
    session: Session,
    Form(form): Form<Switch>,
) -> Result<Response> {
    sessions::switch_tenant(&app, &session, form.tenant_id).await?;
    let name =
        session.tenants.iter().find(|(id, _)| *id == form.tenant_id).map_or("", |(_, name)| name.as_str());
    Ok(notice::redirect(&app, "/inbox", &format!("Now in {name}")))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct KeyForm {
    name: String,
    scope: String,
}

pub(super) async fn keys_page(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
) -> Result<Response> {
    let form = KeyForm { name: String::new(), scope: "full".to_owned() };
    keys_form(&app, &session, &caller, &form, &FieldErrors::new(), None).await
}

/// The one answer that shows the key; it is not redirected, because then it would have to be kept somewhere.
pub(super) async fn create_key(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Form(form): Form<KeyForm>,
) -> Result<Response> {
    let made = match Scope::from_str(&form.scope) {
        Ok(scope) => keys::create_key(&app, caller.tenant.id, &caller.actor, &form.name, scope).await,
        Err(error) => Err(error),
    };
    match made {
        Ok(new) => {
            let made = MadeKey { name: form.name.trim().to_owned(), key: new.key };
            let empty = KeyForm { name: String::new(), scope: "full".to_owned() };
            keys_form(&app, &session, &caller, &empty, &FieldErrors::new(), Some(made)).await
        }
        Err(Error::Invalid(errors)) => keys_form(&app, &session, &caller, &form, &errors, None).await,
        Err(error) => Err(error),
    }
}

pub(super) async fn revoke_key(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let name = keys::revoke(&app, &caller, id).await?;
    Ok(notice::redirect(&app, Section::ApiKeys.href(), &format!("Revoked {name}")))
}

async fn keys_form(
    app: &App,
    session: &Session,
    caller: &Caller,
    form: &KeyForm,
    errors: &FieldErrors,
    made: Option<MadeKey>,
) -> Result<Response> {
    let (now, zone) = (app.now(), caller.tenant.timezone);
    let keys = keys::list(app, caller).await?.into_iter().map(|key| KeyRow {
        id: key.id.to_string(),
        name: key.name,
        prefix: key.prefix,
        scope: match key.scope.as_str() {
            "full" => "everything",
            "read" => "read",
            _ => "hand in leads",
        },
        made: moment(key.created_at, now, zone),
        used: key.last_used_at.map(|at| moment(at, now, zone)),
    });
    let error = |name: &str| errors.get(name).cloned().unwrap_or_default();
    let choice =
        |value: &str, label: &str, hint: &str| Choice::new(value, label, form.scope == value).hint(hint);
    let page = KeysPage {
        keys: keys.collect(),
        tabs: settings::tabs(Section::ApiKeys, caller.role),
        made,
        name: Field::text("name", "Name")
            .value(&form.name)
            .error(error("name"))
            .required()
            .placeholder("Website")
            .hint("Which program uses it."),
        scope: Field::radios(
            "scope",
            "It may",
            vec![
                choice("full", "Everything", "What an admin may do here, over the API."),
                choice("read", "Read", "Everything a viewer sees; changes nothing."),
                choice("ingest", "Hand in leads and quotes", "For web forms; reads nothing."),
            ],
        )
        .error(error("scope")),
        empty: Empty {
            icon: "key",
            heading: "No keys yet".to_owned(),
            text: "A key lets your website or another program work with this business over the API."
                .to_owned(),
            actions: Vec::new(),
        },
        shell: shell::shell(app, session, Place::Settings, "API keys").await?,
    };
    html_with(if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }, &page)
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

fn leave(app: &App) -> Response {
    let mut response = see_other("/sign-in");
    let headers = response.headers_mut();
    headers.append(header::SET_COOKIE, cookies::clear(app, guard::SESSION_COOKIE));
    // Drafts kept in the browser go too (OWASP ASVS 5.0, 14.3.1).
    headers.insert("clear-site-data", HeaderValue::from_static("\"storage\""));
    response
}
