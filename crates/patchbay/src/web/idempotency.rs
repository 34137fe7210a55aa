//! `Idempotency-Key` on API POSTs (draft-ietf-httpapi-idempotency-key-header): the same request with the same key is
//! done once and answered alike for 24 hours.
//!
//! Only success is remembered: what was refused changed nothing and may be tried again, corrected, with the same key.
//! If the process died between doing and remembering, nobody knows whether it was done; then a route whose effect is
//! idempotent by itself runs again, and any other says so rather than do it twice.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use chrono::TimeDelta;
use sha2::{Digest, Sha256};
use tracing::Instrument;

use super::{security::BODY_LIMIT, sql};
use crate::{
    app::App,
    auth::Caller,
    error::{Error, Result},
};

/// How long an answer is remembered.
const REMEMBERED: TimeDelta = TimeDelta::hours(24);
/// A request that has not been answered for so long died with its process.
const ABANDONED: TimeDelta = TimeDelta::minutes(2);
/// Answers to POSTs are small; a larger one is passed on but not remembered.
const ANSWER_LIMIT: usize = 1 << 20;
/// Doing these twice with the same key or the same person changes nothing.
const REPEATABLE: &[&str] = &["/api/messages/send", "/functions/v1/ingest-lead"];

/// Answers that hold a secret are not kept: the same request again is told so.
const SECRET: &[&str] = &["/api/api-keys"];

/// Runs `request` through `next`, once per key.
pub async fn once(
    app: &Arc<App>,
    caller: &Caller,
    route: &'static str,
    request: Request,
    next: Next,
) -> Response {
    let Some(key) = request.headers().get("idempotency-key") else { return next.run(request).await };
    let key = match key.to_str().map(str::trim) {
        Ok(key) if (1..=255).contains(&key.len()) => key.to_owned(),
        _ => {
            return Error::BadRequest("An Idempotency-Key has 1 to 255 visible characters.".into())
                .into_response();
        }
    };
    match claim(app, caller, route, &key, request).await {
        Ok(Claimed::Ours(request)) => {
            // In a task of its own, so that it is finished and remembered even when the client has gone away.
            let (app, caller) = (app.clone(), caller.clone());
            let work = async move { finish(&app, &caller, route, &key, next.run(request).await).await };
            match tokio::spawn(work.in_current_span()).await {
                Ok(response) => response,
                Err(error) => Error::internal(error).into_response(),
            }
        }
        Ok(Claimed::Answered(response)) => response,
        Err(error) => error.into_response(),
    }
}

enum Claimed {
    Ours(Request),
    Answered(Response),
}

async fn claim(
    app: &App,
    caller: &Caller,
    route: &'static str,
    key: &str,
    request: Request,
) -> Result<Claimed> {
    let (request, request_hash) = fingerprint(request).await?;
    let now = app.now();
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let claim = sql::Claim {
        key,
        route,
        request_hash: &request_hash,
        now,
        expired: now - REMEMBERED,
        abandoned: now - ABANDONED,
        repeatable: REPEATABLE.contains(&route),
    };
    if sql::claim_key(&mut tx, &claim).await? {
        tx.commit().await?;
        return Ok(Claimed::Ours(request));
    }
    let kept = sql::find_key(&mut tx, key)
        .await?
        .ok_or_else(|| Error::conflict("A request with this Idempotency-Key just ended. Try again."))?;
    if kept.request_hash != request_hash {
        return Err(Error::conflict("This Idempotency-Key was used for a different request."));
    }
    match kept.status.and_then(|status| StatusCode::from_u16(u16::try_from(status).ok()?).ok()) {
        Some(status) => {
            Ok(Claimed::Answered(replay(status, kept.content_type, kept.response.unwrap_or_default())))
        }
        None if kept.created_at < now - ABANDONED => Err(Error::conflict(
            "The first request with this Idempotency-Key was cut off and may have been done. Look before you repeat it with a new key.",
        )),
        None => Err(Error::conflict("A request with this Idempotency-Key is under way.")),
    }
}

/// Reads the body and hashes everything that makes the request what it is. A multipart body is not held in memory:
/// its length stands for it.
async fn fingerprint(request: Request) -> Result<(Request, Vec<u8>)> {
    let (parts, body) = request.into_parts();
    let header = |name| parts.headers.get(name).map(HeaderValue::as_bytes).unwrap_or_default();
    let mut hash = Sha256::new();
    hash.update(parts.uri.path_and_query().map_or("", |path| path.as_str()));
    hash.update([0]);
    if header(header::CONTENT_TYPE).starts_with(b"multipart/") {
        hash.update(header(header::CONTENT_LENGTH));
        return Ok((Request::from_parts(parts, body), hash.finalize().to_vec()));
    }
    let bytes: Bytes = to_bytes(body, BODY_LIMIT).await.map_err(|_| Error::TooLarge)?;
    hash.update(&bytes);
    Ok((Request::from_parts(parts, Body::from(bytes)), hash.finalize().to_vec()))
}

/// Remembers a success; anything else frees the key. The answer goes out whatever becomes of the memory.
async fn finish(app: &App, caller: &Caller, route: &'static str, key: &str, response: Response) -> Response {
    let (parts, body) = response.into_parts();
    let bytes = match to_bytes(body, ANSWER_LIMIT).await {
        Ok(bytes) => bytes,
        Err(error) => return Error::internal(error).into_response(),
    };
    let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let remembered = async {
        let mut tx = app.db.tenant(caller.tenant.id).await?;
        match i16::try_from(parts.status.as_u16()) {
            Ok(_) if parts.status.is_success() && SECRET.contains(&route) => {
                let told = Error::conflict(
                    "This was done, and its answer held a secret that is shown once. If it was lost, revoke that key and make another with a new Idempotency-Key.",
                )
                .problem();
                let words = serde_json::to_vec(&told)?;
                let status = i16::try_from(told.status).unwrap_or(409);
                sql::keep_answer(&mut tx, key, status, Some("application/problem+json"), &words).await?
            }
            Ok(status) if parts.status.is_success() => {
                sql::keep_answer(&mut tx, key, status, content_type, &bytes).await?
            }
            _ => sql::free_key(&mut tx, key).await?,
        }
        tx.commit().await
    };
    if let Err(error) = remembered.await {
        tracing::error!(%error, "an idempotency key could not be settled");
    }
    Response::from_parts(parts, Body::from(bytes))
}

fn replay(status: StatusCode, content_type: Option<String>, body: Vec<u8>) -> Response {
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    if let Some(value) = content_type.and_then(|value| HeaderValue::from_str(&value).ok()) {
        headers.insert(header::CONTENT_TYPE, value);
    }
    headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
    response
}

/// Forgets keys older than a day. Called now and then by the worker.
pub async fn forget_old(app: &App) -> Result<u64> {
    let mut tx = app.db.system().await?;
    let forgotten = sql::delete_keys_before(&mut tx, app.now() - REMEMBERED).await?;
    tx.commit().await?;
    Ok(forgotten)
}
