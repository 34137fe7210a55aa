//! The contacts that a segment means, page by page, the newest first; and all of them as a file.
//!
//! What is frequent is met on a walk along the newest contacts; what is rare is gathered through whatever index serves. Like
//! counting, both run on the owner's side and answer ids only; the contacts are then read with the tenant's own rights.

use std::sync::Arc;

use axum::response::Response;
use serde_json::json;
use sqlx::{Connection, Postgres, QueryBuilder};
use uuid::Uuid;

use super::{Context, Filter, Segment, get, push_where};
use crate::{
    app::App,
    audit,
    auth::Caller,
    contacts::{self, Contact, export::Sheet},
    error::Result,
    web::csv,
};

/// Rows that a walk looks at for each that is wanted.
const STEPS: i64 = 40;
/// Rows of a file read at once.
const BATCH: i64 = 2_000;

/// A page of contacts, and the last of them if there are more.
pub struct Found {
    pub contacts: Vec<Contact>,
    pub next: Option<Uuid>,
}

/// The segment with this id and what its words stand for.
///
/// # Errors
/// Not found; invalid, if it names what is gone.
pub async fn of(app: &App, caller: &Caller, id: Uuid) -> Result<(Segment, Context)> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let (segment, context) = (get(&mut tx, id).await?, Context::load(&mut tx, app).await?);
    segment.filter.check(&context)?;
    Ok((segment, context))
}

/// The contacts that pass, from `after` on.
pub async fn people(
    app: &App,
    filter: &Filter,
    context: &Context,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Found> {
    let mut ids = ids(app, filter, context, after, limit + 1).await?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = ids.len() > limit;
    ids.truncate(limit);
    let mut tx = app.db.tenant(context.tenant).await?;
    let contacts = contacts::find_all(&mut tx, &ids).await?;
    // The place is the last match, whether or not its row is still there to be read.
    Ok(Found { contacts, next: ids.last().copied().filter(|_| more) })
}

async fn ids(
    app: &App,
    filter: &Filter,
    context: &Context,
    after: Option<Uuid>,
    wanted: i64,
) -> Result<Vec<Uuid>> {
    let mut conn = app.db.system_conn().await?;
    let mut tx = conn
        .begin_with(
            "begin read only; set local jit = off; set local work_mem = '64MB'; \
             set local plan_cache_mode = force_custom_plan",
        )
        .await?;
    let mut walk = QueryBuilder::new("select c.id from (select *");
    push_from(&mut walk, context, after);
    walk.push(" order by c.id desc limit ").push_bind(wanted * STEPS).push(") c where true");
    push_where(&mut walk, filter, context);
    walk.push(" order by c.id desc limit ").push_bind(wanted);
    let mut found: Vec<Uuid> = walk.build_query_scalar().fetch_all(&mut *tx).await?;
    if i64::try_from(found.len()).is_ok_and(|found| found < wanted) {
        let mut gather = QueryBuilder::new("with m as materialized (select c.id");
        push_from(&mut gather, context, after);
        push_where(&mut gather, filter, context);
        gather.push(") select id from m order by id desc limit ").push_bind(wanted);
        found = gather.build_query_scalar().fetch_all(&mut *tx).await?;
    }
    tx.rollback().await?;
    Ok(found)
}

/// Merged contacts are archived as well.
fn push_from(sql: &mut QueryBuilder<Postgres>, context: &Context, after: Option<Uuid>) {
    sql.push(" from patchbay.contacts c where c.tenant_id = ").push_bind(context.tenant);
    sql.push(" and c.archived_at is null");
    if let Some(after) = after {
        sql.push(" and c.id < ").push_bind(after);
    }
}

/// All of them as a file. That it was taken is kept in the audit log.
///
/// # Errors
/// As of [`of`], before anything is streamed.
pub async fn export(app: Arc<App>, caller: &Caller, id: Uuid) -> Result<Response> {
    let (segment, context) = of(&app, caller, id).await?;
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let sheet = Arc::new(Sheet::load(&mut tx).await?);
    audit::changed(&mut tx, caller, "segment.exported", id, &json!({ "name": [null, segment.name] })).await?;
    tx.commit().await?;
    let (head, meant) = (sheet.head(), Arc::new((segment.filter, context)));
    let name = csv::dated("segment", app.now(), caller);
    Ok(csv::long(caller, &name, head, move |after| {
        let (app, sheet, meant) = (app.clone(), sheet.clone(), meant.clone());
        async move {
            let found = people(&app, &meant.0, &meant.1, after, BATCH).await?;
            Ok((sheet.lines(&found.contacts), found.next))
        }
    }))
}
