//! Labels: free words on contacts. Their names are unique whatever the case.

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

/// A word that contacts can carry.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Label {
    pub id: Uuid,
    pub name: String,
    /// `manual` labels are given by people and programs, `auto` ones by rules.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub label_type: String,
    /// Inactive labels stay where they are and are no longer offered.
    pub active: bool,
}

/// What is wanted of a label.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
pub struct LabelInput {
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub name: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    pub active: Patch<bool>,
}

/// A contact carries at most so many labels.
pub const MOST_PER_CONTACT: usize = 100;

/// All labels by name.
pub async fn list(tx: &mut TenantTx) -> Result<Vec<Label>> {
    sql::list_labels(tx).await
}

/// Makes a label; 409 with the existing one when the name is taken.
pub async fn create(app: &App, caller: &Caller, input: LabelInput) -> Result<Label> {
    let name = checked_name(input.name.as_set().map_or("", String::as_str))?;
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let label = Label {
        id: app.new_id(),
        name,
        label_type: "manual".to_owned(),
        active: input.active.or(true, true),
    };
    if !sql::insert_label(&mut tx, &label).await? {
        return Err(taken(&mut tx, &label.name).await?);
    }
    audit::changed(&mut tx, caller, "label.created", label.id, &json!({"name": [null, label.name]})).await?;
    tx.commit().await?;
    Ok(label)
}

/// Renames a label, or takes it off what is offered.
pub async fn update(app: &App, caller: &Caller, id: Uuid, input: LabelInput) -> Result<Label> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let before = sql::find_label(&mut tx, id).await?.ok_or(Error::NotFound("label"))?;
    let mut label = before.clone();
    if !input.name.is_keep() {
        label.name = checked_name(input.name.as_set().map_or("", String::as_str))?;
    }
    label.active = input.active.or(label.active, true);
    if sql::list_labels_named(&mut tx, std::slice::from_ref(&label.name))
        .await?
        .iter()
        .any(|other| other.id != id)
    {
        return Err(taken(&mut tx, &label.name).await?);
    }
    sql::update_label(&mut tx, &label).await?;
    let changes = json!({"name": [before.name, label.name], "active": [before.active, label.active]});
    audit::changed(&mut tx, caller, "label.updated", label.id, &changes).await?;
    tx.commit().await?;
    Ok(label)
}

/// Removes a label, also from the contacts that carry it.
pub async fn delete(app: &App, caller: &Caller, id: Uuid) -> Result<()> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let label = sql::find_label(&mut tx, id).await?.ok_or(Error::NotFound("label"))?;
    sql::delete_label(&mut tx, id).await?;
    audit::changed(&mut tx, caller, "label.deleted", label.id, &json!({"name": [label.name, null]})).await?;
    tx.commit().await
}

/// The labels of these names, made where they are missing. Safe from several writers at once.
pub async fn ensure(tx: &mut TenantTx, app: &App, names: &[String]) -> Result<Vec<Label>> {
    let mut wanted: Vec<String> = Vec::new();
    for name in names {
        let name = checked_name(name)?;
        if !wanted.iter().any(|other| other.to_lowercase() == name.to_lowercase()) {
            wanted.push(name);
        }
    }
    if wanted.len() > MOST_PER_CONTACT {
        return Err(Error::field("labels", format!("Use at most {MOST_PER_CONTACT} labels.")));
    }
    let known = sql::list_labels_named(tx, &wanted).await?;
    let missing: Vec<String> = wanted
        .iter()
        .filter(|name| !known.iter().any(|label| label.name.to_lowercase() == name.to_lowercase()))
        .cloned()
        .collect();
    if missing.is_empty() {
        return Ok(known);
    }
    let ids: Vec<Uuid> = missing.iter().map(|_| app.new_id()).collect();
    sql::insert_labels(tx, &ids, &missing).await?;
    sql::list_labels_named(tx, &wanted).await
}

async fn taken(tx: &mut TenantTx, name: &str) -> Result<Error> {
    let existing = sql::list_labels_named(tx, &[name.to_owned()]).await?;
    Ok(Error::Conflict {
        detail: "A label with this name exists.".into(),
        existing_id: existing.first().map(|label| label.id),
    })
}

fn checked_name(name: &str) -> Result<String> {
    match clean::line_within(name, 60) {
        Ok(Some(name)) => Ok(name),
        Ok(None) => Err(Error::field("name", "Give the label a name.")),
        Err(words) => Err(Error::field("name", words)),
    }
}
