//! Settings → Labels: which are offered, under which names.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use serde::Deserialize;
use uuid::Uuid;

use super::view::{LabelRow, LabelsPage};
use crate::{
    app::App,
    auth::{Caller, Session},
    contacts::{
        filter,
        labels::{self, LabelInput},
        sql,
    },
    error::{FieldErrors, Result},
    web::{
        extract::{Form, Path},
        fields::Field,
        layout::Place,
        notice,
        pages::html_form,
        patch::Patch,
        settings::{Section, tabs},
        shell::shell,
    },
};

/// A label on more contacts than that is only said to be on more.
const COUNTED: i64 = 1_000;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct LabelForm {
    name: Option<String>,
    active: Option<bool>,
}

impl LabelForm {
    fn input(&self) -> LabelInput {
        LabelInput {
            name: self.name.clone().map_or(Patch::Keep, Patch::Set),
            active: self.active.map_or(Patch::Keep, Patch::Set),
        }
    }
}

/// `GET /settings/labels`.
pub(super) async fn page(State(app): State<Arc<App>>, session: Session, caller: Caller) -> Result<Response> {
    show(&app, &session, &caller, "", FieldErrors::new()).await
}

/// `POST /settings/labels`.
pub(super) async fn create(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Form(form): Form<LabelForm>,
) -> Result<Response> {
    let typed = form.name.clone().unwrap_or_default();
    match labels::create(&app, &caller, form.input()).await {
        Ok(label) => Ok(done(&app, &format!("Added the label {}", label.name))),
        Err(error) => show(&app, &session, &caller, &typed, error.at_field("name")?).await,
    }
}

/// `POST /settings/labels/{id}`: another name, or whether it is offered.
pub(super) async fn save(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Form(form): Form<LabelForm>,
) -> Result<Response> {
    let label = labels::update(&app, &caller, id, form.input()).await?;
    Ok(done(&app, &format!("Saved the label {}", label.name)))
}

/// `POST /settings/labels/{id}/delete`.
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    labels::delete(&app, &caller, id).await?;
    Ok(done(&app, "Removed the label"))
}

fn done(app: &App, text: &str) -> Response {
    notice::redirect(app, Section::Labels.href(), text)
}

async fn show(
    app: &App,
    session: &Session,
    caller: &Caller,
    typed: &str,
    errors: FieldErrors,
) -> Result<Response> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let labels = labels::list(&mut tx).await?;
    let counts = sql::count_labelled(&mut tx, COUNTED + 1).await?;
    drop(tx);
    let rows = labels.into_iter().map(|label| {
        let count = counts.iter().find(|(id, _)| *id == label.id).map_or(0, |(_, count)| *count);
        LabelRow {
            id: label.id.to_string(),
            href: filter::href("/contacts", &[("label", label.name.clone())]),
            carried: if count > COUNTED { "1,000+".to_owned() } else { count.to_string() },
            name: label.name,
            active: label.active,
        }
    });
    let page = LabelsPage {
        tabs: tabs(Section::Labels, caller.role),
        labels: rows.collect(),
        name: Field::text("name", "Name")
            .value(typed)
            .error(errors.get("name").cloned().unwrap_or_default())
            .required(),
        shell: shell(app, session, Place::Settings, "Labels").await?,
    };
    html_form(&errors, &page)
}
