//! Admission: turns a cookie or a bearer key into a caller, and turns away who may not call a route.
//!
//! Forged requests from other sites are stopped three times (OWASP ASVS 5.0, 3.5): the cookie is `SameSite=Lax`,
//! an unsafe method must come from our own origin, and it must carry the session's token in the header
//! `X-CSRF-Token` or the form field `csrf`.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use chrono_tz::Tz;
use futures::{StreamExt, stream};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::{Actor, ActorKind, Caller, Role, Scope, Session, TenantInfo, sql};
use crate::{
    app::App,
    error::{Error, Problem, Result},
    ids::hash_secret,
    web::{cookies, idempotency, layout::Place, notice::Pending, rate, routes::Access, shell},
};

/// A session dies after a week without use (and 30 days after sign-in in any case).
pub const SESSION_IDLE: TimeDelta = TimeDelta::days(7);
/// The session's cookie; see [`cookies::name`].
pub const SESSION_COOKIE: &str = "session";
/// Form bodies of pages; files go to routes of their own.
const FORM_LIMIT: usize = 1 << 20;

/// The middleware in front of every route.
pub async fn admit(
    State((app, access, path)): State<(Arc<App>, Access, &'static str)>,
    request: Request,
    next: Next,
) -> Response {
    // In boxes: many webhooks at a time should not each hold the room that looking somebody up takes.
    match access {
        Access::Public | Access::Signed => next.run(request).await,
        Access::Api(_) | Access::Ingest => Box::pin(by_key(&app, access, path, request, next)).await,
        Access::SignedIn | Access::Page(_) => Box::pin(by_session(&app, access, request, next)).await,
    }
}

async fn by_key(
    app: &Arc<App>,
    access: Access,
    path: &'static str,
    request: Request,
    next: Next,
) -> Response {
    let (caller, scope) = match key_caller(app, request.headers()).await {
        Ok(known) => known,
        Err(error) => return challenge(error),
    };
    match (access, scope) {
        (Access::Ingest, Scope::Read) => {
            Error::Forbidden("This API key may only read.".into()).into_response()
        }
        (Access::Api(least), scope) if scope == Scope::Ingest || caller.role < least => {
            Error::Forbidden("The scope of this API key does not reach that far.".into()).into_response()
        }
        _ => run(app, caller, path, request, next).await,
    }
}

async fn by_session(app: &App, access: Access, request: Request, next: Next) -> Response {
    match load_session(app, request.headers()).await {
        Ok(Some(session)) => browse(app, access, session, request, next).await,
        Ok(None) => to_sign_in(&request),
        Err(error) => error.into_response(),
    }
}

/// A program's request; a POST with an `Idempotency-Key` is done once.
async fn run(
    app: &Arc<App>,
    caller: Caller,
    path: &'static str,
    mut request: Request,
    next: Next,
) -> Response {
    request.extensions_mut().insert(caller.clone());
    if *request.method() == Method::POST {
        let work = idempotency::once(app, &caller, path, request, next);
        rate::limited(app, &caller, path, work).await
    } else {
        next.run(request).await
    }
}

/// A signed-in browser's request. Even its errors are shown in the person's theme.
async fn browse(app: &App, access: Access, mut session: Session, request: Request, next: Next) -> Response {
    let (theme, notice) = (shell::theme(&session.theme), session.notice.clone());
    let (whose, path) = (session.clone(), request.uri().path().to_owned());
    if request.method() == Method::GET {
        session.path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
    }
    let mut response = match page(app, access, session, request).await {
        Ok(request) => next.run(request).await,
        Err(response) => response,
    };
    frame(app, &whose, &path, &mut response).await;
    notice.settle(app, &mut response);
    response.extensions_mut().insert(theme);
    response
}

/// Gives an error that a person will read the frame of the pages around it, so that nobody is lost because of it.
async fn frame(app: &App, session: &Session, path: &str, response: &mut Response) {
    let Some(status) = response.extensions().get::<Problem>().map(|problem| problem.status) else { return };
    if session.membership.is_none() || !(400..500).contains(&status) {
        return;
    }
    let place = match Place::of(path) {
        // To look at an error is not to have seen the quotes.
        Place::Quotes => Place::Inbox,
        place => place,
    };
    if let Ok(shell) = shell::shell(app, session, place, "Not here").await {
        response.extensions_mut().insert(Arc::new(shell));
    }
}

/// Answers what no route does, inside the pages for who is signed in.
pub async fn not_found(State(app): State<Arc<App>>, request: Request) -> Response {
    let mut response = Error::NotFound("page").into_response();
    if let Ok(Some(session)) = load_session(&app, request.headers()).await {
        response.extensions_mut().insert(shell::theme(&session.theme));
        frame(&app, &session, request.uri().path(), &mut response).await;
    }
    response
}

/// Checks origin, token and role.
async fn page(
    app: &App,
    access: Access,
    session: Session,
    mut request: Request,
) -> Result<Request, Response> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        request = check_forgery(app, &session, request).await.map_err(IntoResponse::into_response)?;
    }
    if let Access::Page(least) = access {
        let Some((tenant, role)) = session.membership.clone() else {
            return Err(Error::Forbidden(
                "You do not belong to a business yet. Ask an owner for an invitation.".into(),
            )
            .into_response());
        };
        let label = session.name.clone().unwrap_or_else(|| session.email.clone());
        let actor = Actor { kind: ActorKind::User, id: Some(session.user_id), label };
        let caller = Caller { tenant, actor, role };
        caller.need(least).map_err(IntoResponse::into_response)?;
        request.extensions_mut().insert(caller);
    }
    request.extensions_mut().insert(session);
    Ok(request)
}

