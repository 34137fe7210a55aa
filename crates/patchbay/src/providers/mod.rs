//! Carriers: which accounts and senders a tenant has, and the adapter behind each of them.

pub mod accounts;
mod api;
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
    let managed = Access::Page(Role::Admin);
    routes
        .get("/api/provider-accounts", read, api::accounts)
        .post("/api/provider-accounts", manage, api::save_account)
        .put("/api/provider-accounts/{id}", manage, api::replace_account)
        .delete("/api/provider-accounts/{id}", manage, api::remove_account)
        .get("/api/senders", read, api::senders)
        .post("/api/senders", manage, api::create_sender)
        .patch("/api/senders/{id}", manage, api::update_sender)
        .delete("/api/senders/{id}", manage, api::remove_sender)
        .get("/settings/sending", Access::Page(Role::Viewer), ui::page)
        .post("/settings/sending", managed, ui::save)
        .post("/settings/sending/stop", managed, ui::stop)
        .post("/settings/sending/resume", managed, ui::resume)
        .post("/settings/accounts", managed, ui::save_account)
        .post("/settings/accounts/{id}/test", managed, ui::test_account)
        .post("/settings/accounts/{id}/remove", managed, ui::remove_account)
        .post("/settings/senders", managed, ui::add_sender)
        .post("/settings/senders/{id}/warm-up", managed, ui::warm_up)
        .post("/settings/senders/{id}/registered", managed, ui::register)
        .post("/settings/senders/{id}/default", managed, ui::make_default)
        .post("/settings/senders/{id}/remove", managed, ui::remove_sender)
}
