//! Who might be the same person twice: the same e-mail, the same name, or a number that ends alike.
//!
//! Suggestions only; people decide. For one contact they are found through the one search, so it is as quick as that;
//! for a whole business by one pass over its contacts.

use serde::Serialize;
use uuid::Uuid;

use super::{
    contact::Contact,
    filter::Filter,
    full_name,
    search::{self, Slice},
    sql,
};
use crate::{app::App, db::TenantTx, error::Result};

/// Why somebody is suggested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Likeness {
    Email,
    /// The last nine digits, as when one of two numbers was given the wrong country.
    PhoneEnding,
    Name,
}

impl Likeness {
    /// The reason, as it is shown.
    pub fn words(self) -> &'static str {
        match self {
            Self::Email => "Same e-mail",
            Self::PhoneEnding => "Number ends alike",
            Self::Name => "Same name",
        }
    }
}

/// Digits that tell one number from another wherever it is; fewer are shared by neighbours.
const ENDING: usize = 9;
/// More suggestions help nobody to decide.
const MOST: i64 = 8;

/// Contacts that may be `contact` once more, likeliest first, archived ones left out.
pub async fn suggest(app: &App, tenant: Uuid, contact: &Contact) -> Result<Vec<(Contact, Likeness)>> {
    let mut found: Vec<(Uuid, Likeness)> = Vec::new();
    let mut tx = app.db.tenant(tenant).await?;
    if let Some(email) = &contact.email {
        found.extend(
            sql::list_same_email(&mut tx, email, MOST).await?.into_iter().map(|id| (id, Likeness::Email)),
        );
    }
    drop(tx);
    if let Some(ending) =
        contact.phone_e164.as_ref().and_then(|phone| phone.get(phone.len().checked_sub(ENDING)?..))
    {
        let filter = Filter { text: ending.to_owned(), ..Filter::default() };
        let ids = search::find(app, tenant, &filter, Slice::after(None, MOST)).await?.ids;
        found.extend(ids.into_iter().map(|id| (id, Likeness::PhoneEnding)));
    }
    let name = full_name(contact.first_name.as_deref(), contact.last_name.as_deref());
    if contact.first_name.is_some() && contact.last_name.is_some() {
        let filter = Filter { text: name.clone(), ..Filter::default() };
        let ids = search::find(app, tenant, &filter, Slice::after(None, MOST)).await?.ids;
        found.extend(ids.into_iter().map(|id| (id, Likeness::Name)));
    }
    let mut seen = vec![contact.id];
    found.retain(|(id, _)| {
        !seen.contains(id) && {
            seen.push(*id);
            true
        }
    });
    let ids: Vec<Uuid> = found.iter().map(|(id, _)| *id).collect();
    let mut tx = app.db.tenant(tenant).await?;
    let rows = sql::list_by_ids(&mut tx, &ids).await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let likeness = found.iter().find(|(id, _)| *id == row.id)?.1;
            is_alike(contact, &row, likeness).then_some((row, likeness))
        })
        .take(usize::try_from(MOST).unwrap_or_default())
        .collect())
}

/// Contacts that may be one person.
#[derive(Debug)]
pub struct Group {
    pub likeness: Likeness,
    /// Oldest first.
    pub contacts: Vec<Contact>,
    /// How many there are, of whom a few are named.
    pub count: i64,
}

/// Groups that are shown at once; merging some brings up others.
const GROUPS: i64 = 60;

/// The likeliest duplicates of a business.
pub async fn list(tx: &mut TenantTx) -> Result<Vec<Group>> {
    let found = sql::list_alike(tx, GROUPS).await?;
    let ids: Vec<Uuid> = found.iter().flat_map(|together| together.ids.iter().copied()).collect();
    let rows = sql::list_by_ids(tx, &ids).await?;
    let mut groups: Vec<Group> = Vec::new();
    for together in found {
        let shown = groups.iter().any(|group| {
            together.ids.iter().all(|id| group.contacts.iter().any(|contact| contact.id == *id))
        });
        if shown {
            continue; // alike in two ways
        }
        let contact = |id: &Uuid| rows.iter().find(|row| row.id == *id).cloned();
        groups.push(Group {
            likeness: match together.likeness {
                0 => Likeness::Email,
                1 => Likeness::PhoneEnding,
                _ => Likeness::Name,
            },
            contacts: together.ids.iter().filter_map(contact).collect(),
            count: together.count,
        });
    }
    Ok(groups)
}

/// What the search found by parts is compared whole.
fn is_alike(contact: &Contact, other: &Contact, likeness: Likeness) -> bool {
    if other.merged_into.is_some() || other.archived_at.is_some() {
        return false;
    }
    let name = |contact: &Contact| {
        full_name(contact.first_name.as_deref(), contact.last_name.as_deref()).to_lowercase()
    };
    match likeness {
        Likeness::Email => true,
        Likeness::Name => name(contact) == name(other),
        Likeness::PhoneEnding => {
            let ending = |contact: &Contact| {
                contact
                    .phone_e164
                    .as_ref()
                    .and_then(|phone| phone.get(phone.len().checked_sub(ENDING)?..).map(str::to_owned))
            };
            ending(contact).is_some() && ending(contact) == ending(other)
        }
    }
}
