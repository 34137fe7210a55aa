//! The people who use Patchbay. A user is an address; rights come from memberships.

use serde_json::json;
use uuid::Uuid;

use super::{Actor, Role, Session, sql::users as sql};
use crate::{
    app::App,
    audit,
    contacts::clean,
    error::{Error, Result},
};

/// An address as it is stored: trimmed and in lower case.
///
/// # Errors
/// Names the field `email`.
pub fn clean_email(text: &str) -> Result<String> {
    let email = text.trim().to_lowercase();
    let is_good = email.len() <= 254 && email.parse::<lettre::Address>().is_ok();
    if is_good { Ok(email) } else { Err(Error::field("email", "This is not an e-mail address.")) }
}

/// Makes `email` a member of the tenant `slug`. Returns the user's id.
///
/// # Errors
/// When there is no such tenant, the user is disabled or already has another role there.
pub async fn add_user(app: &App, slug: &str, email: &str, role: Role) -> Result<Uuid> {
    let email = clean_email(email)?;
    let now = app.now();
    let mut tx = app.db.system().await?;
    let tenant = sql::find_tenant(&mut tx, slug)
        .await?
        .ok_or_else(|| Error::field("tenant", format!("No business is called {slug:?}.")))?;
    let user = sql::upsert(&mut tx, app.new_id(), &email, now)
        .await?
        .ok_or_else(|| Error::field("email", "This person's access was taken away."))?;
    match sql::join(&mut tx, tenant, user, role.as_str(), now).await? {
        None => {}
        Some(present) if present == role.as_str() => return Ok(user),
        Some(present) => {
            let detail = format!(
                "{email} is a member already, with the role {present}. Change it under Settings, Members."
            );
            return Err(Error::conflict(detail));
        }
    }
    let changes = json!({ "email": [null, email], "role": [null, role.as_str()] });
    let entry = audit::Entry {
        action: "member.added",
        kind: audit::Kind::Member,
        entity_id: Some(user.to_string()),
        changes: &changes,
    };
    audit::record_as_system(&mut tx, tenant, &Actor::system(), entry).await?;
    tx.commit().await?;
    Ok(user)
}

/// Changes one's own name.
pub async fn rename(app: &App, session: &Session, name: &str) -> Result<()> {
    let name = clean::line(name).unwrap_or_default();
    if name.chars().count() > 120 {
        return Err(Error::field("name", "A name has 120 characters at most."));
    }
    let mut tx = app.db.system().await?;
    sql::update(
        &mut tx,
        session.user_id,
        Some(name.as_str()).filter(|name| !name.is_empty()),
        &session.theme,
    )
    .await?;
    tx.commit().await
}

/// Changes one's own theme.
pub async fn set_theme(app: &App, session: &Session, theme: &str) -> Result<()> {
    if !matches!(theme, "system" | "light" | "dark") {
        return Err(Error::field("theme", "Choose system, light or dark."));
    }
    let mut tx = app.db.system().await?;
    sql::update(&mut tx, session.user_id, session.name.as_deref(), theme).await?;
    tx.commit().await
}
