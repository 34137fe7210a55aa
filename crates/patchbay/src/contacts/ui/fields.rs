//! Settings → Custom fields: what this business wants to know about its contacts.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    stages::{Step, stepped},
    view::{FieldRow, FieldsPage},
};
use crate::{
    app::App,
    auth::{Caller, Session},
    contacts::custom_fields::{self, CustomField, CustomFieldInput, FieldType},
    error::{Error, FieldErrors, Result},
    web::{
        extract::{Form, Path},
        fields::{Choice, Field, NOT_SAVED},
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
pub(super) struct FieldForm {
    label: String,
    key: String,
    #[serde(rename = "type")]
    kind: String,
    /// One in a line.
    options: Option<String>,
    required: bool,
}

impl FieldForm {
    fn options(&self) -> Patch<Vec<String>> {
        let lines = |text: &String| text.lines().map(str::to_owned).collect();
        self.options.as_ref().map(lines).map_or(Patch::Keep, Patch::Set)
    }

    fn new_field(&self) -> CustomFieldInput {
        let kind = FieldType::ALL.into_iter().find(|kind| kind.as_str() == self.kind);
        CustomFieldInput {
            key: Some(self.key.trim().to_owned())
                .filter(|key| !key.is_empty())
                .map_or(Patch::Keep, Patch::Set),
            field_type: kind.map_or(Patch::Keep, Patch::Set),
            ..self.change()
        }
    }

    fn change(&self) -> CustomFieldInput {
        CustomFieldInput {
            label: Patch::Set(self.label.clone()),
            options: self.options(),
            required: Patch::Set(self.required),
            ..CustomFieldInput::default()
        }
    }
}

async fn all(app: &App, caller: &Caller) -> Result<Vec<CustomField>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    custom_fields::list(&mut tx).await
}

/// `GET /settings/custom-fields`.
pub(super) async fn page(State(app): State<Arc<App>>, session: Session, caller: Caller) -> Result<Response> {
    show(&app, &session, &caller, &FieldForm::default(), FieldErrors::new()).await
}

/// `POST /settings/custom-fields`.
pub(super) async fn create(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Form(form): Form<FieldForm>,
) -> Result<Response> {
    match custom_fields::create(&app, &caller, form.new_field()).await {
        Ok(field) => Ok(done(&app, &format!("Added the field {}", field.label))),
        Err(Error::Invalid(errors)) => show(&app, &session, &caller, &form, errors).await,
        Err(error) => Err(error),
    }
}

/// `POST /settings/custom-fields/{id}`.
pub(super) async fn save(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Form(form): Form<FieldForm>,
) -> Result<Response> {
    let field = custom_fields::update(&app, &caller, id, form.change()).await?;
    Ok(done(&app, &format!("Saved the field {}", field.label)))
}

/// `POST /settings/custom-fields/{id}/move`.
pub(super) async fn put(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Form(step): Form<Step>,
) -> Result<Response> {
    let ids = all(&app, &caller).await?.iter().map(|field| field.id).collect();
    let ids = stepped(ids, id, &step.way).ok_or(Error::NotFound("custom field"))?;
    custom_fields::reorder(&app, &caller, &ids).await?;
    Ok(notice::see_other(Section::CustomFields.href()))
}

/// `POST /settings/custom-fields/{id}/delete`.
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    custom_fields::delete(&app, &caller, id).await?;
    Ok(done(&app, "Removed the field. What it held is kept under its key."))
}

fn done(app: &App, text: &str) -> Response {
    notice::redirect(app, Section::CustomFields.href(), text)
}

async fn show(
    app: &App,
    session: &Session,
    caller: &Caller,
    form: &FieldForm,
    errors: FieldErrors,
) -> Result<Response> {
    let error = |name: &str| errors.get(name).cloned().unwrap_or_default();
    let kinds =
        FieldType::ALL.map(|kind| Choice::new(kind.as_str(), kind.label(), kind.as_str() == form.kind));
    let rows = all(app, caller).await?.into_iter().map(|field| FieldRow {
        id: field.id.to_string(),
        kind: field.field_type.label(),
        is_select: field.field_type == FieldType::Select,
        required: field.required,
        options: field.options.join("\n"),
        label: field.label,
        key: field.key,
    });
    let page = FieldsPage {
        tabs: tabs(Section::CustomFields, caller.role),
        fields: rows.collect(),
        error: if errors.is_empty() { String::new() } else { NOT_SAVED.to_owned() },
        label: Field::text("label", "Label").value(&form.label).error(error("label")).required(),
        kind: Field::select("type", "Type", kinds.into()).error(error("type")).required(),
        options: Field::area("options", "Choices")
            .value(form.options.clone().unwrap_or_default())
            .error(error("options"))
            .hint("One in a line.")
            .required(),
        key: Field::text("key", "Key")
            .value(&form.key)
            .error(error("key"))
            .hint("What templates and programs call it by. Made from the label when empty; never changes."),
        required: Field::tick("required", "Ask for it when a contact is added by hand", form.required),
        shell: shell(app, session, Place::Settings, "Custom fields").await?,
    };
    html_form(&errors, &page)
}
