//! Who might be the same person twice: the same e-mail, the same name, or a number that ends alike.
//!
//! Suggestions only; people decide, and whom they said to be two people is not suggested again. For one contact they
//! are found through the one search, so it is as quick as that; for a whole business by one pass over its contacts,
//! whose result is kept for a while and checked whenever it is shown.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{
    contact::Contact,
    filter::Filter,
    full_name,
    search::{self, Slice},
    sql,
};
use crate::{
    app::App,
    audit,
    auth::Caller,
    db::TenantTx,
    error::{Error, Result},
    reports::kept,
};

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
    let distinct = sql::list_distinct(&mut tx, &[&[contact.id], &*ids].concat()).await?;
    Ok(rows
        .into_iter()
        .filter(|row| !distinct.contains(&pair(contact.id, row.id)))
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

/// Groups that are shown at once; deciding about some brings up others.
const GROUPS: usize = 60;
/// Groups that are kept.
const KEPT: i64 = 600;
/// Somebody who works their way through the list looks at it again every few seconds.
const PATIENCE: i32 = 300;

/// Contacts that were alike in one way when they were looked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Together {
    /// 0 the same e-mail, 1 a number that ends alike, 2 the same name.
    pub(super) likeness: i32,
    /// Oldest first, a few of them.
    pub(super) ids: Vec<Uuid>,
    pub(super) count: i64,
}

impl Together {
    fn likeness(&self) -> Likeness {
        match self.likeness {
            0 => Likeness::Email,
            1 => Likeness::PhoneEnding,
            _ => Likeness::Name,
        }
    }

    /// Those that still may be one person: each with the oldest that nobody told it from.
    fn split(&self, standing: &[Uuid], distinct: &[(Uuid, Uuid)]) -> Vec<Self> {
        let mut parts: Vec<Self> = Vec::new();
        for id in self.ids.iter().filter(|id| standing.contains(id)) {
            match parts.iter_mut().find(|part| !distinct.contains(&pair(part.ids[0], *id))) {
                Some(part) => part.ids.push(*id),
                None => parts.push(Self { likeness: self.likeness, ids: vec![*id], count: 0 }),
            }
        }
        let unnamed = self.count - i64::try_from(self.ids.len()).unwrap_or_default();
        for (place, part) in parts.iter_mut().enumerate() {
            let named = i64::try_from(part.ids.len()).unwrap_or_default();
            part.count = named + if place == 0 { unnamed } else { 0 };
        }
        parts.retain(|part| part.ids.len() > 1);
        parts
    }
}

/// What is kept about them is kept under this name.
const SUBJECT: &str = "duplicates";
/// Among more contacts than that, workers look.
const MANY: i64 = if cfg!(test) { 20 } else { 20_000 };
/// The event that asks them to.
pub const WANTED: &str = "duplicates.wanted";

/// The likeliest duplicates of a business. Looking for them among a million contacts takes seconds.
pub async fn list(tx: &mut TenantTx, now: DateTime<Utc>) -> Result<Vec<Group>> {
    let found = kept::or_counted(tx, now, SUBJECT, PATIENCE, look).await?.0;
    group(tx, found).await
}

/// The same at once: where looking would take long, those that were found last, and a worker looks again. `None` if
/// nobody has looked yet.
pub async fn list_at_once(tx: &mut TenantTx, now: DateTime<Utc>) -> Result<Option<Vec<Group>>> {
    let known = kept::find::<Vec<Together>>(tx, SUBJECT).await?;
    let is_fresh = known.as_ref().is_some_and(|known| known.is_fresh(now, PATIENCE));
    if !is_fresh && !sql::are_many(tx, MANY).await? {
        return list(tx, now).await.map(Some);
    }
    if !is_fresh {
        let tenant = tx.tenant();
        patchbay_outbox::enqueue(tx.conn(), tenant, WANTED, &json!({}), now).await?;
    }
    match known {
        Some(known) => group(tx, known.numbers).await.map(Some),
        None => Ok(None),
    }
}

/// Looks for duplicates on behalf of whoever asked, unless somebody has or does just now.
pub async fn renew(tx: &mut TenantTx, now: DateTime<Utc>) -> Result<()> {
    if sql::try_lock_alike(tx).await? {
        kept::or_counted(tx, now, SUBJECT, PATIENCE, look).await?;
        sql::tell(tx).await?;
    }
    Ok(())
}

async fn look(tx: &mut TenantTx) -> Result<Vec<Together>> {
    sql::list_alike(tx, KEPT).await
}

/// What of that still stands.
async fn group(tx: &mut TenantTx, found: Vec<Together>) -> Result<Vec<Group>> {
    let ids: Vec<Uuid> = found.iter().flat_map(|together| together.ids.iter().copied()).collect();
    let standing = sql::list_standing(tx, &ids).await?;
    let distinct = sql::list_distinct(tx, &ids).await?;
    let open: Vec<Together> =
        found.iter().flat_map(|together| together.split(&standing, &distinct)).take(GROUPS).collect();
    let ids: Vec<Uuid> = open.iter().flat_map(|together| together.ids.iter().copied()).collect();
    let rows = sql::list_by_ids(tx, &ids).await?;
    let mut groups: Vec<Group> = Vec::new();
    for together in open {
        let likeness = together.likeness();
        let of = |id: &Uuid| rows.iter().find(|row| row.id == *id);
        let Some(first) = of(&together.ids[0]) else { continue };
        let alike = together.ids.iter().filter_map(of).filter(|row| is_alike(first, row, likeness));
        let contacts: Vec<Contact> = alike.cloned().collect();
        let is_shown = groups.iter().any(|group| {
            contacts.iter().all(|contact| group.contacts.iter().any(|other| other.id == contact.id))
        });
        // Alike in two ways, or not any more.
        if !is_shown && contacts.len() > 1 {
            groups.push(Group { likeness, contacts, count: together.count });
        }
    }
    Ok(groups)
}

/// Remembers that two contacts are two people, or takes that back.
pub async fn set_distinct(app: &App, caller: &Caller, id: Uuid, other: Uuid, distinct: bool) -> Result<()> {
    if id == other {
        return Err(Error::field("other_id", "Choose another contact."));
    }
    let (now, by) = (app.now(), &caller.actor.label);
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    super::get(&mut tx, id).await?;
    super::get(&mut tx, other).await?;
    if sql::set_distinct(&mut tx, pair(id, other), distinct, by, now).await? {
        let action = if distinct { "contact.told_apart" } else { "contact.told_apart_undone" };
        let changes = json!({ "other_id": other });
        let entry = audit::Entry {
            action,
            kind: audit::Kind::Contact,
            entity_id: Some(id.to_string()),
            changes: &changes,
        };
        audit::record(&mut tx, &caller.actor, entry).await?;
        sql::tell(&mut tx).await?;
    }
    tx.commit().await
}

/// Whether somebody said that they are two people.
pub async fn are_distinct(tx: &mut TenantTx, id: Uuid, other: Uuid) -> Result<bool> {
    Ok(!sql::list_distinct(tx, &[id, other]).await?.is_empty())
}

/// The lower id first, as pairs are remembered.
fn pair(id: Uuid, other: Uuid) -> (Uuid, Uuid) {
    (id.min(other), id.max(other))
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
