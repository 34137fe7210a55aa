//! Making and changing contacts by people and programs. What merely turns up goes through `upsert` instead.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    contact::{Changes, Contact, NewContact},
    input::{self, ContactInput, Surroundings},
    labels, sql,
};
use crate::{
    app::App,
    audit,
    auth::Caller,
    db::TenantTx,
    error::{Error, Result},
    web::patch::Patch,
};

/// Makes a contact. 409 with the existing one when the number is taken, by an archived or merged contact too.
pub async fn create(app: &App, caller: &Caller, input: &ContactInput) -> Result<Contact> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let around = input::surroundings(&mut tx, &caller.tenant.country).await?;
    let new = input::apply(input, &around, NewContact::default())?;
    refuse_taken(&mut tx, new.phone.as_deref(), None).await?;
    let id = app.new_id();
    if !sql::insert(&mut tx, id, &new, app.now()).await? {
        refuse_taken(&mut tx, new.phone.as_deref(), None).await?;
        return Err(Error::conflict("Another contact with this number was made just now."));
    }
    set_labels(&mut tx, app, id, input).await?;
    let changes = json!({"source": [null, new.source], "stage_id": [null, new.stage_id]});
    audit::changed(&mut tx, caller, "contact.created", id, &changes).await?;
    let contact = super::get(&mut tx, id).await?;
    tx.commit().await?;
    Ok(contact)
}

/// Changes what the input names.
pub async fn update(app: &App, caller: &Caller, id: Uuid, input: &ContactInput) -> Result<Contact> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let around = input::surroundings(&mut tx, &caller.tenant.country).await?;
    let before = sql::lock(&mut tx, id).await?.ok_or(Error::NotFound("contact"))?;
    refuse_merged(&before)?;
    let new = input::apply(input, &around, NewContact::from(&before))?;
    if new.phone != before.phone_e164 {
        refuse_taken(&mut tx, new.phone.as_deref(), Some(id)).await?;
    }
    let changes = differences(&before, &new);
    if !changes.is_empty() {
        sql::update(&mut tx, id, &new, app.now(), new.stage_id != before.stage_id).await?;
        follow_up(&mut tx, app, caller, &around, (&before, &new)).await?;
        audit::changed(&mut tx, caller, "contact.updated", id, &json!(changes)).await?;
    }
    set_labels(&mut tx, app, id, input).await?;
    match input.archived {
        Patch::Set(archived) => set_archived(&mut tx, app, caller, &before, archived).await?,
        Patch::Clear => set_archived(&mut tx, app, caller, &before, false).await?,
        Patch::Keep => {}
    }
    let contact = super::get(&mut tx, id).await?;
    tx.commit().await?;
    Ok(contact)
}

/// Takes a contact out of all lists; nothing is lost. Archiving twice is fine.
pub async fn archive(app: &App, caller: &Caller, id: Uuid) -> Result<Contact> {
    change_archived(app, caller, id, true).await
}

/// Brings an archived contact back.
pub async fn restore(app: &App, caller: &Caller, id: Uuid) -> Result<Contact> {
    change_archived(app, caller, id, false).await
}

async fn change_archived(app: &App, caller: &Caller, id: Uuid, archived: bool) -> Result<Contact> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let before = sql::lock(&mut tx, id).await?.ok_or(Error::NotFound("contact"))?;
    set_archived(&mut tx, app, caller, &before, archived).await?;
    let contact = super::get(&mut tx, id).await?;
    tx.commit().await?;
    Ok(contact)
}

async fn set_archived(
    tx: &mut TenantTx,
    app: &App,
    caller: &Caller,
    before: &Contact,
    archived: bool,
) -> Result<()> {
    if before.archived_at.is_some() == archived {
        return Ok(());
    }
    refuse_merged(before)?;
    sql::set_archived(tx, &[before.id], archived, app.now()).await?;
    let (action, kind) =
        if archived { ("contact.archived", "archived") } else { ("contact.restored", "restored") };
    super::activity(tx, before.id, kind, &json!({}), Some(&caller.actor.label)).await?;
    audit::changed(tx, caller, action, before.id, &json!({})).await
}

/// A merged duplicate is history: changes belong to the contact that was kept.
fn refuse_merged(contact: &Contact) -> Result<()> {
    match contact.merged_into {
        Some(kept) => Err(Error::Conflict {
            detail: "This contact was merged into another one. Undo the merge to bring it back.".into(),
            existing_id: Some(kept),
        }),
        None => Ok(()),
    }
}

/// Refuses a number that leads to another contact than `own`.
pub(super) async fn refuse_taken(tx: &mut TenantTx, phone: Option<&str>, own: Option<Uuid>) -> Result<()> {
    let Some(phone) = phone else { return Ok(()) };
    match sql::match_id(tx, Some(phone), None).await? {
        Some(other) if Some(other) != own => Err(Error::Conflict {
            detail: "Another contact has this phone number.".into(),
            existing_id: Some(other),
        }),
        _ => Ok(()),
    }
}

/// What the timeline and the workers should hear of a change.
async fn follow_up(
    tx: &mut TenantTx,
    app: &App,
    caller: &Caller,
    around: &Surroundings,
    (before, new): (&Contact, &NewContact),
) -> Result<()> {
    let label = Some(caller.actor.label.as_str());
    if new.stage_id != before.stage_id {
        moved(tx, before.id, before.stage_id, new.stage_id, label).await?;
    }
    if new.owner_id != before.owner_id {
        let owner = new.owner_id.and_then(|id| input::member(&around.members, id));
        super::activity(
            tx,
            before.id,
            "owner.changed",
            &json!({"from": before.owner_id, "to": new.owner_id, "to_name": owner.map(|owner| &owner.name)}),
            label,
        )
        .await?;
    }
    if new.phone != before.phone_e164 || new.email != before.email {
        super::activity(
            tx,
            before.id,
            "address.changed",
            &json!({"phone": new.phone != before.phone_e164, "email": new.email != before.email}),
            label,
        )
        .await?;
        let payload = json!({"contact_id": before.id});
        patchbay_outbox::enqueue(tx.conn(), caller.tenant.id, "contact.readdressed", &payload, app.now())
            .await?;
    }
    Ok(())
}

