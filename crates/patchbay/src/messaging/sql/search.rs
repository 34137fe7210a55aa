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

/// The newest messages that hold `longest` and `all` (patterns for `like`, folded by the database).
pub async fn messages(
    conn: &mut PgConnection,
    tenant: Uuid,
    longest: &str,
    all: &[String],
    limit: i64,
) -> Result<Vec<MatchRow>> {
    Ok(sqlx::query_as!(
        MatchRow,
        "select message_id, contact_id from patchbay.message_texts
         where tenant_id = $1 and folded like patchbay.fold($2) and folded like all (select patchbay.fold(p) from unnest($3::text[]) p)
         order by message_id desc limit $4",
        tenant,
        longest,
        all,
        limit,
    )
    .fetch_all(conn)
    .await?)
}

/// Contacts whose name, number, e-mail or custom fields hold `longest` and `all`; those who talked last first.
pub async fn people(
    conn: &mut PgConnection,
    tenant: Uuid,
    longest: &str,
    all: &[String],
    limit: i64,
) -> Result<Vec<Uuid>> {
    Ok(sqlx::query_scalar!(
        "with found as materialized (
           select id from patchbay.contacts
           where tenant_id = $1 and merged_into is null and archived_at is null
             and search_text like patchbay.fold($2) and search_text like all (select patchbay.fold(p) from unnest($3::text[]) p)
           limit 500)
         select f.id from found f left join patchbay.conversations v on v.tenant_id = $1 and v.contact_id = f.id
         order by v.last_message_at desc nulls last, f.id desc limit $4",
        tenant,
        longest,
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
