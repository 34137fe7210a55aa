//! Who is calling: users, sessions, magic links, API keys, roles.
//!
//! A request is admitted by [`guard`], which leaves a [`Caller`] (or a [`Session`]) for the handler to extract.
//! Operations take the caller where they write the audit log or need a right that depends on the row.

mod api;
pub mod guard;
pub mod keys;
pub mod mail;
pub mod sessions;
pub mod sign_in;
mod sql;
#[cfg(test)]
mod tests;
mod ui;
pub mod users;
mod view;

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::request::Parts,
};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    app::App,
    error::{Error, Result},
    web::{
        notice::Pending,
        routes::{Access, Routes},
    },
};
pub use api::Doc;
pub use keys::create_key;
pub use sign_in::login_link;
pub use users::add_user;

/// What a member may do. Ordered: an owner may do what an admin may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Works with contacts, messages and quotes.
    Member,
    /// Also changes settings, templates, members and keys.
    Admin,
    /// Also makes owners and opens the kill switch of budgets and sending.
    Owner,
}

impl Role {
    /// The word stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// Whether this role may send messages and change contacts.
    pub fn can_write(self) -> bool {
        self >= Self::Member
    }

    /// Whether this role may change settings.
    pub fn can_manage(self) -> bool {
        self >= Self::Admin
    }
}

impl std::str::FromStr for Role {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self, Error> {
        Ok(match word {
            "viewer" => Self::Viewer,
            "member" => Self::Member,
            "admin" => Self::Admin,
            "owner" => Self::Owner,
            _ => return Err(Error::field("role", "Choose owner, admin, member or viewer.")),
        })
    }
}

/// What an API key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Everything an admin may.
    Full,
    /// Everything a viewer may.
    Read,
    /// Hand in leads and quotes, read nothing.
    Ingest,
}

impl Scope {
    /// The word stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Read => "read",
            Self::Ingest => "ingest",
        }
    }
}

impl std::str::FromStr for Scope {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self> {
        Ok(match word {
            "full" => Self::Full,
            "read" => Self::Read,
            "ingest" => Self::Ingest,
            _ => return Err(Error::field("scope", "Choose full, read or ingest.")),
        })
    }
}

/// The tenant a request works in, with what rendering needs at every turn.
#[derive(Debug, Clone)]
pub struct TenantInfo {
    pub id: Uuid,
    pub slug: String,
    pub name: String,
    pub timezone: Tz,
    pub country: String,
    pub currency: String,
}

/// Who does it, as the audit log names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    pub kind: ActorKind,
    pub id: Option<Uuid>,
    pub label: String,
}

/// What kind of somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActorKind {
    User,
    ApiKey,
    System,
    Contact,
}

impl ActorKind {
    /// The word stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::ApiKey => "api_key",
            Self::System => "system",
            Self::Contact => "contact",
        }
    }
}

impl Actor {
    /// The program itself.
    pub fn system() -> Self {
        Self { kind: ActorKind::System, id: None, label: "Patchbay".to_owned() }
    }

    /// The user id, when a person with an account acts.
    pub fn user_id(&self) -> Option<Uuid> {
        self.id.filter(|_| self.kind == ActorKind::User)
    }
}

/// An admitted request: tenant, actor, role.
#[derive(Debug, Clone)]
pub struct Caller {
    pub tenant: TenantInfo,
    pub actor: Actor,
    pub role: Role,
}

impl Caller {
    /// Refuses who has a lesser role, in words that say who could.
    pub fn need(&self, role: Role) -> Result<(), Error> {
        if self.role >= role {
            Ok(())
        } else {
            Err(Error::Forbidden(
                format!("This needs the role {} or higher; yours is {}.", role.as_str(), self.role.as_str())
                    .into(),
            ))
        }
    }
}

/// A signed-in person, whether or not a tenant is on screen.
#[derive(Debug, Clone)]
pub struct Session {
    pub id: Uuid,
    pub user_id: Uuid,
    pub email: String,
    pub name: Option<String>,
    pub theme: String,
    /// Goes into every form; see [`guard`].
    pub csrf: String,
    /// The tenant on screen with the role there; `None` when the person belongs to none.
    pub membership: Option<(TenantInfo, Role)>,
    /// All tenants of this person: id, name.
    pub tenants: Vec<(Uuid, String)>,
    /// Path and query of the page asked for; `/` while something is posted.
    pub path: String,
    /// The oldest transaction under way when this was asked for: what is as new may not be on the page. See
    /// [`crate::realtime`].
    pub as_of: String,
    /// What the next page says once.
    pub notice: Pending,
}

impl Session {
    /// The name, or the address while there is none.
    pub fn display_name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.email)
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        parts.extensions.get::<Self>().cloned().ok_or(Error::Unauthorised)
    }
}

impl<S: Sync> FromRequestParts<S> for Session {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        parts.extensions.get::<Self>().cloned().ok_or(Error::Unauthorised)
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Session {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Error> {
        Ok(parts.extensions.get::<Self>().cloned())
    }
}

/// Forgets links, and sessions that have ended. Called now and then by the worker.
pub async fn forget_old(app: &App) -> Result<()> {
    let now = app.now();
    let mut tx = app.db.system().await?;
    sql::sign_in::delete_before(&mut tx, now - chrono::TimeDelta::days(1)).await?;
    sql::sessions::delete_expired(&mut tx, now - chrono::TimeDelta::days(30)).await?;
    tx.commit().await
}

/// The routes of this feature.
pub fn routes(routes: Routes) -> Routes {
    let managed = Access::Api(Role::Admin);
    routes
        .with(ui::routes)
        .get("/api/api-keys", managed, api::list_keys)
        .post("/api/api-keys", managed, api::create_key)
        .delete("/api/api-keys/{id}", managed, api::revoke_key)
        .get("/api/sessions", managed, api::list_sessions)
        .delete("/api/sessions/{id}", managed, api::revoke_session)
}
