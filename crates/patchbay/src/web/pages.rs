//! Errors as people see them: a page for a browser, one sentence for htmx (which makes a toast of it), problem
//! details for everybody else. Also the addresses that do not exist.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{Html, IntoResponse, Response},
};

use super::{
    assets,
    layout::{Bare, Place, Shell, Theme},
    security::RequestId,
};
use crate::error::{Error, FieldErrors, Problem, Result};

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    bare: Bare,
    code: String,
    heading: String,
    text: String,
    actions: Vec<(String, String)>,
}

/// The same inside the pages of whoever is signed in.
#[derive(Template)]
#[template(path = "error_inside.html")]
struct InsidePage {
    shell: Arc<Shell>,
    heading: String,
    text: String,
    /// Where the way back leads: the room that the address is of.
    back: (String, String),
}

/// What the sender of a request can read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    Program,
    Htmx,
    Person,
}

impl Reader {
    fn of(path: &str, headers: &HeaderMap) -> Self {
        let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let is_api = ["/api/", "/functions/", "/webhooks", "/health", "/metrics"]
            .iter()
            .any(|prefix| path.starts_with(prefix));
        if headers.contains_key("hx-request") {
            Self::Htmx
        } else if (is_api && !accept.contains("text/html"))
            || (accept.contains("json") && !accept.contains("text/html"))
        {
            Self::Program
        } else {
            Self::Person
        }
    }
}

/// The middleware that turns a [`Problem`] into what its reader can read.
pub async fn render(request: Request, next: Next) -> Response {
    let reader = Reader::of(request.uri().path(), request.headers());
    let path = request.uri().path().to_owned();
    let reference = request.extensions().get::<RequestId>().cloned();
    let response = next.run(request).await;
    if reader == Reader::Program {
        return response;
    }
    let Some(problem) = response.extensions().get::<Problem>().cloned() else { return response };
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    let (media, body) = match reader {
        Reader::Htmx => {
            if parts.status == StatusCode::UNPROCESSABLE_ENTITY {
                // htmx swaps 422, which is for forms that show their errors themselves.
                parts.status = StatusCode::BAD_REQUEST;
            }
            ("text/plain; charset=utf-8", sentence(&problem))
        }
        Reader::Person | Reader::Program => {
            let shell = parts.extensions.get::<Arc<Shell>>().cloned();
            let text = match shell {
                Some(shell) => inside(&problem, shell, &path),
                None => page(&problem, parts.extensions.get(), reference),
            };
            ("text/html; charset=utf-8", text)
        }
    };
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    Response::from_parts(parts, body.into())
}

fn sentence(problem: &Problem) -> String {
    if problem.errors.is_empty() {
        problem.detail.clone()
    } else {
        problem.errors.values().map(String::as_str).collect::<Vec<_>>().join(" ")
    }
}

fn inside(problem: &Problem, shell: Arc<Shell>, path: &str) -> String {
    let place = Place::of(path);
    let (heading, text) = words(problem, None);
    let page = InsidePage {
        shell,
        heading: heading.to_owned(),
        text,
        back: (format!("Go to {}", place.label()), place.href().to_owned()),
    };
    page.render().unwrap_or_else(|_| problem.detail.clone())
}

fn words(problem: &Problem, reference: Option<RequestId>) -> (&'static str, String) {
    match problem.status {
        404 => ("Nothing is here", "The address may be mistyped, or what stood here was removed.".to_owned()),
        401 => ("Sign in first", "This page is for people who are signed in.".to_owned()),
        409 => ("That did not work", sentence(problem)),
        429 => ("One moment", "That was a lot at once. Wait a little and try again.".to_owned()),
        500.. => {
            let number = reference
                .map(|id| format!(" If you tell us about it, name this number: {}.", id.0))
                .unwrap_or_default();
            ("Something went wrong", format!("{}{number}", problem.detail))
        }
        _ => (problem.title, sentence(problem)),
    }
}

fn page(problem: &Problem, theme: Option<&Theme>, reference: Option<RequestId>) -> String {
    let (heading, text) = words(problem, reference);
    let actions = match problem.status {
        401 => vec![("Sign in".to_owned(), "/sign-in".to_owned())],
        _ => vec![("Go to the inbox".to_owned(), "/".to_owned())],
    };
    let page = ErrorPage {
        bare: bare(&format!("{heading} · Patchbay"), theme.copied().unwrap_or(Theme::System)),
        code: problem.status.to_string(),
        heading: heading.to_owned(),
        text,
        actions,
    };
    page.render().unwrap_or_else(|_| problem.detail.clone())
}

/// The frame of a page without a signed-in person.
pub(crate) fn bare(title: &str, theme: Theme) -> Bare {
    Bare {
        title: title.to_owned(),
        lang: "en".to_owned(),
        csrf: String::new(),
        theme,
        assets: assets::prefix(),
        branded: true,
        wide: false,
    }
}

/// Renders a page or a fragment.
pub(crate) fn html(template: &impl Template) -> Result<Response> {
    html_with(StatusCode::OK, template)
}

/// The same with a status: 422 for a form that shows its errors.
pub(crate) fn html_with(status: StatusCode, template: &impl Template) -> Result<Response> {
    let text = template.render().map_err(Error::internal)?;
    let mut response = (status, Html(text)).into_response();
    // The same address answers a page or a fragment.
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("hx-request-type"));
    Ok(response)
}

/// A page with a form that shows its errors where there are any.
pub(crate) fn html_form(errors: &FieldErrors, template: &impl Template) -> Result<Response> {
    html_with(if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }, template)
}

/// Whether htmx asks for a fragment only; history restores and plain navigation want whole pages.
pub fn wants_fragment(headers: &HeaderMap) -> bool {
    headers.get("hx-request-type").is_some_and(|kind| kind == "partial")
}

/// Answers a method that the route does not take.
pub async fn wrong_method() -> Error {
    Error::Method
}
