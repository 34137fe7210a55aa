//! What a filter needs to know of its tenant: the time, the calendar, and what names stand for.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

use super::{fields::Names, sql};
use crate::{
    app::App,
    contacts::{
        custom_fields::{self, CustomField},
        labels, stages,
    },
    db::TenantTx,
    error::Result,
    tenants,
};

/// A tenant's words, read at one moment.
#[derive(Debug, Clone)]
pub struct Context {
    pub tenant: Uuid,
    pub now: DateTime<Utc>,
    pub timezone: Tz,
    /// ISO 3166 alpha-2: where numbers without a country code belong.
    pub country: String,
    pub fields: Vec<CustomField>,
    pub stages: Vec<Named>,
    pub labels: Vec<Named>,
    pub members: Vec<Named>,
    pub campaigns: Vec<Named>,
}

/// Something that conditions refer to by id or by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub id: Uuid,
    pub name: String,
    /// Another word for it: a member's e-mail address.
    pub alias: Option<String>,
}

impl Named {
    fn new(id: Uuid, name: String) -> Self {
        Self { id, name, alias: None }
    }

    fn is_called(&self, word: &str) -> bool {
        let word = word.to_lowercase();
        self.name.to_lowercase() == word || self.alias.as_deref().is_some_and(|alias| alias == word)
    }
}

impl Context {
    /// Reads it all; a handful of short lists.
    pub async fn load(tx: &mut TenantTx, app: &App) -> Result<Self> {
        let settings = tenants::settings::settings(tx).await?;
        let stages = stages::list(tx).await?.into_iter().map(|stage| Named::new(stage.id, stage.name));
        let labels = labels::list(tx).await?.into_iter().map(|label| Named::new(label.id, label.name));
        let members = tenants::members::list(tx).await?.into_iter().map(|member| Named {
            id: member.id,
            name: member.display_name().to_owned(),
            alias: Some(member.email),
        });
        Ok(Self {
            tenant: tx.tenant(),
            now: app.now(),
            timezone: settings.timezone,
            country: settings.country,
            stages: stages.collect(),
            labels: labels.collect(),
            members: members.collect(),
            fields: custom_fields::list(tx).await?,
            campaigns: sql::list_campaigns(tx).await?,
        })
    }

    /// The tenant's definition of a custom field.
    pub fn custom_field(&self, key: &str) -> Option<&CustomField> {
        self.fields.iter().find(|field| field.key == key)
    }

    /// The entries of a list.
    pub fn names(&self, names: Names) -> &[Named] {
        match names {
            Names::Stages => &self.stages,
            Names::Labels => &self.labels,
            Names::Members => &self.members,
            Names::Campaigns => &self.campaigns,
        }
    }

    /// The entry with this id or name.
    pub fn find(&self, names: Names, word: &str) -> Option<&Named> {
        let list = self.names(names);
        match Uuid::parse_str(word) {
            Ok(id) => list.iter().find(|named| named.id == id),
            Err(_) => list.iter().find(|named| named.is_called(word)),
        }
    }
}