/// The session behind the cookie, with the tenant on screen.
pub async fn load_session(app: &App, headers: &HeaderMap) -> Result<Option<Session>> {
    let Some(token) = cookie(headers, &cookies::name(app, SESSION_COOKIE)) else { return Ok(None) };
    let now = app.now();
    let mut conn = app.db.system_conn().await?;
    let Some(row) = sql::find_session(&mut conn, &hash_secret(token), now, now - SESSION_IDLE).await? else {
        return Ok(None);
    };
    if now - row.seen_at > TimeDelta::minutes(1) {
        sql::mark_session_seen(&mut conn, row.id, now).await?;
    }
    let memberships = sql::list_memberships(&mut conn, row.user_id).await?;
    let tenants = memberships.iter().map(|m| (m.tenant_id, m.name.clone())).collect();
    let chosen = row.tenant_id.and_then(|id| memberships.iter().position(|m| m.tenant_id == id)).unwrap_or(0);
    let membership = match memberships.into_iter().nth(chosen) {
        Some(m) => {
            // Without enforcement every member is shown, and may do, what an admin may.
            let role: Role = m.role.parse()?;
            let role = if app.config.enforce_roles { role } else { role.max(Role::Admin) };
            let timezone = zone(&m.timezone);
            Some((
                TenantInfo {
                    id: m.tenant_id,
                    slug: m.slug,
                    name: m.name,
                    timezone,
                    country: m.country,
                    currency: m.currency,
                },
                role,
            ))
        }
        None => None,
    };
    Ok(Some(Session {
        id: row.id,
        user_id: row.user_id,
        email: row.email,
        name: row.name,
        theme: row.theme,
        csrf: csrf_token(token),
        membership,
        tenants,
        path: "/".to_owned(),
        as_of: row.as_of,
        notice: Pending::read(app, headers),
    }))
}

/// The caller behind `Authorization: Bearer pb_…`.
async fn key_caller(app: &App, headers: &HeaderMap) -> Result<(Caller, Scope)> {
    let key = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer ").or_else(|| value.strip_prefix("bearer ")))
        .map(str::trim)
        .filter(|key| key.starts_with("pb_"))
        .ok_or(Error::Unauthorised)?;
    let now = app.now();
    let mut conn = app.db.system_conn().await?;
    let row = sql::find_key(&mut conn, &hash_secret(key)).await?.ok_or(Error::Unauthorised)?;
    if row.last_used_at.is_none_or(|at| now - at > TimeDelta::minutes(1)) {
        sql::mark_key_used(&mut conn, row.id, now).await?;
    }
    let (scope, role) = match row.scope.as_str() {
        "full" => (Scope::Full, Role::Admin),
        "read" => (Scope::Read, Role::Viewer),
        _ => (Scope::Ingest, Role::Viewer),
    };
    let timezone = zone(&row.timezone);
    let caller = Caller {
        tenant: TenantInfo {
            id: row.tenant_id,
            slug: row.slug,
            name: row.tenant_name,
            timezone,
            country: row.country,
            currency: row.currency,
        },
        actor: Actor { kind: ActorKind::ApiKey, id: Some(row.id), label: row.name },
        role,
    };
    Ok((caller, scope))
}

