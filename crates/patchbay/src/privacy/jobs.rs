//! Forgetting what is older than it is kept, a bounded piece at a time.

use chrono::{Months, TimeDelta};

use super::sql;
use crate::{app::App, error::Result, ids};

/// How long raw reports of carriers are kept. A report that comes again later changes nothing in the ledger, whose
/// states only climb.
const REPORTS_KEPT: TimeDelta = TimeDelta::days(90);
/// How many rows one round touches.
const PIECE: i64 = 5000;

/// One round; more follow with the next ticks of the clock.
pub async fn forget_old(app: &App) -> Result<()> {
    let now = app.now();
    let keepers = {
        let mut conn = app.db.system_conn().await?;
        sql::forget_reports(&mut conn, now - REPORTS_KEPT, PIECE).await?;
        sql::keepers(&mut conn).await?
    };
    for keeper in keepers {
        let Some(until) = now.checked_sub_months(Months::new(keeper.months.unsigned_abs())) else { continue };
        let mut tx = app.db.tenant(keeper.tenant_id).await?;
        if sql::forget_texts(&mut tx, keeper.kept_from, ids::first_id(until), PIECE).await? > 0 {
            tx.commit().await?;
        }
    }
    Ok(())
}
