//! Cross-origin requests (Fetch Standard, 3.2): the browsers of other sites may hand in leads and quotes, and read
//! nothing else.
//!
//! Any origin may ask: what lets a request in is its key, which is sent by hand and never by the browser itself, so
//! that no cookie is ever involved.

use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// The routes that other sites may call.
const OPEN: &str = "/functions/v1/ingest-";

/// What Supabase's clients send along, and what retries need.
const ALLOWED: &str = "authorization, x-client-info, apikey, content-type, idempotency-key, x-retry-count, accept, \
    prefer, x-supabase-api-version, x-region, traceparent, tracestate, baggage";

const EXPOSED: &str = "x-request-id, retry-after, ratelimit-limit, ratelimit-remaining, ratelimit-reset";

static PREFLIGHT: [(HeaderName, &str); 3] = [
    (header::ACCESS_CONTROL_ALLOW_METHODS, "POST, OPTIONS"),
    (header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED),
    (header::ACCESS_CONTROL_MAX_AGE, "86400"),
];

/// Answers preflights, and lets the page that asked read the answer, errors included.
pub async fn open(request: Request, next: Next) -> Response {
    if !request.uri().path().starts_with(OPEN) {
        return next.run(request).await;
    }
    let mut response = if request.method() == Method::OPTIONS {
        let mut response = StatusCode::NO_CONTENT.into_response();
        for (name, value) in &PREFLIGHT {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    response
}
