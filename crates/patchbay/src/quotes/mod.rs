//! Quotes: lines, totals, the lead's own page, the answer.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{db::TenantTx, error::Result, web::routes::Routes};

/// The routes of this feature.
pub fn routes(routes: Routes) -> Routes {
    routes
}

/// The message that tells the lead about a quote has left.
pub async fn mark_sent(tx: &mut TenantTx, quote: Uuid, at: DateTime<Utc>) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.quotes set status = case when status = 'draft' then 'sent' else status end, sent_at = coalesce(sent_at, $3), updated_at = $3
         where tenant_id = $1 and id = $2",
        tenant,
        quote,
        at,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