/// Whether what admitted a caller still would: the session and the membership, or the key. For answers that go on long
/// after the request. Watching does not keep a session from ending.
pub async fn is_still_admitted(app: &App, caller: &Caller, session: Option<Uuid>) -> Result<bool> {
    let mut conn = app.db.system_conn().await?;
    match (session, caller.actor.id) {
        (Some(session), _) => {
            let now = app.now();
            sql::is_session_in(&mut conn, session, caller.tenant.id, now, now - SESSION_IDLE).await
        }
        (None, Some(key)) => sql::is_key_in_force(&mut conn, key).await,
        (None, None) => Ok(false),
    }
}

/// Zone names are validated when saved; a zone the database of zones has dropped since reads as UTC.
fn zone(name: &str) -> Tz {
    name.parse().unwrap_or(Tz::UTC)
}

/// The value of the cookie `name`.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

/// Derived from the session's secret, so that it needs no storage and dies with the session.
pub fn csrf_token(session_token: &str) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(format!("csrf:{session_token}").as_bytes())[..18])
}

/// Whether a browser sent this from one of our own pages. `Host` stands beside the configured address, because
/// a wrong configuration should not lock everybody out; another site's page can set neither.
pub fn is_same_origin(app: &App, headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return matches!(site.as_bytes(), b"same-origin" | b"none");
    }
    let Some(origin) = headers.get(header::ORIGIN).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    origin == app.config.public_url
        || origin.split_once("://").is_some_and(|(_, authority)| authority == host)
}

async fn check_forgery(app: &App, session: &Session, request: Request) -> Result<Request> {
    let forged = || {
        Error::Forbidden(
            "This form is out of date or came from another site. Reload the page and try again.".into(),
        )
    };
    if !is_same_origin(app, request.headers()) {
        return Err(forged());
    }
    let is_token = |value: &[u8]| bool::from(value.ct_eq(session.csrf.as_bytes()));
    if let Some(value) = request.headers().get("x-csrf-token") {
        return if is_token(value.as_bytes()) { Ok(request) } else { Err(forged()) };
    }
    let (parts, body) = request.into_parts();
    let media = parts.headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    if media.starts_with(b"multipart/form-data") {
        let (first, body) = first_field(body).await;
        let found = first.is_some_and(|(name, value)| name == "csrf" && is_token(value.as_bytes()));
        return if found { Ok(Request::from_parts(parts, body)) } else { Err(forged()) };
    }
    let bytes: Bytes =
        to_bytes(body, FORM_LIMIT).await.map_err(|_| Error::BadRequest("This form is too large.".into()))?;
    let found = form_urlencoded::parse(&bytes)
        .find(|(name, _)| name == "csrf")
        .is_some_and(|(_, value)| is_token(value.as_bytes()));
    if found { Ok(Request::from_parts(parts, Body::from(bytes))) } else { Err(forged()) }
}

/// Name and value of the first field of a multipart form (RFC 7578), without reading the file that follows it; the
/// body is as it was.
async fn first_field(body: Body) -> (Option<(String, String)>, Body) {
    const HEAD: usize = 1024;
    let mut rest = body.into_data_stream();
    let (mut head, mut ended) = (Vec::new(), None);
    while head.len() < HEAD {
        match rest.next().await {
            Some(Ok(bytes)) => head.extend_from_slice(&bytes),
            Some(Err(error)) => {
                ended = Some(error);
                break;
            }
            None => break,
        }
    }
    let text = String::from_utf8_lossy(&head[..head.len().min(HEAD)]).into_owned();
    let field = text.split_once("\r\n\r\n").and_then(|(headers, after)| {
        let name = headers.split_once("name=\"")?.1.split_once('"')?.0;
        Some((name.to_owned(), after.split_once("\r\n")?.0.to_owned()))
    });
    let begun = stream::iter([Ok(Bytes::from(head))]).chain(stream::iter(ended.map(Err)));
    (field, Body::from_stream(begun.chain(rest)))
}

fn challenge(error: Error) -> Response {
    let mut response = error.into_response();
    if response.status() == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

/// Sends a browser to the sign-in page, and back afterwards.
fn to_sign_in(request: &Request) -> Response {
    let next: String = if request.method() == Method::GET && !request.headers().contains_key("hx-request") {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        form_urlencoded::byte_serialize(path.as_bytes()).collect()
    } else {
        String::new()
    };
    let target = if next.is_empty() || next == "%2F" {
        "/sign-in".to_owned()
    } else {
        format!("/sign-in?next={next}")
    };
    let location = HeaderValue::from_str(&target).unwrap_or_else(|_| HeaderValue::from_static("/sign-in"));
    // htmx follows redirects inside the fragment it asked for; this header makes it leave the page.
    if request.headers().contains_key("hx-request") {
        return (StatusCode::UNAUTHORIZED, [("hx-redirect", location)]).into_response();
    }
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}
