//! The brake: a campaign that annoys people, fails or is filtered stops by itself.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::sql;
use crate::{
    app::App,
    audit,
    auth::Actor,
    error::{Error, Result},
};

/// Messages of this long are looked at, or the latest few hundred where they are older.
const LATELY: TimeDelta = TimeDelta::minutes(15);

/// Which rate was too high.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Rate {
    OptOut,
    Failure,
    /// The carrier took it for spam: Twilio's error 30007.
    Filtered,
}

/// Why a campaign paused itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename = "brake")]
pub(super) struct Reason {
    pub rate: Rate,
    pub count: i64,
    pub of: i64,
    pub limit_permille: i32,
}

/// What was seen, of a stored reason.
pub fn cause(stored: &Value) -> Option<String> {
    let reason: Reason = serde_json::from_value(stored.clone()).ok()?;
    let Reason { count, of, .. } = reason;
    let limit = f64::from(reason.limit_permille) / 10.0;
    Some(match reason.rate {
        Rate::OptOut => {
            format!("{count} of the last {of} people opted out, more than {limit} %")
        }
        Rate::Failure => {
            format!("{count} of the last {of} messages failed, more than {limit} %")
        }
        Rate::Filtered => {
            format!("carriers filtered {count} of the last {of} messages as spam, more than {limit} %")
        }
    })
}

/// The sentence of a stored reason.
pub(super) fn sentence(stored: &Value) -> Option<String> {
    cause(stored).map(|cause| format!("Paused itself: {cause}"))
}

/// The first rate that is too high.
fn judge(sample: &sql::Sample) -> Option<Reason> {
    if sample.settled < i64::from(sample.minimum) {
        return None;
    }
    let rates = [
        (Rate::OptOut, sample.opted_out, sample.opt_out_permille),
        (Rate::Filtered, sample.filtered, sample.filtered_permille),
        (Rate::Failure, sample.failed, sample.failure_permille),
    ];
    rates.into_iter().find_map(|(rate, count, limit)| {
        let limit_permille = limit?;
        let reason = Reason { rate, count, of: sample.settled, limit_permille };
        (count * 1000 > i64::from(limit_permille) * sample.settled).then_some(reason)
    })
}

/// Pauses a running campaign if it must be; what was sent before it was last resumed does not count any more.
pub(super) async fn check(app: &App, tenant: Uuid, id: Uuid) -> Result<()> {
    let now = app.now();
    let mut tx = app.db.tenant(tenant).await?;
    let campaign = super::find(&mut tx, id).await?;
    let sample = sql::sample(&mut tx, id, campaign.resumed_at, now - LATELY).await?;
    let Some(reason) = judge(&sample) else { return Ok(()) };
    let stored = serde_json::to_value(reason).map_err(Error::internal)?;
    if !sql::pause(&mut tx, id, "Patchbay", Some(&stored), now).await? {
        return Ok(());
    }
    let changes = serde_json::json!({ "status": ["running", "paused"], "reason": [null, sentence(&stored)] });
    let entry = audit::Entry {
        action: "campaign.paused",
        kind: audit::Kind::Campaign,
        entity_id: Some(id.to_string()),
        changes: &changes,
    };
    audit::record(&mut tx, &Actor::system(), entry).await?;
    sql::announce(&mut tx, "campaign.paused", id).await?;
    sql::tell(&mut tx, id).await?;
    tracing::warn!(campaign = %id, rate = ?reason.rate, count = reason.count, of = reason.of, "a campaign paused itself");
    tx.commit().await
}
