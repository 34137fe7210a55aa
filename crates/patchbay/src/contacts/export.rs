//! Contacts as rows of a file.
//!
//! Columns carry the names of the API; custom fields are `properties.<key>`, and what has no definition is in `properties`.
//! That a file was taken is kept in the audit log, with what it was of.

use std::sync::Arc;

use axum::response::Response;
use serde_json::{Value, json};

use super::{
    Contact,
    custom_fields::{self, CustomField},
    filter::{self, FilterQuery, href},
    input::Member,
    properties,
    search::{self, Slice},
    sql,
};
use crate::{
    app::App,
    audit,
    auth::Caller,
    db::TenantTx,
    error::Result,
    web::csv::{self, instant},
};

/// Rows read at once.
const BATCH: i64 = 500;
const COLUMNS: [&str; 21] = [
    "id",
    "first_name",
    "last_name",
    "phone",
    "phone_extension",
    "email",
    "status",
    "stage",
    "labels",
    "source",
    "owner",
    "consent.sms",
    "consent.whatsapp",
    "consent.email",
    "state",
    "postal",
    "country",
    "timezone",
    "created_at",
    "last_contacted_at",
    "last_replied_at",
];

/// What rows are written with.
pub struct Sheet {
    fields: Vec<CustomField>,
    members: Vec<Member>,
}

/// Everything that a list with this query shows, newest first.
pub async fn export(app: Arc<App>, caller: &Caller, query: &FilterQuery) -> Result<Response> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let filter = query.resolve(&filter::vocabulary(&mut tx).await?, caller.actor.user_id())?;
    let sheet = Arc::new(Sheet::load(&mut tx).await?);
    let told = json!({"filter": [null, href("", &query.pairs()).trim_start_matches('?')]});
    let entry = audit::Entry {
        action: "contacts.exported",
        kind: audit::Kind::Contact,
        entity_id: None,
        changes: &told,
    };
    audit::record(&mut tx, &caller.actor, entry).await?;
    tx.commit().await?;
    let (tenant, head) = (caller.tenant.id, sheet.head());
    Ok(csv::long(caller, &csv::dated("contacts", app.now(), caller), head, move |place| {
        let (app, sheet, filter) = (app.clone(), sheet.clone(), filter.clone());
        async move {
            let (contacts, found) = search::list(&app, tenant, &filter, Slice::after(place, BATCH)).await?;
            let next = found.ids.last().copied().filter(|_| found.more);
            Ok((sheet.lines(&contacts), next))
        }
    }))
}

impl Sheet {
    pub async fn load(tx: &mut TenantTx) -> Result<Self> {
        Ok(Self { fields: custom_fields::list(tx).await?, members: sql::list_members(tx).await? })
    }

    /// The names of the columns.
    pub fn head(&self) -> Vec<String> {
        let own = COLUMNS.iter().map(|name| (*name).to_owned());
        let fields = self.fields.iter().map(|field| format!("properties.{}", field.key));
        own.chain(fields).chain(["properties".to_owned()]).collect()
    }

    pub fn lines(&self, contacts: &[Contact]) -> String {
        contacts.iter().map(|contact| csv::line(self.cells(contact))).collect()
    }

    fn cells(&self, contact: &Contact) -> impl Iterator<Item = String> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let owner = contact.owner_id.and_then(|id| self.members.iter().find(|member| member.id == id));
        let own = [
            contact.id.to_string(),
            text(&contact.first_name),
            text(&contact.last_name),
            text(if contact.phone_e164.is_some() { &contact.phone_e164 } else { &contact.phone_raw }),
            text(&contact.phone_ext),
            text(&contact.email),
            contact.status.as_str().to_owned(),
            text(&contact.stage),
            contact.labels.join(", "),
            text(&contact.source),
            owner.map(|member| member.name.clone()).unwrap_or_default(),
            contact.consent_sms.as_str().to_owned(),
            contact.consent_whatsapp.as_str().to_owned(),
            contact.consent_email.as_str().to_owned(),
            text(&contact.state),
            text(&contact.postal),
            text(&contact.country),
            text(&contact.timezone),
            instant(Some(contact.created_at)),
            instant(contact.last_contacted_at),
            instant(contact.last_replied_at),
        ];
        let mut rest = contact.properties.as_object().cloned().unwrap_or_default();
        let known: Vec<String> = self
            .fields
            .iter()
            .map(|field| rest.remove(&field.key).as_ref().and_then(properties::whole).unwrap_or_default())
            .collect();
        let rest = if rest.is_empty() { String::new() } else { Value::Object(rest).to_string() };
        own.into_iter().chain(known).chain([rest])
    }
}
