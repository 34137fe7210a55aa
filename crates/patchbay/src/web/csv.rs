//! Tables as files: CSV (RFC 4180), for spreadsheets and for other programs.
//!
//! Promises: nothing in a file is computed by the spreadsheet that opens it: a cell that begins with `=`, `+`, `-`, `@`, tab
//! or carriage return gets a `'` before it (OWASP, CSV Injection), save for numbers and phone numbers, so that
//! `+61491570006` is still one to whatever reads it next. For a person a byte order mark leads, by which spreadsheets
//! know UTF-8; a program gets none. However long a table, memory stays bounded: it is written batch by batch.
//! Does not: hold the table still while it is written.

use std::fmt::Display;

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, SecondsFormat, Utc};
use futures::{Stream, StreamExt, stream};

use crate::{
    auth::Caller,
    error::{Error, Result},
};

const MARK: &str = "\u{feff}";

/// One line.
pub fn line<C: AsRef<str>>(cells: impl IntoIterator<Item = C>) -> String {
    let mut line = String::new();
    for (place, cell) in cells.into_iter().enumerate() {
        if place > 0 {
            line.push(',');
        }
        push_cell(&mut line, cell.as_ref());
    }
    line.push_str("\r\n");
    line
}

/// An instant as it stands in a file; empty for none.
pub fn instant(at: Option<DateTime<Utc>>) -> String {
    at.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true)).unwrap_or_default()
}

/// Whatever can be written, or nothing.
pub fn or_empty(value: Option<impl Display>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// A file's name with the day it was taken on, where the business is.
pub fn dated(name: &str, now: DateTime<Utc>, caller: &Caller) -> String {
    format!("{name}-{}", now.with_timezone(&caller.tenant.timezone).format("%Y-%m-%d"))
}

/// A table that fits into memory.
pub fn short(
    caller: &Caller,
    name: &str,
    head: &[&str],
    rows: impl Iterator<Item = Vec<String>>,
) -> Response {
    let mut text = opening(caller).to_owned();
    text.push_str(&line(head));
    rows.for_each(|row| text.push_str(&line(row)));
    answer(name, Body::from(text))
}

/// A table of any length: `next` answers the lines after a place, and the place to go on from.
pub fn long<K, N, F>(
    caller: &Caller,
    name: &str,
    head: impl IntoIterator<Item: AsRef<str>>,
    next: N,
) -> Response
where
    K: Send + 'static,
    N: FnMut(Option<K>) -> F + Send + 'static,
    F: Future<Output = Result<(String, Option<K>)>> + Send + 'static,
{
    let head = format!("{}{}", opening(caller), line(head));
    answer(name, Body::from_stream(body(head, next)))
}

fn body<K, N, F>(head: String, next: N) -> impl Stream<Item = Result<Bytes>>
where
    N: FnMut(Option<K>) -> F,
    F: Future<Output = Result<(String, Option<K>)>>,
{
    let first = stream::iter([Ok::<_, Error>(Bytes::from(head))]);
    let rest = stream::unfold((next, Some(None)), |(mut next, place)| async move {
        match next(place?).await {
            Ok((lines, place)) => Some((Ok(Bytes::from(lines)), (next, place.map(Some)))),
            Err(error) => Some((Err(error), (next, None))),
        }
    });
    // A body may be asked again after its end.
    first.chain(rest).fuse()
}

fn opening(caller: &Caller) -> &'static str {
    if caller.actor.user_id().is_some() { MARK } else { "" }
}

fn answer(name: &str, body: Body) -> Response {
    let kind = HeaderValue::from_static("text/csv; charset=utf-8");
    // Names are ours: words, days and ids.
    let file = HeaderValue::from_str(&format!("attachment; filename=\"{name}.csv\""));
    let file = file.unwrap_or_else(|_| HeaderValue::from_static("attachment"));
    ([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, file)], body).into_response()
}

fn push_cell(text: &mut String, cell: &str) {
    let guard = if is_formula(cell) { "'" } else { "" };
    if cell.contains([',', ';', '"', '\n', '\r', '\t', '\'']) || !guard.is_empty() {
        text.push('"');
        text.push_str(guard);
        text.push_str(&cell.replace('"', "\"\""));
        text.push('"');
    } else {
        text.push_str(cell);
    }
}

/// Whether a spreadsheet could compute it. Full-width forms of the signs count as well.
fn is_formula(cell: &str) -> bool {
    let Some(rest) = cell.strip_prefix(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'])
    else {
        return false;
    };
    let starts_well = rest.starts_with(|first: char| first.is_ascii_digit());
    let is_number = cell.starts_with(['+', '-'])
        && starts_well
        && rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && rest.bytes().filter(|byte| *byte == b'.').count() <= 1;
    let is_phone = cell.starts_with('+')
        && starts_well
        && rest.bytes().all(|byte| byte.is_ascii_digit() || b" .()-".contains(&byte));
    !is_number && !is_phone
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_computed_and_numbers_survive() {
        for (cell, written) in [
            ("Dana", "Dana"),
            ("", ""),
            ("ü", "ü"),
            ("+61491570006", "+61491570006"),
            ("+61 (2) 491-570", "+61 (2) 491-570"),
            ("-3.5", "-3.5"),
            ("=1+1", "\"'=1+1\""),
            ("-", "\"'-\""),
            ("+", "\"'+\""),
            ("-1-1", "\"'-1-1\""),
            ("+1-cmd", "\"'+1-cmd\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("\tcmd", "\"'\tcmd\""),
            ("＝1", "\"'＝1\""),
            ("-1.2.3", "\"'-1.2.3\""),
            ("=HYPERLINK(\"http://x\",\"y\")", "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\""),
            ("O'Hara, \"Jo\"", "\"O'Hara, \"\"Jo\"\"\""),
            ("two\nlines", "\"two\nlines\""),
        ] {
            assert_eq!(line([cell]), format!("{written}\r\n"));
        }
        assert_eq!(line(["a", "", "b"]), "a,,b\r\n");
    }

    #[tokio::test]
    async fn batches_follow_one_another_and_end() {
        let next = |place: Option<u32>| async move {
            let place = place.unwrap_or_default();
            Ok((format!("{place}\r\n"), (place < 2).then_some(place + 1)))
        };
        let lines: Vec<Bytes> = body("head\r\n".to_owned(), next).map(|chunk| chunk.unwrap()).collect().await;
        assert_eq!(lines.concat(), b"head\r\n0\r\n1\r\n2\r\n");
        let fails = |_: Option<u32>| async { Err(Error::NotFound("row")) };
        let chunks: Vec<bool> = body(String::new(), fails).map(|chunk| chunk.is_ok()).collect().await;
        assert_eq!(chunks, [true, false]);
    }
}
