//! Two campaigns that every gate binds, and a business that does not sit still while nodes die: it raises its budget,
//! pauses and resumes, changes its hours and rates, switches sending off and on; people write STOP and are listed.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use patchbay_rules::quiet_hours::Window;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection, Row};
use tokio::task::JoinSet;

use crate::{
    people::{self, Place},
    world::{ACCOUNT, Luck, NUMBER, World, client, count},
};

/// The number of the second campaign, which warms up: it sent on one day before.
pub const NEW_NUMBER: &str = "+15005550010";

/// Counts what will still happen by itself today: what a budget, a warm-up or the night holds will not.
pub const OPEN: &str = "select (select count(*) from patchbay.messages where status in ('sending', 'unknown')
      or (status = 'queued' and (gate is null or gate not in ('budget', 'warm_up', 'quiet_hours') or send_after <= now())))
    + (select count(*) from patchbay.outbox where processed_at is null and parked_at is null)
    + (select count(*) from patchbay.campaigns g where expanded < recipients and 20000 > (
        select count(*) from patchbay.messages m where m.campaign_id = g.id and m.status = 'queued' and m.gate in ('kill_switch', 'budget', 'warm_up')))";

/// A campaign as the test launched it.
struct Campaign {
    id: String,
    recipients: u64,
}

/// The business, by way of the API.
pub struct Scene {
    client: reqwest::Client,
    api: String,
    key: String,
    people: u64,
    open: Vec<Place>,
    quiet: Window,
    campaigns: Vec<Campaign>,
    /// When each change of settings, pause and resumption was answered: from then on it holds, in the order of the audit
    /// log. The log tells from when on it may have held.
    pub answered: Vec<DateTime<Utc>>,
    /// People who are telling the carrier to stop.
    stopping: JoinSet<()>,
    stopped: u64,
    database: PgConnection,
}

impl Scene {
    /// Makes `people` and launches both campaigns.
    pub async fn set(sql: &mut PgConnection, world: &World, people: u64) -> Self {
        let key = world.output(&["api-key", "create", "--tenant", &world.slug, "--name", "crash"]);
        let url = world.output(&["database-url"])["url"].as_str().expect("url").to_owned();
        let now = database_clock(sql).await;
        let quiet: Window =
            serde_json::from_value(json!({ "start": "21:00", "end": "09:00" })).expect("hours");
        let (open, closed) = people::places(now, quiet);
        let mut this = Self {
            client: client(),
            api: format!("http://{}/api", world.holder),
            key: key["key"].as_str().expect("key").to_owned(),
            people,
            open,
            quiet,
            campaigns: Vec::new(),
            answered: Vec::new(),
            stopping: JoinSet::new(),
            stopped: 0,
            database: PgConnection::connect(&url).await.expect("database"),
        };
        eprintln!("open: {:?}\nclosed: {closed:?}", this.open);
        people::make(sql, people, &this.open, &closed).await;
        let prices: Value =
            ["US", "CA", "AU", "FR", "GB"].into_iter().map(|country| (country, 10_000)).collect();
        this.settings(json!({
            "timezone": people::office(now).name(), "suppression_days": 90, "country_rules": true, "holiday_rules": true,
            "quiet_hours": quiet, "rate_limit": { "per_second": this.per_second() }, "prices": { "sms": prices },
            "budget": { "daily_cents": people / 4, "monthly_cents": people * 10 },
            "brake": { "opt_out_percent": null, "failure_percent": null, "filtered_percent": null },
        }))
        .await;
        this.numbers(sql).await;
        for (name, number) in [("first", NUMBER), ("second", NEW_NUMBER)] {
            let campaign = this.launch(sql, name, number).await;
            this.campaigns.push(campaign);
        }
        this
    }

    /// About what two workers manage, so that the limit binds.
    fn per_second(&self) -> u64 {
        (self.people / 25).clamp(100, 400)
    }

