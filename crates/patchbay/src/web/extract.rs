//! What handlers take out of a request, with rejections that are our own [`Error`]: problem details for API
//! clients, pages for browsers. Same names as axum's, so that a handler only changes its `use`.
//!
//! Unknown fields are ignored. A body that is not JSON at all is 400, one whose values have the wrong type is 422
//! and names the field. An empty query parameter or form field reads as `None` where the type is an option. NUL is left
//! out wherever it comes (see [`super::nul`]).

use std::borrow::Cow;

use axum::{
    body::Bytes,
    extract::{
        FromRequest, FromRequestParts, Request,
        rejection::{BytesRejection, RawFormRejection},
    },
    http::{HeaderMap, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::{
    Serialize,
    de::{DeserializeOwned, IgnoredAny},
};

use super::{expected, nul};
use crate::error::{Error, Result};

/// A JSON body, in and out.
#[derive(Debug, Clone, Copy, Default)]
pub struct Json<T>(pub T);

/// The query string; repeated keys make a `Vec`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Query<T>(pub T);

/// The captured parts of the path. A part of the wrong type (an id that is none) names nothing: 404.
#[derive(Debug, Clone, Copy, Default)]
pub struct Path<T>(pub T);

/// A URL-encoded form; repeated keys make a `Vec`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Form<T>(pub T);

/// A URL-encoded form as it came, for handlers that read its fields one by one.
#[derive(Debug, Clone, Default)]
pub struct RawForm(pub Bytes);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        // Another site cannot send this type without asking first (OWASP ASVS 5.0, 3.5.2).
        if !is_json(request.headers()) {
            return Err(Error::MediaType("application/json"));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(unreadable)?;
        from_json(&bytes).map(Self)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let query = parts.uri.query().unwrap_or_default();
        from_form(&nul::form(query.as_bytes()), "query").map(Self)
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) if !parts.uri.path().contains("%00") => Ok(Self(value)),
            _ => Err(Error::NotFound("page")),
        }
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Form<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        let RawForm(bytes) = RawForm::from_request(request, state).await?;
        from_form(&bytes, "form").map(Self)
    }
}

impl<S: Send + Sync> FromRequest<S> for RawForm {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        match axum::extract::RawForm::from_request(request, state).await {
            Ok(axum::extract::RawForm(bytes)) => {
                let clean = match nul::form(&bytes) {
                    Cow::Borrowed(_) => None,
                    Cow::Owned(clean) => Some(clean),
                };
                Ok(Self(clean.map_or(bytes, Bytes::from)))
            }
            Err(RawFormRejection::InvalidFormContentType(_)) => {
                Err(Error::MediaType("application/x-www-form-urlencoded"))
            }
            Err(RawFormRejection::BytesRejection(rejection)) => Err(unreadable(rejection)),
            Err(_) => Err(Error::BadRequest("The form cannot be read.".into())),
        }
    }
}

/// Reads URL-encoded pairs; `what` they are, for the sentence when they cannot be read.
fn from_form<T: DeserializeOwned>(bytes: &[u8], what: &str) -> Result<T> {
    let source = serde_html_form::Deserializer::new(form_urlencoded::parse(bytes));
    serde_path_to_error::deserialize(source).map_err(|error| {
        let cause = error.inner().to_string();
        let field = match expected::missing(&cause) {
            Some(name) => name.to_owned(),
            None => error.path().to_string(),
        };
        Error::BadRequest(
            format!("The {what} cannot be read: {field}: {}", expected::sentence(&cause)).into(),
        )
    })
}

/// Reads `bytes` as JSON, for handlers that take several kinds of body.
pub fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let bytes = nul::json(bytes);
    let mut source = serde_json::Deserializer::from_slice(&bytes);
    let value = serde_path_to_error::deserialize(&mut source).map_err(|error| {
        let path = error.path().to_string();
        let cause = error.into_inner();
        // A number where a name out of a few belongs is told as bad syntax.
        let is_json = || serde_json::from_slice::<IgnoredAny>(&bytes).is_ok();
        if cause.classify() != serde_json::error::Category::Data && !is_json() {
            return not_json(&cause);
        }
        let words = cause.to_string();
        let name: Cow<'static, str> = match (path.as_str(), expected::missing(&words)) {
            (".", Some(name)) => name.to_owned().into(),
            (".", None) => "body".into(),
            (_, Some(name)) => format!("{path}.{name}").into(),
            (_, None) => path.into(),
        };
        Error::field(name, expected::sentence(&words))
    })?;
    source.end().map_err(|cause| not_json(&cause))?;
    Ok(value)
}

/// Whether the body says that it is JSON.
pub fn is_json(headers: &HeaderMap) -> bool {
    let Some(media) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let essence = media.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
        || essence
            .to_ascii_lowercase()
            .strip_prefix("application/")
            .is_some_and(|kind| kind.ends_with("+json"))
}

fn not_json(cause: &serde_json::Error) -> Error {
    let why = match (cause.line(), cause.column()) {
        (1, 0) => "The body is empty; send JSON.".to_owned(),
        _ if cause.to_string().starts_with("recursion limit") => "The body nests too deeply.".to_owned(),
        (line, column) => format!("The body is not JSON: line {line}, column {column}."),
    };
    Error::BadRequest(why.into())
}

fn unreadable(rejection: BytesRejection) -> Error {
    if rejection.status() == 413 {
        Error::TooLarge
    } else {
        Error::BadRequest("The body ended early.".into())
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Input {
        #[expect(dead_code, reason = "only its type matters")]
        first_name: String,
        #[expect(dead_code, reason = "only its type matters")]
        lines: Vec<Line>,
    }

    #[derive(Debug, Deserialize)]
    struct Choice {
        #[expect(dead_code, reason = "only its type matters")]
        channel: patchbay_rules::message::Channel,
    }

    #[derive(Debug, Deserialize)]
    struct Line {
        #[expect(dead_code, reason = "only its type matters")]
        cents: i64,
    }

    #[test]
    fn a_wrong_type_names_its_field() {
        let read = |text: &str| from_json::<Input>(text.as_bytes()).unwrap_err();
        let Error::Invalid(fields) = read(r#"{"first_name": 1}"#) else { panic!("not invalid") };
        assert_eq!(fields["first_name"], "Send a text.");
        let Error::Invalid(fields) = read(r#"{"first_name": "A", "lines": [{}]}"#) else {
            panic!("not invalid")
        };
        assert_eq!(fields["lines[0].cents"], "This is needed.");
        let Error::Invalid(fields) = read(r#"{"first_name": "A", "lines": [{"cents": "x"}]}"#) else {
            panic!("not invalid")
        };
        assert!(fields.contains_key("lines[0].cents"), "{fields:?}");
        let Error::Invalid(fields) = from_json::<Choice>(br#"{"channel": 7}"#).unwrap_err() else {
            panic!("not invalid")
        };
        assert_eq!(fields["channel"], "Send a text.");
        assert!(matches!(read("{"), Error::BadRequest(_)));
        assert!(matches!(read(r#"{"first_name": "A", "lines": []} x"#), Error::BadRequest(_)));
        assert!(from_json::<Input>(br#"{"first_name": "A", "lines": [], "unknown": 1}"#).is_ok());
    }

    #[test]
    fn json_is_told_by_its_type() {
        for (media, yes) in [
            ("application/json", true),
            ("application/JSON; charset=utf-8", true),
            ("application/merge-patch+json", true),
            ("text/plain", false),
            ("application/x-www-form-urlencoded", false),
        ] {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, media.parse().unwrap())]);
            assert_eq!(is_json(&headers), yes, "{media}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }
}
