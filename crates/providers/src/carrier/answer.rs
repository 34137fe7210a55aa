//! Answers over HTTP, and the lack of one.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::{Either, Full, combinators::BoxBody};
use hyper::{
    Response, StatusCode,
    header::{CONTENT_TYPE, HeaderValue},
};

use super::json;

/// A whole body, or one that is produced while it is sent.
pub(super) type Body = Either<Full<Bytes>, BoxBody<Bytes, Infallible>>;

/// An answer, or `Err` to close the connection without a byte.
pub(super) type Reply = Result<Response<Body>, ReplyLost>;

/// Makes the server drop the connection.
#[derive(Debug, thiserror::Error)]
#[error("the reply is lost on purpose")]
pub(super) struct ReplyLost;

pub(super) fn respond(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Response<Body> {
    let mut response = Response::new(Either::Left(Full::new(body.into())));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

pub(super) fn json(status: StatusCode, body: impl Into<Bytes>) -> Response<Body> {
    respond(status, "application/json", body)
}

/// Twilio's error answer.
pub(super) fn error(status: StatusCode, code: u32, message: &str) -> Response<Body> {
    json(status, json::error(status.as_u16(), code, message))
}

pub(super) fn not_found() -> Response<Body> {
    error(StatusCode::NOT_FOUND, 20404, "The requested resource was not found")
}

pub(super) fn bad_request(code: u32) -> Response<Body> {
    error(StatusCode::BAD_REQUEST, code, message(code))
}

/// Twilio's own words, roughly, for the codes that the simulator refuses with.
fn message(code: u32) -> &'static str {
    match code {
        21211 => "The 'To' number is not a valid phone number.",
        21212 => "The 'From' number is not a valid phone number, shortcode or alphanumeric sender ID.",
        21266 => "'To' and 'From' number cannot be the same.",
        21408 => {
            "Permission to send an SMS has not been enabled for the region indicated by the 'To' number."
        }
        21602 => "Message body is required.",
        21603 => "A 'From' phone number is required.",
        21604 => "A 'To' phone number is required.",
        21606 => "The 'From' phone number provided is not a valid message-capable Twilio phone number.",
        21609 => "The 'StatusCallback' URL is not a valid URL.",
        21610 => "Attempt to send to unsubscribed recipient",
        21611 => "This 'From' number has exceeded the maximum number of queued messages",
        21612 => "The message cannot be sent with the current combination of 'To' and 'From' parameters.",
        21614 => "'To' number is not a valid mobile number",
        21617 => "The concatenated message body exceeds the 1600 character limit.",
        21623 => "Number of media files exceeds allowed limit.",
        21635 => "'To' number cannot be a landline.",
        21705 => "The Messaging Service Sid is invalid.",
        21910 => "Invalid 'From' and 'To' pair. 'From' and 'To' should be of the same channel.",
        30409 => "This message cannot be canceled.",
        _ => "The request was refused.",
    }
}
