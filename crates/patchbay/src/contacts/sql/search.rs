//! What search needs besides its own statements.

use sqlx::PgConnection;

use crate::error::Result;

/// Letter case and accents as the column of search texts has them.
pub(in crate::contacts) async fn fold(conn: &mut PgConnection, typed: &[String]) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar!(
        r#"select patchbay.fold(t.word) as "folded!" from unnest($1::text[]) with ordinality t (word, place) order by place"#,
        typed
    )
    .fetch_all(conn)
    .await?)
}
