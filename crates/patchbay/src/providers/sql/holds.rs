//! What the carrier refuses until a person puts it right.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{db::TenantTx, error::Result, providers::holds::Hold};

/// All holds on what is in use, oldest first: few, since each is about an account or a sender.
pub(in crate::providers) async fn list(tx: &mut TenantTx) -> Result<Vec<Hold>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        Hold,
        "select id, provider, account_id, sender_id, to_prefix, code, reason, held_at from patchbay.sending_holds h
         where tenant_id = $1
           and not exists (select from patchbay.senders s where s.tenant_id = $1 and s.id = h.sender_id and s.disabled_at is not null)
           and not exists (select from patchbay.provider_accounts a where a.tenant_id = $1 and a.id = h.account_id and a.disabled_at is not null)
         order by held_at, id limit 1000",
        tenant,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Holds, unless it is held already or the account was saved anew since `version` of it was used: `false`. The account
/// stays as it is until the transaction ends.
pub(in crate::providers) async fn insert(
    tx: &mut TenantTx,
    hold: &Hold,
    version: Option<DateTime<Utc>>,
) -> Result<bool> {
    let tenant = tx.tenant();
    let done = sqlx::query!(
        "with account as (
           select updated_at from patchbay.provider_accounts where tenant_id = $1 and id = $4 and disabled_at is null for share)
         insert into patchbay.sending_holds (tenant_id, id, provider, account_id, sender_id, to_prefix, code, reason, held_at)
         select $1, $2, $3, $4, $5, $6, $7, $8, $9
         where $4::uuid is null or exists (select from account where updated_at = coalesce($10, updated_at))
         on conflict (tenant_id, provider, account_id, sender_id, to_prefix) do nothing",
        tenant,
        hold.id,
        hold.provider,
        hold.account_id,
        hold.sender_id,
        hold.to_prefix,
        hold.code,
        hold.reason,
        hold.held_at,
        version,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Lifts one hold; `None` if it was lifted already.
pub(in crate::providers) async fn delete(tx: &mut TenantTx, id: Uuid) -> Result<Option<Hold>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        Hold,
        "delete from patchbay.sending_holds where tenant_id = $1 and id = $2
         returning id, provider, account_id, sender_id, to_prefix, code, reason, held_at",
        tenant,
        id,
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// Lifts what an account's new credentials may have mended: its own holds, and those of the account that was shared
/// until the tenant had one. Answers how many.
pub(in crate::providers) async fn delete_of_account(
    tx: &mut TenantTx,
    provider: &str,
    account: Uuid,
) -> Result<u64> {
    let tenant = tx.tenant();
    let done = sqlx::query!(
        "delete from patchbay.sending_holds where tenant_id = $1 and provider = $2 and (account_id = $3 or account_id is null)",
        tenant,
        provider,
        account,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected())
}

/// How a message left: its carrier, and the account and sender behind it.
pub(in crate::providers) struct WayRow {
    pub message_id: Uuid,
    pub provider: String,
    pub account_id: Option<Uuid>,
    pub sender_id: Option<Uuid>,
}

/// The ways of messages that were handed over, but for those whose sender is not in use any more.
pub(in crate::providers) async fn ways_of(tx: &mut TenantTx, messages: &[Uuid]) -> Result<Vec<WayRow>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        WayRow,
        r#"select m.id as message_id, m.provider as "provider!", m.sender_id,
             coalesce(s.account_id, (select a.id from patchbay.provider_accounts a
               where a.tenant_id = $1 and a.provider = m.provider and a.disabled_at is null order by a.id limit 1)) as account_id
           from patchbay.messages m left join patchbay.senders s on s.tenant_id = $1 and s.id = m.sender_id
           where m.tenant_id = $1 and m.id = any($2) and m.provider is not null and s.disabled_at is null"#,
        tenant,
        messages,
    )
    .fetch_all(tx.conn())
    .await?)
}
