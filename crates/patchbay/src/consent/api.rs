//! Consent and the do-not-contact list over HTTP.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use patchbay_rules::{consent::Basis, message::Channel};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{Change, Proof, State as ConsentState, listing, proof, set, sql};
use crate::{
    app::App,
    audit,
    auth::{Caller, Role},
    contacts,
    error::{Error, Result},
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

/// The do-not-contact list, newest first.
#[utoipa::path(get, path = "/api/do-not-contact", tag = "Consent", params(Filter, PageQuery), responses((status = 200, body = Page<Listed>)))]
async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(filter): Query<Filter>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Listed>>> {
    let number = filter.phone.as_deref().map(|text| listing::parse_phone(text, &caller)).transpose()?;
    Ok(Json(listing::list(&app, &caller, number.as_deref(), "", &page).await?))
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
    Ok((StatusCode::CREATED, Json(listing::add(&app, &caller, &new.phone, new.reason.as_deref()).await?)))
}

/// Takes a number off the list.
#[utoipa::path(delete, path = "/api/do-not-contact/{id}", tag = "Consent", params(("id" = Uuid, Path)), responses((status = 204), (status = 404)))]
async fn remove(State(app): State<Arc<App>>, caller: Caller, Path(id): Path<Uuid>) -> Result<StatusCode> {
    listing::remove(&app, &caller, Some(id), None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a number off the list, by the number: `?phone=`.
#[utoipa::path(delete, path = "/api/do-not-contact", tag = "Consent", params(Filter), responses((status = 204), (status = 404)))]
async fn remove_by_phone(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(filter): Query<Filter>,
) -> Result<StatusCode> {
    let number = listing::parse_phone(filter.phone.as_deref().unwrap_or_default(), &caller)?;
    listing::remove(&app, &caller, None, Some(&number)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A contact's word, as somebody noted it.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct Give {
    /// `sms`, `whatsapp` or `email`.
    pub channel: String,
    /// `subscribed` or `unsubscribed`.
    pub state: String,
    /// What an agreement rests on: `express` (the default: they said so), `enquiry` or `purchase`. Where the law of their
    /// country lets agreement that it reads into an enquiry or a purchase end, it ends.
    pub basis: Option<String>,
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
    Ok(Json(note(&app, &caller, id, &given).await?))
}

/// Notes a contact's word; answers all proof about that address.
pub async fn note(app: &App, caller: &Caller, id: Uuid, given: &Give) -> Result<Vec<Proof>> {
    let channel: Channel =
        given.channel.parse().map_err(|_| Error::field("channel", "Choose sms, whatsapp or email."))?;
    let state = match given.state.as_str() {
        "subscribed" => ConsentState::Subscribed,
        "unsubscribed" => ConsentState::Unsubscribed,
        _ => return Err(Error::field("state", "Choose subscribed or unsubscribed.")),
    };
    let basis = read_basis("basis", given.basis.as_deref())?.unwrap_or(Basis::Express);
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
        basis,
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
        kind: audit::Kind::Contact,
        entity_id: Some(id.to_string()),
        changes: &json!({ given.channel.as_str(): [null, state] }),
    };
    audit::record(&mut tx, &caller.actor, entry).await?;
    let proofs = proof(&mut tx, &address).await?;
    tx.commit().await?;
    Ok(proofs)
}

/// What an agreement rests on, as it was sent; nothing where it was not said.
pub fn read_basis(field: &'static str, word: Option<&str>) -> Result<Option<Basis>> {
    word.map(str::trim)
        .filter(|word| !word.is_empty())
        .map(|word| word.parse().map_err(|_| Error::field(field, "Choose express, enquiry or purchase.")))
        .transpose()
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
