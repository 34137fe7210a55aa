//! Writing a campaign: everything may change until it is launched.

use chrono::{DateTime, Utc};
use patchbay_rules::message::Channel;
use serde::Serialize;
use uuid::Uuid;

use super::{Campaign, Status, audience::Audience, sql, words};
use crate::{
    app::App,
    audit,
    auth::Caller,
    db::TenantTx,
    error::{Error, FieldErrors, Result},
};

/// What a campaign is made of.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct New {
    pub name: String,
    pub channel: Channel,
    pub segment_id: Option<Uuid>,
    pub template_ids: Vec<Uuid>,
    pub sender_id: Option<Uuid>,
    pub scheduled_at: Option<DateTime<Utc>>,
    pub in_recipient_zone: bool,
}

/// What changes; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct Change {
    pub name: Option<String>,
    pub channel: Option<Channel>,
    pub segment_id: Option<Option<Uuid>>,
    pub template_ids: Option<Vec<Uuid>>,
    pub sender_id: Option<Option<Uuid>>,
    pub scheduled_at: Option<Option<DateTime<Utc>>>,
    pub in_recipient_zone: Option<bool>,
}

/// Texts that may take turns.
const MOST_TEMPLATES: usize = 20;

/// Saves a new draft.
pub async fn create(app: &App, caller: &Caller, input: New) -> Result<Campaign> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let input = checked(&mut tx, input).await?;
    let id = app.new_id();
    sql::insert(&mut tx, id, &input, &caller.actor.label, app.now()).await?;
    let changes = serde_json::json!({ "name": [null, input.name] });
    audit::changed(&mut tx, caller, "campaign.created", id, &changes).await?;
    finished(tx, id).await
}

/// Changes a draft. Of a campaign that was launched only the name may change.
pub async fn update(app: &App, caller: &Caller, id: Uuid, change: Change) -> Result<Campaign> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let before = super::lock(&mut tx, id).await?;
    let former = parts(&before);
    let input = New {
        name: change.name.unwrap_or_else(|| former.name.clone()),
        channel: change.channel.unwrap_or(former.channel),
        segment_id: change.segment_id.unwrap_or(former.segment_id),
        template_ids: change.template_ids.unwrap_or_else(|| former.template_ids.clone()),
        sender_id: change.sender_id.unwrap_or(former.sender_id),
        scheduled_at: change.scheduled_at.unwrap_or(former.scheduled_at),
        in_recipient_zone: change.in_recipient_zone.unwrap_or(former.in_recipient_zone),
    };
    if input == former {
        return Ok(before);
    }
    if before.status == Status::Draft {
        let input = checked(&mut tx, input.clone()).await?;
        sql::update(&mut tx, id, &input, app.now()).await?;
    } else if (New { name: former.name.clone(), ..input.clone() }) == former {
        sql::rename(&mut tx, id, &name(&input.name)?, app.now()).await?;
    } else {
        return Err(Error::conflict("This campaign was launched; only its name can be changed."));
    }
    audit::changed(&mut tx, caller, "campaign.updated", id, &audit::diff(&former, &input)).await?;
    finished(tx, id).await
}

/// Throws a draft away.
pub async fn delete(app: &App, caller: &Caller, id: Uuid) -> Result<()> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let campaign = super::lock(&mut tx, id).await?;
    if campaign.status != Status::Draft {
        return Err(Error::conflict("A campaign that was launched stays in the records."));
    }
    sql::delete(&mut tx, id).await?;
    let changes = serde_json::json!({ "name": [campaign.name, null] });
    audit::changed(&mut tx, caller, "campaign.deleted", id, &changes).await?;
    sql::tell(&mut tx, id).await?;
    tx.commit().await
}

fn parts(campaign: &Campaign) -> New {
    New {
        name: campaign.name.clone(),
        channel: campaign.channel,
        segment_id: campaign.segment_id,
        template_ids: campaign.template_ids.clone(),
        sender_id: campaign.sender_id,
        scheduled_at: campaign.scheduled_at,
        in_recipient_zone: campaign.in_recipient_zone,
    }
}

fn name(name: &str) -> Result<String> {
    let name = name.trim();
    if name.is_empty() {
        return Err(Error::field("name", "Give the campaign a name."));
    }
    if name.chars().count() > 120 || name.chars().any(char::is_control) {
        return Err(Error::field("name", "A name has 120 characters at most, in one line."));
    }
    Ok(name.to_owned())
}

/// What is chosen must exist; what is not chosen yet may come later.
async fn checked(tx: &mut TenantTx, mut input: New) -> Result<New> {
    let mut errors = FieldErrors::new();
    let mut note = |outcome: Result<()>| match outcome {
        Err(Error::Invalid(fields)) => {
            errors.extend(fields);
            Ok(())
        }
        outcome => outcome,
    };
    note(name(&input.name).map(|name| input.name = name))?;
    let mut seen = std::collections::HashSet::new();
    input.template_ids.retain(|id| seen.insert(*id));
    if input.template_ids.len() > MOST_TEMPLATES {
        note(Err(Error::field("template_ids", "Choose 20 templates at most.")))?;
    } else if !input.template_ids.is_empty() {
        note(words::check(tx, input.channel, &input.template_ids).await)?;
    }
    if let Some(segment) = input.segment_id {
        note(Audience::check(tx, segment).await)?;
    }
    if let Some(sender) = input.sender_id
        && sql::sender_address(tx, sender, input.channel.as_str()).await?.is_none()
    {
        note(Err(Error::field("sender_id", "Choose a sender of this channel.")))?;
    }
    if errors.is_empty() { Ok(input) } else { Err(Error::Invalid(errors)) }
}

/// Tells those who watch, commits, and answers the campaign as it is now.
pub(super) async fn finished(mut tx: TenantTx, id: Uuid) -> Result<Campaign> {
    sql::tell(&mut tx, id).await?;
    let campaign = super::find(&mut tx, id).await?;
    tx.commit().await?;
    Ok(campaign)
}
