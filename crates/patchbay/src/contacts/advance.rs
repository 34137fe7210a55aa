//! Cards that move by themselves: what happens to a contact can only bring it forward on the board.

use serde_json::json;
use uuid::Uuid;

use super::sql;
use crate::{app::App, db::TenantTx, error::Result};

/// Where a contact has got to.
#[derive(Debug, Clone, Copy)]
pub enum Advance<'a> {
    /// The open stage of this name, in whatever case; a business may have renamed or removed it, then nothing moves.
    Named(&'a str),
    /// The first stage that means a sale.
    Won,
}

/// Moves a contact's card forward, on top of its new stage, and notes it on the timeline. A card that is there already,
/// further on, or at rest in a won or lost stage stays. Answers whether it moved.
pub async fn advance_stage(tx: &mut TenantTx, app: &App, contact_id: Uuid, to: Advance<'_>) -> Result<bool> {
    let name = match to {
        Advance::Named(name) => Some(name),
        Advance::Won => None,
    };
    let Some((from, to)) = sql::advance_stage(tx, contact_id, name, app.now()).await? else {
        return Ok(false);
    };
    super::activity(
        tx,
        contact_id,
        "stage.moved",
        &json!({ "from": from, "to": to, "by_itself": true }),
        None,
    )
    .await?;
    Ok(true)
}
