//! What search needs besides its own statements.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::{db::TenantTx, error::Result};

/// Letter case and accents as the column of search texts has them.
pub(in crate::contacts) async fn fold(conn: &mut PgConnection, typed: &[String]) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar!(
        r#"select patchbay.fold(t.word) as "folded!" from unnest($1::text[]) with ordinality t (word, place) order by place"#,
        typed
    )
    .fetch_all(conn)
    .await?)
}

/// The sources that contacts came through, by name. One step along the index per source, however many contacts.
pub(in crate::contacts) async fn list_sources(tx: &mut TenantTx, limit: i64) -> Result<Vec<String>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!(
        r#"with recursive step (source) as (
             (select source from patchbay.contacts where tenant_id = $1 and archived_at is null and source is not null order by source limit 1)
             union all
             select (select c.source from patchbay.contacts c
               where c.tenant_id = $1 and c.archived_at is null and c.source > step.source order by c.source limit 1)
             from step where step.source is not null)
           select source as "source!" from step where source is not null limit $2"#,
        tenant,
        limit,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// The files of these imports.
pub(in crate::contacts) async fn name_imports(
    tx: &mut TenantTx,
    ids: &[Uuid],
) -> Result<Vec<(Uuid, String)>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let tenant = tx.tenant();
    let rows = sqlx::query!(
        "select id, file_name from patchbay.imports where tenant_id = $1 and id = any($2)",
        tenant,
        ids
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.file_name)).collect())
}
