use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{db::TenantTx, error::Result};

/// Names of the stage left and the stage reached; `None` when nothing moved. Without a name: the first won stage.
pub(in crate::contacts) async fn advance_stage(
    tx: &mut TenantTx,
    contact_id: Uuid,
    name: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Option<(Option<String>, String)>> {
    let tenant = tx.tenant();
    let moved = sqlx::query!(
        r#"with present as (
             select c.id, s.position, s.kind, s.name from patchbay.contacts c
             left join patchbay.stages s on s.tenant_id = c.tenant_id and s.id = c.stage_id
             where c.tenant_id = $1 and c.id = $2 for no key update of c
           ), target as (
             select id, position, name from patchbay.stages
             where tenant_id = $1 and case when $3::text is null then kind = 'won' else kind = 'open' and lower(name) = lower($3) end
             order by position limit 1
           )
           update patchbay.contacts c set stage_id = target.id, updated_at = $4,
             stage_position = coalesce((select min(o.stage_position) from patchbay.contacts o
               where o.tenant_id = $1 and o.stage_id = target.id and o.archived_at is null), 0) - 1
           from present, target
           where c.tenant_id = $1 and c.id = present.id and (present.kind is null or (present.kind = 'open' and present.position < target.position))
           returning present.name as "from?", target.name as "to!""#,
        tenant,
        contact_id,
        name,
        now,
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(moved.map(|row| (row.from, row.to)))
}
