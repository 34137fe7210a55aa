//! The board.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::contacts::select_contacts;
use crate::{
    contacts::{
        board::Spot,
        contact::{ConsentState, Contact, Status},
    },
    db::TenantTx,
    error::Result,
};

/// The first cards of every stage.
pub(in crate::contacts) async fn list_cards(tx: &mut TenantTx, per_lane: i64) -> Result<Vec<Contact>> {
    let tenant = tx.tenant();
    Ok(select_contacts!(
        "where c.tenant_id = $1 and c.id in (
           select card.id from patchbay.stages lane cross join lateral (
             select k.id from patchbay.contacts k where k.tenant_id = $1 and k.stage_id = lane.id and k.archived_at is null
             order by k.stage_position, k.id desc limit $2) card
           where lane.tenant_id = $1)
         order by c.stage_position, c.id desc",
        tenant,
        per_lane
    )
    .fetch_all(tx.conn())
    .await?)
}

pub(in crate::contacts) async fn list_lane(
    tx: &mut TenantTx,
    stage: Uuid,
    after: Option<Spot>,
    limit: i64,
) -> Result<Vec<Contact>> {
    let tenant = tx.tenant();
    let (position, id) = after.map_or((None, None), |Spot(position, id)| (Some(position), Some(id)));
    Ok(select_contacts!(
        "where c.tenant_id = $1 and c.stage_id = $2 and c.archived_at is null
           and ($3::double precision is null or c.stage_position > $3 or (c.stage_position = $3 and c.id < $4))
         order by c.stage_position, c.id desc limit $5",
        tenant,
        stage,
        position,
        id,
        limit
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Contacts without a stage. Ordered by the stage as well, which all of them lack, so that the index of the board serves.
pub(in crate::contacts) async fn list_stageless(
    tx: &mut TenantTx,
    after: Option<Spot>,
    limit: i64,
) -> Result<Vec<Contact>> {
    let tenant = tx.tenant();
    let (position, id) = after.map_or((None, None), |Spot(position, id)| (Some(position), Some(id)));
    Ok(select_contacts!(
        "where c.tenant_id = $1 and c.stage_id is null and c.archived_at is null
           and ($2::double precision is null or c.stage_position > $2 or (c.stage_position = $2 and c.id < $3))
         order by c.stage_id, c.stage_position, c.id desc limit $4",
        tenant,
        position,
        id,
        limit
    )
    .fetch_all(tx.conn())
    .await?)
}

/// How many cards every lane has, up to `most`; that without a stage as well.
pub(in crate::contacts) async fn count_lanes(
    tx: &mut TenantTx,
    most: i64,
) -> Result<Vec<(Option<Uuid>, i64)>> {
    let tenant = tx.tenant();
    let rows = sqlx::query!(
        r#"select s.id as "id?", (select count(*) from (select from patchbay.contacts c
             where c.tenant_id = $1 and c.stage_id = s.id and c.archived_at is null limit $2) cards) as "total!"
           from patchbay.stages s where s.tenant_id = $1
           union all
           select null, count(*) from (select from patchbay.contacts c
             where c.tenant_id = $1 and c.stage_id is null and c.archived_at is null limit $2) cards"#,
        tenant,
        most,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.total)).collect())
}

/// What the open quotes of every lane's contacts come to in one currency; nothing if there are more than `most`.
pub(in crate::contacts) async fn sum_lanes(
    tx: &mut TenantTx,
    currency: &str,
    most: i64,
) -> Result<Vec<(Option<Uuid>, i64)>> {
    let tenant = tx.tenant();
    let rows = sqlx::query!(
        r#"with open as materialized (
             select contact_id, total_cents from patchbay.quotes
             where tenant_id = $1 and status = any('{draft,sent,viewed}') and currency = $2 limit $3::bigint + 1)
           select c.stage_id, least(sum(open.total_cents), 9223372036854775807)::bigint as "cents!"
           from open join patchbay.contacts c on c.tenant_id = $1 and c.id = open.contact_id and c.archived_at is null
           where (select count(*) from open) <= $3::bigint group by c.stage_id"#,
        tenant,
        currency,
        most,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.stage_id, row.cents)).collect())
}

