//! Sessions: a random cookie, stored as its hash. Every sign-in makes a new one and ends the one the browser had. A
//! session ends after 30 days, after a week without use, when its owner ends it or is removed.

use chrono::TimeDelta;
use serde_json::json;
use uuid::Uuid;

pub use super::sql::{sessions::SessionEntry, users::OpenInvitation};
use super::{
    Actor, ActorKind, Caller, Session,
    guard::SESSION_IDLE,
    mail::{self, Mail},
    sql::{keys as sql_keys, list_memberships, sessions as sql, users},
};
use crate::{
    app::App,
    audit,
    db::SystemTx,
    error::{Error, Result},
    ids::{hash_secret, new_secret},
    web::client::{Client, browser_name},
};

/// OWASP ASVS 5.0, 7.3.2: the longest a session lives.
pub const SESSION_LIFE: TimeDelta = TimeDelta::days(30);

/// A fresh session: its secret for the cookie, and where the person wanted to go.
#[derive(Debug)]
pub struct SignedIn {
    pub secret: String,
    pub next: String,
}

/// Begins a session for `email` in the transaction that used its proof up, joining what they were invited to.
/// `None` when nobody with this address may sign in (any more): then the transaction is rolled back.
pub(super) async fn begin(
    app: &App,
    mut tx: SystemTx,
    email: String,
    next: Option<String>,
    former: Option<&str>,
    client: &Client,
) -> Result<Option<SignedIn>> {
    let Some((user, joined)) = admit(app, &mut tx, &email).await? else { return Ok(None) };
    if let Some(former) = former {
        sql::delete_by_token(&mut tx, &hash_secret(former)).await?;
    }
    let past = sql::former(&mut tx, user).await?;
    let name = browser_name(client.user_agent.as_deref().unwrap_or_default());
    let is_new_device = !past.is_empty()
        && past.iter().all(|one| browser_name(one.user_agent.as_deref().unwrap_or_default()) != name);
    let secret = new_secret("");
    let now = app.now();
    let new = sql::NewSession {
        id: app.new_id(),
        token_hash: &hash_secret(&secret),
        user_id: user,
        tenant_id: joined.or_else(|| past.iter().find_map(|one| one.tenant_id)),
        user_agent: client.user_agent.as_deref(),
        ip: client.ip.as_deref(),
        now,
        expires_at: now + SESSION_LIFE,
    };
    sql::insert(&mut tx, &new).await?;
    tx.commit().await?;
    if is_new_device {
        mail::send(app, warning(app, email, &name, client));
    }
    let next = next.filter(|next| is_local(next)).unwrap_or_else(|| "/inbox".to_owned());
    Ok(Some(SignedIn { secret, next }))
}

/// The user behind an address that was just proved, and the tenant they were invited to last.
async fn admit(app: &App, tx: &mut SystemTx, email: &str) -> Result<Option<(Uuid, Option<Uuid>)>> {
    let now = app.now();
    let accepted = users::accept_invitations(tx, email, now).await?;
    if accepted.is_empty() {
        return Ok(users::find(tx, email).await?.map(|user| (user, None)));
    }
    let Some(user) = users::upsert(tx, app.new_id(), email, now).await? else { return Ok(None) };
    let (tenants, roles): (Vec<Uuid>, Vec<String>) =
        accepted.iter().map(|one| (one.tenant_id, one.role.clone())).unzip();
    users::join_all(tx, user, &tenants, &roles, now).await?;
    let actor = Actor { kind: ActorKind::User, id: Some(user), label: email.to_owned() };
    for one in &accepted {
        let changes = json!({ "role": [null, one.role] });
        let entry = audit::Entry {
            action: "invitation.accepted",
            entity_type: "invitation",
            entity_id: Some(one.id.to_string()),
            changes: &changes,
        };
        audit::record_as_system(tx, one.tenant_id, &actor, entry).await?;
    }
    Ok(Some((user, tenants.last().copied())))
}

/// What the person is invited to join.
pub async fn invitations(app: &App, session: &Session) -> Result<Vec<OpenInvitation>> {
    let mut tx = app.db.system().await?;
    users::open_invitations(&mut tx, &session.email, app.now()).await
}

/// Joins everything the person is invited to, and opens it.
pub async fn join(app: &App, session: &Session) -> Result<()> {
    let mut tx = app.db.system().await?;
    let joined = admit(app, &mut tx, &session.email).await?.and_then(|(_, tenant)| tenant);
    let tenant = joined.ok_or(Error::NotFound("invitation"))?;
    sql::set_tenant(&mut tx, session.id, tenant).await?;
    tx.commit().await
}

