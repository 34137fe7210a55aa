//! Somebody, or something, opens a short link.
//!
//! Always `302`, never remembered, telling the destination nothing. Whatever is not a link of ours, was one, or will
//! never be one is answered by the same page; only those who try many of them are slowed down.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{
    clicks::{self, Hit},
    sql,
    view::NeutralPage,
};
use crate::{
    app::App,
    error::{Error, Result},
    web::{
        client::Client,
        guesses::Guesses,
        layout::Theme,
        pages,
        routes::{Access, Routes},
    },
};

const HEADERS: [(HeaderName, HeaderValue); 3] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex")),
];

/// The routes of the short domain.
pub(super) fn routes(routes: Routes) -> Routes {
    let guesses = Arc::new(Guesses::default());
    let (a, b) = (guesses.clone(), guesses);
    routes
        .get("/{token}", Access::Public, move |app, client, method, headers, path| {
            lead_on(a, app, client, method, headers, path)
        })
        .options("/{token}", Access::Public, move |app, client, method, headers, path| {
            lead_on(b, app, client, method, headers, path)
        })
        .get("/q/{token}", Access::Public, to_quote)
}

async fn lead_on(
    guesses: Arc<Guesses>,
    State(app): State<Arc<App>>,
    client: Client,
    method: Method,
    headers: HeaderMap,
    Path(token): Path<String>,
) -> Result<Response> {
    let now = app.now();
    let found = if app.links.knows(&token) {
        let mut conn = app.db.system_conn().await?;
        sql::find_destination(&mut conn, &token, now).await?
    } else {
        None
    };
    let Some(destination) = found else { return missed(&guesses, &app, &client) };
    let answer = if method == Method::OPTIONS {
        (StatusCode::NO_CONTENT, [(header::ALLOW, HeaderValue::from_static("GET, HEAD, OPTIONS"))])
            .into_response()
    } else {
        let location = HeaderValue::from_str(&destination.url).map_err(Error::internal)?;
        (StatusCode::FOUND, [(header::LOCATION, location)]).into_response()
    };
    let ip = client.ip.as_deref();
    let hit = Hit {
        tenant_id: destination.tenant_id,
        link_id: destination.link_id,
        at: now,
        method,
        user_agent: client.user_agent.clone().unwrap_or_default(),
        headers: clicks::telling(&headers),
        visitor: ip.map(|ip| app.links.visitor(ip)).unwrap_or_default(),
        network: ip.and_then(clicks::network),
    };
    app.clicks.record(hit).await;
    Ok(private(answer))
}

/// A quote has a page of its own, which counts for itself; its address is only shorter here.
async fn to_quote(State(app): State<Arc<App>>, Path(token): Path<String>) -> Result<Response> {
    if !token.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return nothing_here(StatusCode::NOT_FOUND);
    }
    let url = format!("{}/q/{token}", app.config.public_url);
    let location = HeaderValue::from_str(&url).map_err(Error::internal)?;
    Ok(private((StatusCode::FOUND, [(header::LOCATION, location)]).into_response()))
}

/// What the rest of the domain answers.
pub(super) async fn neutral(_: Request) -> Result<Response> {
    nothing_here(StatusCode::NOT_FOUND)
}

/// A miss is remembered against the address it came from. Right tokens are never slowed down: many people share one.
pub(super) fn missed(guesses: &Guesses, app: &App, client: &Client) -> Result<Response> {
    let Err(Error::RateLimited { retry_after, .. }) = guesses.check(client, app.now()) else {
        guesses.note_miss(client, app.now());
        return nothing_here(StatusCode::NOT_FOUND);
    };
    let mut response = nothing_here(StatusCode::TOO_MANY_REQUESTS)?;
    if let Ok(value) = HeaderValue::from_str(&retry_after.as_secs().max(1).to_string()) {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    Ok(response)
}

fn nothing_here(status: StatusCode) -> Result<Response> {
    let mut bare = pages::bare("This link leads nowhere", Theme::System);
    bare.branded = false;
    Ok(private(pages::html_with(status, &NeutralPage { bare })?))
}

/// Not for caches, search engines or the next site's log.
pub(super) fn private(mut response: Response) -> Response {
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, value);
    }
    response
}
