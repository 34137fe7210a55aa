//! A tenant's own accounts with carriers. Credentials are sealed before they reach the database and never come back
//! out: to change an account is to replace it.

use chrono::{DateTime, Utc};
use patchbay_providers::ProviderError;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{Credentials, holds, open_credentials, sql, sql::accounts as rows};
use crate::{
    app::App,
    audit,
    auth::Caller,
    error::{Error, FieldErrors, Result},
};

/// An account as it is shown: no secrets.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Account {
    pub id: Uuid,
    pub provider: String,
    pub account_sid: Option<String>,
    /// Names the API key in use; its secret is never shown.
    pub api_key_sid: Option<String>,
    pub messaging_service_sid: Option<String>,
    /// False when the credentials cannot be opened any more (the master key changed): enter them again.
    pub usable: bool,
    /// What the carrier refused last, if it was about the account.
    pub last_error: Option<String>,
    pub last_error_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// An account with its credentials.
#[derive(Clone, Default, Deserialize, utoipa::ToSchema)]
pub struct NewAccount {
    /// `twilio`.
    pub provider: String,
    /// `AC…`
    pub account_sid: String,
    /// Signs webhooks; also sends, where there is no API key.
    pub auth_token: String,
    /// `SK…`; goes with `api_key_secret`.
    #[serde(default)]
    pub api_key_sid: Option<String>,
    #[serde(default)]
    pub api_key_secret: Option<String>,
    /// `MG…`
    #[serde(default)]
    pub messaging_service_sid: Option<String>,
}

/// The accounts in use, oldest first.
pub async fn list(app: &App, caller: &Caller) -> Result<Vec<Account>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let rows = rows::list(&mut tx).await?;
    Ok(rows.into_iter().map(|row| shown(app, caller, row)).collect())
}

fn shown(app: &App, caller: &Caller, row: rows::ManagedAccount) -> Account {
    let credentials = open_credentials(app, caller.tenant.id, row.credentials_sealed.as_deref()).ok();
    Account {
        id: row.id,
        provider: row.provider,
        account_sid: row.account_sid,
        usable: credentials.is_some(),
        api_key_sid: credentials.and_then(|credentials| credentials.api_key_sid),
        messaging_service_sid: row.messaging_service_sid,
        last_error: row.last_error,
        last_error_at: row.last_error_at,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}

/// Adds an account, or replaces the one with the same SID. From the first real account on nothing leaves through the
/// carrier that only pretends. The answer says whether the account is new.
///
/// # Errors
/// Every field that is wrong.
pub async fn save(app: &App, caller: &Caller, new: NewAccount) -> Result<(Account, bool)> {
    let new = check(new)?;
    let sealed = seal(app, caller, &new)?;
    let now = app.now();
    let input = rows::AccountInput {
        id: app.new_id(),
        provider: &new.provider,
        account_sid: &new.account_sid,
        messaging_service_sid: new.messaging_service_sid.as_deref(),
        credentials_sealed: &sealed,
        now,
    };
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let id = rows::upsert(&mut tx, &input).await?;
    rows::disable_pretended_senders(&mut tx, now).await?;
    holds::lift_of_account(&mut tx, &new.provider, id, now).await?;
    let is_new = id == input.id;
    let action = if is_new { "provider_account.created" } else { "provider_account.replaced" };
    finish(app, caller, tx, id, action, &new).await.map(|account| (account, is_new))
}

/// Replaces the account `id`, credentials and all.
pub async fn replace(app: &App, caller: &Caller, id: Uuid, new: NewAccount) -> Result<Account> {
    let new = check(new)?;
    let sealed = seal(app, caller, &new)?;
    let input = rows::AccountInput {
        id,
        provider: &new.provider,
        account_sid: &new.account_sid,
        messaging_service_sid: new.messaging_service_sid.as_deref(),
        credentials_sealed: &sealed,
        now: app.now(),
    };
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    if !rows::replace(&mut tx, id, &input).await? {
        return Err(Error::NotFound("account"));
    }
    holds::lift_of_account(&mut tx, &new.provider, id, input.now).await?;
    finish(app, caller, tx, id, "provider_account.replaced", &new).await
}

async fn finish(
    app: &App,
    caller: &Caller,
    mut tx: crate::db::TenantTx,
    id: Uuid,
    action: &'static str,
    new: &NewAccount,
) -> Result<Account> {
    let changes = json!({ "account_sid": [null, new.account_sid], "messaging_service_sid": [null, new.messaging_service_sid] });
    let entry = audit::Entry {
        action,
        kind: audit::Kind::ProviderAccount,
        entity_id: Some(id.to_string()),
        changes: &changes,
    };
    audit::record(&mut tx, &caller.actor, entry).await?;
    let row =
        rows::list(&mut tx).await?.into_iter().find(|row| row.id == id).ok_or(Error::NotFound("account"))?;
    tx.commit().await?;
    Ok(shown(app, caller, row))
}

/// Switches an account off with its senders; its credentials are forgotten.
pub async fn remove(app: &App, caller: &Caller, id: Uuid) -> Result<()> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let sid = rows::disable(&mut tx, id, app.now()).await?.ok_or(Error::NotFound("account"))?;
    let changes = json!({ "account_sid": [sid, null] });
    audit::changed(&mut tx, caller, "provider_account.removed", id, &changes).await?;
    tx.commit().await
}

