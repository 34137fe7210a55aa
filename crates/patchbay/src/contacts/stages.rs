//! Stages: the steps of the pipeline, in order; the columns of the board.

use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{clean, sql};
use crate::{
    app::App,
    audit,
    auth::Caller,
    db::TenantTx,
    error::{Error, Result},
    web::patch::Patch,
};

/// What reaching a stage means.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum StageKind {
    /// Under way.
    #[default]
    Open,
    /// Bought.
    Won,
    /// Did not buy.
    Lost,
}

impl StageKind {
    /// All of them, in the order they are offered.
    pub const ALL: [Self; 3] = [Self::Open, Self::Won, Self::Lost];

    /// The word stored and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }

    /// The word shown.
    pub fn label(self) -> &'static str {
        match self {
            Self::Open => "Under way",
            Self::Won => "Won",
            Self::Lost => "Lost",
        }
    }
}

/// A step of the pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Stage {
    pub id: Uuid,
    pub name: String,
    /// Ascending from the first step.
    pub position: i32,
    pub kind: StageKind,
}

/// What is wanted of a stage.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
pub struct StageInput {
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub name: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<StageKind>)]
    pub kind: Patch<StageKind>,
}

/// A board with more columns shows nothing any more.
const MOST: usize = 30;

/// All stages in their order.
pub async fn list(tx: &mut TenantTx) -> Result<Vec<Stage>> {
    sql::list_stages(tx).await
}

/// Adds a stage at the end.
pub async fn create(app: &App, caller: &Caller, input: StageInput) -> Result<Stage> {
    let name = checked_name(input.name.as_set().map_or("", String::as_str))?;
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let stages = sql::lock_stages(&mut tx).await?;
    refuse_taken(&stages, &name, None)?;
    if stages.len() >= MOST {
        return Err(Error::field("name", format!("There can be at most {MOST} stages.")));
    }
    let position = stages.last().map_or(0, |last| last.position.saturating_add(1));
    let stage =
        Stage { id: app.new_id(), name, position, kind: input.kind.or(StageKind::Open, StageKind::Open) };
    sql::insert_stage(&mut tx, &stage).await?;
    audit::changed(&mut tx, caller, "stage.created", stage.id, &json!({"name": [null, stage.name]})).await?;
    tx.commit().await?;
    Ok(stage)
}

/// Renames a stage or changes what it means.
pub async fn update(app: &App, caller: &Caller, id: Uuid, input: StageInput) -> Result<Stage> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let stages = sql::lock_stages(&mut tx).await?;
    let before = stages.iter().find(|stage| stage.id == id).ok_or(Error::NotFound("stage"))?;
    let mut stage = before.clone();
    if !input.name.is_keep() {
        stage.name = checked_name(input.name.as_set().map_or("", String::as_str))?;
        refuse_taken(&stages, &stage.name, Some(id))?;
    }
    stage.kind = input.kind.or(stage.kind, StageKind::Open);
    sql::update_stage(&mut tx, &stage).await?;
    let changes = json!({"name": [before.name, stage.name], "kind": [before.kind, stage.kind]});
    audit::changed(&mut tx, caller, "stage.updated", stage.id, &changes).await?;
    tx.commit().await?;
    Ok(stage)
}

/// Puts the stages in the order of `ids`, which names each of them once.
pub async fn reorder(app: &App, caller: &Caller, ids: &[Uuid]) -> Result<Vec<Stage>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let stages = sql::lock_stages(&mut tx).await?;
    let mut named = ids.to_vec();
    named.sort_unstable();
    named.dedup();
    if named.len() != ids.len()
        || named.len() != stages.len()
        || !stages.iter().all(|stage| named.contains(&stage.id))
    {
        return Err(Error::field(
            "ids",
            "Name every stage once. Reload: somebody may have changed the stages.",
        ));
    }
    sql::reorder_stages(&mut tx, ids).await?;
    let after = sql::list_stages(&mut tx).await?;
    let names = |stages: &[Stage]| stages.iter().map(|stage| stage.name.clone()).collect::<Vec<_>>();
    let changes = json!({"order": [names(&stages), names(&after)]});
    let entry =
        audit::Entry { action: "stage.reordered", entity_type: "stage", entity_id: None, changes: &changes };
    audit::record(&mut tx, &caller.actor, entry).await?;
    tx.commit().await?;
    Ok(after)
}

/// Removes a stage; its contacts go to `move_to`, which may be left out when there are none.
pub async fn delete(app: &App, caller: &Caller, id: Uuid, move_to: Option<Uuid>) -> Result<()> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let stages = sql::lock_stages(&mut tx).await?;
    let stage = stages.iter().find(|stage| stage.id == id).ok_or(Error::NotFound("stage"))?;
    if stages.len() == 1 {
        return Err(Error::conflict("This is the last stage, and contacts need one to stand in."));
    }
    match move_to {
        Some(target) if target != id && stages.iter().any(|stage| stage.id == target) => {
            sql::move_stage(&mut tx, id, target, app.now()).await?;
        }
        Some(_) => return Err(Error::field("move_to", "Choose another stage for the contacts in this one.")),
        None if sql::is_stage_used(&mut tx, id).await? => {
            return Err(Error::field("move_to", "There are contacts in this stage. Choose where they go."));
        }
        None => {}
    }
    sql::delete_stage(&mut tx, id).await?;
    audit::changed(
        &mut tx,
        caller,
        "stage.deleted",
        stage.id,
        &json!({"name": [stage.name, null], "moved_to": [null, move_to]}),
    )
    .await?;
    tx.commit().await
}

fn refuse_taken(stages: &[Stage], name: &str, except: Option<Uuid>) -> Result<()> {
    match stages
        .iter()
        .find(|stage| stage.name.to_lowercase() == name.to_lowercase() && Some(stage.id) != except)
    {
        Some(other) => Err(Error::Conflict {
            detail: "A stage with this name exists.".into(),
            existing_id: Some(other.id),
        }),
        None => Ok(()),
    }
}

fn checked_name(name: &str) -> Result<String> {
    match clean::line_within(name, 60) {
        Ok(Some(name)) => Ok(name),
        Ok(None) => Err(Error::field("name", "Give the stage a name.")),
        Err(words) => Err(Error::field("name", words)),
    }
}
