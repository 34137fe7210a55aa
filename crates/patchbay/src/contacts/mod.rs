//! Contacts: a tenant's own copy of the people it deals with.
//!
//! Promises: one contact per phone number and tenant, whoever writes and however many at once; whoever is
//! known by a number or an e-mail is found again, also after a merge; nothing known is overwritten by what
//! merely turns up. Does not: decide who may be written to (consent), or show a tenant anything of the
//! identity that contacts of several tenants share.

mod advance;
mod api;
pub mod board;
pub mod bulk;
pub mod clean;
mod contact;
pub mod custom_fields;
pub mod duplicates;
pub mod export;
pub mod filter;
mod input;
pub mod jobs;
pub mod labels;
pub mod merge;
pub mod notes;
pub mod properties;
pub mod search;
mod sql;
pub mod stages;
#[cfg(test)]
mod tests;
pub mod timeline;
mod ui;
mod write;

use serde_json::Value;
use uuid::Uuid;

pub use advance::{Advance, advance_stage};
pub use api::{ContactBody, Doc};
pub use contact::{ConsentState, Contact, NewContact, Status, full_name};
pub use input::ContactInput;
use input::surroundings;
pub(crate) use ui::{Row, rows};
pub use write::{add_labels, archive, create, remove_label, restore, update};

use crate::{
    app::App,
    db::TenantTx,
    error::{Error, Result},
    web::routes::Routes,
};

/// The contact with this id, archived or not.
pub async fn find(tx: &mut TenantTx, id: Uuid) -> Result<Option<Contact>> {
    sql::find(tx, id).await
}

/// The contact with this id, or a not-found error.
pub async fn get(tx: &mut TenantTx, id: Uuid) -> Result<Contact> {
    find(tx, id).await?.ok_or(Error::NotFound("contact"))
}

/// The contacts with these ids, in their order; what is not there is left out.
pub async fn find_all(tx: &mut TenantTx, ids: &[Uuid]) -> Result<Vec<Contact>> {
    sql::list_by_ids(tx, ids).await
}

/// The contact that a number belongs to; a merged duplicate's number leads to the contact that was kept.
pub async fn find_by_phone(tx: &mut TenantTx, e164: &str) -> Result<Option<Contact>> {
    match sql::match_id(tx, Some(e164), None).await? {
        Some(id) => find(tx, id).await,
        None => Ok(None),
    }
}

/// The contact with this id, or the one that it was merged into.
pub async fn find_kept(tx: &mut TenantTx, id: Uuid) -> Result<Option<Contact>> {
    let mut found = find(tx, id).await?;
    // A merge never makes a ring, and chains are short.
    while let Some(onward) = found.as_ref().and_then(|contact| contact.merged_into) {
        found = find(tx, onward).await?;
    }
    Ok(found)
}

/// The contact behind these addresses, made if there is none; the flag says whether it was. A known contact
/// is only completed, never overwritten, and comes back from the archive.
///
/// Safe against races: any number of callers with the same phone or e-mail end with one contact.
pub async fn upsert(tx: &mut TenantTx, app: &App, new: NewContact) -> Result<(Contact, bool)> {
    if let Some(email) = &new.email {
        sql::lock_email(tx, email).await?;
    }
    let (phone, email) = (new.phone.as_deref(), new.email.as_deref());
    if let Some(id) = sql::match_id(tx, phone, email).await? {
        sql::fill(tx, id, &new, app.now()).await?;
        return Ok((get(tx, id).await?, false));
    }
    let id = app.new_id();
    if sql::insert(tx, id, &new, app.now()).await? {
        return Ok((get(tx, id).await?, true));
    }
    // Another writer inserted this phone after we looked; the insert has waited for its commit.
    let id = sql::match_id(tx, phone, email)
        .await?
        .ok_or_else(|| Error::conflict("This contact changed just now. Try again."))?;
    sql::fill(tx, id, &new, app.now()).await?;
    Ok((get(tx, id).await?, false))
}

/// Notes something on a contact's timeline: `kind` such as `stage.moved`, with the facts in `data`.
pub async fn activity(
    tx: &mut TenantTx,
    contact_id: Uuid,
    kind: &str,
    data: &Value,
    actor_label: Option<&str>,
) -> Result<()> {
    sql::insert_activity(tx, contact_id, kind, data, actor_label).await
}

/// The routes of this feature.
pub fn routes(routes: Routes) -> Routes {
    ui::routes(api::routes(routes))
}
