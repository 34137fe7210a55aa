//! Lists: Twilio's, page by page, and the whole ledger, streamed.

use std::{convert::Infallible, sync::Arc};

use bytes::Bytes;
use chrono::{DateTime, Days, NaiveDate, SecondsFormat, Utc};
use futures::stream;
use http_body_util::{BodyExt as _, Either, StreamBody};
use hyper::{
    Response, StatusCode,
    body::Frame,
    header::{CONTENT_TYPE, HeaderValue},
};

use super::{
    answer::{self, Body},
    json,
    ledger::Ledger,
    record::{Index, Message},
};

const DEFAULT_PAGE_SIZE: usize = 50;
const MAXIMUM_PAGE_SIZE: usize = 1000;

/// Ledger lines written per piece of the stream, each piece under one short lock.
const LEDGER_PIECE: u32 = 512;

/// What a list request asks for.
#[derive(Debug, PartialEq)]
struct Query {
    to: Option<String>,
    from: Option<String>,
    /// `[from, until)`.
    created: (DateTime<Utc>, DateTime<Utc>),
    page_size: usize,
    page: usize,
    /// The message that the last page ended with.
    token: Option<String>,
}

/// `GET …/Messages.json`
pub(super) fn messages(ledger: &Ledger, account: &str, query: &str) -> Response<Body> {
    let Some(query) = parse(query) else {
        return answer::error(StatusCode::BAD_REQUEST, 20001, "A parameter of the list cannot be read");
    };
    let before = match query.token.as_deref().map(|token| ledger.index(token)) {
        Some(None) => return answer::error(StatusCode::BAD_REQUEST, 20001, "PageToken is not valid"),
        before => before.flatten(),
    };
    // A page without a token counts from the start, as Twilio's first pages do.
    let mut skip = if before.is_some() { 0 } else { query.page.saturating_mul(query.page_size) };
    let mut body = b"{\"messages\":[".to_vec();
    let (mut count, mut last, mut more) = (0, None, false);
    ledger.newest(account, query.to.as_deref(), before, |index, message| {
        if !matches(&query, &message) {
            return true;
        }
        if skip > 0 {
            skip -= 1;
            return true;
        }
        if count == query.page_size {
            more = true;
            return false;
        }
        if count > 0 {
            body.push(b',');
        }
        json::write_message(&mut body, &message);
        count += 1;
        last = Some(index);
        true
    });
    let next = last.filter(|_| more).map(|index: Index| ledger.sid(index).to_string());
    close(&mut body, account, &query, count, next.as_deref());
    answer::json(StatusCode::OK, body)
}

fn matches(query: &Query, message: &Message<'_>) -> bool {
    let (since, until) = query.created;
    query.from.as_deref().is_none_or(|from| message.from == Some(from))
        && (since..until).contains(&message.created_at)
}

/// Appends what stands beside the messages.
fn close(body: &mut Vec<u8>, account: &str, query: &Query, count: usize, next: Option<&str>) {
    let start = query.page.saturating_mul(query.page_size);
    let end = start + count.saturating_sub(1);
    body.extend_from_slice(
        format!(
            "],\"page\":{},\"page_size\":{},\"start\":{start},\"end\":{end},\"first_page_uri\":",
            query.page, query.page_size
        )
        .as_bytes(),
    );
    json::text(body, &uri(account, query, 0, None));
    body.extend_from_slice(b",\"uri\":");
    json::text(body, &uri(account, query, query.page, query.token.as_deref()));
    body.extend_from_slice(b",\"previous_page_uri\":");
    let previous = query.page.checked_sub(1).map(|page| uri(account, query, page, None));
    json::optional(body, previous.as_deref());
    body.extend_from_slice(b",\"next_page_uri\":");
    let next = next.map(|token| uri(account, query, query.page + 1, Some(token)));
    json::optional(body, next.as_deref());
    body.push(b'}');
}

fn uri(account: &str, query: &Query, page: usize, token: Option<&str>) -> String {
    let mut pairs =
        form_urlencoded::Serializer::new(format!("/2010-04-01/Accounts/{account}/Messages.json?"));
    if let Some(to) = &query.to {
        pairs.append_pair("To", to);
    }
    if let Some(from) = &query.from {
        pairs.append_pair("From", from);
    }
    let instant = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    if query.created.0 > DateTime::<Utc>::MIN_UTC {
        pairs.append_pair("DateSent>", &instant(query.created.0));
    }
    if query.created.1 < DateTime::<Utc>::MAX_UTC {
        // The end is exclusive inside and inclusive, to the millisecond, outside.
        pairs.append_pair("DateSent<", &instant(query.created.1 - chrono::Duration::milliseconds(1)));
    }
    pairs.append_pair("PageSize", &query.page_size.to_string()).append_pair("Page", &page.to_string());
    if let Some(token) = token {
        pairs.append_pair("PageToken", &format!("PA{token}"));
    }
    pairs.finish()
}

