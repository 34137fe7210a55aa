//! The last look at claimed messages before they leave, and the way back for those that must not.

use uuid::Uuid;

use crate::{db::TenantTx, error::Result};

/// Of messages that were claimed, those that must not be handed over after all: the lease was lost, or since then the
/// recipient opted out or was listed, or somebody switched sending or the campaign off. The columns say which.
pub struct RecalledRow {
    pub id: Uuid,
    pub ours: bool,
    pub opted_out: bool,
}

pub async fn recalled(tx: &mut TenantTx, ids: &[Uuid], attempts: &[i32]) -> Result<Vec<RecalledRow>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        RecalledRow,
        r#"select * from (
           select c.id as "id!", coalesce(m.status = 'sending' and m.attempt = c.attempt, false) as "ours!",
             (exists (select from patchbay.consents k where k.tenant_id = $1 and k.channel = m.channel and k.address = m.to_address and k.state = 'unsubscribed')
              or exists (select from patchbay.do_not_contact d where d.tenant_id = $1 and d.phone_e164 = m.to_address)
              or exists (select from patchbay.tenants t where t.id = $1 and t.kill_switch)
              or exists (select from patchbay.campaigns g where g.tenant_id = $1 and g.id = m.campaign_id and g.status in ('paused', 'canceled'))) as "opted_out!"
           from unnest($2::uuid[], $3::int[]) c (id, attempt)
           left join patchbay.messages m on m.tenant_id = $1 and m.id = c.id) r
         where not "ours!" or "opted_out!""#,
        tenant,
        ids,
        attempts,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Puts messages back that were claimed but not handed over; the next claim decides them afresh.
pub async fn unclaim(tx: &mut TenantTx, ids: &[Uuid], attempts: &[i32]) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.messages m set status = 'queued', lease_until = null, claimed_at = null, attempt = m.attempt - 1
         from unnest($2::uuid[], $3::int[]) c (id, attempt)
         where m.tenant_id = $1 and m.id = c.id and m.status = 'sending' and m.attempt = c.attempt",
        tenant,
        ids,
        attempts,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
