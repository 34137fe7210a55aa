//! `POST …/Messages.json`: judged as Twilio would, then met by whatever fate the dice hold.
//!
//! The decision is made, and the message in the ledger, before any waiting: a client that is killed while it
//! waits leaves an accepted message behind, which is the case worth testing.

use std::{borrow::Cow, time::Duration};

use hyper::{
    Response, StatusCode,
    header::{HeaderValue, RETRY_AFTER},
};
use tokio::time::sleep;

use super::{
    Simulator,
    answer::{self, Body, Reply, ReplyLost},
    json,
    record::Entry,
};
use crate::{
    faults::{Fate, Loss},
    magic::{self, Request},
    message::Channel,
    segments,
};

/// Twilio's limit for addresses it is given.
const MAXIMUM_URL_BYTES: usize = 2048;

/// The fields that the simulator looks at; it ignores the others, as Twilio does.
#[derive(Default)]
struct Form<'a> {
    to: Cow<'a, str>,
    from: Option<Cow<'a, str>>,
    service: Option<Cow<'a, str>>,
    body: Cow<'a, str>,
    callback: Option<Cow<'a, str>>,
    media: usize,
    has_template: bool,
    is_scheduled: bool,
}

pub(super) async fn handle(simulator: &Simulator, account: &str, body: &[u8]) -> Reply {
    let fate = simulator.dice.throw();
    let response = decide(simulator, account, &parse(body), fate);
    if simulator.options.latency_ms > 0 {
        sleep(Duration::from_millis(simulator.options.latency_ms)).await;
    }
    match fate {
        Fate::ReplyLost(loss) if response.status() == StatusCode::CREATED => {
            lose(loss, simulator.options.silence).await
        }
        _ => Ok(response),
    }
}

fn parse(body: &[u8]) -> Form<'_> {
    let mut form = Form::default();
    let filled = |value: Cow<'_, str>| !value.is_empty();
    for (name, value) in form_urlencoded::parse(body) {
        match name.as_ref() {
            "To" => form.to = value,
            "From" => form.from = Some(value).filter(|value| !value.is_empty()),
            "MessagingServiceSid" => form.service = Some(value).filter(|value| !value.is_empty()),
            "Body" => form.body = value,
            "StatusCallback" => form.callback = Some(value).filter(|value| !value.is_empty()),
            "MediaUrl" => form.media += usize::from(filled(value)),
            "ContentSid" => form.has_template = filled(value),
            "ScheduleType" => form.is_scheduled = value == "fixed",
            _ => {}
        }
    }
    form
}

fn decide(simulator: &Simulator, account: &str, form: &Form<'_>, fate: Fate) -> Response<Body> {
    if let Fate::Throttled { tell_when } = fate {
        return throttled(tell_when);
    }
    if let Err(code) = judge(form) {
        return answer::bad_request(code);
    }
    if let Fate::Rejected(code) = fate {
        return answer::bad_request(code);
    }
    let entry = Entry {
        account,
        to: &form.to,
        from: form.from.as_deref(),
        service: form.service.as_deref(),
        body: &form.body,
        callback: form.callback.as_deref(),
        segments: segments::count(&form.body),
        media: u8::try_from(form.media).unwrap_or(u8::MAX),
        // Without a service Twilio drops the schedule and sends at once.
        is_scheduled: form.is_scheduled && form.service.is_some(),
        created_at: (simulator.options.clock)(),
    };
    let (index, body) = simulator.ledger.insert(&entry, |message| json::message(&message));
    if simulator.options.callbacks && entry.callback.is_some() && !entry.is_scheduled {
        simulator.callbacks.follow(index, &form.to);
    }
    answer::json(StatusCode::CREATED, body)
}

fn judge(form: &Form<'_>) -> Result<(), u32> {
    let (channel, to) = Channel::split(&form.to);
    let from = form.from.as_deref().map(Channel::split);
    magic::judge(&Request {
        channel,
        to,
        from: from.map(|(_, plain)| plain),
        from_channel: from.map_or(channel, |(channel, _)| channel),
        has_messaging_service: form.service.is_some(),
        body: &form.body,
        media: form.media,
        has_template: form.has_template,
    })?;
    if form.service.as_deref().is_some_and(|service| !service.starts_with("MG")) {
        return Err(21705);
    }
    match form.callback.as_deref() {
        Some(url) if !is_callback_url(url) => Err(21609),
        _ => Ok(()),
    }
}

/// An absolute web address whose host name has no underscore.
fn is_callback_url(url: &str) -> bool {
    url.len() <= MAXIMUM_URL_BYTES
        && reqwest::Url::parse(url).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|host| !host.contains('_'))
        })
}

fn throttled(tell_when: bool) -> Response<Body> {
    let mut response = answer::error(StatusCode::TOO_MANY_REQUESTS, 20429, "Too Many Requests");
    if tell_when {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

async fn lose(loss: Loss, silence: Duration) -> Reply {
    match loss {
        Loss::Closed => Err(ReplyLost),
        Loss::InternalError => Ok(answer::error(
            StatusCode::INTERNAL_SERVER_ERROR,
            20500,
            "An internal server error has occurred",
        )),
        Loss::Gateway => {
            let page = "<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>";
            Ok(answer::respond(StatusCode::BAD_GATEWAY, "text/html", page))
        }
        Loss::Silence => {
            sleep(silence).await;
            Err(ReplyLost)
        }
    }
}
