//! What is stored, read anew and in order: settings and pauses from the audit log, consent events, the list, the ledger
//! and its counters. Nothing here asks the dispatcher or its statements anything.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use patchbay_rules::{
    gates::{ConsentState, DoNotContact, OptOutSource, TenantFacts},
    message::Kind,
    quiet_hours::Window,
};
use serde_json::Value;
use sqlx::{PgConnection, Row, postgres::PgRow};
use uuid::Uuid;

use crate::campaign::{Scene, database_clock};

/// A claim reads its facts a moment after the time it is made at; a message is looked at once more a moment before the
/// carrier has it. What changed within that moment may have been seen or not.
pub const MOMENT: TimeDelta = TimeDelta::seconds(2);

/// From when until when.
type Span = (DateTime<Utc>, DateTime<Utc>);

/// Settings that may have held from `from` on, and held no more after `until`.
pub struct Version {
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    pub tenant: TenantFacts,
    pub per_second: f64,
}

pub struct Sender {
    pub address: String,
    pub per_second: Option<f64>,
    pub warming_since: Option<NaiveDate>,
    /// What the counters say, day by day.
    pub counted: BTreeMap<NaiveDate, i64>,
}

pub struct Message {
    pub id: Uuid,
    pub kind: Kind,
    pub status: String,
    pub to: String,
    pub contact: Option<Uuid>,
    pub campaign: Option<Uuid>,
    pub sender: Option<Uuid>,
    pub cost_micros: i64,
    pub gate: Option<String>,
    /// When its last attempt was decided.
    pub claimed_at: Option<DateTime<Utc>>,
    /// When the carrier had it.
    pub arrived_at: Option<DateTime<Utc>>,
    pub zone: Option<String>,
    pub country: Option<String>,
    pub state: Option<String>,
}

impl Message {
    pub fn has_failed(&self) -> bool {
        matches!(self.status.as_str(), "failed" | "undelivered")
    }
}

pub struct History {
    pub now: DateTime<Utc>,
    versions: Vec<Version>,
    /// Of each campaign: from when on it was paused for certain, and until when.
    pauses: HashMap<Uuid, Vec<Span>>,
    consents: HashMap<String, Vec<(DateTime<Utc>, ConsentState)>>,
    listed: HashMap<String, DoNotContact>,
    pub senders: HashMap<Uuid, Sender>,
    /// Messages and cost by the tenant's day.
    pub spent: BTreeMap<NaiveDate, (i64, i64)>,
    /// Marketing from before the test: contact and instant.
    pub before: Vec<(Uuid, DateTime<Utc>)>,
    pub messages: Vec<Message>,
    /// How often each gate held or refused something.
    pub held: BTreeMap<String, i64>,
}

async fn rows(sql: &mut PgConnection, query: &'static str) -> Vec<PgRow> {
    sqlx::query(query).fetch_all(sql).await.expect("history")
}

impl History {
    pub async fn read(
        sql: &mut PgConnection,
        scene: &Scene,
        carrier: BTreeMap<String, DateTime<Utc>>,
    ) -> Self {
        let log = rows(
            sql,
            "select at, action, entity_id, changes from patchbay.audit_log where action in ('settings.updated', 'campaign.paused', 'campaign.resumed') order by id",
        )
        .await;
        assert_eq!(log.len(), scene.answered.len(), "every change was made by the test, and is in the log");
        let log: Vec<(&PgRow, DateTime<Utc>)> = log.iter().zip(scene.answered.iter().copied()).collect();
        let now = database_clock(sql).await;
        let consents = consents(sql).await;
        let listed = rows(sql, "select phone_e164, reason, created_at from patchbay.do_not_contact").await;
        let spent = rows(sql, "select day, messages, cost_micros from patchbay.spend_counters").await;
        let before =
            rows(sql, "select contact_id, sent_at from patchbay.messages where dedupe_key like 'before:%'")
                .await;
        let held = rows(sql, "select detail, count(*) from patchbay.message_events where event in ('waiting', 'blocked') and detail is not null group by 1").await;
        Self {
            now,
            versions: versions(&log, &scene.present().await, now),
            pauses: pauses(&log),
            consents,
            listed: listed
                .iter()
                .map(|row| (row.get(0), DoNotContact { reason: row.get(1), at: row.get(2) }))
                .collect(),
            senders: senders(sql).await,
            spent: spent.iter().map(|row| (row.get(0), (row.get(1), row.get(2)))).collect(),
            before: before.iter().map(|row| (row.get(0), row.get(1))).collect(),
            messages: messages(sql, &carrier).await,
            held: held.iter().map(|row| (row.get(0), row.get(1))).collect(),
        }
    }

