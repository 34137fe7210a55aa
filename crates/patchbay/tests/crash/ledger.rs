//! The carrier's ledger against ours.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{PgConnection, Row};

use crate::world::{World, client, count};

pub struct Agreed {
    /// Messages of ours, sent or not.
    pub ours: usize,
    /// When the carrier had each of its messages, by its id.
    pub carrier: BTreeMap<String, DateTime<Utc>>,
}

pub async fn compare(sql: &mut PgConnection, world: &World) -> Agreed {
    let ledger = client().get(format!("http://{}/ledger", world.carrier)).send().await.expect("ledger");
    let ledger: Vec<Value> =
        serde_json::from_str(&ledger.text().await.expect("ledger")).expect("a list of messages");
    let text = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    let theirs: BTreeSet<_> =
        ledger.iter().map(|entry| (text(entry, "sid"), text(entry, "to"), text(entry, "body"))).collect();
    assert_eq!(theirs.len(), ledger.len());
    // What was sent before this began is no business of this carrier's.
    let rows = sqlx::query(
        "select status, provider_message_id, to_address, body, attempt from patchbay.messages
         where direction = 'outbound' and dedupe_key not like 'before:%'",
    )
    .fetch_all(&mut *sql)
    .await
    .expect("messages");
    let mut ours = BTreeSet::new();
    let mut totals: BTreeMap<String, u32> = BTreeMap::new();
    let mut attempts: BTreeMap<i32, u32> = BTreeMap::new();
    for row in &rows {
        let status: String = row.get("status");
        *attempts.entry(row.get("attempt")).or_default() += 1;
        match row.get::<Option<String>, _>("provider_message_id") {
            Some(sid) => {
                let is_new = ours.insert((sid, row.get("to_address"), row.get("body")));
                assert!(is_new, "one message of the carrier's stands for two of ours");
            }
            None => assert!(
                matches!(status.as_str(), "failed" | "blocked" | "queued"),
                "{status}, and the carrier knows nothing of it"
            ),
        }
        *totals.entry(status).or_default() += 1;
    }
    let unknown_to_us: Vec<_> = theirs.difference(&ours).collect();
    let unknown_to_them: Vec<_> = ours.difference(&theirs).collect();
    assert!(unknown_to_us.is_empty(), "sent, but not in our ledger (twice, or forgotten): {unknown_to_us:?}");
    assert!(unknown_to_them.is_empty(), "in our ledger, but never sent: {unknown_to_them:?}");
    let booked = count(sql, "select sum(messages) from patchbay.spend_counters").await;
    assert_eq!(
        booked,
        i64::try_from(ledger.len()).unwrap_or_default(),
        "what was booked is what the carrier accepted"
    );
    let parked = count(sql, "select count(*) from patchbay.outbox where parked_at is not null").await;
    assert_eq!(parked, 0, "events were given up");
    eprintln!(
        "{} messages, {} accepted by the carrier; by status {totals:?}, by attempts {attempts:?}",
        rows.len(),
        ledger.len()
    );
    let instant =
        |entry: &Value| text(entry, "created_at").parse::<DateTime<Utc>>().expect("the carrier's time");
    Agreed {
        ours: rows.len(),
        carrier: ledger.iter().map(|entry| (text(entry, "sid"), instant(entry))).collect(),
    }
}
