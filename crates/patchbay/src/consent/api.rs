//! Consent and the do-not-contact list over HTTP.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use patchbay_rules::{message::Channel, phone};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{Change, Proof, State as ConsentState, proof, set, sql};
use crate::{
    app::App,
    audit,
    auth::{Caller, Role},
    contacts,
    error::{Error, Result},
    messaging,
    web::{
        extract::{Json, Path, Query},
        paging::{Page, PageQuery},
        routes::{Access, Routes},
    },
};

#[derive(utoipa::OpenApi)]
#[openapi(
    paths(list, add, remove, remove_by_phone, give, show),
    components(schemas(Listed, Add, Give, Proof))
)]
pub struct Doc;

/// The routes of this feature.
pub fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/do-not-contact", Access::Api(Role::Viewer), list)
        .post("/api/do-not-contact", Access::Api(Role::Member), add)
        .delete("/api/do-not-contact", Access::Api(Role::Admin), remove_by_phone)
        .delete("/api/do-not-contact/{id}", Access::Api(Role::Admin), remove)
        .get("/api/contacts/{id}/consent", Access::Api(Role::Viewer), show)
        .post("/api/contacts/{id}/consent", Access::Api(Role::Member), give)
}

/// A number that is never written to.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Listed {
    pub id: Uuid,
    pub phone: String,
    pub reason: String,
    /// `keyword`, `phrase`, `link`, `carrier`, `complaint`, `person`, `api` or `import`.
    pub source: String,
    pub added_by: Option<String>,
    pub created_at: DateTime<Utc>,
}

/// A part of a number to look for.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
pub struct Filter {
    /// The whole number.
    pub phone: Option<String>,
}

fn parse_phone(text: &str, caller: &Caller) -> Result<String> {
    phone::parse(text, Some(&caller.tenant.country))
        .map(|phone| phone.e164)
        .map_err(|error| Error::field("phone", error.to_string()))
}

/// The do-not-contact list, newest first.
#[utoipa::path(get, path = "/api/do-not-contact", tag = "Consent", params(Filter, PageQuery), responses((status = 200, body = Page<Listed>)))]
async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(filter): Query<Filter>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Listed>>> {
    let number = filter.phone.as_deref().map(|text| parse_phone(text, &caller)).transpose()?;
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let rows = sql::list_numbers(&mut tx, number.as_deref(), page.after()?, page.limit() + 1).await?;
    Ok(Json(Page::cut(rows, page.limit(), |row| row.id)))
}

/// A number to add.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct Add {
    pub phone: String,
    pub reason: Option<String>,
}

/// Adds a number. It binds every channel and every sender at once, also messages that are waiting.
#[utoipa::path(post, path = "/api/do-not-contact", tag = "Consent", request_body = Add,
    responses((status = 201, body = Listed), (status = 409, description = "Already listed"), (status = 422)))]
async fn add(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(new): Json<Add>,
) -> Result<(StatusCode, Json<Listed>)> {
    let number = parse_phone(&new.phone, &caller)?;
    let reason = new
        .reason
        .as_deref()
        .map(str::trim)
        .filter(|reason| !reason.is_empty())
        .unwrap_or("Asked not to be contacted");
    if reason.chars().count() > 500 {
        return Err(Error::field("reason", "Keep the reason under 500 characters."));
    }
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let source = if caller.actor.user_id().is_some() { "person" } else { "api" };
    if !sql::list_number(&mut tx, &number, reason, source, Some(&caller.actor.label)).await? {
        let existing = sql::list_numbers(&mut tx, Some(&number), None, 1).await?.pop();
        return Err(Error::Conflict {
            detail: "This number is on the list already.".into(),
            existing_id: existing.map(|listed| listed.id),
        });
    }
    messaging::block_queued(&mut tx, &number, app.now()).await?;
    let changes = json!({ "reason": [null, reason] });
    let entry = audit::Entry {
        action: "do_not_contact.added",
        entity_type: "do_not_contact",
        entity_id: Some(phone::mask(&number)),
        changes: &changes,
    };
    audit::record(&mut tx, &caller.actor, entry).await?;
    let listed =
        sql::list_numbers(&mut tx, Some(&number), None, 1).await?.pop().ok_or(Error::NotFound("number"))?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(listed)))
}

/// Takes a number off the list.
#[utoipa::path(delete, path = "/api/do-not-contact/{id}", tag = "Consent", params(("id" = Uuid, Path)), responses((status = 204), (status = 404)))]
async fn remove(State(app): State<Arc<App>>, caller: Caller, Path(id): Path<Uuid>) -> Result<StatusCode> {
    take_off(&app, &caller, Some(id), None).await
}