/// Asks the carrier whether the credentials are right. `Err` inside is its answer in words.
pub async fn test(app: &App, caller: &Caller, id: Uuid) -> Result<Result<(), String>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let row = sql::list_active_accounts(&mut tx)
        .await?
        .into_iter()
        .find(|row| row.id == id)
        .ok_or(Error::NotFound("account"))?;
    drop(tx);
    let provider = match app.providers.account(app, caller.tenant.id, &row) {
        Ok(provider) => provider,
        Err(_) => return Ok(Err("The credentials cannot be opened any more. Enter them again.".to_owned())),
    };
    // A message that cannot exist: whoever may read answers that it is not there.
    Ok(match provider.fetch("SM00000000000000000000000000000000").await {
        Ok(_) | Err(ProviderError::Unsupported(_)) => Ok(()),
        Err(error) => Err(error.to_string()),
    })
}

fn seal(app: &App, caller: &Caller, new: &NewAccount) -> Result<Vec<u8>> {
    let credentials = Credentials {
        auth_token: new.auth_token.clone(),
        previous_auth_token: None,
        api_key_sid: new.api_key_sid.clone(),
        api_key_secret: new.api_key_secret.clone(),
    };
    app.secrets.seal(caller.tenant.id, &serde_json::to_vec(&credentials)?).map_err(Error::internal)
}

fn check(new: NewAccount) -> Result<NewAccount> {
    let mut errors = FieldErrors::new();
    let clean = |text: String| text.trim().to_owned();
    let some = |text: Option<String>| text.map(clean).filter(|text| !text.is_empty());
    let new = NewAccount {
        provider: clean(new.provider),
        account_sid: clean(new.account_sid),
        auth_token: clean(new.auth_token),
        api_key_sid: some(new.api_key_sid),
        api_key_secret: some(new.api_key_secret),
        messaging_service_sid: some(new.messaging_service_sid),
    };
    let is_sid = |text: &str, prefix: &str| {
        text.starts_with(prefix)
            && (3..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    let is_secret =
        |text: &str| (1..=256).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    if new.provider != "twilio" {
        errors.insert("provider".into(), "Only accounts with twilio can be added.".to_owned());
    }
    if !is_sid(&new.account_sid, "AC") {
        errors.insert(
            "account_sid".into(),
            "An account SID begins with AC. It stands on the first page of Twilio's console.".to_owned(),
        );
    }
    if !is_secret(&new.auth_token) {
        errors.insert(
            "auth_token".into(),
            "Copy the auth token from Twilio's console. Webhooks are signed with it.".to_owned(),
        );
    }
    if new.api_key_sid.as_deref().is_some_and(|sid| !is_sid(sid, "SK")) {
        errors.insert("api_key_sid".into(), "An API key's SID begins with SK.".to_owned());
    }
    if new.api_key_sid.is_some() && !new.api_key_secret.as_deref().is_some_and(is_secret) {
        errors
            .insert("api_key_secret".into(), "An API key has a secret, which Twilio shows once.".to_owned());
    }
    if new.api_key_sid.is_none() && new.api_key_secret.is_some() {
        errors.insert("api_key_sid".into(), "To which API key does this secret belong?".to_owned());
    }
    if new.messaging_service_sid.as_deref().is_some_and(|sid| !is_sid(sid, "MG")) {
        errors.insert("messaging_service_sid".into(), "A messaging service's SID begins with MG.".to_owned());
    }
    if errors.is_empty() { Ok(new) } else { Err(Error::Invalid(errors)) }
}