/// Notes a move on the timeline, with the names as they are now: stages come and go.
pub(super) async fn moved(
    tx: &mut TenantTx,
    contact_id: Uuid,
    from: Option<Uuid>,
    to: Option<Uuid>,
    actor_label: Option<&str>,
) -> Result<()> {
    let stages = sql::list_stages(tx).await?;
    let name =
        |id: Option<Uuid>| stages.iter().find(|stage| Some(stage.id) == id).map(|stage| stage.name.clone());
    let data = json!({"from": name(from), "to": name(to), "from_id": from, "to_id": to});
    super::activity(tx, contact_id, "stage.moved", &data, actor_label).await
}

async fn set_labels(tx: &mut TenantTx, app: &App, id: Uuid, input: &ContactInput) -> Result<()> {
    let wanted = match &input.labels {
        Patch::Keep => return Ok(()),
        Patch::Clear => Vec::new(),
        Patch::Set(names) => names.iter().filter(|name| !name.trim().is_empty()).cloned().collect(),
    };
    let wanted: Vec<Uuid> = labels::ensure(tx, app, &wanted)
        .await
        .map_err(|error| match error {
            Error::Invalid(fields) => Error::field("labels", fields.into_values().next().unwrap_or_default()),
            other => other,
        })?
        .iter()
        .map(|label| label.id)
        .collect();
    let current: Vec<Uuid> = sql::list_contact_labels(tx, id).await?.iter().map(|label| label.id).collect();
    let gone: Vec<Uuid> = current.iter().filter(|label| !wanted.contains(label)).copied().collect();
    let new: Vec<Uuid> = wanted.into_iter().filter(|label| !current.contains(label)).collect();
    if !gone.is_empty() {
        sql::detach_labels(tx, &[id], &gone).await?;
    }
    if !new.is_empty() {
        sql::attach_labels(tx, &[id], &new).await?;
    }
    Ok(())
}

/// Gives a contact labels by name, made where they are missing.
pub async fn add_labels(app: &App, caller: &Caller, id: Uuid, names: &[String]) -> Result<Contact> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let contact = sql::lock(&mut tx, id).await?.ok_or(Error::NotFound("contact"))?;
    let labels = labels::ensure(&mut tx, app, names).await?;
    if contact.labels.len() + labels.len() > labels::MOST_PER_CONTACT {
        return Err(Error::field(
            "labels",
            format!("A contact carries at most {} labels.", labels::MOST_PER_CONTACT),
        ));
    }
    let ids: Vec<Uuid> = labels.iter().map(|label| label.id).collect();
    let added = sql::attach_labels(&mut tx, &[id], &ids).await?;
    for label in labels.iter().filter(|label| added.iter().any(|(_, given)| *given == label.id)) {
        super::activity(&mut tx, id, "label.added", &json!({"label": label.name}), Some(&caller.actor.label))
            .await?;
    }
    let contact = super::get(&mut tx, id).await?;
    tx.commit().await?;
    Ok(contact)
}

/// Takes a label, by id or name, from a contact. Nothing happens when it has none such.
pub async fn remove_label(app: &App, caller: &Caller, id: Uuid, label: &str) -> Result<Contact> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    sql::lock(&mut tx, id).await?.ok_or(Error::NotFound("contact"))?;
    let carried = sql::list_contact_labels(&mut tx, id).await?;
    let named = |other: &&labels::Label| {
        other.id.to_string() == label || other.name.to_lowercase() == label.to_lowercase()
    };
    if let Some(found) = carried.iter().find(named) {
        sql::detach_labels(&mut tx, &[id], &[found.id]).await?;
        super::activity(
            &mut tx,
            id,
            "label.removed",
            &json!({"label": found.name}),
            Some(&caller.actor.label),
        )
        .await?;
    }
    let contact = super::get(&mut tx, id).await?;
    tx.commit().await?;
    Ok(contact)
}

/// Field by field, what is different, before and after.
fn differences(before: &Contact, new: &NewContact) -> Changes {
    let old = NewContact::from(before);
    let mut changes = Changes::new();
    let mut note = |name: &'static str, before: Value, after: Value| {
        if before != after {
            changes.insert(name, (before, after));
        }
    };
    note("status", json!(old.status), json!(new.status));
    note("first_name", json!(old.first_name), json!(new.first_name));
    note("last_name", json!(old.last_name), json!(new.last_name));
    note("phone", json!(old.phone), json!(new.phone));
    note("phone_ext", json!(old.phone_ext), json!(new.phone_ext));
    note("email", json!(old.email), json!(new.email));
    note("source", json!(old.source), json!(new.source));
    note("stage_id", json!(old.stage_id), json!(new.stage_id));
    note("owner_id", json!(old.owner_id), json!(new.owner_id));
    note("timezone", json!(old.timezone), json!(new.timezone));
    note("state", json!(old.state), json!(new.state));
    note("postal", json!(old.postal), json!(new.postal));
    note("country", json!(old.country), json!(new.country));
    note("properties", Value::Object(old.properties), Value::Object(new.properties.clone()));
    changes
}
