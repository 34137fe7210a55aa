use std::sync::Arc;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ContactBody;
use crate::{
    app::App,
    auth::Caller,
    contacts::{
        board::{self, Target},
        stages::Stage,
    },
    error::{Error, Result},
    web::{
        extract::{Json, Path, Query},
        paging::{Page, PageQuery},
        patch::Patch,
    },
};

/// A column of the board.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct LaneBody {
    /// `null`: the contacts without a stage.
    stage: Option<Stage>,
    /// How many contacts there are; 1001 stands for more than 1000.
    total: i64,
    /// What the open quotes of its contacts come to in the tenant's currency; `null` where there are none, or more than
    /// 20,000 in all.
    open_quotes_cents: Option<i64>,
}

/// Where a card goes.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
pub(super) struct MoveInput {
    contact_id: Uuid,
    /// `null` takes it off the board. When absent it goes where its neighbour is, or else stays in its column.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    stage_id: Patch<Uuid>,
    /// The contact that follows it there.
    before: Option<Uuid>,
    /// The contact that it follows. With neither it goes to the top.
    after: Option<Uuid>,
}

/// The columns of the board, with how many contacts stand in each.
#[utoipa::path(get, path = "/api/board", tag = "Board", responses((status = 200, body = Page<LaneBody>)))]
pub(super) async fn lanes(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Page<LaneBody>>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let lanes = board::lanes(&mut tx, 0).await?;
    let open = board::open_quotes(&mut tx, &caller.tenant.currency).await?;
    let body = |lane: board::Lane| {
        let stage = lane.stage.as_ref().map(|stage| stage.id);
        let open_quotes_cents = open.iter().find(|(of, _)| *of == stage).map(|(_, cents)| *cents);
        LaneBody { stage: lane.stage, total: lane.total, open_quotes_cents }
    };
    Ok(Json(Page::whole(lanes.into_iter().map(body).collect())))
}

/// The contacts of one column, by its stage's id or `none`, in their order.
#[utoipa::path(get, path = "/api/board/{stage}", tag = "Board", params(("stage" = String, Path), PageQuery), responses((status = 200, body = Page<ContactBody>), (status = 404)))]
pub(super) async fn lane(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(stage): Path<String>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<ContactBody>>> {
    let stage = match stage.as_str() {
        "none" => None,
        id => Some(Uuid::parse_str(id).map_err(|_| Error::NotFound("stage"))?),
    };
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let lane = board::lane(&mut tx, stage, page.after()?, page.limit()).await?;
    Ok(Json(Page::until(lane.cards, lane.next).map(ContactBody::from)))
}

/// Moves a contact to a place on the board.
#[utoipa::path(post, path = "/api/board/move", tag = "Board", request_body = MoveInput, responses((status = 200, body = ContactBody), (status = 404), (status = 409)))]
pub(super) async fn put(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(input): Json<MoveInput>,
) -> Result<Json<ContactBody>> {
    let target = Target { stage: input.stage_id, before: input.before, after: input.after };
    Ok(Json(board::move_card(&app, &caller, input.contact_id, target).await?.into()))
}
