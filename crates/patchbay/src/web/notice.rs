//! What a page says once after a redirect: "Saved". It travels in a cookie that the page clears, so that it needs no
//! storage and survives neither a reload nor a second tab.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use super::{cookies, layout::Notice};
use crate::{app::App, auth::guard::cookie};

const COOKIE: &str = "notice";

/// Redirects with 303, so that the next request is a `GET`, and says `text` there.
pub fn redirect(app: &App, to: &str, text: &str) -> Response {
    redirect_undoable(app, to, text, None)
}

/// The same with a path to post to for taking it back.
pub fn redirect_undoable(app: &App, to: &str, text: &str, undo: Option<&str>) -> Response {
    // A cookie holds 4096 bytes at most.
    let text: String = text.chars().take(300).collect();
    let value = URL_SAFE_NO_PAD.encode(format!("{}\n{text}", undo.unwrap_or_default()));
    let mut response = see_other(to);
    response.headers_mut().append(header::SET_COOKIE, cookies::set(app, COOKIE, &value, 60));
    response
}

/// Redirects with 303 and says nothing.
pub fn see_other(to: &str) -> Response {
    let location = HeaderValue::from_str(to).unwrap_or_else(|_| HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}

/// Whether htmx sent the request, whatever part of the page it will use.
pub fn is_htmx(headers: &HeaderMap) -> bool {
    headers.contains_key("hx-request")
}

/// The answer to an action after which the page shows itself what changed: a toast, with a way back. Without scripts
/// it is said after a redirect to `to`.
pub fn toast(app: &App, headers: &HeaderMap, to: &str, text: &str, undo: Option<&str>) -> Response {
    if !is_htmx(headers) {
        return redirect_undoable(app, to, text, undo);
    }
    // Header values are ASCII; JSON can say everything in it.
    let said = ascii(&json!({ "toast": { "text": text, "undo": undo } }).to_string());
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Ok(value) = HeaderValue::from_str(&said) {
        response.headers_mut().insert("hx-trigger", value);
    }
    response
}

fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_ascii() {
            text.push(character);
        } else {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    text
}

/// A notice that arrived with a request and waits for a page that shows it.
#[derive(Debug, Clone, Default)]
pub struct Pending(Arc<Mutex<Option<(String, String)>>>, bool);

impl Pending {
    /// Reads the cookie.
    pub fn read(app: &App, headers: &HeaderMap) -> Self {
        let read = cookie(headers, &cookies::name(app, COOKIE))
            .and_then(|value| URL_SAFE_NO_PAD.decode(value).ok())
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .and_then(|both| both.split_once('\n').map(|(undo, text)| (undo.to_owned(), text.to_owned())));
        let present = read.is_some();
        Self(Arc::new(Mutex::new(read)), present)
    }

    /// Takes it, for the page that shows it.
    pub(crate) fn take(&self) -> Option<Notice> {
        let (undo, text) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        // Whoever could set a cookie on this host may make us say something, but not post elsewhere.
        let undo = Some(undo).filter(|path| path.starts_with('/') && !path.starts_with("//"));
        Some(Notice { text, undo })
    }

    /// Clears the cookie in `response` if a page has shown it.
    pub fn settle(&self, app: &App, response: &mut Response) {
        if self.1 && self.0.lock().unwrap_or_else(PoisonError::into_inner).is_none() {
            response.headers_mut().append(header::SET_COOKIE, cookies::clear(app, COOKIE));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_toast_can_say_any_name_in_a_header() {
        let said = ascii(&json!({ "text": "Lucía 👍 is done" }).to_string());
        assert!(said.is_ascii());
        assert_eq!(serde_json::from_str::<serde_json::Value>(&said).unwrap()["text"], "Lucía 👍 is done");
    }
}
