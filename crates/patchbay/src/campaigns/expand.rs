//! From recipients to messages, a bounded number ahead of the dispatcher.
//!
//! One batch is one transaction: the campaign's row is held, the next recipients become intents under their own
//! dedupe keys, and the position moves on. Whoever dies in between leaves everything as it was; whoever pauses or
//! cancels waits for one batch at most, and finds few messages to hold back or call off.

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use patchbay_rules::{
    message::{Channel, Kind},
    zones::{self, ZoneFacts},
};
use uuid::Uuid;

use super::{
    Campaign, sql,
    words::{self, Page, WayOut, Writer},
};
use crate::{
    app::App,
    crash,
    db::{Growth, TenantTx},
    error::Result,
    links,
    messaging::{self, Intent},
    templates, tenants,
};

/// Bulk messages of a tenant that may be due at once.
const WINDOW: i64 = 20_000;
/// What grows with every recipient.
const GROWING: &[&str] =
    &["messages", "message_texts", "message_events", "campaign_recipients", "short_links"];
/// Recipients of one transaction; tests pass many with few.
const BATCH: i64 = if cfg!(test) { 100 } else { 1_000 };

/// Expands as far as there is room; answers how many recipients got their message.
pub(super) async fn expand(app: &App, tenant: Uuid, id: Uuid) -> Result<i64> {
    let mut tx = app.db.tenant(tenant).await?;
    let mut room = sql::room(&mut tx, id, WINDOW, app.now()).await?;
    drop(tx);
    let mut done = 0;
    let mut growth = Growth::of(GROWING);
    while room > 0 {
        let taken = batch(app, tenant, id, room.min(BATCH)).await?;
        if taken == 0 {
            break;
        }
        growth.add(&mut *app.db.system_conn().await?, taken).await?;
        room -= taken;
        done += taken;
    }
    Ok(done)
}

async fn batch(app: &App, tenant: Uuid, id: Uuid, most: i64) -> Result<i64> {
    let mut tx = app.db.tenant(tenant).await?;
    let Some(from) = sql::lock_running(&mut tx, id).await? else { return Ok(0) };
    let campaign = super::find(&mut tx, id).await?;
    let rows = sql::next_recipients(&mut tx, id, from, most).await?;
    let count = i64::try_from(rows.len()).unwrap_or_default();
    let intents = intents(&mut tx, app, &campaign, rows).await?;
    messaging::enqueue_batch(&mut tx, app, intents).await?;
    sql::advance(&mut tx, id, count).await?;
    crash::point("expand.written").await;
    tx.commit().await?;
    crash::point("expand.committed").await;
    Ok(count)
}

/// One recipient's message in the making.
struct Draft {
    id: Uuid,
    row: sql::RecipientRow,
    /// The words, or why there are none.
    page: Result<Page, String>,
}

async fn intents(
    tx: &mut TenantTx,
    app: &App,
    campaign: &Campaign,
    rows: Vec<sql::RecipientRow>,
) -> Result<Vec<(Uuid, Intent)>> {
    let settings = tenants::settings(tx).await?;
    let writer = Writer::load(tx, campaign, &settings).await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.contact_id).collect();
    let readers = templates::readers(tx, app, &ids).await?;
    let mut drafts: Vec<Draft> = rows
        .into_iter()
        .map(|row| {
            let page = match (unreachable(&row, campaign.channel), readers.get(&row.contact_id)) {
                (Some(why), _) => Err(why.to_owned()),
                (None, Some(reader)) => writer.write(row.position, reader),
                (None, None) => Err(GONE.to_owned()),
            };
            Draft { id: app.new_id(), row, page }
        })
        .collect();
    finish_pages(tx, app, campaign, &writer, &mut drafts).await?;
    let now = app.now();
    Ok(drafts.into_iter().map(|draft| intent(campaign, &writer, settings.timezone, draft, now)).collect())
}

const GONE: &str = "This contact does not exist any more.";

/// Why a recipient cannot be written to on this channel at all.
fn unreachable(row: &sql::RecipientRow, channel: Channel) -> Option<&'static str> {
    let address = if channel == Channel::Email { &row.email } else { &row.phone_e164 };
    if !row.is_there {
        Some(GONE)
    } else if row.is_merged {
        Some("This contact was merged into another one.")
    } else if row.is_archived {
        Some("This contact was archived.")
    } else if address.is_none() {
        Some(words::no_address(channel))
    } else {
        None
    }
}

