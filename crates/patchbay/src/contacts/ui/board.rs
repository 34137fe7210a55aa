//! The board: a lane per stage, cards that are dragged or carried by keyboard (scripts/board.js).

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use patchbay_rules::money;
use serde::Deserialize;
use uuid::Uuid;

use super::{
    view::{BoardPage, CardView, LaneFragment, LaneView},
    words,
};
use crate::{
    app::App,
    auth::{Caller, Session},
    contacts::{
        Contact,
        board::{self, COUNTED, Lane, Target},
        input::Member,
        sql,
        stages::StageKind,
    },
    db::TenantTx,
    error::{Error, Result},
    web::{
        extract::{Form, Path, Query},
        layout::Place,
        moments::moment,
        pages::html,
        parts::{Empty, Face, Tag, Tone},
        patch::Patch,
        shell::shell,
    },
};

/// Cards of a lane before "more".
const PER_LANE: i64 = 30;
/// A lane that is longer is read in the list.
const LONGEST: i64 = 600;
/// The lane of contacts without a stage.
const NOWHERE: &str = "none";

/// What cards are dressed with.
struct Around {
    members: Vec<Member>,
    quotes: Vec<(Uuid, i64, String)>,
    /// Per stage.
    open_quotes: Vec<(Option<Uuid>, i64)>,
}

async fn around(tx: &mut TenantTx, caller: &Caller, lanes: &[Lane]) -> Result<Around> {
    let ids: Vec<Uuid> = lanes.iter().flat_map(|lane| lane.cards.iter().map(|card| card.id)).collect();
    Ok(Around {
        members: sql::list_members(tx).await?,
        quotes: sql::list_newest_quotes(tx, &ids).await?,
        open_quotes: board::open_quotes(tx, &caller.tenant.currency).await?,
    })
}

/// `GET /board`.
pub(super) async fn page(State(app): State<Arc<App>>, session: Session, caller: Caller) -> Result<Response> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let lanes = board::lanes(&mut tx, PER_LANE).await?;
    let around = around(&mut tx, &caller, &lanes).await?;
    drop(tx);
    let nobody = lanes.iter().all(|lane| lane.cards.is_empty());
    let empty = nobody.then(|| Empty {
        icon: "square-kanban",
        heading: "No cards yet".to_owned(),
        text: "Every contact is a card. Leads arrive in the first lane; drag them on as you get further with them."
            .to_owned(),
        actions: if caller.role.can_write() {
            vec![("Add a contact".to_owned(), "/contacts/new".to_owned())]
        } else {
            Vec::new()
        },
    });
    html(&BoardPage {
        shell: shell(&app, &session, Place::Board, "Board").await?,
        lanes: lanes.iter().map(|lane| show(&app, &caller, lane, &around, PER_LANE)).collect(),
        empty,
    })
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Length {
    limit: Option<i64>,
}

/// `GET /board/lanes/{id}`: one lane, as long as is asked for.
pub(super) async fn lane(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(length): Query<Length>,
) -> Result<Response> {
    let stage = stage(&id)?;
    let limit = length.limit.unwrap_or(PER_LANE).clamp(1, LONGEST);
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let lane = board::lane(&mut tx, stage, None, limit).await?;
    let lanes = [lane];
    let around = around(&mut tx, &caller, &lanes).await?;
    let [lane] = &lanes;
    html(&LaneFragment { lane: show(&app, &caller, lane, &around, limit) })
}

fn stage(id: &str) -> Result<Option<Uuid>> {
    match id {
        NOWHERE => Ok(None),
        id => Uuid::parse_str(id).map(Some).map_err(|_| Error::NotFound("stage")),
    }
}

fn show(app: &App, caller: &Caller, lane: &Lane, around: &Around, shown: i64) -> LaneView {
    let stage = lane.stage.as_ref().map(|stage| stage.id);
    let id = stage.map_or_else(|| NOWHERE.to_owned(), |stage| stage.to_string());
    let open = around.open_quotes.iter().find(|(of, _)| *of == stage);
    LaneView {
        open: open.map(|(_, cents)| money::format(*cents, &caller.tenant.currency)).unwrap_or_default(),
        name: lane.stage.as_ref().map_or_else(|| "Without a stage".to_owned(), |stage| stage.name.clone()),
        tag: match lane.stage.as_ref().map(|stage| stage.kind) {
            Some(StageKind::Won) => Some(Tag::new(Tone::Good, "check", "Won")),
            Some(StageKind::Lost) => Some(Tag::new(Tone::Stop, "x", "Lost")),
            _ => None,
        },
        total: if lane.total > COUNTED { "1,000+".to_owned() } else { lane.total.to_string() },
        cards: lane.cards.iter().map(|card| show_card(app, caller, card, around)).collect(),
        more: lane
            .next
            .filter(|_| shown < LONGEST)
            .map(|_| format!("/board/lanes/{id}?limit={}", shown + 2 * PER_LANE)),
        can_write: caller.role.can_write(),
        id,
    }
}

fn show_card(app: &App, caller: &Caller, contact: &Contact, around: &Around) -> CardView {
    let name = words::name(caller, contact);
    let owner = contact.owner_id.and_then(|id| around.members.iter().find(|member| member.id == id));
    let quote = around.quotes.iter().find(|(of, ..)| *of == contact.id);
    let last = contact.last_contacted_at.max(contact.last_replied_at);
    CardView {
        id: contact.id.to_string(),
        href: format!("/contacts/{}", contact.id),
        face: Face::of(contact.id, &name),
        reach: contact.source.clone().unwrap_or_else(|| words::reach(caller, contact)),
        name,
        quote: quote.map(|(_, cents, currency)| money::format(*cents, currency)).unwrap_or_default(),
        labels: contact.labels.iter().take(3).cloned().collect(),
        owner: owner.map(|member| (Face::of(member.id, &member.name), member.name.clone())),
        last: last.map(|at| moment(at, app.now(), caller.tenant.timezone)),
    }
}

/// Where a card was put down.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Put {
    card: Uuid,
    lane: String,
    before: Option<Uuid>,
    after: Option<Uuid>,
}

/// `POST /board/move`.
pub(super) async fn put(
    State(app): State<Arc<App>>,
    caller: Caller,
    Form(put): Form<Put>,
) -> Result<StatusCode> {
    let target = Target {
        stage: stage(&put.lane)?.map_or(Patch::Clear, Patch::Set),
        before: put.before,
        after: put.after,
    };
    board::move_card(&app, &caller, put.card, target).await?;
    Ok(StatusCode::NO_CONTENT)
}
