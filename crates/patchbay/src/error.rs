//! One error for everything that answers a request.
//!
//! Internal causes are logged once, here, and never shown. To API clients errors are RFC 9457 problem details;
//! pages turn the same [`Problem`] into HTML (see `web::pages`).

use std::{borrow::Cow, collections::BTreeMap, time::Duration};

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use uuid::Uuid;

/// The result of operations and handlers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What is wrong with which field, in words for the person who filled it in.
pub type FieldErrors = BTreeMap<Cow<'static, str>, String>;

/// Why a request was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0} not found")]
    NotFound(&'static str),
    #[error("sign-in needed")]
    Unauthorised,
    #[error("not allowed: {0}")]
    Forbidden(Cow<'static, str>),
    #[error("invalid fields: {0:?}")]
    Invalid(FieldErrors),
    /// The request as a whole cannot be understood.
    #[error("bad request: {0}")]
    BadRequest(Cow<'static, str>),
    #[error("conflict: {detail}")]
    Conflict { detail: Cow<'static, str>, existing_id: Option<Uuid> },
    #[error("the body is too large")]
    TooLarge,
    #[error("unsupported media type; {0} is needed")]
    MediaType(&'static str),
    #[error("method not allowed")]
    Method,
    #[error("rate limited")]
    RateLimited { limit: u32, retry_after: Duration },
    #[error(transparent)]
    Internal(Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// A single invalid field.
    pub fn field(name: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::Invalid(FieldErrors::from([(name.into(), message.into())]))
    }

    /// A conflict without an existing row to point to.
    pub fn conflict(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::Conflict { detail: detail.into(), existing_id: None }
    }

    /// What a form shows at its fields, a conflict at `name`; any other error stays one.
    pub fn at_field(self, name: &'static str) -> Result<FieldErrors> {
        match self {
            Self::Invalid(errors) => Ok(errors),
            Self::Conflict { detail, .. } => Ok(FieldErrors::from([(name.into(), detail.into_owned())])),
            other => Err(other),
        }
    }

    /// Wraps a cause that nobody outside should read.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(cause.into())
    }

    /// The problem as clients and pages see it.
    pub fn problem(&self) -> Problem {
        let (status, title, detail) = match self {
            Self::NotFound(what) => {
                (StatusCode::NOT_FOUND, "Not found", format!("This {what} does not exist."))
            }
            Self::Unauthorised => (
                StatusCode::UNAUTHORIZED,
                "Not signed in",
                "Send a valid API key as a bearer token.".to_owned(),
            ),
            Self::Forbidden(why) => (StatusCode::FORBIDDEN, "Not allowed", why.to_string()),
            Self::Invalid(fields) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "Some fields are not right",
                fields
                    .iter()
                    .map(|(name, message)| format!("{name}: {message}"))
                    .collect::<Vec<_>>()
                    .join(" "),
            ),
            Self::BadRequest(why) => (StatusCode::BAD_REQUEST, "Bad request", why.to_string()),
            Self::Conflict { detail, .. } => (StatusCode::CONFLICT, "Conflict", detail.to_string()),
            Self::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "Too large",
                "What was sent is larger than is taken here.".to_owned(),
            ),
            Self::MediaType(needed) => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "Wrong kind of body",
                format!("Send Content-Type: {needed}."),
            ),
            Self::Method => (
                StatusCode::METHOD_NOT_ALLOWED,
                "Not possible",
                "This address does not take this method.".to_owned(),
            ),
            Self::RateLimited { .. } => {
                (StatusCode::TOO_MANY_REQUESTS, "Too many requests", "Slow down and try again.".to_owned())
            }
            Self::Internal(_) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "Something went wrong",
                "The fault is ours and has been logged. Nothing was changed.".to_owned(),
            ),
        };
        Problem {
            kind: "about:blank",
            title,
            status: status.as_u16(),
            detail,
            errors: if let Self::Invalid(fields) = self { fields.clone() } else { FieldErrors::new() },
            existing_id: if let Self::Conflict { existing_id, .. } = self { *existing_id } else { None },
        }
    }
}

/// RFC 9457 problem details, with the errors per field as an extension.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Problem {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub title: &'static str,
    pub status: u16,
    pub detail: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = std::collections::HashMap<String, String>)]
    pub errors: FieldErrors,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub existing_id: Option<Uuid>,
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        if let Self::Internal(cause) = &self {
            tracing::error!(error = %cause, "request failed");
        }
        let problem = self.problem();
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(&problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Self::RateLimited { limit, retry_after } = &self {
            let seconds = retry_after.as_secs_f64().ceil().max(1.0).to_string();
            for (name, value) in [
                ("retry-after", seconds.clone()),
                ("ratelimit-limit", limit.to_string()),
                ("ratelimit-remaining", "0".to_owned()),
                ("ratelimit-reset", seconds),
            ] {
                headers.insert(name, HeaderValue::from_str(&value).expect("digits"));
            }
        }
        // Pages render the same problem as HTML.
        response.extensions_mut().insert(problem);
        response
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::RowNotFound => Self::NotFound("page"),
            sqlx::Error::Database(cause) => match (cause.code().as_deref(), cause.constraint()) {
                // What slipped past validation: a race with another writer, or a rule only the schema knows.
                (Some("23505"), _) => Self::conflict(
                    "This already exists. Use the one that is there, or give this one another name.",
                ),
                (Some("23503"), _) => Self::conflict(
                    "Something that this refers to, such as a contact, a label or a template, was removed meanwhile. Load it again and choose anew.",
                ),
                (Some("22001" | "23514"), constraint) => {
                    tracing::warn!(constraint, "a database check refused what validation let through");
                    Self::BadRequest(
                        "A value is too long, too large or not one of those that are possible. Shorten or correct it and send it again; /api/docs names the bounds.".into(),
                    )
                }
                // text cannot hold NUL
                (Some("22021" | "22P05"), _) => {
                    Self::BadRequest("The text holds characters that cannot be stored.".into())
                }
                _ => Self::internal(error),
            },
            _ => Self::internal(error),
        }
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::internal(error)
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::internal(error)
    }
}
