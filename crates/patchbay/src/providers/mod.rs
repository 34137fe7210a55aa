//! Carriers: which accounts and senders a tenant has, and the adapter behind each of them.

pub mod accounts;
mod api;
pub mod holds;
mod registry;
mod reseal;
pub mod senders;
mod sql;
#[cfg(test)]
mod tests;
mod ui;
mod view;

pub use api::Doc;

pub use registry::{Credentials, Providers, Route, Routes, channel, open_credentials, rules_channel};
pub use reseal::{inspect_seals, reseal};

use crate::{
    auth::Role,
    web::routes::{Access, Routes as WebRoutes},
};

/// The routes of this feature.
pub fn routes(routes: WebRoutes) -> WebRoutes {
    let (read, manage) = (Access::Api(Role::Viewer), Access::Api(Role::Admin));
    routes
        .get("/api/provider-accounts", read, api::accounts)
        .post("/api/provider-accounts", manage, api::save_account)
        .put("/api/provider-accounts/{id}", manage, api::replace_account)
        .delete("/api/provider-accounts/{id}", manage, api::remove_account)
        .get("/api/senders", read, api::senders)
        .post("/api/senders", manage, api::create_sender)
        .patch("/api/senders/{id}", manage, api::update_sender)
        .delete("/api/senders/{id}", manage, api::remove_sender)
        .get("/api/sending-holds", read, api::holds)
        .delete("/api/sending-holds/{id}", manage, api::lift_hold)
        .with(ui::routes)
}
