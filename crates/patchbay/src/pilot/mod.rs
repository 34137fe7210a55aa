//! The pilot: twenty messages through the whole product, as a client sees it, before the first campaign in earnest.
//!
//! Promises: what is reported as passed was seen: messages at the carrier and delivered, none twice, a STOP in the
//! do-not-contact list, a click in the report, quiet hours and budget that held a message. Against the simulator it
//! uses a business, a database and a carrier of its own, and nothing of it remains. Against a running server it writes
//! to the numbers that were named, asks people to do their part, and changes no settings.

mod client;
mod live;
mod simulated;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};

use self::client::Client;

/// Messages that the pilot sends.
pub const MESSAGES: usize = 20;
/// Of them, how many must arrive.
const DELIVERED: f64 = 0.95;
/// How fast a STOP must be in the list.
const STOP_SECONDS: i64 = 60;
const LABEL: &str = "pilot";
const TARGET: &str = "https://example.com/pilot";

/// Why the pilot could not be flown, in one sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct PilotError(pub String);

type Result<T> = std::result::Result<T, PilotError>;

fn failed(what: &'static str) -> impl FnOnce(&dyn std::fmt::Display) -> PilotError {
    move |cause| PilotError(format!("{what}: {cause}."))
}

/// One criterion.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    pub name: &'static str,
    /// `None`: not checked here.
    pub passed: Option<bool>,
    pub found: String,
}

impl Check {
    fn new(name: &'static str, passed: bool, found: impl Into<String>) -> Self {
        Self { name, passed: Some(passed), found: found.into() }
    }

    fn left_out(name: &'static str, why: impl Into<String>) -> Self {
        Self { name, passed: None, found: why.into() }
    }
}

/// A server that is running, and the numbers of people who agreed to take part.
#[derive(Debug, Clone)]
pub struct Live {
    pub url: String,
    pub key: String,
    pub numbers: Vec<String>,
}

/// Flies the pilot against the simulator, with everything of its own. `say` hears of each step.
pub async fn simulated(say: &(dyn Fn(&str) + Sync)) -> Result<Vec<Check>> {
    simulated::fly(say).await
}

/// Flies it against a running server.
pub async fn live(live: &Live, say: &(dyn Fn(&str) + Sync)) -> Result<Vec<Check>> {
    live::fly(live, say).await
}

/// The recipients, imported with the proof of their consent.
async fn import(client: &Client, numbers: &[String]) -> Result<()> {
    let rows: String =
        numbers.iter().enumerate().map(|(nth, number)| format!("Pilot {},{number}\n", nth + 1)).collect();
    let mapping = json!({
        "columns": { "Name": "first_name", "Mobile": "phone" },
        "labels": [LABEL],
        "consent": { "channel": "sms", "source": "Pilot", "wording": "I take part in the test of our messaging." },
        "on_match": "update",
    });
    let id = client.upload("/api/imports", "pilot.csv", &format!("Name,Mobile\n{rows}"), &mapping).await?;
    let path = format!("/api/imports/{id}");
    let done = client
        .until(&path, 60, |import| matches!(import["status"].as_str(), Some("finished" | "failed")))
        .await?;
    match done["counts"]["invalid"].as_i64() {
        Some(0) => Ok(()),
        _ => Err(PilotError(format!("Not every number can be texted: {}", done["counts"]))),
    }
}

/// A campaign to everybody with the label, under way. Answers its id and what preflight said it would cost.
async fn launch(client: &Client) -> Result<(String, i64)> {
    let template = json!({ "name": "Pilot", "channel": "sms", "content": format!("Hi {{{{first_name}}}}, this is our test: {TARGET}") });
    let template = client.create("/api/templates", &template).await?;
    let filter = json!({ "all": [{ "field": "label", "op": "is", "value": LABEL }] });
    let segment = client.create("/api/segments", &json!({ "name": "Pilot", "filter": filter })).await?;
    let campaign =
        json!({ "name": "Pilot", "channel": "sms", "segment_id": segment, "template_ids": [template] });
    let campaign = client.create("/api/campaigns", &campaign).await?;
    let seen = client.post(&format!("/api/campaigns/{campaign}/preflight"), &json!({})).await?;
    client.post(&format!("/api/campaigns/{campaign}/launch"), &json!({})).await?;
    Ok((campaign, seen["cost_cents"].as_i64().unwrap_or_default()))
}

/// Waits for the campaign to settle, and judges what was delivered.
async fn delivered(client: &Client, campaign: &str, seconds: u64) -> Result<Check> {
    let path = format!("/api/campaigns/{campaign}");
    let on_its_way = |campaign: &Value| -> i64 {
        let totals = &campaign["totals"];
        let waiting: i64 =
            totals["waiting"].as_object().into_iter().flatten().filter_map(|(_, n)| n.as_i64()).sum();
        waiting
            + ["queued", "sending", "sent", "unknown"]
                .iter()
                .filter_map(|key| totals[*key].as_i64())
                .sum::<i64>()
    };
    let settled =
        |campaign: &Value| campaign["totals"]["recipients"].as_i64() > Some(0) && on_its_way(campaign) == 0;
    let campaign = client.until(&path, seconds, settled).await?;
    let totals = &campaign["totals"];
    let (all, done) =
        (totals["recipients"].as_i64().unwrap_or_default(), totals["delivered"].as_i64().unwrap_or_default());
    let share = if all == 0 { 0.0 } else { done as f64 / all as f64 };
    Ok(Check::new(
        "delivered",
        share >= DELIVERED,
        format!("{done} of {all} messages were delivered ({:.0} %).", share * 100.0),
    ))
}

/// Waits until a number is on the do-not-contact list; how long after `since` that was.
async fn listed(client: &Client, number: &str, seconds: u64) -> Result<Option<DateTime<Utc>>> {
    let number = number.replace('+', "%2B");
    let found = client
        .until(&format!("/api/do-not-contact?phone={number}"), seconds, |list| {
            list["data"].as_array().is_some_and(|listed| !listed.is_empty())
        })
        .await?;
    Ok(found["data"][0]["created_at"].as_str().and_then(|at| at.parse().ok()))
}

/// Waits for a human click in the campaign's report.
async fn clicked(client: &Client, campaign: &str, seconds: u64) -> Result<Check> {
    let human = |report: &Value| report["funnel"]["clicked"].as_i64().unwrap_or_default();
    let report = client
        .until(&format!("/api/reports/campaigns/{campaign}"), seconds, |report| human(report) > 0)
        .await?;
    let count = human(&report);
    let found = match count {
        0 => "No click by a person was recorded.".to_owned(),
        1 => "One recipient's click was recorded, and told from the machines'.".to_owned(),
        more => format!("The clicks of {more} recipients were recorded."),
    };
    Ok(Check::new("clicks", count > 0, found))
}
