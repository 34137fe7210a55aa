//! The people behind each number of a campaign.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::sql;
use crate::{
    app::App,
    auth::Caller,
    contacts,
    error::Result,
    messaging,
    web::paging::{Page, PageQuery},
};

/// What a list is of; the words of the totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = RecipientState)]
pub enum State {
    Queued,
    Waiting,
    Blocked,
    Sending,
    Sent,
    Delivered,
    Undelivered,
    Failed,
    Unknown,
    Canceled,
}

impl State {
    /// The word in addresses and names of files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Waiting => "waiting",
            Self::Blocked => "blocked",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Undelivered => "undelivered",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Canceled => "canceled",
        }
    }

    fn statuses(self) -> Vec<String> {
        let words: &[&str] = match self {
            Self::Waiting => &["queued"],
            Self::Delivered => &["delivered", "read"],
            other => &[other.as_str()],
        };
        words.iter().map(|word| (*word).to_owned()).collect()
    }
}

/// One recipient.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = CampaignRecipient)]
pub struct Recipient {
    pub contact_id: Option<Uuid>,
    pub name: String,
    pub address: Option<String>,
    /// Absent while the recipient's turn has not come.
    pub message_id: Option<Uuid>,
    /// The message's.
    pub status: String,
    pub gate: Option<messaging::Gate>,
    pub error_code: Option<i32>,
    pub error_detail: Option<String>,
    /// When a message that waits may go at the earliest, as things are.
    pub goes_at: Option<DateTime<Utc>>,
    pub sent_at: Option<DateTime<Utc>>,
    pub delivered_at: Option<DateTime<Utc>>,
}

/// Where a page ends: among those that have their message, or among those whose turn has not come.
#[derive(Serialize, Deserialize)]
enum Place {
    Message(Uuid),
    Position(i64),
}

/// A page of the recipients in `state`, and at `gate` if one is named.
pub async fn recipients(
    app: &App,
    caller: &Caller,
    id: Uuid,
    state: State,
    gate: Option<&str>,
    page: &PageQuery,
) -> Result<Page<Recipient>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    super::find(&mut tx, id).await?;
    let wanted = page.limit() + 1;
    let (message, mut position) = match page.after()? {
        Some(Place::Message(id)) => (Some(id), None),
        Some(Place::Position(position)) => (None, Some(position)),
        None => (None, None),
    };
    let gate = if state == State::Queued { Some("") } else { gate };
    let mut rows = Vec::new();
    if position.is_none() {
        let reached = match (state, gate) {
            (State::Waiting, None) => sql::list_waiting(&mut tx, id, message, wanted).await?,
            _ => sql::list_reached(&mut tx, id, &state.statuses(), gate, message, wanted).await?,
        };
        let (now, viewer) = (app.now(), caller.tenant.timezone);
        rows.extend(
            reached.into_iter().map(|row| (Place::Message(row.message_id), reached_row(row, now, viewer))),
        );
        position = Some(-1);
    }
    let left = wanted - i64::try_from(rows.len()).unwrap_or_default();
    if left > 0 && matches!(state, State::Queued | State::Canceled) {
        let status = if state == State::Queued { "queued" } else { "canceled" };
        let unreached = sql::list_unreached(&mut tx, id, status == "canceled", position, left).await?;
        rows.extend(unreached.into_iter().map(|row| {
            let recipient = Recipient {
                contact_id: Some(row.contact_id),
                name: contacts::full_name(row.first_name.as_deref(), row.last_name.as_deref()),
                address: row.address,
                message_id: None,
                status: status.to_owned(),
                gate: None,
                error_code: None,
                error_detail: None,
                goes_at: None,
                sent_at: None,
                delivered_at: None,
            };
            (Place::Position(row.position), recipient)
        }));
    }
    let limit = usize::try_from(page.limit()).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let (places, data): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
    Ok(Page::until(data, places.into_iter().next_back().filter(|_| more)))
}

fn reached_row(row: sql::ReachedRow, now: DateTime<Utc>, viewer: chrono_tz::Tz) -> Recipient {
    let gate = messaging::gate_of(
        row.gate.as_deref(),
        &row.status,
        row.gate_reason.as_ref(),
        row.gate_until,
        now,
        viewer,
    );
    Recipient {
        contact_id: row.contact_id,
        name: contacts::full_name(row.first_name.as_deref(), row.last_name.as_deref()),
        address: Some(row.to_address).filter(|address| !address.is_empty()),
        message_id: Some(row.message_id),
        goes_at: (row.status == "queued" && row.send_after > now).then_some(row.send_after),
        status: row.status,
        gate,
        error_code: row.error_code,
        error_detail: row.error_detail,
        sent_at: row.sent_at,
        delivered_at: row.delivered_at,
    }
}
