//! What follows from a contact that appeared or got another address.

use patchbay_outbox::Job;
use uuid::Uuid;

use super::{duplicates, sql};
use crate::{app::App, error::Result};

/// Handles `lead.created` and `contact.readdressed`: finds the person behind the contact's addresses.
///
/// The person is resolved in a transaction of its own, before the contact is written (a distributed server
/// refuses to do both in one); a person whom no contact points to is harmless. Idempotent.
pub async fn lead_created(app: &App, job: &Job) -> Result<()> {
    let Some(contact_id) = job.payload["contact_id"].as_str().and_then(|id| Uuid::parse_str(id).ok()) else {
        return Ok(());
    };
    let mut conn = app.db.system_conn().await?;
    let Some(known) = sql::find_addresses(&mut conn, job.tenant_id, contact_id).await? else { return Ok(()) };
    drop(conn);
    if known.phone_e164.is_none() && known.email.is_none() {
        return Ok(()); // nothing that would recognise the person again
    }
    let mut resolving = app.db.system().await?;
    let person = sql::resolve_person(resolving.conn(), &known).await?;
    resolving.commit().await?;
    if let Some(person) = person {
        let mut writing = app.db.system().await?;
        sql::set_person(writing.conn(), job.tenant_id, contact_id, person).await?;
        writing.commit().await?;
    }
    Ok(())
}

/// Handles [`duplicates::WANTED`]. Idempotent.
pub async fn duplicates_wanted(app: &App, job: &Job) -> Result<()> {
    let mut tx = app.db.tenant(job.tenant_id).await?;
    duplicates::renew(&mut tx, app.now()).await?;
    tx.commit().await
}
