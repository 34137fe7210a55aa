//! Statistics for the planner. The server gathers them by itself about once a minute, which is too late for a table that
//! grows from nothing to a hundred thousand rows in seconds: until then it plans as if the table were empty, and reads
//! all of it for each row of a batch.

use sqlx::{AssertSqlSafe, PgConnection};

use crate::error::Result;

/// Counts the rows that a long piece of work adds to tables, and has the server look at them whenever they may have
/// doubled.
pub struct Growth {
    /// The first one is the measure of all.
    tables: &'static [&'static str],
    added: i64,
}

impl Growth {
    /// For `tables` of our schema, the one that grows most first.
    pub fn of(tables: &'static [&'static str]) -> Self {
        Self { tables, added: 0 }
    }

    /// `rows` were added, and committed. Waits for nobody who looks at a table already.
    pub async fn add(&mut self, conn: &mut PgConnection, rows: i64) -> Result<()> {
        self.added += rows;
        let known = sqlx::query_scalar!(
            r#"select reltuples::bigint as "known!" from pg_class where oid = to_regclass('patchbay.' || $1)"#,
            self.tables[0]
        )
        .fetch_one(&mut *conn)
        .await?;
        if self.added > known.max(0) {
            let names: Vec<String> = self.tables.iter().map(|table| format!("patchbay.{table}")).collect();
            // Names that stand in the program.
            let statement = AssertSqlSafe(format!("analyze (skip_locked) {}", names.join(", ")));
            sqlx::raw_sql(statement).execute(conn).await?;
            self.added = 0;
        }
        Ok(())
    }
}
