//! Tenants: how one is made, its settings, its members and invitations.

pub mod api;
mod create;
pub mod members;
pub mod places;
pub mod settings;
pub mod setup;
mod sql;
#[cfg(test)]
mod tests;
mod ui;
mod view;

use uuid::Uuid;

#[cfg(test)]
pub use create::Tenant;
pub use create::{NewTenant, create};
pub use members::Member;
pub use settings::{Settings, SettingsPatch, settings};

use crate::{
    app::App,
    auth::{Role, TenantInfo},
    error::Result,
    web::routes::{Access, Routes},
};

/// The tenant with this slug, for commands.
pub async fn find_by_slug(app: &App, slug: &str) -> Result<Option<Uuid>> {
    let mut tx = app.db.system().await?;
    sql::find_by_slug(&mut tx, slug).await
}

/// The tenant of this slug with what working in it needs.
pub async fn find_info(app: &App, slug: &str) -> Result<Option<TenantInfo>> {
    let mut tx = app.db.system().await?;
    let Some(row) = sql::find_info(&mut tx, slug).await? else { return Ok(None) };
    let timezone = row.timezone.parse().unwrap_or(chrono_tz::Tz::UTC);
    Ok(Some(TenantInfo {
        id: row.id,
        slug: row.slug,
        name: row.name,
        timezone,
        country: row.country,
        currency: row.currency,
    }))
}

/// The routes of this feature.
pub fn routes(routes: Routes) -> Routes {
    let (seen, managed) = (Access::Page(Role::Viewer), Access::Page(Role::Admin));
    let key = Access::Api(Role::Admin);
    routes
        .get("/api/settings", Access::Api(Role::Viewer), api::get)
        .patch("/api/settings", Access::Api(Role::Admin), api::update)
        .get("/api/members", Access::Api(Role::Viewer), api::members)
        .patch("/api/members/{id}", key, api::set_role)
        .delete("/api/members/{id}", key, api::remove)
        .get("/api/invitations", key, api::invitations)
        .post("/api/invitations", key, api::invite)
        .delete("/api/invitations/{id}", key, api::revoke_invitation)
        .get("/settings", seen, ui::home)
        .get("/settings/business", seen, ui::business::page)
        .post("/settings/business", managed, ui::business::save)
        .get("/settings/members", seen, ui::members::page)
        .post("/settings/members", managed, ui::members::invite)
        .post("/settings/members/{id}/role", managed, ui::members::set_role)
        .post("/settings/members/{id}/remove", managed, ui::members::remove)
        .post("/settings/invitations/{id}/revoke", managed, ui::members::revoke)
}
