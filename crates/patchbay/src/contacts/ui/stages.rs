//! Settings → Stages: the steps of the pipeline, their order, and which of them end it.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use serde::Deserialize;
use uuid::Uuid;

use super::view::{StageRow, StagesPage};
use crate::{
    app::App,
    auth::{Caller, Session},
    contacts::stages::{self, Stage, StageInput, StageKind},
    error::{Error, FieldErrors, Result},
    web::{
        extract::{Form, Path},
        fields::{Choice, Field},
        layout::Place,
        notice,
        pages::html_form,
        patch::Patch,
        settings::{Section, tabs},
        shell::shell,
    },
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct StageForm {
    name: String,
    kind: String,
}

impl StageForm {
    fn input(&self) -> StageInput {
        let kind = StageKind::ALL.into_iter().find(|kind| kind.as_str() == self.kind);
        StageInput { name: Patch::Set(self.name.clone()), kind: kind.map_or(Patch::Keep, Patch::Set) }
    }
}

/// Which way something is moved in a list.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Way {
    Up,
    Down,
}

#[derive(Debug, Deserialize)]
pub(super) struct Step {
    pub(super) way: Way,
}

/// `ids` with `id` one step further; `None` when it is not there.
pub(super) fn stepped(mut ids: Vec<Uuid>, id: Uuid, way: &Way) -> Option<Vec<Uuid>> {
    let at = ids.iter().position(|other| *other == id)?;
    let to = match way {
        Way::Up => at.saturating_sub(1),
        Way::Down => (at + 1).min(ids.len() - 1),
    };
    ids.swap(at, to);
    Some(ids)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Leaving {
    move_to: Option<Uuid>,
}

async fn all(app: &App, caller: &Caller) -> Result<Vec<Stage>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    stages::list(&mut tx).await
}

/// `GET /settings/stages`.
pub(super) async fn page(State(app): State<Arc<App>>, session: Session, caller: Caller) -> Result<Response> {
    show(&app, &session, &caller, &StageForm::default(), FieldErrors::new()).await
}

/// `POST /settings/stages`.
pub(super) async fn create(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Form(form): Form<StageForm>,
) -> Result<Response> {
    match stages::create(&app, &caller, form.input()).await {
        Ok(stage) => Ok(done(&app, &format!("Added the stage {}", stage.name))),
        Err(error) => show(&app, &session, &caller, &form, error.at_field("name")?).await,
    }
}

/// `POST /settings/stages/{id}`.
pub(super) async fn save(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Form(form): Form<StageForm>,
) -> Result<Response> {
    let stage = stages::update(&app, &caller, id, form.input()).await?;
    Ok(done(&app, &format!("Saved the stage {}", stage.name)))
}

/// `POST /settings/stages/{id}/move`.
pub(super) async fn put(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Form(step): Form<Step>,
) -> Result<Response> {
    let ids = all(&app, &caller).await?.iter().map(|stage| stage.id).collect();
    let ids = stepped(ids, id, &step.way).ok_or(Error::NotFound("stage"))?;
    stages::reorder(&app, &caller, &ids).await?;
    Ok(notice::see_other(Section::Stages.href()))
}

/// `POST /settings/stages/{id}/delete`.
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Form(leaving): Form<Leaving>,
) -> Result<Response> {
    stages::delete(&app, &caller, id, leaving.move_to).await?;
    Ok(done(&app, "Removed the stage"))
}

fn done(app: &App, text: &str) -> Response {
    notice::redirect(app, Section::Stages.href(), text)
}

async fn show(
    app: &App,
    session: &Session,
    caller: &Caller,
    form: &StageForm,
    errors: FieldErrors,
) -> Result<Response> {
    let stages = all(app, caller).await?;
    let error = |name: &str| errors.get(name).cloned().unwrap_or_default();
    let kinds = |chosen: &str| {
        StageKind::ALL.map(|kind| Choice::new(kind.as_str(), kind.label(), kind.as_str() == chosen)).into()
    };
    let rows = stages.iter().map(|stage| StageRow {
        id: stage.id.to_string(),
        name: stage.name.clone(),
        kinds: kinds(stage.kind.as_str()),
        others: stages
            .iter()
            .filter(|other| other.id != stage.id)
            .map(|other| Choice::new(other.id.to_string(), &other.name, false))
            .collect(),
    });
    let page = StagesPage {
        tabs: tabs(Section::Stages, caller.role),
        stages: rows.collect(),
        name: Field::text("name", "Name").value(&form.name).error(error("name")).required(),
        kind: Field::select("kind", "Meaning", kinds(&form.kind)).required(),
        shell: shell(app, session, Place::Settings, "Stages").await?,
    };
    html_form(&errors, &page)
}
