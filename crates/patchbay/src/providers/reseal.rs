//! Credentials under the current master key.

use crate::{
    app::App,
    error::{Error, Result},
    providers::sql,
};

/// Seals anew what was sealed with a former key; answers how many. Accounts of all tenants, in one transaction.
///
/// # Errors
/// When a seal opens with no configured key; then nothing is changed.
pub async fn reseal(app: &App) -> Result<usize> {
    let mut tx = app.db.system().await?;
    let mut resealed = Vec::new();
    for account in sql::lock_sealed(tx.conn()).await? {
        if app.secrets.is_current(&account.sealed) {
            continue;
        }
        let plain = app.secrets.open(account.tenant_id, &account.sealed).map_err(Error::internal)?;
        let sealed = app.secrets.seal(account.tenant_id, &plain).map_err(Error::internal)?;
        resealed.push(sql::SealedAccount { sealed, ..account });
    }
    if !resealed.is_empty() {
        sql::replace_seals(tx.conn(), &resealed).await?;
    }
    tx.commit().await?;
    Ok(resealed.len())
}

/// How many seals open with the current key, with a former one, with none.
pub async fn inspect_seals(app: &App) -> Result<Seals> {
    let mut tx = app.db.system().await?;
    let mut seals = Seals::default();
    for account in sql::lock_sealed(tx.conn()).await? {
        match app.secrets.open(account.tenant_id, &account.sealed) {
            Ok(_) if app.secrets.is_current(&account.sealed) => seals.current += 1,
            Ok(_) => seals.former += 1,
            Err(_) => seals.lost += 1,
        }
    }
    Ok(seals)
}

/// What the configured keys open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seals {
    pub current: usize,
    pub former: usize,
    pub lost: usize,
}
