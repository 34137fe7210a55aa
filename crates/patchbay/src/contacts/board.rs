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
    pub stage: Stage,
    pub cards: Vec<Contact>,
    /// Where the next cards begin, if there are more.
    pub next: Option<Spot>,
}

/// All columns with their first cards.
pub async fn lanes(tx: &mut TenantTx, per_lane: i64) -> Result<Vec<Lane>> {
    let stages = stages::list(tx).await?;
    let mut cards = sql::list_cards(tx, per_lane + 1).await?;
    let limit = usize::try_from(per_lane).unwrap_or_default();
    Ok(stages
        .into_iter()
        .map(|stage| {
            let (own, rest) =
                std::mem::take(&mut cards).into_iter().partition(|card| card.stage_id == Some(stage.id));
            cards = rest;
            cut(stage, own, limit)
        })
        .collect())
}

/// More cards of one column.
pub async fn lane(tx: &mut TenantTx, stage_id: Uuid, after: Option<Spot>, limit: i64) -> Result<Lane> {
    let stage = stages::list(tx)
        .await?
        .into_iter()
        .find(|stage| stage.id == stage_id)
        .ok_or(Error::NotFound("stage"))?;
    let cards = sql::list_lane(tx, stage_id, after, limit + 1).await?;
    Ok(cut(stage, cards, usize::try_from(limit).unwrap_or_default()))
}

fn cut(stage: Stage, mut cards: Vec<Contact>, limit: usize) -> Lane {
    let more = cards.len() > limit;
    cards.truncate(limit);
    let next = cards.last().filter(|_| more).map(|card| Spot(card.stage_position, card.id));
    Lane { stage, cards, next }
}

/// Where a card is put.
#[derive(Debug, Clone, Copy, Default)]
pub struct Target {
    pub stage: Uuid,
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
    if !stages::list(&mut tx).await?.iter().any(|stage| stage.id == target.stage) {
        return Err(Error::NotFound("stage"));
    }
    let position = find_position(&mut tx, card, target).await?;
    let now = app.now();
    sql::place_card(&mut tx, card, target.stage, position, now).await?;
    if contact.stage_id != Some(target.stage) {
        write::moved(&mut tx, card, contact.stage_id, Some(target.stage), Some(&caller.actor.label)).await?;
        let changes = json!({"stage_id": [contact.stage_id, target.stage]});
        let entry = audit::Entry {
            action: "contact.updated",
            entity_type: "contact",
            entity_id: Some(card.to_string()),
            changes: &changes,
        };
        audit::record(&mut tx, &caller.actor, entry).await?;
    }
    let contact = super::get(&mut tx, card).await?;
    tx.commit().await?;
    Ok(contact)
}

/// A number between the neighbours of the place, after making room if there is none.
async fn find_position(tx: &mut TenantTx, card: Uuid, target: Target) -> Result<f64> {
    for _ in 0..2 {
        let gap = match (target.before, target.after) {
            (Some(before), _) => sql::find_gap(tx, target.stage, card, before, true).await?,
            (None, Some(after)) => sql::find_gap(tx, target.stage, card, after, false).await?,
            (None, None) => None,
        };
        match gap.map(|gap| (gap.above, gap.below, gap.below_id)) {
            Some((Some(above), Some(below), pivot)) => {
                let middle = above + (below - above) / 2.0;
                if above < middle && middle < below {
                    return Ok(middle);
                }
                if let Some(pivot) = pivot {
                    sql::spread_above(tx, target.stage, pivot).await?;
                }
            }
            Some((None, Some(below), _)) => return Ok(below - 1.0),
            Some((Some(above), None, _)) => return Ok(above + 1.0),
            // Nobody to stand beside: the top.
            Some((None, None, _)) | None => {
                let top = sql::top_of_lane(tx, target.stage, card).await?;
                return Ok(top.map_or(0.0, |top| top - 1.0));
            }
        }
    }
    Err(Error::conflict("The cards moved just now. Try again."))
}
