//! The board: one column per stage, cards in an order that people make.
//!
//! A card's place is a number between those of its neighbours, so that a move writes one row. When two neighbours
//! leave no number between them, the cards around are spread apart.

use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{contact::Contact, sql, stages, stages::Stage, write};
use crate::{
    app::App,
    audit,
    auth::Caller,
    db::TenantTx,
    error::{Error, Result},
};

/// A place in a column: position and id of a card.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spot(pub f64, pub Uuid);

/// One column, as far as it is shown.
#[derive(Debug)]
pub struct Lane {
    /// `None` for the contacts without a stage.
    pub stage: Option<Stage>,
    pub cards: Vec<Contact>,
    /// Where the next cards begin, if there are more.
    pub next: Option<Spot>,
    /// How many there are, up to [`COUNTED`].
    pub total: i64,
}

/// A lane with more cards than that is only said to have more.
pub const COUNTED: i64 = 1_000;

/// With more open quotes than that no sums are shown.
const SUMMED: i64 = 20_000;

/// What the open quotes of each lane's contacts come to, in cents of `currency`. Lanes that come to nothing are left out.
pub async fn open_quotes(tx: &mut TenantTx, currency: &str) -> Result<Vec<(Option<Uuid>, i64)>> {
    sql::sum_lanes(tx, currency, SUMMED).await
}

/// All columns with their first cards. The one without a stage comes first, and only if somebody is in it.
pub async fn lanes(tx: &mut TenantTx, per_lane: i64) -> Result<Vec<Lane>> {
    let stages = stages::list(tx).await?;
    let mut cards = sql::list_cards(tx, per_lane + 1).await?;
    cards.extend(sql::list_stageless(tx, None, per_lane + 1).await?);
    let totals = sql::count_lanes(tx, COUNTED + 1).await?;
    let columns = std::iter::once(None).chain(stages.into_iter().map(Some));
    Ok(columns
        .map(|stage| {
            let id = stage.as_ref().map(|stage| stage.id);
            let (own, rest) = std::mem::take(&mut cards).into_iter().partition(|card| card.stage_id == id);
            cards = rest;
            cut(stage, own, per_lane, &totals)
        })
        .filter(|lane| lane.stage.is_some() || lane.total > 0)
        .collect())
}

/// Cards of one column; `None` is that of the contacts without a stage.
pub async fn lane(
    tx: &mut TenantTx,
    stage_id: Option<Uuid>,
    after: Option<Spot>,
    limit: i64,
) -> Result<Lane> {
    let mut stages = stages::list(tx).await?.into_iter();
    let stage = match stage_id {
        Some(id) => Some(stages.find(|stage| stage.id == id).ok_or(Error::NotFound("stage"))?),
        None => None,
    };
    let cards = match stage_id {
        Some(id) => sql::list_lane(tx, id, after, limit + 1).await?,
        None => sql::list_stageless(tx, after, limit + 1).await?,
    };
    let totals = sql::count_lanes(tx, COUNTED + 1).await?;
    Ok(cut(stage, cards, limit, &totals))
}

fn cut(stage: Option<Stage>, mut cards: Vec<Contact>, limit: i64, totals: &[(Option<Uuid>, i64)]) -> Lane {
    let limit = usize::try_from(limit).unwrap_or_default();
    let more = cards.len() > limit;
    cards.truncate(limit);
    let next = cards.last().filter(|_| more).map(|card| Spot(card.stage_position, card.id));
    let id = stage.as_ref().map(|stage| stage.id);
    let total = totals.iter().find(|(other, _)| *other == id).map_or(0, |(_, total)| *total);
    Lane { stage, cards, next, total }
}

/// Where a card is put.
#[derive(Debug, Clone, Copy, Default)]
pub struct Target {
    /// `None` takes it off the board.
    pub stage: Option<Uuid>,
    /// The card that follows it there.
    pub before: Option<Uuid>,
    /// The card that it follows. With neither the card goes to the top.
    pub after: Option<Uuid>,
}

/// Moves a card. A neighbour that has gone elsewhere meanwhile is ignored.
pub async fn move_card(app: &App, caller: &Caller, card: Uuid, target: Target) -> Result<Contact> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let contact = sql::lock(&mut tx, card).await?.ok_or(Error::NotFound("contact"))?;
    if contact.archived_at.is_some() {
        return Err(Error::conflict("This contact is archived. Restore it to move its card."));
    }
    let position = match target.stage {
        Some(stage) if stages::list(&mut tx).await?.iter().all(|other| other.id != stage) => {
            return Err(Error::NotFound("stage"));
        }
        Some(stage) => find_position(&mut tx, card, stage, target).await?,
        // There is no order to keep.
        None => contact.stage_position,
    };
    let now = app.now();
    sql::place_card(&mut tx, card, target.stage, position, now).await?;
    if contact.stage_id != target.stage {
        write::moved(&mut tx, card, contact.stage_id, target.stage, Some(&caller.actor.label)).await?;
        let changes = json!({"stage_id": [contact.stage_id, target.stage]});
        audit::changed(&mut tx, caller, "contact.updated", card, &changes).await?;
    }
    let contact = super::get(&mut tx, card).await?;
    tx.commit().await?;
    Ok(contact)
}

/// A number between the neighbours of the place, after making room if there is none.
async fn find_position(tx: &mut TenantTx, card: Uuid, stage: Uuid, target: Target) -> Result<f64> {
    for _ in 0..2 {
        let gap = match (target.before, target.after) {
            (Some(before), _) => sql::find_gap(tx, stage, card, before, true).await?,
            (None, Some(after)) => sql::find_gap(tx, stage, card, after, false).await?,
            (None, None) => None,
        };
        match gap.map(|gap| (gap.above, gap.below, gap.below_id)) {
            Some((Some(above), Some(below), pivot)) => {
                let middle = above + (below - above) / 2.0;
                if above < middle && middle < below {
                    return Ok(middle);
                }
                if let Some(pivot) = pivot {
                    sql::spread_above(tx, stage, pivot).await?;
                }
            }
            Some((None, Some(below), _)) => return Ok(below - 1.0),
            Some((Some(above), None, _)) => return Ok(above + 1.0),
            // Nobody to stand beside: the top.
            Some((None, None, _)) | None => {
                let top = sql::top_of_lane(tx, stage, card).await?;
                return Ok(top.map_or(0.0, |top| top - 1.0));
            }
        }
    }
    Err(Error::conflict("The cards moved just now. Try again."))
}