    /// The settings that something may have seen between two instants.
    pub fn versions(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> impl Iterator<Item = &Version> {
        self.versions.iter().filter(move |version| version.from <= to && from <= version.until)
    }

    /// Whether a campaign was paused all the while.
    pub fn paused(&self, campaign: Option<Uuid>, from: DateTime<Utc>, to: DateTime<Utc>) -> bool {
        let pauses = campaign.and_then(|id| self.pauses.get(&id));
        pauses.is_some_and(|pauses| pauses.iter().any(|(since, until)| *since <= from && to <= *until))
    }

    /// What was known of an address at an instant.
    pub fn consent(&self, address: &str, at: DateTime<Utc>) -> ConsentState {
        let events = self.consents.get(address).map(Vec::as_slice).unwrap_or_default();
        let last = events.iter().rev().find(|(since, _)| *since <= at);
        last.map_or(ConsentState::Unknown, |(_, state)| state.clone())
    }

    /// The entry on the list at an instant.
    pub fn listed(&self, address: &str, at: DateTime<Utc>) -> Option<DoNotContact> {
        self.listed.get(address).filter(|entry| entry.at <= at).cloned()
    }
}

/// From the present settings back through the log.
fn versions(log: &[(&PgRow, DateTime<Utc>)], present: &Value, now: DateTime<Utc>) -> Vec<Version> {
    let mut settings = present.clone();
    let mut until = now;
    let mut versions = Vec::new();
    let changes = log.iter().filter(|(row, _)| row.get::<&str, _>("action") == "settings.updated");
    for (row, answered) in changes.rev() {
        versions.push(version(&settings, row.get("at"), until));
        until = *answered;
        for (field, change) in row.get::<Value, _>("changes").as_object().expect("changes") {
            assert_eq!(settings[field], change[1], "{field}");
            settings[field] = change[0].clone();
        }
    }
    versions
}

fn version(settings: &Value, from: DateTime<Utc>, until: DateTime<Utc>) -> Version {
    let flag = |name: &str| settings[name].as_bool().expect("a flag");
    let text = |name: &str| settings[name].as_str().expect("a text").to_owned();
    let micros = |name: &str| settings["budget"][name].as_i64().map(|cents| cents * 10_000);
    let tenant = TenantFacts {
        kill_switch: flag("kill_switch"),
        timezone: text("timezone").parse::<Tz>().expect("a zone"),
        country: text("country"),
        currency: text("currency"),
        budget_daily_micros: micros("daily_cents"),
        budget_monthly_micros: micros("monthly_cents"),
        suppression_days: settings["suppression_days"]
            .as_u64()
            .and_then(|days| u16::try_from(days).ok())
            .expect("days"),
        quiet: serde_json::from_value::<Option<Window>>(settings["quiet_hours"].clone()).expect("hours"),
        apply_country_rules: flag("country_rules"),
        rest_on_holidays: flag("holiday_rules"),
        quiet_hours_bind_people: flag("quiet_binds_people"),
    };
    let per_second = settings["rate_limit"]["per_second"].as_f64().unwrap_or(f64::INFINITY);
    Version { from, until, tenant, per_second }
}

fn pauses(log: &[(&PgRow, DateTime<Utc>)]) -> HashMap<Uuid, Vec<Span>> {
    let mut pauses: HashMap<Uuid, Vec<_>> = HashMap::new();
    for (row, answered) in log {
        let campaign = || row.get::<&str, _>("entity_id").parse().expect("an id");
        match row.get("action") {
            "campaign.paused" => {
                pauses.entry(campaign()).or_default().push((*answered, DateTime::<Utc>::MAX_UTC))
            }
            "campaign.resumed" => {
                pauses.get_mut(&campaign()).and_then(|of| of.last_mut()).expect("a pause").1 = row.get("at");
            }
            _ => {}
        }
    }
    pauses
}

async fn consents(sql: &mut PgConnection) -> HashMap<String, Vec<(DateTime<Utc>, ConsentState)>> {
    let query = "select address, created_at, state, how, basis, expires_at from patchbay.consent_events where channel = 'sms' order by created_at, id";
    let mut consents: HashMap<String, Vec<_>> = HashMap::new();
    for row in rows(sql, query).await {
        let at = row.get("created_at");
        let ends_at: Option<DateTime<Utc>> = row.get("expires_at");
        let state = match (row.get("state"), ends_at) {
            ("subscribed", Some(ends_at)) => ConsentState::Implied {
                basis: row.get::<&str, _>("basis").parse().expect("a basis"),
                ends_at,
            },
            ("subscribed", None) => ConsentState::Subscribed,
            ("unsubscribed", _) => {
                let how = OptOutSource::from_record(row.get("how"), None).expect("a way to opt out");
                ConsentState::Unsubscribed { how, at }
            }
            _ => ConsentState::Unknown,
        };
        consents.entry(row.get("address")).or_default().push((at, state));
    }
    consents
}

async fn senders(sql: &mut PgConnection) -> HashMap<Uuid, Sender> {
    let found = rows(
        sql,
        "select id, address, rate_per_second::float8 as rate, warmup_started_on from patchbay.senders",
    )
    .await;
    let mut senders: HashMap<Uuid, Sender> = found
        .iter()
        .map(|row| {
            let sender = Sender {
                address: row.get("address"),
                per_second: row.get("rate"),
                warming_since: row.get("warmup_started_on"),
                counted: BTreeMap::new(),
            };
            (row.get("id"), sender)
        })
        .collect();
    for row in rows(sql, "select sender_id, day, messages from patchbay.send_counters").await {
        let sender = senders.get_mut(&row.get::<Uuid, _>(0)).expect("a sender");
        sender.counted.insert(row.get(1), row.get(2));
    }
    senders
}

/// In the order in which they were decided.
async fn messages(sql: &mut PgConnection, carrier: &BTreeMap<String, DateTime<Utc>>) -> Vec<Message> {
    let query = "select m.id, m.kind, m.status, m.to_address, m.contact_id, m.campaign_id,
          coalesce(m.sender_id, (select s.id from patchbay.senders s where s.tenant_id = m.tenant_id and s.address = m.from_address)) as sender_id, m.cost_micros, m.gate, m.claimed_at,
          m.provider_message_id, c.timezone, c.country, c.state
        from patchbay.messages m left join patchbay.contacts c on c.tenant_id = m.tenant_id and c.id = m.contact_id
        where m.direction = 'outbound' and m.dedupe_key not like 'before:%' order by m.claimed_at, m.id";
    let read = |row: &PgRow| Message {
        id: row.get("id"),
        kind: row.get::<&str, _>("kind").parse().expect("a kind"),
        status: row.get("status"),
        to: row.get("to_address"),
        contact: row.get("contact_id"),
        campaign: row.get("campaign_id"),
        sender: row.get("sender_id"),
        cost_micros: row.get("cost_micros"),
        gate: row.get("gate"),
        claimed_at: row.get("claimed_at"),
        arrived_at: row.get::<Option<&str>, _>("provider_message_id").map(|sid| carrier[sid]),
        zone: row.get("timezone"),
        country: row.get("country"),
        state: row.get("state"),
    };
    rows(sql, query).await.iter().map(read).collect()
}
