//! Merging two contacts that are one person, and taking that back.
//!
//! Promises: everything that happened with either belongs to the kept one afterwards, and both their addresses lead
//! to it; undoing restores both to what they were, save what people have changed since. The duplicate's row stays,
//! archived, as the record of what was; it keeps the addresses that the kept contact does not carry.
//! Does not: touch consent, which belongs to addresses and not to contacts.

mod combine;
mod preview;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

pub use combine::Snapshot;
use combine::{combine, restore_unchanged};
pub use preview::{Line, Preview, preview};

use super::{contact::Contact, sql};
use crate::{
    app::App,
    audit,
    auth::Caller,
    db::TenantTx,
    error::{Error, Result},
};

/// A field that both may have, and whose value wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MergeField {
    Status,
    /// First and last name together.
    Name,
    Phone,
    Email,
    Stage,
    Source,
    Owner,
    /// Time zone, state, postal code, country.
    Place,
}

impl MergeField {
    /// All of them, in the order of the preview.
    pub const ALL: [Self; 8] = [
        Self::Name,
        Self::Phone,
        Self::Email,
        Self::Status,
        Self::Stage,
        Self::Owner,
        Self::Source,
        Self::Place,
    ];

    /// What is shown.
    pub fn label(self) -> &'static str {
        match self {
            Self::Status => "Status",
            Self::Name => "Name",
            Self::Phone => "Phone",
            Self::Email => "E-mail",
            Self::Stage => "Stage",
            Self::Source => "Source",
            Self::Owner => "Owner",
            Self::Place => "Place",
        }
    }

    /// The word used in forms.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Name => "name",
            Self::Phone => "phone",
            Self::Email => "email",
            Self::Stage => "stage",
            Self::Source => "source",
            Self::Owner => "owner",
            Self::Place => "place",
        }
    }
}

/// What is to be merged.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Stays.
    pub kept: Uuid,
    /// Becomes part of it.
    pub merged: Uuid,
    /// Where the duplicate's value wins; elsewhere it only fills what is empty.
    pub take: Vec<MergeField>,
    /// Custom fields where the duplicate's value wins.
    pub take_properties: Vec<String>,
}

/// What a merge needs to be taken back.
#[derive(Debug, Serialize, Deserialize)]
struct Before {
    kept: Snapshot,
    merged: Snapshot,
    /// The kept one as the merge left it: what differs from this was changed by people since.
    after: Snapshot,
    kept_conversation: Option<Value>,
    merged_conversation: Option<Value>,
    after_conversation: Option<Value>,
}

/// Ids of what went from the duplicate to the kept contact.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Moved {
    pub(super) messages: Vec<Uuid>,
    pub(super) notes: Vec<Uuid>,
    pub(super) activities: Vec<Uuid>,
    pub(super) quotes: Vec<Uuid>,
    /// Labels that only the duplicate carried.
    pub(super) labels: Vec<Uuid>,
}

/// Merges; answers the merge's id, by which it can be undone.
pub async fn merge(app: &App, caller: &Caller, wish: &Wish) -> Result<Uuid> {
    if wish.kept == wish.merged {
        return Err(Error::field("with", "Choose another contact."));
    }
    let now = app.now();
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let (kept, duplicate) = lock_both(&mut tx, wish.kept, wish.merged).await?;
    if kept.merged_into.is_some() || duplicate.merged_into.is_some() {
        return Err(Error::conflict("One of them was merged already. Reload to see where it went."));
    }
    let before_kept = sql::snapshot(&mut tx, wish.kept).await?;
    let before_merged = sql::snapshot(&mut tx, wish.merged).await?;
    let (after, rest) = combine(&before_kept, &before_merged, wish);
    let conversations = sql::conversations(&mut tx, wish.kept, wish.merged).await?;
    // The duplicate lets go of its number first, so that the kept contact can have it.
    sql::restore(&mut tx, wish.merged, &rest, Some(wish.kept), now).await?;
    sql::restore(&mut tx, wish.kept, &after, None, now).await?;
    let moved = sql::move_children(&mut tx, wish.merged, wish.kept).await?;
    let after_conversation = sql::merge_conversations(&mut tx, wish.kept, wish.merged, now).await?;
    let before = Before {
        kept: before_kept,
        merged: before_merged,
        after,
        kept_conversation: conversations.0,
        merged_conversation: conversations.1,
        after_conversation,
    };
    let id = app.new_id();
    sql::insert_merge(
        &mut tx,
        id,
        wish.kept,
        wish.merged,
        &serde_json::to_value(&before)?,
        &serde_json::to_value(&moved)?,
        &caller.actor.label,
        now,
    )
    .await?;
    let data = json!({"merge_id": id, "merged_id": wish.merged, "name": duplicate.display_name()});
    super::activity(&mut tx, wish.kept, "merged", &data, Some(&caller.actor.label)).await?;
    audit::changed(
        &mut tx,
        caller,
        "contact.merged",
        wish.kept,
        &json!({"merged_id": wish.merged, "merge_id": id}),
    )
    .await?;
    readdressed(
        &mut tx,
        app,
        caller,
        wish.kept,
        before.kept.phone_e164 != before.after.phone_e164 || before.kept.email != before.after.email,
    )
    .await?;
    tx.commit().await?;
    Ok(id)
}

