//! Campaigns: one text to many.
//!
//! Promises: what is launched is what was approved (audience, words and sender are written down at launch, by one
//! statement, once); everybody in the audience ends as exactly one message of the ledger, under the key
//! `campaign:<id>:<contact>`; pause and cancel take effect at once, save for what the carrier already has; the
//! totals balance at any moment.
//! Does not: decide who may be written to or when (the gates), or send (the dispatcher). A campaign only inserts
//! intents, a bounded number ahead of the dispatcher ([`expand`]).

mod api;
mod audience;
mod brake;
mod draft;
mod expand;
mod export;
pub mod jobs;
mod launch;
mod look;
mod names;
mod pace;
mod plan;
pub mod preflight;
mod recipients;
mod sql;
#[cfg(test)]
mod tests;
mod totals;
mod ui;
mod view;
mod words;

pub(crate) use words::reason;

use chrono::{DateTime, Utc};
use patchbay_rules::message::Channel;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

pub use api::Doc;
pub use brake::cause as brake_cause;
pub use draft::{Change, New, create, delete, update};
pub use export::export;
pub use launch::{cancel, has_moved, launch, pause, resume, unschedule};
pub use look::{Look, LookAt, Test, preview, test_send};
pub use pace::{Pace, pace};
pub use preflight::{Preflight, Verdict, preflight, verdicts};
pub use recipients::{Recipient, recipients};
pub use totals::{Totals, totals};

use crate::{
    app::App,
    auth::{Caller, Role},
    db::TenantTx,
    error::{Error, Result},
    web::{
        paging::{Page, PageQuery},
        routes::{Access, Routes},
    },
};

/// Where a campaign stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = CampaignStatus)]
pub enum Status {
    /// Still being written.
    Draft,
    /// Approved; its time has not come.
    Scheduled,
    Running,
    /// By a person, or by the brake.
    Paused,
    /// Everybody in the audience is settled.
    Finished,
    Canceled,
}

impl Status {
    /// The word stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Scheduled => "scheduled",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Finished => "finished",
            Self::Canceled => "canceled",
        }
    }

    fn read(word: &str) -> Option<Self> {
        [Self::Draft, Self::Scheduled, Self::Running, Self::Paused, Self::Finished, Self::Canceled]
            .into_iter()
            .find(|status| status.as_str() == word)
    }
}

/// A campaign.
#[derive(Debug, Clone)]
pub struct Campaign {
    pub id: Uuid,
    pub name: String,
    pub channel: Channel,
    /// `None`: every contact.
    pub segment_id: Option<Uuid>,
    /// Rotated evenly over the audience.
    pub template_ids: Vec<Uuid>,
    /// `None`: the conversation's number, else the default.
    pub sender_id: Option<Uuid>,
    pub status: Status,
    pub scheduled_at: Option<DateTime<Utc>>,
    /// `scheduled_at` is the tenant's clock, read on each recipient's own.
    pub in_recipient_zone: bool,
    pub launched_at: Option<DateTime<Utc>>,
    pub launched_by: Option<String>,
    /// When the audience was written down.
    pub snapshot_at: Option<DateTime<Utc>>,
    pub recipients: i64,
    pub paused_at: Option<DateTime<Utc>>,
    pub paused_by: Option<String>,
    /// Why the brake paused it.
    pub pause_reason: Option<Value>,
    pub resumed_at: Option<DateTime<Utc>>,
    pub finished_at: Option<DateTime<Utc>>,
    /// What was counted last, and when.
    pub totals: Option<Totals>,
    pub totals_at: Option<DateTime<Utc>>,
    /// The latest preflight's answer.
    pub preflight: Option<Preflight>,
    pub preflight_at: Option<DateTime<Utc>>,
    pub created_by: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// The filter and the words that were approved.
    audience: Option<Value>,
    content: Option<Value>,
}

impl Campaign {
    /// How many of the audience are settled: all, once it is over, even where nobody ever found out.
    fn settled(&self, totals: &Totals) -> i64 {
        if self.finished_at.is_some() { totals.recipients } else { totals.done() }
    }

    /// Why it is paused, as a sentence without a full stop.
    pub fn pause_sentence(&self) -> Option<String> {
        self.paused_at?;
        let braked = self.pause_reason.as_ref().and_then(brake::sentence);
        Some(
            braked
                .unwrap_or_else(|| format!("Paused by {}", self.paused_by.as_deref().unwrap_or("somebody"))),
        )
    }
}

/// Which campaigns a list shows.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub status: Option<Status>,
    /// Part of the name.
    pub search: Option<String>,
}

/// A page of campaigns, newest first.
pub async fn list(app: &App, caller: &Caller, filter: &Filter, page: &PageQuery) -> Result<Page<Campaign>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let rows = sql::list(&mut tx, filter, page.after()?, page.limit() + 1).await?;
    Ok(Page::cut(rows, page.limit(), |campaign| campaign.id))
}

/// One campaign.
pub async fn get(app: &App, caller: &Caller, id: Uuid) -> Result<Campaign> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    find(&mut tx, id).await
}

async fn find(tx: &mut TenantTx, id: Uuid) -> Result<Campaign> {
    sql::find(tx, id).await?.ok_or(Error::NotFound("campaign"))
}

/// The campaign, held until the transaction ends.
async fn lock(tx: &mut TenantTx, id: Uuid) -> Result<Campaign> {
    sql::lock(tx, id).await?;
    find(tx, id).await
}

/// Pauses all campaigns that run, and those whose time has come, in the caller's transaction.
pub async fn pause_all(tx: &mut TenantTx, by: &str, now: DateTime<Utc>) -> Result<()> {
    sql::pause_all(tx, by, now).await
}

/// The routes of this feature.
pub fn routes(routes: Routes) -> Routes {
    let (read, work, decide) =
        (Access::Api(Role::Viewer), Access::Api(Role::Member), Access::Api(Role::Admin));
    routes
        .with(ui::routes)
        .get("/api/campaigns", read, api::list)
        .post("/api/campaigns", work, api::create)
        .get("/api/campaigns/{id}", read, api::get)
        .patch("/api/campaigns/{id}", work, api::update)
        .delete("/api/campaigns/{id}", work, api::delete)
        .post("/api/campaigns/{id}/preflight", work, api::preflight)
        .get("/api/campaigns/{id}/preflight/contacts", read, api::verdicts)
        .post("/api/campaigns/{id}/preview", read, api::preview)
        .post("/api/campaigns/{id}/test", work, api::test)
        .post("/api/campaigns/{id}/launch", decide, api::launch)
        .post("/api/campaigns/{id}/unschedule", decide, api::unschedule)
        .post("/api/campaigns/{id}/pause", work, api::pause)
        .post("/api/campaigns/{id}/resume", decide, api::resume)
        .post("/api/campaigns/{id}/cancel", decide, api::cancel)
        .get("/api/campaigns/{id}/pace", read, api::pace)
        .get("/api/campaigns/{id}/recipients", read, api::recipients)
        .get("/api/campaigns/{id}/export", decide, api::export)
}
