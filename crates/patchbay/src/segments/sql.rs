//! All SQL of segments, except what filters compile to.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::{
    Segment,
    context::Named,
    filter::{Filter, VERSION},
};
use crate::{
    db::TenantTx,
    error::{Error, Result},
};

struct Row {
    id: Uuid,
    name: String,
    filter: Value,
    created_by: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl TryFrom<Row> for Segment {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            filter: Filter::parse(&row.filter).map_err(|error| Error::internal(error.to_string()))?,
            id: row.id,
            name: row.name,
            created_by: row.created_by,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

pub(super) async fn find(tx: &mut TenantTx, id: Uuid) -> Result<Option<Segment>> {
    let tenant = tx.tenant();
    sqlx::query_as!(
        Row,
        "select id, name, filter, created_by, created_at, updated_at from patchbay.segments where tenant_id = $1 and id = $2",
        tenant,
        id
    )
    .fetch_optional(tx.conn())
    .await?
    .map(Segment::try_from)
    .transpose()
}

pub(super) async fn find_by_name(tx: &mut TenantTx, name: &str) -> Result<Option<Uuid>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!(
        "select id from patchbay.segments where tenant_id = $1 and lower(name) = lower($2)",
        tenant,
        name
    )
    .fetch_optional(tx.conn())
    .await?)
}

pub(super) async fn list(
    tx: &mut TenantTx,
    search: Option<&str>,
    after: Option<(String, Uuid)>,
    limit: i64,
) -> Result<Vec<Segment>> {
    let tenant = tx.tenant();
    let (name, id) = after.unzip();
    sqlx::query_as!(
        Row,
        r#"select id, name, filter, created_by, created_at, updated_at from patchbay.segments
           where tenant_id = $1 and ($2::text is null or strpos(lower(name), lower($2)) > 0)
             and ($3::text is null or (lower(name), id) > ($3, $4::uuid))
           order by lower(name), id limit $5"#,
        tenant,
        search,
        name,
        id,
        limit
    )
    .fetch_all(tx.conn())
    .await?
    .into_iter()
    .map(Segment::try_from)
    .collect()
}

/// False when the name is taken.
pub(super) async fn insert(tx: &mut TenantTx, segment: &Segment) -> Result<bool> {
    let tenant = tx.tenant();
    let done = sqlx::query!(
        "insert into patchbay.segments (tenant_id, id, name, filter_version, filter, created_by, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $7) on conflict (tenant_id, lower(name)) do nothing",
        tenant,
        segment.id,
        segment.name,
        VERSION,
        segment.filter.to_json(),
        segment.created_by,
        segment.created_at,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn update(tx: &mut TenantTx, segment: &Segment) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.segments set name = $3, filter_version = $4, filter = $5, updated_at = $6 where tenant_id = $1 and id = $2",
        tenant,
        segment.id,
        segment.name,
        VERSION,
        segment.filter.to_json(),
        segment.updated_at,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(super) async fn delete(tx: &mut TenantTx, id: Uuid) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!("delete from patchbay.segments where tenant_id = $1 and id = $2", tenant, id)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// What conditions can call campaigns by: all of them that have or had recipients, the newest first.
pub(super) async fn list_campaigns(tx: &mut TenantTx) -> Result<Vec<Named>> {
    let tenant = tx.tenant();
    let rows = sqlx::query!(
        "select id, name from patchbay.campaigns where tenant_id = $1 and launched_at is not null order by id desc limit 2000",
        tenant
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| Named { id: row.id, name: row.name, alias: None }).collect())
}

/// A campaign that goes to a segment.
#[derive(Debug, Clone)]
pub(super) struct Use {
    pub campaign_id: Uuid,
    pub name: String,
    pub status: String,
}

pub(super) async fn list_uses(tx: &mut TenantTx, segments: &[Uuid]) -> Result<Vec<(Uuid, Use)>> {
    let tenant = tx.tenant();
    let rows = sqlx::query!(
        r#"select segment_id as "segment_id!", id, name, status from patchbay.campaigns
           where tenant_id = $1 and segment_id = any($2) order by id desc limit 500"#,
        tenant,
        segments
    )
    .fetch_all(tx.conn())
    .await?;
    let uses = rows
        .into_iter()
        .map(|row| (row.segment_id, Use { campaign_id: row.id, name: row.name, status: row.status }));
    Ok(uses.collect())
}

/// Where contacts came from, each once; found by leaping along the index from one to the next.
pub(super) async fn list_sources(tx: &mut TenantTx) -> Result<Vec<String>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!(
        r#"with recursive leap (source) as (
             (select source from patchbay.contacts where tenant_id = $1 and archived_at is null and source is not null order by source limit 1)
             union all
             select (select c.source from patchbay.contacts c
                where c.tenant_id = $1 and c.archived_at is null and c.source > leap.source order by c.source limit 1)
             from leap where leap.source is not null)
           select source as "source!" from leap where source is not null limit 100"#,
        tenant
    )
    .fetch_all(tx.conn())
    .await?)
}
