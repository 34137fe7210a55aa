//! Webhooks: verified, stored, answered within milliseconds; everything else happens later, through the outbox.
//!
//! The signature is checked over exactly what was received, against the address that is configured, never one
//! that the client names ([`twilio`]). Raw events are committed before they are answered, many at a time ([`Mailroom`]),
//! and once per provider id, so that a replay is harmless. A STOP takes effect before its webhook is answered.
//! Every answer is TwiML, empty: anything else would be texted to somebody.

mod accounts;
mod fake;
mod mailroom;
mod twilio;

use uuid::Uuid;

pub use fake::pump as pump_fake;
#[cfg(test)]
pub use fake::take as take_fake;
pub use mailroom::Mailroom;

use crate::web::routes::{Access, Routes};

/// The routes of webhooks; the last four are the names that existing set-ups know.
pub(super) fn routes(mut routes: Routes) -> Routes {
    for path in [
        "/webhooks/twilio",
        "/webhooks/provider",
        "/api/twilio/webhook",
        "/functions/v1/twilio-inbound",
        "/functions/v1/twilio-status",
    ] {
        routes = routes.post(path, Access::Signed, twilio::answer).get(path, Access::Signed, twilio::answer);
    }
    routes
}

/// What our own callback URLs carry: `?t=<tenant>&m=<message>&a=<attempt>`.
#[derive(Default)]
struct Mark {
    tenant: Option<Uuid>,
    message: Option<Uuid>,
    attempt: Option<i32>,
}

impl Mark {
    fn read(query: &str) -> Self {
        let mut mark = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "t" => mark.tenant = value.parse().ok(),
                "m" => mark.message = value.parse().ok(),
                "a" => mark.attempt = value.parse().ok(),
                _ => {}
            }
        }
        mark
    }
}
