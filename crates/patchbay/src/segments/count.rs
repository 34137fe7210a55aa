//! How many a filter means, and who the newest of them are.
//!
//! Promises an answer within about two seconds, however many contacts there are: exact when counting takes less
//! than [`PATIENCE`], which for most filters holds at a million contacts; otherwise an estimate from a random
//! part of the table, said to be one. A campaign counts exactly when it takes its snapshot.
//!
//! Statements run on the owner's side, because row-level security keeps operators that are not leakproof away from
//! indexes; each names the tenant.

use sqlx::{Connection, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use super::{Context, Filter, push_where};
use crate::{
    app::App,
    error::{Error, Result},
};

/// How long a statement may take before we do with less.
const PATIENCE: &str = "begin read only; set local statement_timeout = '800ms'; set local jit = off; \
                        set local work_mem = '64MB'; \
                        set local plan_cache_mode = force_custom_plan";
/// Contacts that an estimate looks at; of one in ten it is right to 2 % or so.
const SAMPLED: f64 = 60_000.0;
/// The newest rows, of which most filters let some pass.
const STEPS: i64 = 4_000;

/// How many a filter means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    pub count: i64,
    /// Otherwise it is an estimate, in round numbers.
    pub exact: bool,
}

/// How many of the tenant's contacts pass.
pub async fn count(app: &App, filter: &Filter, context: &Context) -> Result<Count> {
    let mut conn = app.db.system_conn().await?;
    let mut exactly = from_contacts("select count(*)", context);
    push_where(&mut exactly, filter, context);
    if let Some(count) = patiently(&mut conn, exactly).await?.and_then(|rows: Vec<i64>| rows.first().copied())
    {
        return Ok(Count { count, exact: true });
    }
    Ok(Count { count: estimate(&mut conn, filter, context).await?, exact: false })
}

/// The newest contacts that pass, as far as they are found in good time.
pub async fn newest(app: &App, filter: &Filter, context: &Context, limit: i64) -> Result<Vec<Uuid>> {
    let mut conn = app.db.system_conn().await?;
    let mut walk = from_contacts("select c.id from (select *", context);
    walk.push(" order by c.id desc limit ").push_bind(STEPS).push(") c where true");
    push_where(&mut walk, filter, context);
    walk.push(" order by c.id desc limit ").push_bind(limit);
    let found: Vec<Uuid> = patiently(&mut conn, walk).await?.unwrap_or_default();
    if i64::try_from(found.len()).is_ok_and(|found| found >= limit) {
        return Ok(found);
    }
    // Rare ones are gathered first, through whatever index serves; sorting them then is nothing.
    let mut gather = QueryBuilder::new("with m as materialized (");
    gather.push("select c.id from patchbay.contacts c where c.tenant_id = ").push_bind(context.tenant);
    gather.push(" and c.archived_at is null");
    push_where(&mut gather, filter, context);
    gather.push(") select id from m order by id desc limit ").push_bind(limit);
    Ok(patiently(&mut conn, gather).await?.unwrap_or(found))
}

/// Merged contacts are archived as well.
fn from_contacts(select: &str, context: &Context) -> QueryBuilder<Postgres> {
    let mut sql = QueryBuilder::new(select);
    sql.push(" from patchbay.contacts c where c.tenant_id = ").push_bind(context.tenant);
    sql.push(" and c.archived_at is null");
    sql
}

/// `None` when it took too long.
async fn patiently<T>(conn: &mut PgConnection, mut sql: QueryBuilder<Postgres>) -> Result<Option<Vec<T>>>
where
    T: Send + Unpin + sqlx::Type<Postgres> + for<'r> sqlx::Decode<'r, Postgres>,
{
    let mut transaction = conn.begin_with(PATIENCE).await?;
    let answer = sql.build_query_scalar().fetch_all(&mut *transaction).await;
    transaction.rollback().await?;
    match answer {
        Ok(rows) => Ok(Some(rows)),
        // query_canceled
        Err(sqlx::Error::Database(cause)) if cause.code().as_deref() == Some("57014") => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What passes of a random part of the table, scaled up. Random are pages, so that reading a few thousand contacts
/// reads only a few thousand.
async fn estimate(conn: &mut PgConnection, filter: &Filter, context: &Context) -> Result<i64> {
    let rows: f64 = sqlx::query_scalar(
        "select greatest(reltuples, 1)::float8 from pg_class where oid = 'patchbay.contacts'::regclass",
    )
    .fetch_one(&mut *conn)
    .await?;
    let percent = (100.0 * SAMPLED / rows).clamp(0.001, 100.0);
    let mut sample = QueryBuilder::new("select count(*) from patchbay.contacts c tablesample system (");
    sample.push_bind(percent).push(") repeatable (1) where c.tenant_id = ").push_bind(context.tenant);
    sample.push(" and c.archived_at is null");
    push_where(&mut sample, filter, context);
    match patiently::<i64>(conn, sample).await?.as_deref() {
        Some([passed]) => Ok(rounded(*passed as f64 * 100.0 / percent)),
        _ => Err(Error::conflict("Counting takes long just now. Try again in a moment.")),
    }
}

/// To two digits, which is more than an estimate knows.
fn rounded(estimate: f64) -> i64 {
    let step = 10_f64.powf((estimate.max(1.0).log10().floor() - 1.0).max(0.0));
    ((estimate / step).round() * step) as i64
}
