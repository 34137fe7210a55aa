//! Erasing a person on request, and forgetting texts that are older than a tenant keeps them.
//!
//! Promises: after [`erase`] nothing in the tenant's tables tells who the contact was or what was said, in the contact
//! itself, those merged into it, messages, notes, timeline, quotes and the carrier's raw reports; the number is on the
//! do-not-contact list, so that the next import does not bring the person back.
//! Kept, because the law asks for it or the right to erasure ends there (GDPR art. 17(3)(b) and (e)): the address with
//! its consent record and opt-outs (proof for the Spam Act 2003 and 47 CFR 64.1200; an opt-out cannot be honoured
//! without it), and the sums, dates and items of quotes (business records). Backups are not rewritten; they are gone
//! after their seven days.

mod api;
pub mod jobs;
mod sql;
#[cfg(test)]
mod tests;
mod ui;

use patchbay_rules::message::Channel;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

pub use api::Doc;

use crate::{
    app::App,
    audit,
    auth::{Actor, Caller, Role},
    consent::{self, Change, State},
    db::TenantTx,
    error::{Error, Result},
    messaging,
    web::routes::{Access, Routes},
};

/// What was erased.
#[derive(Debug, Clone, Copy, Default, Serialize, utoipa::ToSchema)]
pub struct Erased {
    /// The contact, and those that were merged into it.
    pub contacts: u64,
    pub messages: u64,
    pub notes: u64,
    pub quotes: u64,
}

/// Erases a contact of the caller's tenant.
///
/// # Errors
/// A conflict while a message to them is on its way: what becomes of it could not be found out afterwards.
pub async fn erase(app: &App, caller: &Caller, contact: Uuid) -> Result<Erased> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let erased = erase_in(&mut tx, app, &caller.actor, contact).await?;
    tx.commit().await?;
    Ok(erased)
}

/// Erases whoever has this number or e-mail address, for every tenant or for the one with this slug. Each tenant is
/// a transaction of its own, so that a failure leaves whole tenants undone, and running it again finishes them.
pub async fn erase_everywhere(app: &App, address: &str, slug: Option<&str>) -> Result<Vec<(String, Erased)>> {
    let found = {
        let mut conn = app.db.system_conn().await?;
        sql::contacts_with(&mut conn, address, slug).await?
    };
    let actor = Actor::system();
    let mut done = Vec::new();
    for (tenant, slug, contact) in found {
        let mut tx = app.db.tenant(tenant).await?;
        let erased = erase_in(&mut tx, app, &actor, contact).await?;
        tx.commit().await?;
        done.push((slug, erased));
    }
    Ok(done)
}

async fn erase_in(tx: &mut TenantTx, app: &App, actor: &Actor, contact: Uuid) -> Result<Erased> {
    let now = app.now();
    let family = sql::lock_family(tx, contact).await?;
    if family.is_empty() {
        return Err(Error::NotFound("contact"));
    }
    let ids: Vec<Uuid> = family.iter().map(|member| member.id).collect();
    if sql::any_under_way(tx, &ids).await? {
        return Err(Error::conflict("A message to them is on its way. Try again in a minute."));
    }
    for member in &family {
        refuse(tx, app, actor, member).await?;
    }
    let phones: Vec<String> = family.iter().filter_map(|member| member.phone_e164.clone()).collect();
    let emails = family.iter().filter_map(|member| member.email.clone());
    let addresses: Vec<String> = phones.iter().cloned().chain(emails).collect();
    let waiting = sql::waiting_messages(tx, &ids).await?;
    messaging::cancel_all(tx, &waiting, Some("The contact was erased"), now).await?;
    let erased = Erased {
        messages: sql::erase_messages(tx, &ids).await?,
        notes: sql::erase_notes(tx, &ids).await?,
        quotes: sql::erase_quotes(tx, &ids).await?,
        contacts: sql::erase_contacts(tx, &ids, now).await?,
    };
    sql::erase_traces(tx, &ids).await?;
    sql::erase_from_imports(tx, &ids, &addresses).await?;
    sql::erase_reports(tx, &phones).await?;
    sql::forget_people(tx, &ids).await?;
    let entry = audit::Entry {
        action: "contact.erased",
        kind: audit::Kind::Contact,
        entity_id: Some(contact.to_string()),
        changes: &json!({ "erased": erased }),
    };
    audit::record(tx, actor, entry).await?;
    Ok(erased)
}

/// Nobody writes to them again: every address of theirs is refused, with this as the proof.
async fn refuse(tx: &mut TenantTx, app: &App, actor: &Actor, member: &sql::Member) -> Result<()> {
    let now = app.now();
    let phone = member.phone_e164.as_deref().map(|phone| [(Channel::Sms, phone), (Channel::Whatsapp, phone)]);
    let email = member.email.as_deref().map(|email| (Channel::Email, email));
    for (channel, address) in phone.into_iter().flatten().chain(email) {
        let change = Change {
            detail: Some("Asked to be erased"),
            actor_label: Some(&actor.label),
            ..Change::new(channel, address, State::Unsubscribed, "admin", now)
        };
        consent::set(tx, &change).await?;
    }
    if let Some(phone) = member.phone_e164.as_deref() {
        consent::list(tx, app, phone, "Asked to be erased", actor).await?;
    }
    Ok(())
}

/// The routes of this feature.
pub fn routes(routes: Routes) -> Routes {
    routes
        .post("/api/contacts/{id}/erase", Access::Api(Role::Admin), api::erase)
        .get("/contacts/{id}/erase", Access::Page(Role::Admin), ui::page)
        .post("/contacts/{id}/erase", Access::Page(Role::Admin), ui::erase)
}
