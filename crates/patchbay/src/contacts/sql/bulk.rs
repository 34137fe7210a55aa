//! Changes to many contacts at once.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::{db::TenantTx, error::Result};

/// What a change to many may take from a contact.
pub(in crate::contacts) struct Locked {
    pub(in crate::contacts) id: Uuid,
    pub(in crate::contacts) stage_id: Option<Uuid>,
    pub(in crate::contacts) stage_position: f64,
    pub(in crate::contacts) owner_id: Option<Uuid>,
}

/// Locks those of `ids` that are there and not merged, in one order whoever asks.
pub(in crate::contacts) async fn lock_many(tx: &mut TenantTx, ids: &[Uuid]) -> Result<Vec<Locked>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        Locked,
        "select id, stage_id, stage_position, owner_id from patchbay.contacts
         where tenant_id = $1 and id = any($2) and merged_into is null order by id for no key update",
        tenant,
        ids,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Moves contacts to the top of a stage, in the order of their ids.
pub(in crate::contacts) async fn set_stage(
    tx: &mut TenantTx,
    ids: &[Uuid],
    stage: Uuid,
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!(
        "update patchbay.contacts c set stage_id = $3, updated_at = $4,
           stage_position = -extract(epoch from $4::timestamptz)::double precision + n.place * 0.001
         from unnest($2::uuid[]) with ordinality n (id, place)
         where c.tenant_id = $1 and c.id = n.id and c.stage_id is distinct from $3 returning c.id",
        tenant,
        ids,
        stage,
        now,
    )
    .fetch_all(tx.conn())
    .await?)
}

pub(in crate::contacts) async fn set_owner(
    tx: &mut TenantTx,
    ids: &[Uuid],
    owner: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!(
        "update patchbay.contacts set owner_id = $3, updated_at = $4
         where tenant_id = $1 and id = any($2) and owner_id is distinct from $3 returning id",
        tenant,
        ids,
        owner,
        now,
    )
    .fetch_all(tx.conn())
    .await?)
}

pub(in crate::contacts) async fn insert_activities(
    tx: &mut TenantTx,
    contacts: &[Uuid],
    kind: &str,
    data: &Value,
    actor_label: &str,
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "insert into patchbay.activities (tenant_id, contact_id, kind, data, actor_label) select $1, id, $3, $4, $5 from unnest($2::uuid[]) id",
        tenant,
        contacts,
        kind,
        data,
        actor_label,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(in crate::contacts) async fn insert_bulk(
    tx: &mut TenantTx,
    id: Uuid,
    undo: &Value,
    changed_by: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "insert into patchbay.bulk_changes (tenant_id, id, undo, changed_by, created_at) values ($1, $2, $3, $4, $5)",
        tenant,
        id,
        undo,
        changed_by,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(in crate::contacts) async fn forget_bulk(tx: &mut TenantTx, before: DateTime<Utc>) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "delete from patchbay.bulk_changes where tenant_id = $1 and created_at < $2",
        tenant,
        before
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// How a change is taken back, and whether it was.
pub(in crate::contacts) async fn lock_bulk(tx: &mut TenantTx, id: Uuid) -> Result<Option<(Value, bool)>> {
    let tenant = tx.tenant();
    let row = sqlx::query!(
        r#"select undo, undone_at is not null as "undone!" from patchbay.bulk_changes where tenant_id = $1 and id = $2 for update"#,
        tenant,
        id
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| (row.undo, row.undone)))
}

pub(in crate::contacts) async fn mark_bulk_undone(
    tx: &mut TenantTx,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.bulk_changes set undone_at = $3 where tenant_id = $1 and id = $2",
        tenant,
        id,
        now
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Puts cards back where they were, if they still are in `to` and their stage still exists.
pub(in crate::contacts) async fn put_stages_back(
    tx: &mut TenantTx,
    to: Uuid,
    before: &[(Uuid, Option<Uuid>, f64)],
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>> {
    let tenant = tx.tenant();
    let ids: Vec<Uuid> = before.iter().map(|(id, ..)| *id).collect();
    let stages: Vec<Option<Uuid>> = before.iter().map(|(_, stage, _)| *stage).collect();
    let positions: Vec<f64> = before.iter().map(|(.., position)| *position).collect();
    Ok(sqlx::query_scalar!(
        "update patchbay.contacts c set stage_id = n.stage, stage_position = n.position, updated_at = $6
         from unnest($2::uuid[], $3::uuid[], $4::double precision[]) n (id, stage, position)
         where c.tenant_id = $1 and c.id = n.id and c.stage_id = $5
           and (n.stage is null or exists (select from patchbay.stages s where s.tenant_id = $1 and s.id = n.stage))
         returning c.id",
        tenant,
        &ids,
        &stages as &[Option<Uuid>],
        &positions,
        to,
        now,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Gives contacts back to whom they belonged, if they still belong to `to`.
pub(in crate::contacts) async fn put_owners_back(
    tx: &mut TenantTx,
    to: Option<Uuid>,
    before: &[(Uuid, Option<Uuid>)],
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>> {
    let tenant = tx.tenant();
    let ids: Vec<Uuid> = before.iter().map(|(id, _)| *id).collect();
    let owners: Vec<Option<Uuid>> = before.iter().map(|(_, owner)| *owner).collect();
    Ok(sqlx::query_scalar!(
        "update patchbay.contacts c set owner_id = n.owner, updated_at = $5
         from unnest($2::uuid[], $3::uuid[]) n (id, owner)
         where c.tenant_id = $1 and c.id = n.id and c.owner_id is not distinct from $4 returning c.id",
        tenant,
        &ids,
        &owners as &[Option<Uuid>],
        to as Option<Uuid>,
        now,
    )
    .fetch_all(tx.conn())
    .await?)
}