/// The newest quote of each of these contacts that has one: total and currency.
pub(in crate::contacts) async fn list_newest_quotes(
    tx: &mut TenantTx,
    contacts: &[Uuid],
) -> Result<Vec<(Uuid, i64, String)>> {
    let tenant = tx.tenant();
    let rows = sqlx::query!(
        "select distinct on (contact_id) contact_id, total_cents, currency from patchbay.quotes
         where tenant_id = $1 and contact_id = any($2) order by contact_id, id desc",
        tenant,
        contacts,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.contact_id, row.total_cents, row.currency)).collect())
}

/// The neighbours of a place in a column.
pub(in crate::contacts) struct Gap {
    pub(in crate::contacts) above: Option<f64>,
    pub(in crate::contacts) below: Option<f64>,
    pub(in crate::contacts) below_id: Option<Uuid>,
}

/// The place right before (or after) the card `beside`, leaving out the card that moves. `None` when `beside` is not in
/// this stage.
pub(in crate::contacts) async fn find_gap(
    tx: &mut TenantTx,
    stage: Uuid,
    moving: Uuid,
    beside: Uuid,
    before: bool,
) -> Result<Option<Gap>> {
    let tenant = tx.tenant();
    let row = sqlx::query!(
        r#"select b.stage_position as own, above.stage_position as "above?", below.stage_position as "below?", below.id as "below_id?"
           from patchbay.contacts b
           left join lateral (select k.stage_position from patchbay.contacts k
             where k.tenant_id = $1 and k.stage_id = $2 and k.archived_at is null and k.id <> $3
               and (k.stage_position < b.stage_position or (k.stage_position = b.stage_position and k.id > b.id))
             order by k.stage_position desc, k.id limit 1) above on true
           left join lateral (select k.stage_position, k.id from patchbay.contacts k
             where k.tenant_id = $1 and k.stage_id = $2 and k.archived_at is null and k.id <> $3
               and (k.stage_position > b.stage_position or (k.stage_position = b.stage_position and k.id < b.id))
             order by k.stage_position, k.id desc limit 1) below on true
           where b.tenant_id = $1 and b.stage_id = $2 and b.id = $4 and b.archived_at is null"#,
        tenant,
        stage,
        moving,
        beside,
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| {
        if before {
            Gap { above: row.above, below: Some(row.own), below_id: Some(beside) }
        } else {
            Gap { above: Some(row.own), below: row.below, below_id: row.below_id }
        }
    }))
}

pub(in crate::contacts) async fn top_of_lane(
    tx: &mut TenantTx,
    stage: Uuid,
    moving: Uuid,
) -> Result<Option<f64>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!(
        "select stage_position from patchbay.contacts where tenant_id = $1 and stage_id = $2 and archived_at is null and id <> $3
         order by stage_position, id desc limit 1",
        tenant,
        stage,
        moving,
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// Spreads the two hundred cards above `pivot` evenly between what stands above them and the pivot.
pub(in crate::contacts) async fn spread_above(tx: &mut TenantTx, stage: Uuid, pivot: Uuid) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "with pivot as (select id, stage_position as position from patchbay.contacts where tenant_id = $1 and id = $3),
         above as (
           select k.id, k.stage_position as position, row_number() over (order by k.stage_position desc, k.id) as place
           from patchbay.contacts k, pivot
           where k.tenant_id = $1 and k.stage_id = $2 and k.archived_at is null
             and (k.stage_position < pivot.position or (k.stage_position = pivot.position and k.id > pivot.id))
           order by k.stage_position desc, k.id limit 201),
         frame as (
           select pivot.position as low, least(coalesce((select position from above where place = 201), pivot.position - 1000), pivot.position - 0.001) as high
           from pivot)
         update patchbay.contacts c set stage_position = frame.low + (frame.high - frame.low) * above.place / 202
         from above, frame where c.tenant_id = $1 and c.id = above.id and above.place <= 200",
        tenant,
        stage,
        pivot,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(in crate::contacts) async fn place_card(
    tx: &mut TenantTx,
    id: Uuid,
    stage: Option<Uuid>,
    position: f64,
    now: DateTime<Utc>,
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.contacts set stage_id = $3, stage_position = $4, updated_at = $5 where tenant_id = $1 and id = $2",
        tenant,
        id,
        stage as Option<Uuid>,
        position,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