/// Reads the query; `None` when something in it cannot be read.
///
/// `DateSent>=x` arrives as a parameter named `DateSent>`. The dates are compared with the date of creation,
/// because a message that is not sent yet has no other.
fn parse(query: &str) -> Option<Query> {
    let mut parsed = Query {
        to: None,
        from: None,
        created: (DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC),
        page_size: DEFAULT_PAGE_SIZE,
        page: 0,
        token: None,
    };
    for (name, value) in form_urlencoded::parse(query.as_bytes()).filter(|(_, value)| !value.is_empty()) {
        match name.as_ref() {
            "To" => parsed.to = Some(value.into_owned()),
            "From" => parsed.from = Some(value.into_owned()),
            "DateSent" => parsed.created = span(&value)?,
            "DateSent>" => parsed.created.0 = span(&value)?.0,
            "DateSent<" => parsed.created.1 = span(&value)?.1,
            "PageSize" => parsed.page_size = value.parse::<usize>().ok()?.clamp(1, MAXIMUM_PAGE_SIZE),
            "Page" => parsed.page = value.parse().ok()?,
            "PageToken" => parsed.token = Some(value.strip_prefix("PA")?.to_owned()),
            _ => {}
        }
    }
    Some(parsed)
}

/// The stretch of time that a date or an instant names: a whole day (UTC), a second or a millisecond.
fn span(text: &str) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    if let Ok(day) = text.parse::<NaiveDate>() {
        let midnight = |day: NaiveDate| Some(day.and_hms_opt(0, 0, 0)?.and_utc());
        return Some((midnight(day)?, midnight(day.checked_add_days(Days::new(1))?)?));
    }
    let start = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
    let width = if start.timestamp_subsec_millis() == 0 { 1000 } else { 1 };
    Some((start, start.checked_add_signed(chrono::Duration::milliseconds(width))?))
}

/// `GET /ledger`: everything accepted so far, in the order of acceptance.
pub(super) fn ledger(ledger: &Arc<Ledger>) -> Response<Body> {
    // The end is fixed at the start, or a busy carrier's ledger would never finish.
    let end = ledger.len();
    let pieces = stream::unfold(Some((Arc::clone(ledger), 0)), move |state| async move {
        let (ledger, start) = state?;
        let mut piece = Vec::with_capacity(64 * 1024);
        piece.extend_from_slice(if start == 0 { b"[" } else { b"" });
        let mut first = start == 0;
        let shown = ledger.range(start, LEDGER_PIECE.min(end - start), |message| {
            piece.extend_from_slice(if first { b"\n" } else { b",\n" });
            first = false;
            json::write_ledger_entry(&mut piece, &message);
        });
        let reached = start + shown;
        let next = if reached >= end || shown == 0 {
            piece.extend_from_slice(b"\n]\n");
            None
        } else {
            Some((ledger, reached))
        };
        Some((Ok::<_, Infallible>(Frame::data(Bytes::from(piece))), next))
    });
    let mut response = Response::new(Either::Right(StreamBody::new(pieces).boxed()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_read_as_twilios_libraries_write_them() {
        let query =
            parse("To=%2B61400000001&DateSent%3E=2026-07-30T00:00:00Z&PageSize=5000").expect("readable");
        assert_eq!(query.to.as_deref(), Some("+61400000001"));
        assert_eq!(query.created.0.to_rfc3339(), "2026-07-30T00:00:00+00:00");
        assert_eq!(query.page_size, MAXIMUM_PAGE_SIZE);
        let day = parse("DateSent=2026-07-30").expect("readable").created;
        assert_eq!((day.1 - day.0).num_hours(), 24);
        assert_eq!(parse("DateSent%3C=2026-07-30").map(|query| query.created.1), Some(day.1));
        for query in ["DateSent=soon", "PageSize=x", "Page=-1", "PageToken=SM1"] {
            assert_eq!(parse(query), None, "{query}");
        }
    }

    #[test]
    fn a_page_uri_says_the_same_again() {
        let text = "To=whatsapp%3A%2B614&DateSent%3E=2026-07-30&DateSent%3C=2026-07-31&PageSize=7";
        let query = parse(text).expect("readable");
        let next = uri("AC1", &query, 3, Some("SM1"));
        let (_, again) = next.split_once('?').expect("a query");
        let expected = Query { page: 3, token: Some("SM1".to_owned()), ..query };
        assert_eq!(parse(again), Some(expected));
    }
}
