//! Who works in a tenant, and who is invited to.
//!
//! Admins manage admins, members and viewers; only owners make, change and remove owners. The last owner stays.

use chrono::TimeDelta;
use serde_json::json;
use uuid::Uuid;

use super::sql::members as sql;
pub use super::sql::members::{Invitation, Member};
use crate::{
    app::App,
    audit,
    auth::{
        Caller, Role,
        mail::{self, Mail},
        users,
    },
    db::TenantTx,
    error::{Error, Result},
};

const INVITATION_LIFE: TimeDelta = TimeDelta::days(14);

/// Everybody, by name.
pub async fn list(tx: &mut TenantTx) -> Result<Vec<Member>> {
    sql::list(tx).await
}

/// Gives a member another role.
pub async fn set_role(app: &App, caller: &Caller, user: Uuid, role: Role) -> Result<()> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let before = check(&mut tx, caller, user, Some(role)).await?;
    if before != role {
        sql::set_role(&mut tx, user, role.as_str()).await?;
        let changes = json!({ "role": [before.as_str(), role.as_str()] });
        audit::changed(&mut tx, caller, "member.updated", user, &changes).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Takes a member out of the tenant, with effect at once.
pub async fn remove(app: &App, caller: &Caller, user: Uuid) -> Result<()> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let before = check(&mut tx, caller, user, None).await?;
    sql::remove(&mut tx, user).await?;
    let changes = json!({ "role": [before.as_str(), null] });
    audit::changed(&mut tx, caller, "member.removed", user, &changes).await?;
    tx.commit().await
}

/// Whether `caller` may give `user` the role `after` (`None`: remove). Returns the present role.
async fn check(tx: &mut TenantTx, caller: &Caller, user: Uuid, after: Option<Role>) -> Result<Role> {
    let roles = sql::lock_roles(tx).await?;
    let before: Role =
        roles.iter().find(|(id, _)| *id == user).ok_or(Error::NotFound("member"))?.1.parse()?;
    let touches_owner = before == Role::Owner || after == Some(Role::Owner);
    if touches_owner && before != after.unwrap_or(Role::Viewer) && caller.role < Role::Owner {
        return Err(Error::Forbidden("Only an owner may make, change or remove owners.".into()));
    }
    let owners = roles.iter().filter(|(_, role)| role == Role::Owner.as_str()).count();
    if before == Role::Owner && after != Some(Role::Owner) && owners == 1 {
        return Err(Error::conflict("The last owner stays. Make somebody else an owner first."));
    }
    Ok(before)
}

/// The invitations that are open, newest first.
pub async fn invitations(tx: &mut TenantTx) -> Result<Vec<Invitation>> {
    sql::list_invitations(tx).await
}

/// Invites an address and writes to it. Inviting again renews the invitation.
///
/// # Errors
/// Names `email` when it is none or belongs to a member.
pub async fn invite(app: &App, caller: &Caller, email: &str, role: Role) -> Result<Uuid> {
    let email = users::clean_email(email)?;
    // Mail comes to a name within a domain; `foo@bar` is a slip.
    if !email.rsplit_once('@').is_some_and(|(_, domain)| domain.trim_matches('.').contains('.')) {
        return Err(Error::field("email", "Write the whole address, such as ada@example.com."));
    }
    if role == Role::Owner && caller.role < Role::Owner {
        return Err(Error::field("role", "Only an owner may invite owners."));
    }
    let now = app.now();
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    if sql::list(&mut tx).await?.iter().any(|member| member.email == email) {
        return Err(Error::field("email", "This person is a member already."));
    }
    let new = sql::NewInvitation {
        id: app.new_id(),
        email: &email,
        role: role.as_str(),
        invited_by: caller.actor.user_id(),
        now,
        expires_at: now + INVITATION_LIFE,
    };
    let id = sql::upsert_invitation(&mut tx, &new).await?;
    let changes = json!({ "email": [null, email], "role": [null, role.as_str()] });
    audit::changed(&mut tx, caller, "invitation.created", id, &changes).await?;
    tx.commit().await?;
    mail::send(app, invitation_mail(app, caller, email));
    Ok(id)
}

/// Takes an invitation back. Returns its address.
pub async fn revoke_invitation(app: &App, caller: &Caller, id: Uuid) -> Result<String> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let (email, role) =
        sql::revoke_invitation(&mut tx, id, app.now()).await?.ok_or(Error::NotFound("invitation"))?;
    let changes = json!({ "email": [email, null], "role": [role, null] });
    audit::changed(&mut tx, caller, "invitation.revoked", id, &changes).await?;
    tx.commit().await?;
    Ok(email)
}

/// There is no secret in it: whoever can read mail to this address signs in with it.
fn invitation_mail(app: &App, caller: &Caller, to: String) -> Mail {
    let address: String = form_urlencoded::byte_serialize(to.as_bytes()).collect();
    let url = format!("{}/sign-in?email={address}", app.config.public_url);
    let (who, business) = (&caller.actor.label, &caller.tenant.name);
    let text = format!(
        "{who} invites you to work with {business} in Patchbay.\n\nSign in with this address within 14 days:\n\n{url}\n\n\
         If you do not know them, do nothing.\n"
    );
    let printed = Some(format!("Invitation of {to} to {business}: {url}"));
    Mail { to, subject: format!("Join {business} in Patchbay"), text, printed }
}
