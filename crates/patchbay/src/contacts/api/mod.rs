//! Contacts and what belongs to them over HTTP.

mod board;
mod contacts;
mod custom_fields;
mod labels;
mod merge;
mod notes;
mod several;
mod stages;

pub(super) use contacts::export;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::contact::{ConsentState, Contact, Implied, Status};
use crate::{
    auth::Role,
    web::routes::{Access, Routes},
};

#[derive(utoipa::OpenApi)]
#[openapi(
    paths(
        contacts::list,
        contacts::export,
        contacts::create,
        contacts::get,
        contacts::update,
        contacts::archive,
        contacts::restore,
        contacts::timeline,
        contacts::messages,
        contacts::add_labels,
        contacts::remove_label,
        several::apply,
        several::undo,
        merge::preview,
        merge::merge,
        merge::undo,
        merge::suggest,
        merge::list,
        merge::tell_apart,
        merge::doubt,
        board::lanes,
        board::lane,
        board::put,
        notes::list,
        notes::create,
        notes::update,
        notes::delete,
        labels::list,
        labels::create,
        labels::update,
        labels::delete,
        stages::list,
        stages::create,
        stages::update,
        stages::reorder,
        stages::delete,
        custom_fields::list,
        custom_fields::create,
        custom_fields::update,
        custom_fields::reorder,
        custom_fields::delete
    ),
    components(schemas(ContactBody, ConsentBody, Implied))
)]
pub struct Doc;

/// The routes of the API.
pub(super) fn routes(routes: Routes) -> Routes {
    let (read, work, manage) =
        (Access::Api(Role::Viewer), Access::Api(Role::Member), Access::Api(Role::Admin));
    routes
        .get("/api/contacts", read, contacts::list)
        .get("/api/contacts/export", read, export)
        .post("/api/contacts", work, contacts::create)
        .post("/api/contacts/bulk", work, several::apply)
        .post("/api/contacts/bulk/{id}/undo", work, several::undo)
        .get("/api/contacts/{id}/duplicates", read, merge::suggest)
        .post("/api/contacts/{id}/merge", work, merge::merge)
        .post("/api/contacts/{id}/merge/preview", read, merge::preview)
        .post("/api/merges/{id}/undo", work, merge::undo)
        .get("/api/duplicates", read, merge::list)
        .put("/api/contacts/{id}/distinct/{other_id}", work, merge::tell_apart)
        .delete("/api/contacts/{id}/distinct/{other_id}", work, merge::doubt)
        .get("/api/board", read, board::lanes)
        .get("/api/board/{stage}", read, board::lane)
        .post("/api/board/move", work, board::put)
        .get("/api/contacts/{id}", read, contacts::get)
        .patch("/api/contacts/{id}", work, contacts::update)
        .delete("/api/contacts/{id}", work, contacts::archive)
        .post("/api/contacts/{id}/restore", work, contacts::restore)
        .get("/api/contacts/{id}/timeline", read, contacts::timeline)
        .get("/api/contacts/{id}/messages", read, contacts::messages)
        .post("/api/contacts/{id}/labels", work, contacts::add_labels)
        .delete("/api/contacts/{id}/labels/{label}", work, contacts::remove_label)
        .get("/api/contacts/{id}/notes", read, notes::list)
        .post("/api/contacts/{id}/notes", work, notes::create)
        .patch("/api/notes/{id}", work, notes::update)
        .delete("/api/notes/{id}", work, notes::delete)
        .get("/api/labels", read, labels::list)
        .post("/api/labels", work, labels::create)
        .patch("/api/labels/{id}", manage, labels::update)
        .delete("/api/labels/{id}", manage, labels::delete)
        .get("/api/stages", read, stages::list)
        .post("/api/stages", manage, stages::create)
        .put("/api/stages/order", manage, stages::reorder)
        .patch("/api/stages/{id}", manage, stages::update)
        .delete("/api/stages/{id}", manage, stages::delete)
        .get("/api/custom-fields", read, custom_fields::list)
        .post("/api/custom-fields", manage, custom_fields::create)
        .put("/api/custom-fields/order", manage, custom_fields::reorder)
        .patch("/api/custom-fields/{id}", manage, custom_fields::update)
        .delete("/api/custom-fields/{id}", manage, custom_fields::delete)
}

/// A contact.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ContactBody {
    pub id: Uuid,
    pub status: Status,
    /// What lists call the contact: the name, or else the best address.
    pub name: String,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    /// E.164.
    pub phone: Option<String>,
    pub phone_extension: Option<String>,
    pub email: Option<String>,
    /// Custom fields by key.
    #[schema(value_type = Object)]
    pub properties: Value,
    /// Names.
    pub labels: Vec<String>,
    /// Name of the stage.
    pub stage: Option<String>,
    pub stage_id: Option<Uuid>,
    pub source: Option<String>,
    /// User id of the member who looks after the contact.
    pub owner_id: Option<Uuid>,
    pub consent: ConsentBody,
    pub timezone: Option<String>,
    pub state: Option<String>,
    pub postal: Option<String>,
    pub country: Option<String>,
    pub last_contacted_at: Option<DateTime<Utc>>,
    pub last_replied_at: Option<DateTime<Utc>>,
    /// The contact that this duplicate was merged into.
    pub merged_into: Option<Uuid>,
    pub archived_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// What a contact agreed to, by channel.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ConsentBody {
    pub sms: ConsentState,
    pub whatsapp: ConsentState,
    pub email: ConsentState,
    /// Agreements among these that end by themselves, because the law reads them into an enquiry or a purchase; absent
    /// where there are none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub implied: BTreeMap<String, Implied>,
}

impl From<Contact> for ContactBody {
    fn from(contact: Contact) -> Self {
        Self {
            id: contact.id,
            status: contact.status,
            name: contact.display_name(),
            first_name: contact.first_name,
            last_name: contact.last_name,
            phone: contact.phone_e164.or(contact.phone_raw),
            phone_extension: contact.phone_ext,
            email: contact.email,
            properties: contact.properties,
            labels: contact.labels,
            stage: contact.stage,
            stage_id: contact.stage_id,
            source: contact.source,
            owner_id: contact.owner_id,
            consent: ConsentBody {
                sms: contact.consent_sms,
                whatsapp: contact.consent_whatsapp,
                email: contact.consent_email,
                implied: contact.implied.0,
            },
            timezone: contact.timezone,
            state: contact.state,
            postal: contact.postal,
            country: contact.country,
            last_contacted_at: contact.last_contacted_at,
            last_replied_at: contact.last_replied_at,
            merged_into: contact.merged_into,
            archived_at: contact.archived_at,
            created_at: contact.created_at,
            updated_at: contact.updated_at,
        }
    }
}