/// The sessions of the person, the one used last first.
pub async fn list(app: &App, session: &Session) -> Result<Vec<SessionEntry>> {
    let now = app.now();
    let mut tx = app.db.system().await?;
    sql::list(&mut tx, session.user_id, now, now - SESSION_IDLE).await
}

/// Whoever made the key that calls, and where they are signed in to its business. Other businesses of theirs are no
/// business of this one's keys.
///
/// # Errors
/// When nobody who works here (any more) made it.
pub async fn list_of_maker(app: &App, caller: &Caller) -> Result<(Uuid, Vec<SessionEntry>)> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let key = caller.actor.id.filter(|_| caller.actor.kind == ActorKind::ApiKey);
    let maker = match key {
        Some(key) => sql_keys::maker(&mut tx, key).await?,
        None => caller.actor.user_id(),
    };
    drop(tx);
    let maker = maker.ok_or_else(|| {
        Error::Forbidden(
            "Sessions are a person's, and this key was not made by one who works here. Use a key that you made under Settings, API keys.".into(),
        )
    })?;
    let now = app.now();
    let mut tx = app.db.system().await?;
    let mut sessions = sql::list(&mut tx, maker, now, now - SESSION_IDLE).await?;
    // Who never chose is shown the first of theirs.
    let first = list_memberships(tx.conn(), maker).await?.first().map(|one| one.tenant_id);
    sessions.retain(|one| one.tenant_id.or(first) == Some(caller.tenant.id));
    Ok((maker, sessions))
}

/// Ends one of these sessions.
pub async fn revoke_of_maker(app: &App, caller: &Caller, id: Uuid) -> Result<()> {
    let (maker, sessions) = list_of_maker(app, caller).await?;
    let mut tx = app.db.system().await?;
    if !sessions.iter().any(|one| one.id == id) || !sql::delete(&mut tx, maker, id).await? {
        return Err(Error::NotFound("session"));
    }
    let changes = json!({ "user_id": maker });
    let entry = audit::Entry {
        action: "session.ended",
        entity_type: "session",
        entity_id: Some(id.to_string()),
        changes: &changes,
    };
    audit::record_as_system(&mut tx, caller.tenant.id, &caller.actor, entry).await?;
    tx.commit().await
}

/// Ends one of one's own sessions.
pub async fn revoke(app: &App, session: &Session, id: Uuid) -> Result<()> {
    let mut tx = app.db.system().await?;
    if !sql::delete(&mut tx, session.user_id, id).await? {
        return Err(Error::NotFound("session"));
    }
    tx.commit().await
}

/// Ends all other sessions of the person, or all of them. Returns how many.
pub async fn revoke_all(app: &App, session: &Session, keep_this: bool) -> Result<u64> {
    let mut tx = app.db.system().await?;
    let ended = sql::delete_others(&mut tx, session.user_id, keep_this.then_some(session.id)).await?;
    tx.commit().await?;
    Ok(ended)
}

/// Puts another tenant of the person on screen.
pub async fn switch_tenant(app: &App, session: &Session, tenant: Uuid) -> Result<()> {
    if app.config.single_tenant {
        return Err(Error::Forbidden("There is one business here.".into()));
    }
    if !session.tenants.iter().any(|(id, _)| *id == tenant) {
        return Err(Error::NotFound("business"));
    }
    let mut tx = app.db.system().await?;
    sql::set_tenant(&mut tx, session.id, tenant).await?;
    tx.commit().await
}

/// Whether a path leads to a page of ours and nowhere else (OWASP ASVS 5.0, 3.7.2).
pub fn is_local(path: &str) -> bool {
    path.len() <= 500
        && path.starts_with('/')
        && !path.starts_with("//")
        && !path.starts_with("/sign-in")
        && !path.starts_with("/assets")
        && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

fn warning(app: &App, to: String, browser: &str, client: &Client) -> Mail {
    let from = client.ip.as_deref().map(|ip| format!(", from the address {ip}")).unwrap_or_default();
    let text = format!(
        "Somebody just signed in to Patchbay as you, with {browser}{from}.\n\n\
         If it was you, all is well. If not, end that session here and tell an owner of your business:\n\n{}/account\n",
        app.config.public_url,
    );
    Mail { to, subject: "A new browser signed in to Patchbay".to_owned(), text, printed: None }
}

#[cfg(test)]
mod tests {
    use super::is_local;

    #[test]
    fn only_our_own_pages_are_returned_to() {
        for path in ["/inbox", "/contacts?q=a%20b", "/q/x#y"] {
            assert!(is_local(path), "{path}");
        }
        for path in [
            "",
            "inbox",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a\nb",
            "/sign-in/x",
            "/ü",
        ] {
            assert!(!is_local(path), "{path}");
        }
    }
}
