//! Settings pages: the business and its members. Who may not manage sees the same pages without their buttons.

pub(super) mod business;
pub(super) mod members;

use axum::response::Response;

use crate::web::{notice::see_other, settings::Section};

pub(super) async fn home() -> Response {
    see_other(Section::Business.href())
}