/// Takes a merge back. What people changed on the kept contact since stays as they left it.
pub async fn undo(app: &App, caller: &Caller, id: Uuid) -> Result<(Contact, Contact)> {
    let now = app.now();
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let merge = sql::lock_merge(&mut tx, id).await?.ok_or(Error::NotFound("merge"))?;
    let (kept, duplicate) = lock_both(&mut tx, merge.kept_id, merge.merged_id).await?;
    if merge.undone_at.is_some() || duplicate.merged_into != Some(merge.kept_id) {
        return Err(Error::conflict("This merge was undone already."));
    }
    if kept.merged_into.is_some() {
        return Err(Error::conflict("The contact was merged into another one since. Undo that merge first."));
    }
    let before: Before = serde_json::from_value(merge.before)?;
    let moved: Moved = serde_json::from_value(merge.moved)?;
    let current = sql::snapshot(&mut tx, merge.kept_id).await?;
    let restored = restore_unchanged(&current, &before.after, &before.kept);
    sql::restore(&mut tx, merge.kept_id, &restored, None, now).await?;
    if before.merged.phone_e164.is_some() && restored.phone_e164 == before.merged.phone_e164 {
        return Err(Error::conflict(
            "Both would have the same number. Change the number of this contact first.",
        ));
    }
    sql::restore(&mut tx, merge.merged_id, &before.merged, None, now).await?;
    sql::move_back(&mut tx, &moved, merge.kept_id, merge.merged_id).await?;
    sql::split_conversations(
        &mut tx,
        (merge.kept_id, merge.merged_id),
        (before.kept_conversation.as_ref(), before.merged_conversation.as_ref()),
        before.after_conversation.as_ref(),
    )
    .await?;
    sql::mark_undone(&mut tx, id, now).await?;
    let label = Some(caller.actor.label.as_str());
    super::activity(
        &mut tx,
        merge.kept_id,
        "merge.undone",
        &json!({"merge_id": id, "name": full(&before.merged)}),
        label,
    )
    .await?;
    super::activity(
        &mut tx,
        merge.merged_id,
        "merge.undone",
        &json!({"merge_id": id, "name": kept.display_name()}),
        label,
    )
    .await?;
    audit::changed(
        &mut tx,
        caller,
        "contact.merge_undone",
        merge.kept_id,
        &json!({"merged_id": merge.merged_id, "merge_id": id}),
    )
    .await?;
    readdressed(
        &mut tx,
        app,
        caller,
        merge.kept_id,
        restored.phone_e164 != current.phone_e164 || restored.email != current.email,
    )
    .await?;
    let pair = (super::get(&mut tx, merge.kept_id).await?, super::get(&mut tx, merge.merged_id).await?);
    tx.commit().await?;
    Ok(pair)
}

/// Both rows, locked in one order whoever merges whom.
async fn lock_both(tx: &mut TenantTx, kept: Uuid, merged: Uuid) -> Result<(Contact, Contact)> {
    let missing = || Error::NotFound("contact");
    if kept < merged {
        let kept = sql::lock(tx, kept).await?.ok_or_else(missing)?;
        Ok((kept, sql::lock(tx, merged).await?.ok_or_else(missing)?))
    } else {
        let merged = sql::lock(tx, merged).await?.ok_or_else(missing)?;
        Ok((sql::lock(tx, kept).await?.ok_or_else(missing)?, merged))
    }
}

fn full(snapshot: &Snapshot) -> String {
    let name = super::full_name(snapshot.first_name.as_deref(), snapshot.last_name.as_deref());
    if name.is_empty() {
        snapshot.phone_e164.clone().or_else(|| snapshot.email.clone()).unwrap_or_default()
    } else {
        name
    }
}

async fn readdressed(tx: &mut TenantTx, app: &App, caller: &Caller, id: Uuid, changed: bool) -> Result<()> {
    if changed {
        let payload = json!({"contact_id": id});
        patchbay_outbox::enqueue(tx.conn(), caller.tenant.id, "contact.readdressed", &payload, app.now())
            .await?;
    }
    Ok(())
}