    /// The first number may send a little less than the business; the second warms up.
    async fn numbers(&self, sql: &mut PgConnection) {
        let (rate, slow) = (self.per_second() * 4 / 5, self.per_second() / 5);
        sqlx::query("update patchbay.senders set rate_per_second = $1 where address = $2")
            .bind(rate.to_string().parse::<i32>().expect("small"))
            .bind(NUMBER)
            .execute(&mut *sql)
            .await
            .expect("number");
        sqlx::query(
            "with born as (
               insert into patchbay.senders (tenant_id, channel, address, provider, rate_per_second, warmup_started_on)
               select id, 'sms', $1, 'twilio', $2, (now() at time zone timezone)::date - 3 from patchbay.tenants returning *)
             insert into patchbay.send_counters (tenant_id, sender_id, day, messages) select tenant_id, id, warmup_started_on, 37 from born",
        )
        .bind(NEW_NUMBER)
        .bind(slow.to_string().parse::<i32>().expect("small"))
        .execute(sql)
        .await
        .expect("new number");
    }

    async fn launch(&mut self, sql: &mut PgConnection, name: &str, number: &str) -> Campaign {
        let sender: String = sqlx::query("select id::text from patchbay.senders where address = $1")
            .bind(number)
            .fetch_one(sql)
            .await
            .expect("number")
            .get(0);
        let words = json!({ "name": name, "content": "Hi {{first_name}}, our autumn days are here. Reply STOP to opt out." });
        let template = self.ask(Method::POST, "/templates", &words).await;
        let is = |source| json!({ "field": "source", "op": "is", "value": source });
        let filter = json!({ "name": name, "filter": { "any": [is(name), is("both")] } });
        let segment = self.ask(Method::POST, "/segments", &filter).await;
        let draft = json!({ "name": name, "channel": "sms", "template_ids": [template["id"]], "segment_id": segment["id"], "sender_id": sender });
        let id = self.ask(Method::POST, "/campaigns", &draft).await["id"].as_str().expect("id").to_owned();
        self.ask(Method::POST, &format!("/campaigns/{id}/launch"), &json!({})).await;
        let meant = |number: &u64| [name, "both"].contains(&people::source(*number));
        Campaign { id, recipients: (0..self.people).filter(meant).count() as u64 }
    }

    async fn ask(&self, method: Method, path: &str, body: &Value) -> Value {
        let request = self.client.request(method, format!("{}{path}", self.api)).bearer_auth(&self.key);
        let request = if body.is_null() { request } else { request.json(body) };
        let answer = request.send().await.expect("answer");
        assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap_or_default());
        answer.json().await.expect("JSON")
    }

    /// The settings as they are.
    pub async fn present(&self) -> Value {
        self.ask(Method::GET, "/settings", &Value::Null).await
    }

    async fn settings(&mut self, change: Value) {
        self.ask(Method::PATCH, "/settings", &change).await;
        self.answered.push(database_clock(&mut self.database).await);
    }

    async fn turn(&mut self, what: &str) {
        let path = format!("/campaigns/{}/{what}", self.campaigns[0].id);
        self.ask(Method::POST, &path, &json!({})).await;
        self.answered.push(database_clock(&mut self.database).await);
    }

    /// What happens before the `nth` of `all` deaths.
    pub async fn act(&mut self, world: &World, luck: &mut Luck, nth: u64, all: u64) {
        for _ in 0..2 {
            self.stop(world, luck.below(self.people));
        }
        let listed =
            json!({ "phone": people::phone(luck.below(self.people)), "reason": "Asked in the shop" });
        let answer =
            self.client.post(format!("{}/do-not-contact", self.api)).bearer_auth(&self.key).json(&listed);
        // Listed already is as good.
        assert!(!answer.send().await.expect("answer").status().is_server_error());
        let rate = self.per_second();
        for percent in [20, 30, 42, 45, 50, 58, 62, 70, 80, 86] {
            if nth != all * percent / 100 {
                continue;
            }
            let budget = |percent: u64| json!({ "budget": { "daily_cents": self.people * percent / 100 } });
            match percent {
                20 => self.settings(budget(35)).await,
                30 => self.turn("pause").await,
                42 => self.turn("resume").await,
                45 => self.settings(budget(50)).await,
                50 => {
                    let nap = self.nap().await;
                    self.settings(json!({ "quiet_hours": nap })).await;
                }
                58 => self.settings(json!({ "rate_limit": { "per_second": rate * 3 / 2 } })).await,
                62 => self.settings(json!({ "quiet_hours": self.quiet })).await,
                70 => self.settings(budget(60)).await,
                80 => self.settings(json!({ "kill_switch": true })).await,
                _ => {
                    self.settings(json!({ "kill_switch": false, "rate_limit": { "per_second": rate } })).await
                }
            }
        }
    }

    /// Quiet hours that have just begun at one of the places where it was open.
    async fn nap(&mut self) -> Value {
        let local = database_clock(&mut self.database).await.with_timezone(&self.open[0].zone);
        let face = |minutes| (local + TimeDelta::minutes(minutes)).format("%H:%M").to_string();
        json!({ "start": face(-1), "end": face(45) })
    }

    /// Somebody writes STOP, and their carrier tries until it is heard: the server it talks to may be dead.
    fn stop(&mut self, world: &World, person: u64) {
        self.stopped += 1;
        let inbound = json!({
            "from": people::phone(person), "to": NUMBER, "body": "STOP", "account_sid": ACCOUNT,
            "message_sid": format!("SM{:032x}", 0xABCD_0000_0000_u64 + self.stopped),
        });
        let (client, url) = (self.client.clone(), format!("http://{}/inbound", world.carrier));
        self.stopping.spawn(async move {
            for _ in 0..600 {
                let answer = client.post(&url).json(&inbound).send().await.expect("the carrier lives");
                let heard: Value = answer.json().await.unwrap_or_default();
                if heard["status"] == 200 {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            panic!("a STOP was never heard");
        });
    }

    /// Every STOP has been heard.
    pub async fn all_told(&mut self) {
        while let Some(told) = self.stopping.join_next().await {
            told.expect("heard");
        }
    }

    /// Everybody is in one place of their campaign's totals.
    pub async fn assert_balanced(&self, sql: &mut PgConnection) {
        // Numbers of big audiences may be a moment old.
        tokio::time::sleep(Duration::from_secs(if self.people > 10_000 { 2 } else { 0 })).await;
        for campaign in &self.campaigns {
            let found = self.ask(Method::GET, &format!("/campaigns/{}", campaign.id), &Value::Null).await;
            let totals = found["totals"].as_object().expect("totals");
            let number = |value: &Value| value.as_u64().expect("a number");
            let sum = |value: &Value| match value {
                Value::Object(gates) => gates.values().map(number).sum(),
                one => number(one),
            };
            let parts: u64 =
                totals.iter().filter(|(name, _)| *name != "recipients").map(|(_, n)| sum(n)).sum();
            assert_eq!(number(&totals["recipients"]), campaign.recipients, "{found}");
            assert_eq!(parts, campaign.recipients, "{found}");
            for open in ["sending", "unknown", "canceled"] {
                assert_eq!(totals[open], 0, "{found}");
            }
            eprintln!("{}: {}", found["name"], found["totals"]);
        }
        let expanded = count(sql, "select sum(expanded) from patchbay.campaigns").await;
        let messages =
            count(sql, "select count(*) from patchbay.messages where campaign_id is not null").await;
        assert_eq!(messages, expanded, "one message for everybody who has had their turn");
    }
}

/// The one clock of everything that is stored.
pub async fn database_clock(sql: &mut PgConnection) -> DateTime<Utc> {
    sqlx::query_scalar("select clock_timestamp()").fetch_one(sql).await.expect("the time")
}
