//! Search: the one place that builds SQL for lists of contacts.
//!
//! Matching runs on the owner's side, because under row-level security an index serves no operator that is not
//! leakproof, and a search over a million contacts would read them all. So every statement here names the tenant
//! as its first bound value and answers ids only; the rows are then read in a tenant's transaction, where
//! row-level security binds. The newest contact comes first.
//!
//! How it stays fast whatever is asked: what is frequent is met soon on a walk along the list; what is rare is
//! gathered through the indexes of its conditions. Which of both a query is shows in the first few thousand rows.

mod condition;
mod statement;
mod terms;

use sqlx::{Connection, PgConnection, Row};
use uuid::Uuid;

use super::{contact::Contact, filter::Filter, sql};
use crate::{app::App, error::Result};
use condition::conditions;
use statement::Scope;
use terms::{Term, pattern, terms};

/// Rows that a walk looks at before it counts as vain.
const FIRST_STEPS: i64 = 1_000;
/// Rows gathered before a result counts as large; sorting that many is still quick.
const GATHERED: i64 = 5_000;
/// The second walk, for what is neither frequent nor rare.
const MORE_STEPS: i64 = 30_000;
/// So many found on a vain first walk promise that a second will do.
const PROMISING: usize = 3;
/// Above that a count says only that it is more.
const COUNTED: i64 = 1_000;

/// Which rows of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Slice {
    /// Start after this contact (exclusive).
    pub place: Option<Uuid>,
    /// Towards newer contacts instead of older ones.
    pub back: bool,
    pub limit: i64,
}

impl Slice {
    /// The first rows after `place`.
    pub fn after(place: Option<Uuid>, limit: i64) -> Self {
        Self { place, back: false, limit }
    }
}

/// A page of a search.
#[derive(Debug, Default)]
pub struct Found {
    /// In the order of the list, newest first, also when looking back.
    pub ids: Vec<Uuid>,
    /// Whether there are more in the direction of looking.
    pub more: bool,
    /// How many match in all, where that came to light.
    pub total: Option<i64>,
}

/// The ids of `tenant`'s contacts that pass `filter`.
pub async fn find(app: &App, tenant: Uuid, filter: &Filter, slice: Slice) -> Result<Found> {
    let mut conn = app.db.system_conn().await?;
    run(&mut conn, tenant, filter, slice).await
}

/// The contacts themselves, read with the tenant's own rights.
pub async fn list(app: &App, tenant: Uuid, filter: &Filter, slice: Slice) -> Result<(Vec<Contact>, Found)> {
    let found = find(app, tenant, filter, slice).await?;
    if found.ids.is_empty() {
        return Ok((Vec::new(), found));
    }
    let mut tx = app.db.tenant(tenant).await?;
    let contacts = sql::list_by_ids(&mut tx, &found.ids).await?;
    Ok((contacts, found))
}

/// How many pass, exactly up to a thousand; `None` where counting would take long or there are more.
pub async fn count(app: &App, tenant: Uuid, filter: &Filter) -> Result<Option<i64>> {
    let mut conn = app.db.system_conn().await?;
    if filter.nothing {
        return Ok(Some(0));
    }
    let conditions = conditions(filter, patterns(&mut conn, &filter.text).await?);
    let slice = Slice { place: None, back: false, limit: 0 };
    let scope = Scope { tenant, archived: filter.archived, slice, conditions: &conditions };
    if !scope.is_straight() {
        return Ok(None);
    }
    let counted: i64 = scope.count(COUNTED + 1).build_query_scalar().fetch_one(&mut *conn).await?;
    Ok(Some(counted).filter(|counted| *counted <= COUNTED))
}