/// Adds ways out and short links, in a constant number of statements.
async fn finish_pages(
    tx: &mut TenantTx,
    app: &App,
    campaign: &Campaign,
    writer: &Writer,
    drafts: &mut [Draft],
) -> Result<()> {
    let wanting: Vec<(Uuid, Uuid)> = drafts
        .iter()
        .filter(|draft| draft.page.as_ref().is_ok_and(|page| page.lacks == Some(WayOut::Link)))
        .map(|draft| (draft.id, draft.row.contact_id))
        .collect();
    let mut ways_out =
        if wanting.is_empty() { Vec::new() } else { links::opt_out(tx, app, &wanting).await? };
    // Popped in the order of the drafts.
    ways_out.reverse();
    for draft in drafts.iter_mut() {
        let Ok(page) = &mut draft.page else { continue };
        let link = if page.lacks == Some(WayOut::Link) { ways_out.pop() } else { None };
        if let Err(problem) = writer.add_way_out(page, draft.row.country.as_deref(), link.as_deref()) {
            draft.page = Err(problem);
        }
    }
    let mut texts: Vec<links::Text<'_>> = drafts
        .iter_mut()
        .filter_map(|draft| {
            let body = &mut draft.page.as_mut().ok()?.body;
            let (message_id, contact_id) = (draft.id, draft.row.contact_id);
            Some(links::Text { body, message_id, contact_id, campaign_id: Some(campaign.id) })
        })
        .collect();
    // What a template of WhatsApp's says is not ours to change.
    if campaign.channel != Channel::Whatsapp {
        links::shorten(tx, app, &mut texts).await?;
    }
    Ok(())
}

fn intent(
    campaign: &Campaign,
    writer: &Writer,
    timezone: Tz,
    draft: Draft,
    now: DateTime<Utc>,
) -> (Uuid, Intent) {
    let Draft { id, row, page } = draft;
    let reachable = unreachable(&row, campaign.channel).is_none();
    let send_after = send_after(campaign, timezone, &row, now);
    let address = if campaign.channel == Channel::Email { row.email } else { row.phone_e164 };
    let key = format!("campaign:{}:{}", campaign.id, row.contact_id);
    let to = address.filter(|_| reachable).unwrap_or_default();
    let mut intent = Intent::new(Kind::Campaign, campaign.channel, key, to, "");
    intent.contact_id = row.is_there.then_some(row.contact_id);
    intent.campaign_id = Some(campaign.id);
    intent.from = writer.from.clone();
    intent.send_after = send_after;
    match page {
        Ok(page) => {
            intent.template_id = Some(page.template_id);
            intent.body = page.body;
            intent.subject = page.subject;
            intent.content_sid = page.content_sid;
            intent.content_variables = page.content_variables;
        }
        Err(problem) => intent.problem = Some(problem),
    }
    (id, intent)
}

/// When the chosen time of day comes at the recipient's: in the last of the zones where they may be.
fn send_after(
    campaign: &Campaign,
    timezone: Tz,
    row: &sql::RecipientRow,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let scheduled_at = campaign.scheduled_at.filter(|_| campaign.in_recipient_zone)?;
    let zones = zones::resolve(&ZoneFacts {
        explicit: row.timezone.as_deref().and_then(|zone| zone.parse().ok()),
        country: row.country.as_deref(),
        state: row.state.as_deref(),
        postal: row.postal.as_deref(),
        phone_e164: row.phone_e164.as_deref(),
        tenant: timezone,
    });
    own_time(scheduled_at, timezone, &zones.zones).filter(|at| *at > now)
}

/// `at`, as the clock of `timezone` shows it, on the clocks of `zones`: the last of them.
pub(super) fn own_time(at: DateTime<Utc>, timezone: Tz, zones: &[Tz]) -> Option<DateTime<Utc>> {
    let clock = at.with_timezone(&timezone).naive_local();
    let instants = zones.iter().filter_map(|zone| {
        zone.from_local_datetime(&clock)
            .latest()
            // This hour is skipped there: an hour later it is past.
            .or_else(|| zone.from_local_datetime(&(clock + TimeDelta::hours(1))).latest())
    });
    instants.map(|at| at.with_timezone(&Utc)).max()
}
