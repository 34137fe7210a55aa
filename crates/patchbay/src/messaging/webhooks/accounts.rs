//! Which accounts may sign webhooks, remembered for a moment.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::{app::App, error::Result, messaging::sql::webhooks as sql, providers};

/// An account that may sign webhooks.
pub(super) struct Account {
    /// `None` is the account of the environment, shared by tenants.
    pub(super) tenant: Option<Uuid>,
    pub(super) tokens: Vec<String>,
}

/// The accounts of one name, and when they were read.
type Known = (DateTime<Utc>, Arc<Vec<Account>>);

#[derive(Default)]
pub(super) struct Accounts(Mutex<HashMap<String, Known>>);

impl Accounts {
    /// Those of this name: the tenants' own, and the shared one.
    pub(super) async fn of(&self, app: &App, account_sid: &str) -> Result<Arc<Vec<Account>>> {
        let now = app.now();
        if let Some((at, accounts)) = self.0.lock().expect("accounts lock").get(account_sid)
            && now - *at < TimeDelta::seconds(15)
        {
            return Ok(accounts.clone());
        }
        // In a box, since most webhooks never come here.
        Box::pin(self.read(app, account_sid, now)).await
    }

    async fn read(&self, app: &App, account_sid: &str, now: DateTime<Utc>) -> Result<Arc<Vec<Account>>> {
        let mut accounts = Vec::new();
        if let Some(shared) = app.config.twilio.as_ref().filter(|shared| shared.account_sid == account_sid) {
            accounts.push(Account { tenant: None, tokens: shared.auth_tokens.clone() });
        }
        let rows = {
            let mut conn = app.db.system_conn().await?;
            sql::accounts(&mut conn, account_sid).await?
        };
        for row in rows {
            match providers::open_credentials(app, row.tenant_id, row.credentials_sealed.as_deref()) {
                Ok(credentials) => {
                    accounts.push(Account { tenant: Some(row.tenant_id), tokens: credentials.auth_tokens() })
                }
                Err(error) => {
                    tracing::error!(%error, tenant = %row.tenant_id, "credentials cannot be opened")
                }
            }
        }
        let accounts = Arc::new(accounts);
        // Only names that exist are remembered: strangers cannot fill the memory.
        if !accounts.is_empty() {
            self.0.lock().expect("accounts lock").insert(account_sid.to_owned(), (now, accounts.clone()));
        }
        Ok(accounts)
    }
}
