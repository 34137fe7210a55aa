//! What a merge would do, before anybody decides: both values of every field side by side.

use serde::Serialize;
use uuid::Uuid;

use super::MergeField;
use crate::{
    contacts::{self, Contact, custom_fields, full_name, input, properties, sql},
    db::TenantTx,
    error::{Error, Result},
};

/// Two contacts that may become one.
#[derive(Debug)]
pub struct Preview {
    pub kept: Contact,
    pub merged: Contact,
    /// Fields that either has.
    pub fields: Vec<Line>,
    /// Custom fields that either has.
    pub properties: Vec<Line>,
}

/// One field of both, in words.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Line {
    /// Name of the field, or key of the custom field.
    pub field: String,
    pub label: String,
    pub kept: String,
    pub merged: String,
    /// Both have a value, and not the same: somebody has to choose. Else the one that is there stays.
    pub differs: bool,
}

impl Line {
    fn new(field: &str, label: &str, kept: String, merged: String) -> Self {
        let differs = !kept.is_empty() && !merged.is_empty() && kept != merged;
        Self { field: field.to_owned(), label: label.to_owned(), kept, merged, differs }
    }
}

/// Both contacts as they are, and what differs.
pub async fn preview(tx: &mut TenantTx, kept: Uuid, merged: Uuid) -> Result<Preview> {
    if kept == merged {
        return Err(Error::field("merged_id", "Choose another contact."));
    }
    let kept = contacts::get(tx, kept).await?;
    let merged = contacts::get(tx, merged).await?;
    if kept.merged_into.is_some() || merged.merged_into.is_some() {
        return Err(Error::conflict("One of them was merged already. Reload to see where it went."));
    }
    let members = sql::list_members(tx).await?;
    let owner = |contact: &Contact| {
        let member = contact.owner_id.and_then(|id| input::member(&members, id));
        member.map(|member| member.name.clone()).unwrap_or_default()
    };
    let fields = MergeField::ALL
        .into_iter()
        .map(|field| {
            let words = |contact: &Contact| match field {
                MergeField::Owner => owner(contact),
                _ => in_words(field, contact),
            };
            Line::new(field.as_str(), field.label(), words(&kept), words(&merged))
        })
        .filter(|line| !line.kept.is_empty() || !line.merged.is_empty())
        .collect();
    let known = custom_fields::list(tx).await?;
    let mut keys: Vec<&String> = [&kept, &merged]
        .into_iter()
        .filter_map(|contact| contact.properties.as_object())
        .flat_map(|all| all.keys())
        .collect();
    keys.sort();
    keys.dedup();
    let properties = keys
        .into_iter()
        .map(|key| {
            let words = |contact: &Contact| {
                contact.properties.get(key).and_then(properties::shown).unwrap_or_default()
            };
            let label = known.iter().find(|field| field.key == *key).map(|field| field.label.clone());
            Line::new(key, &label.unwrap_or_else(|| properties::spoken(key)), words(&kept), words(&merged))
        })
        .filter(|line| !line.kept.is_empty() || !line.merged.is_empty())
        .collect();
    Ok(Preview { kept, merged, fields, properties })
}

fn in_words(field: MergeField, contact: &Contact) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    match field {
        MergeField::Name => full_name(contact.first_name.as_deref(), contact.last_name.as_deref()),
        MergeField::Phone => match (&contact.phone_e164, &contact.phone_ext) {
            (Some(e164), Some(ext)) => format!("{e164} ext. {ext}"),
            (e164, _) => text(e164),
        },
        MergeField::Email => text(&contact.email),
        MergeField::Status => contact.status.label().to_owned(),
        MergeField::Stage => text(&contact.stage),
        MergeField::Source => text(&contact.source),
        MergeField::Owner => String::new(),
        MergeField::Place => {
            let parts = [&contact.postal, &contact.state, &contact.country, &contact.timezone];
            parts.into_iter().flatten().cloned().collect::<Vec<_>>().join(", ")
        }
    }
}
