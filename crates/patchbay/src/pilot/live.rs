//! The pilot against a running server and a live account. People take part; settings stay as they are.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::{Check, Client, Live, MESSAGES, PilotError, Result, STOP_SECONDS};

/// How long people have for their part.
const PATIENCE: u64 = 300;

pub(super) async fn fly(live: &Live, say: &(dyn Fn(&str) + Sync)) -> Result<Vec<Check>> {
    let client = Client::new(&live.url, &live.key)?;
    let numbers: Vec<String> =
        live.numbers.iter().collect::<HashSet<_>>().into_iter().take(MESSAGES).cloned().collect();
    if numbers.is_empty() {
        return Err(PilotError("Name the numbers of people who take part with --to.".to_owned()));
    }
    say("Importing the people who take part, with their consent");
    super::import(&client, &numbers).await?;
    say("Launching a campaign to them");
    let (campaign, _) = super::launch(&client).await?;
    let mut checks = vec![super::delivered(&client, &campaign, PATIENCE).await?];
    let rest = MESSAGES.saturating_sub(numbers.len());
    checks.push(more(&client, &numbers, rest).await?);
    checks.push(no_duplicates(&client, &campaign).await?);
    say(&format!("Now tap the link in the message on {}", numbers[0]));
    checks.push(super::clicked(&client, &campaign, PATIENCE).await?);
    let last = &numbers[numbers.len() - 1];
    say(&format!("Now answer STOP from {last}"));
    checks.push(stop(&client, last).await?);
    for name in ["quiet hours", "budget"] {
        checks.push(Check::left_out(
            name,
            "Not tried on a live business, whose settings would have to change; run the pilot without --url for it.",
        ));
    }
    Ok(checks)
}

/// The messages that are missing to twenty, in turn to the same people.
async fn more(client: &Client, numbers: &[String], count: usize) -> Result<Check> {
    let mut ids = Vec::new();
    for (nth, number) in numbers.iter().cycle().take(count).enumerate() {
        let message = json!({ "to": number, "body": format!("Test message {} of {count}", nth + 1) });
        ids.push(client.create("/api/messages/send", &message).await?);
    }
    let mut delivered = 0;
    for id in &ids {
        let path = format!("/api/messages/{id}");
        let settled = |message: &Value| {
            !matches!(message["status"].as_str(), Some("queued" | "sending" | "sent" | "unknown"))
                || message["gate"]["verdict"] == "waiting"
        };
        let message = client.until(&path, 60, settled).await?;
        delivered += usize::from(matches!(message["status"].as_str(), Some("delivered" | "read")));
    }
    let enough = delivered as f64 >= super::DELIVERED * count as f64;
    Ok(Check::new("single messages", enough, format!("{delivered} of {count} more messages were delivered.")))
}

/// One message per recipient, each with an id of its own at the carrier.
async fn no_duplicates(client: &Client, campaign: &str) -> Result<Check> {
    let sent = client.get(&format!("/api/messages?campaign_id={campaign}&limit=200")).await?;
    let sent: Vec<&Value> = sent["data"].as_array().into_iter().flatten().collect();
    let people: HashSet<_> = sent.iter().map(|message| message["to"].to_string()).collect();
    let ids: HashSet<_> = sent.iter().map(|message| message["provider_message_id"].to_string()).collect();
    let once = people.len() == sent.len() && ids.len() == sent.len();
    let found =
        format!("{} messages to {} people, {} ids of the carrier.", sent.len(), people.len(), ids.len());
    Ok(Check::new("no duplicates", once, found))
}

/// The time from the STOP's arrival to its entry in the list.
async fn stop(client: &Client, number: &str) -> Result<Check> {
    let Some(at) = super::listed(client, number, PATIENCE).await? else {
        return Ok(Check::new("STOP", false, "No STOP was recorded in five minutes."));
    };
    let heard = client.get("/api/messages?direction=inbound&limit=20").await?;
    let heard = heard["data"].as_array().into_iter().flatten().find(|message| message["from"] == number);
    let heard = heard
        .and_then(|message| message["created_at"].as_str()?.parse::<chrono::DateTime<chrono::Utc>>().ok());
    let took = heard.map_or(0, |heard| (at - heard).num_seconds().max(0));
    Ok(Check::new(
        "STOP",
        took <= STOP_SECONDS,
        format!("On the do-not-contact list {took} s after it arrived."),
    ))
}