pub(in crate::contacts) async fn run(
    conn: &mut PgConnection,
    tenant: Uuid,
    filter: &Filter,
    slice: Slice,
) -> Result<Found> {
    if filter.nothing {
        return Ok(Found { total: Some(0), ..Found::default() });
    }
    let conditions = conditions(filter, patterns(conn, &filter.text).await?);
    let scope = Scope { tenant, archived: filter.archived, slice, conditions: &conditions };
    let wanted = slice.limit + 1;
    let ids: Vec<Uuid> = scope.walk(FIRST_STEPS, wanted).build_query_scalar().fetch_all(&mut *conn).await?;
    if scope.is_straight() || is_full(&ids, wanted) {
        return Ok(page(ids, slice, None));
    }
    if let Some(mut reach) = scope.reach(FIRST_STEPS) {
        let looked_at: i64 = reach.build_query_scalar().fetch_one(&mut *conn).await?;
        if looked_at < FIRST_STEPS {
            let total = i64::try_from(ids.len()).ok().filter(|_| slice.place.is_none());
            return Ok(page(ids, slice, total));
        }
    }
    let promising = ids.len() >= PROMISING;
    if promising && let Some(found) = walk_on(conn, &scope, wanted).await? {
        return Ok(page(found, slice, None));
    }
    let (ids, total) = gather(conn, &scope, Some(GATHERED + 1), wanted).await?;
    if total <= GATHERED {
        return Ok(page(ids, slice, slice.place.is_none().then_some(total)));
    }
    if !promising && let Some(found) = walk_on(conn, &scope, wanted).await? {
        return Ok(page(found, slice, None));
    }
    // Thousands of matches, all far down the list.
    let (ids, _) = gather(conn, &scope, None, wanted).await?;
    Ok(page(ids, slice, None))
}

async fn walk_on(conn: &mut PgConnection, scope: &Scope<'_>, wanted: i64) -> Result<Option<Vec<Uuid>>> {
    let ids: Vec<Uuid> = scope.walk(MORE_STEPS, wanted).build_query_scalar().fetch_all(conn).await?;
    Ok(is_full(&ids, wanted).then_some(ids))
}

fn is_full(ids: &[Uuid], wanted: i64) -> bool {
    i64::try_from(ids.len()).is_ok_and(|found| found >= wanted)
}

fn page(mut ids: Vec<Uuid>, slice: Slice, total: Option<i64>) -> Found {
    let limit = usize::try_from(slice.limit).unwrap_or_default();
    let more = ids.len() > limit;
    ids.truncate(limit);
    if slice.back {
        ids.reverse();
    }
    Found { ids, more, total }
}

/// Gathers through bitmaps alone: the planner cannot know how rare a pattern is, and would otherwise now and then
/// walk a whole tenant in the hope of meeting one.
async fn gather(
    conn: &mut PgConnection,
    scope: &Scope<'_>,
    most: Option<i64>,
    wanted: i64,
) -> Result<(Vec<Uuid>, i64)> {
    let opening = "begin read only; set local enable_indexscan = off; set local enable_indexonlyscan = off; \
                   set local enable_seqscan = off; set local plan_cache_mode = force_custom_plan";
    let mut transaction = conn.begin_with(opening).await?;
    let rows = scope.gather(most, wanted).build().fetch_all(&mut *transaction).await?;
    transaction.rollback().await?;
    let total = rows.first().map_or(Ok(0), |row| row.try_get("total"))?;
    let ids = rows.iter().map(|row| row.try_get("id")).collect::<Result<_, _>>()?;
    Ok((ids, total))
}

/// The text of a search as patterns, folded by the same function as what they are compared with.
async fn patterns(conn: &mut PgConnection, text: &str) -> Result<Vec<String>> {
    let terms = terms(text);
    if terms.is_empty() {
        return Ok(Vec::new());
    }
    let typed: Vec<String> = terms
        .iter()
        .map(|term| {
            let (Term::Word(text) | Term::Digits(text)) = term;
            text.clone()
        })
        .collect();
    let folded = sql::fold(conn, &typed).await?;
    Ok(terms.iter().zip(&folded).map(|(term, folded)| pattern(term, folded)).collect())
}

/// For the fuzz targets: takes a search apart and puts it together again.
#[cfg(fuzzing)]
pub fn fuzz(text: &str) {
    for term in terms(text) {
        assert!(!pattern(&term, text).is_empty());
    }
}
