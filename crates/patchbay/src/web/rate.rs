//! The rate limit of a route that sends, with the header fields that tell of it (draft-ietf-httpapi-ratelimit-headers-06):
//! the limit is what the bucket holds, the reset when it would be full again. Every answer carries them, refusals too.

use std::time::Duration;

use axum::{
    http::{HeaderValue, header::HeaderName},
    response::{IntoResponse, Response},
};

use crate::{
    app::App,
    auth::Caller,
    error::{Error, Result},
    messaging,
};

/// The routes that are limited per tenant.
const LIMITED: &[&str] = &["/api/messages/send"];
/// A bucket holds what comes in during so many seconds.
pub const WINDOW: u32 = 2;

/// What is in a tenant's bucket.
#[derive(Debug, Clone, Copy)]
pub struct Bucket {
    /// Requests that come in per second.
    pub rate: u32,
    /// Requests that can be made at once; `None` when there was not one.
    pub left: Option<u32>,
}

impl Bucket {
    fn capacity(self) -> u32 {
        self.rate.saturating_mul(WINDOW)
    }

    /// Seconds until it is full.
    fn reset(self) -> u32 {
        let missing = self.capacity().saturating_sub(self.left.unwrap_or(0));
        missing.div_ceil(self.rate.max(1)).max(1)
    }
}

/// Answers with `work`, or refuses it when the bucket is empty.
pub async fn limited(
    app: &App,
    caller: &Caller,
    route: &str,
    work: impl Future<Output = Response>,
) -> Response {
    if !LIMITED.contains(&route) {
        return work.await;
    }
    match take(app, caller).await {
        Ok(bucket) => tell(work.await, bucket),
        Err(error) => error.into_response(),
    }
}

async fn take(app: &App, caller: &Caller) -> Result<Bucket> {
    let bucket = messaging::take_api_token(app, caller).await?;
    match bucket.left {
        Some(_) => Ok(bucket),
        None => Err(Error::RateLimited {
            limit: bucket.capacity(),
            retry_after: Duration::from_secs_f64(1.0 / f64::from(bucket.rate.max(1))),
        }),
    }
}

fn tell(mut response: Response, bucket: Bucket) -> Response {
    let left = bucket.left.unwrap_or(0).min(bucket.capacity());
    for (name, value) in [
        ("ratelimit-limit", bucket.capacity()),
        ("ratelimit-remaining", left),
        ("ratelimit-reset", bucket.reset()),
    ] {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from(value));
    }
    response
}
