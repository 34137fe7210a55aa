//! The do-not-contact list as people and programs keep it. What is listed binds every channel and every sender at once,
//! also what is waiting to be sent.

use patchbay_rules::phone;
use serde_json::json;
use uuid::Uuid;

use super::{api::Listed, sql};
use crate::{
    app::App,
    audit,
    auth::Caller,
    error::{Error, Result},
    web::paging::{Page, PageQuery},
};

/// A number as people of the caller's country write it.
pub(super) fn parse_phone(text: &str, caller: &Caller) -> Result<String> {
    phone::parse(text, Some(&caller.tenant.country))
        .map(|phone| phone.e164)
        .map_err(|error| Error::field("phone", error.to_string()))
}

/// The list, newest first: all of it, one whole number, or what holds these letters or digits.
pub(super) async fn list(
    app: &App,
    caller: &Caller,
    number: Option<&str>,
    search: &str,
    page: &PageQuery,
) -> Result<Page<Listed>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let rows = sql::list_numbers(&mut tx, number, search, page.after()?, page.limit() + 1).await?;
    Ok(Page::cut(rows, page.limit(), |row| row.id))
}

/// Adds a number; 409 when it is listed already.
pub(super) async fn add(app: &App, caller: &Caller, number: &str, reason: Option<&str>) -> Result<Listed> {
    let number = parse_phone(number, caller)?;
    let reason =
        reason.map(str::trim).filter(|reason| !reason.is_empty()).unwrap_or("Asked not to be contacted");
    if reason.chars().count() > 500 {
        return Err(Error::field("reason", "Keep the reason under 500 characters."));
    }
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    if !super::list(&mut tx, app, &number, reason, &caller.actor).await? {
        let existing = sql::list_numbers(&mut tx, Some(&number), "", None, 1).await?.pop();
        return Err(Error::Conflict {
            detail: "This number is on the list already.".into(),
            existing_id: existing.map(|listed| listed.id),
        });
    }
    let changes = json!({ "reason": [null, reason] });
    let entry = audit::Entry {
        action: "do_not_contact.added",
        kind: audit::Kind::DoNotContact,
        entity_id: Some(phone::mask(&number)),
        changes: &changes,
    };
    audit::record(&mut tx, &caller.actor, entry).await?;
    let listed = sql::list_numbers(&mut tx, Some(&number), "", None, 1)
        .await?
        .pop()
        .ok_or(Error::NotFound("number"))?;
    tx.commit().await?;
    Ok(listed)
}

/// Takes a number off the list; answers which.
pub(super) async fn remove(
    app: &App,
    caller: &Caller,
    id: Option<Uuid>,
    number: Option<&str>,
) -> Result<String> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let removed = sql::delete_number(&mut tx, id, number).await?.ok_or(Error::NotFound("number"))?;
    let entry = audit::Entry {
        action: "do_not_contact.removed",
        kind: audit::Kind::DoNotContact,
        entity_id: Some(phone::mask(&removed)),
        changes: &json!({}),
    };
    audit::record(&mut tx, &caller.actor, entry).await?;
    tx.commit().await?;
    Ok(removed)
}