/// Takes a number off the list, by the number: `?phone=`.
#[utoipa::path(delete, path = "/api/do-not-contact", tag = "Consent", params(Filter), responses((status = 204), (status = 404)))]
async fn remove_by_phone(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(filter): Query<Filter>,
) -> Result<StatusCode> {
    let number = parse_phone(filter.phone.as_deref().unwrap_or_default(), &caller)?;
    take_off(&app, &caller, None, Some(&number)).await
}

async fn take_off(app: &App, caller: &Caller, id: Option<Uuid>, number: Option<&str>) -> Result<StatusCode> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let removed = sql::delete_number(&mut tx, id, number).await?.ok_or(Error::NotFound("number"))?;
    let entry = audit::Entry {
        action: "do_not_contact.removed",
        entity_type: "do_not_contact",
        entity_id: Some(phone::mask(&removed)),
        changes: &json!({}),
    };
    audit::record(&mut tx, &caller.actor, entry).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A contact's word, as somebody noted it.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct Give {
    /// `sms`, `whatsapp` or `email`.
    pub channel: String,
    /// `subscribed` or `unsubscribed`.
    pub state: String,
    /// Where it was given: a form, a call, a paper.
    pub source: Option<String>,
    /// What the person saw or heard.
    pub wording: Option<String>,
    /// When, if not now.
    pub at: Option<DateTime<Utc>>,
}

/// Notes that a contact agreed or refused, with its proof.
#[utoipa::path(post, path = "/api/contacts/{id}/consent", tag = "Consent", params(("id" = Uuid, Path)), request_body = Give,
    responses((status = 200, body = Vec<Proof>), (status = 404), (status = 409, description = "The person opted out themselves; only they can take it back"), (status = 422)))]
async fn give(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Json(given): Json<Give>,
) -> Result<Json<Vec<Proof>>> {
    let channel: Channel =
        given.channel.parse().map_err(|_| Error::field("channel", "Choose sms, whatsapp or email."))?;
    let state = match given.state.as_str() {
        "subscribed" => ConsentState::Subscribed,
        "unsubscribed" => ConsentState::Unsubscribed,
        _ => return Err(Error::field("state", "Choose subscribed or unsubscribed.")),
    };
    let now = app.now();
    if given.at.is_some_and(|at| at > now) {
        return Err(Error::field("at", "Consent cannot have been given in the future."));
    }
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let contact = contacts::get(&mut tx, id).await?;
    let address = if channel == Channel::Email { contact.email } else { contact.phone_e164 };
    let address =
        address.ok_or_else(|| Error::field("channel", "This contact has no address for that channel."))?;
    // Who said STOP is asked, not overruled: by replying START, or by an admin who says where they changed their mind.
    if state == ConsentState::Subscribed && sql::refused_by_recipient(&mut tx, channel, &address).await? {
        caller.need(Role::Admin).map_err(|_| {
            Error::conflict("They opted out themselves. Only they can take it back, by replying START.")
        })?;
        if given.source.as_deref().is_none_or(|source| source.trim().is_empty()) {
            return Err(Error::field(
                "source",
                "They opted out themselves. Say where they asked to be contacted again.",
            ));
        }
    }
    let change = Change {
        source: given.source.as_deref(),
        wording: given.wording.as_deref(),
        evidence: json!({ "noted_by": caller.actor.label }),
        actor_label: Some(&caller.actor.label),
        ..Change::new(
            channel,
            &address,
            state,
            if caller.actor.user_id().is_some() { "admin" } else { "api" },
            given.at.unwrap_or(now),
        )
    };
    set(&mut tx, &change).await?;
    let entry = audit::Entry {
        action: "consent.changed",
        entity_type: "contact",
        entity_id: Some(id.to_string()),
        changes: &json!({ given.channel.as_str(): [null, state] }),
    };
    audit::record(&mut tx, &caller.actor, entry).await?;
    let proofs = proof(&mut tx, &address).await?;
    tx.commit().await?;
    Ok(Json(proofs))
}

/// All proof about a contact's addresses, newest first.
#[utoipa::path(get, path = "/api/contacts/{id}/consent", tag = "Consent", params(("id" = Uuid, Path)), responses((status = 200, body = Vec<Proof>), (status = 404)))]
async fn show(State(app): State<Arc<App>>, caller: Caller, Path(id): Path<Uuid>) -> Result<Json<Vec<Proof>>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let contact = contacts::get(&mut tx, id).await?;
    let mut proofs = Vec::new();
    for address in [contact.phone_e164, contact.email].into_iter().flatten() {
        proofs.extend(proof(&mut tx, &address).await?);
    }
    proofs.sort_by_key(|proof| std::cmp::Reverse(proof.id));
    Ok(Json(proofs))
}
