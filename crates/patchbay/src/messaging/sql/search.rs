//! Search across people and what they wrote.
//!
//! Matching runs on the owner's side, because row-level security keeps PostgreSQL from using a trigram index; the
//! tenant is bound here, in every statement, and nothing but ids comes back. Rows are then read as the tenant.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::Result;

/// A message whose text matches.
pub struct MatchRow {
    pub message_id: Uuid,
    pub contact_id: Uuid,
}

/// Messages looked at one by one, newest first, before the index is asked: a common word is met among them.
const NEWEST: i64 = 2_000;
/// More matches than that are not sorted by age.
const GATHERED: i64 = 50_000;

/// The first three patterns, each a condition of its own that an index can answer; the last is repeated where there are fewer.
fn three(all: &[String]) -> [String; 3] {
    let at = |place: usize| all.get(place).or(all.last()).cloned().unwrap_or_default();
    [at(0), at(1), at(2)]
}

/// The newest messages that hold `all` (patterns for `like`, folded by the database, the one that narrows most first).
pub async fn messages(
    conn: &mut PgConnection,
    tenant: Uuid,
    all: &[String],
    limit: i64,
) -> Result<Vec<MatchRow>> {
    let newest = sqlx::query_as!(
        MatchRow,
        "with patterns as materialized (select patchbay.fold(p) as pattern from unnest($2::text[]) p)
         select message_id, contact_id from (
           select message_id, contact_id, folded from patchbay.message_texts where tenant_id = $1 order by message_id desc limit $3) t
         where folded like all (select pattern from patterns) order by message_id desc limit $4",
        tenant,
        all,
        NEWEST,
        limit,
    )
    .fetch_all(&mut *conn)
    .await?;
    if i64::try_from(newest.len()).is_ok_and(|found| found >= limit) {
        return Ok(newest);
    }
    let [one, two, three] = three(all);
    // Gathered first and sorted then: in the order of the key, a rare word would be looked for in every message.
    Ok(sqlx::query_as!(
        MatchRow,
        r#"with found as materialized (
           select message_id, contact_id from patchbay.message_texts
           where tenant_id = $1 and folded like patchbay.fold($2) and folded like patchbay.fold($3) and folded like patchbay.fold($4)
             and folded like all (select patchbay.fold(p) from unnest($5::text[]) p)
           limit $6)
         select message_id as "message_id!", contact_id as "contact_id!" from found order by message_id desc limit $7"#,
        tenant,
        one,
        two,
        three,
        all,
        GATHERED,
        limit,
    )
    .fetch_all(conn)
    .await?)
}

/// Contacts whose name, number, e-mail or custom fields hold `all`; those who talked last first.
pub async fn people(conn: &mut PgConnection, tenant: Uuid, all: &[String], limit: i64) -> Result<Vec<Uuid>> {
    let [one, two, three] = three(all);
    Ok(sqlx::query_scalar!(
        "with found as materialized (
           select id from patchbay.contacts
           where tenant_id = $1 and merged_into is null and archived_at is null
             and search_text like patchbay.fold($2) and search_text like patchbay.fold($3) and search_text like patchbay.fold($4)
             and search_text like all (select patchbay.fold(p) from unnest($5::text[]) p)
           limit 500)
         select f.id from found f left join patchbay.conversations v on v.tenant_id = $1 and v.contact_id = f.id
         order by v.last_message_at desc nulls last, f.id desc limit $6",
        tenant,
        one,
        two,
        three,
        all,
        limit,
    )
    .fetch_all(conn)
    .await?)
}

/// The same for words too short for trigrams: among those who talked last only.
pub async fn recent_people(
    conn: &mut PgConnection,
    tenant: Uuid,
    all: &[String],
    limit: i64,
) -> Result<Vec<Uuid>> {
    Ok(sqlx::query_scalar!(
        "select c.id from (
           select contact_id, last_message_at from patchbay.conversations where tenant_id = $1 order by last_message_at desc limit 2000) v
         join patchbay.contacts c on c.tenant_id = $1 and c.id = v.contact_id and c.merged_into is null and c.archived_at is null
         where c.search_text like all (select patchbay.fold(p) from unnest($2::text[]) p)
         order by v.last_message_at desc limit $3",
        tenant,
        all,
        limit,
    )
    .fetch_all(conn)
    .await?)
}
