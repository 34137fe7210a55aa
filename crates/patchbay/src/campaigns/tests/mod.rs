//! Campaigns through the router, on the test's clock.

mod carriers;
mod drafts;
mod holding;
mod law;
mod order;
mod pages;
mod promises;
mod sending;

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    consent,
    tests::{Office, TestApp},
};

/// A business with contacts and one template.
struct Desk {
    t: TestApp,
    office: Office,
    template: Uuid,
}

impl Desk {
    /// `count` Australians who agreed to marketing; the business keeps no hours and no window.
    async fn open(count: usize) -> Self {
        Self::with(TestApp::new().await, count).await
    }

    async fn with(t: TestApp, count: usize) -> Self {
        let office = Office::open(&t, "brightside").await;
        t.execute("update patchbay.tenants set country_rules = false, suppression_days = 90").await;
        let mut desk = Self { t, office, template: Uuid::nil() };
        desk.template = desk.template("Hi {{ first_name }}, spring sale this week.").await;
        desk.contacts(count).await;
        desk
    }

    async fn template(&self, content: &str) -> Uuid {
        let name = format!("T{}", self.t.id().simple());
        let body = json!({ "name": name, "content": content });
        let reply = self.t.api(&self.office.key, "POST", "/api/templates", body).await.expect(201);
        id_of(&reply.json())
    }

    async fn contacts(&self, count: usize) {
        let tenant = self.office.id;
        self.t
            .execute(&format!(
                "insert into patchbay.contacts (tenant_id, first_name, phone_e164, country, state)
                 select '{tenant}', 'P' || n, '+614' || lpad(n::text, 8, '0'), 'AU', 'WA' from generate_series(1, {count}) n"
            ))
            .await;
        self.t
            .execute(&format!(
                "insert into patchbay.consents (tenant_id, channel, address, state, how)
                 select tenant_id, 'sms', phone_e164, 'subscribed', 'form' from patchbay.contacts where tenant_id = '{tenant}' on conflict do nothing"
            ))
            .await;
    }

    async fn post(&self, path: &str) -> Value {
        self.t.api(&self.office.key, "POST", path, Value::Null).await.expect(200).json()
    }

    async fn draft(&self, extra: Value) -> Uuid {
        let mut body = json!({ "name": "Spring", "channel": "sms", "template_ids": [self.template] });
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let reply = self.t.api(&self.office.key, "POST", "/api/campaigns", body).await.expect(201);
        id_of(&reply.json())
    }

    async fn launched(&self) -> Uuid {
        let id = self.draft(json!({})).await;
        self.post(&format!("/api/campaigns/{id}/launch")).await;
        id
    }

    async fn get(&self, id: Uuid) -> Value {
        let campaign = self.t.get(&self.office.key, &format!("/api/campaigns/{id}")).await.expect(200).json();
        balance(&campaign["totals"]);
        campaign
    }

    async fn totals(&self, id: Uuid) -> Value {
        self.get(id).await["totals"].clone()
    }

    async fn patch_settings(&self, change: Value) {
        self.t.api(&self.office.key, "PATCH", "/api/settings", change).await.expect(200);
    }

    /// Somebody opts out.
    async fn stop(&self, phone: &str) {
        let mut tx = self.t.app.db.tenant(self.office.id).await.unwrap();
        let now = self.t.app.now();
        let mut change = consent::Change::new(
            patchbay_rules::message::Channel::Sms,
            phone,
            consent::State::Unsubscribed,
            "keyword",
            now,
        );
        change.detail = Some("STOP");
        consent::set(&mut tx, &change).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// The next time that this hour of UTC comes, a day from now or later.
    fn at_hour(&self, hour: u32, minute: u32) -> DateTime<Utc> {
        let day = (self.t.app.now() + TimeDelta::days(2)).date_naive();
        let at = Utc.from_utc_datetime(&day.and_hms_opt(hour, minute, 0).unwrap());
        self.t.clock.set(at);
        at
    }

    async fn list(&self, id: Uuid, query: &str) -> Vec<Value> {
        let mut found = Vec::new();
        let mut cursor = String::new();
        loop {
            let path = format!("/api/campaigns/{id}/{query}&limit=3&cursor={cursor}");
            let page = self.t.get(&self.office.key, &path).await.expect(200).json();
            found.extend(page["data"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => return found,
            }
        }
    }

    async fn sends(&self) -> i64 {
        i64::try_from(self.t.app.providers.fake.accepted().len()).unwrap()
    }
}

fn id_of(value: &Value) -> Uuid {
    value["id"].as_str().unwrap().parse().unwrap()
}

#[track_caller]
fn balance(totals: &Value) {
    let sum = |value: &Value| -> i64 {
        match value {
            Value::Object(gates) => gates.values().map(|n| n.as_i64().unwrap()).sum(),
            number => number.as_i64().unwrap(),
        }
    };
    let parts: i64 = totals
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, _)| *name != "recipients")
        .map(|(_, n)| sum(n))
        .sum();
    assert_eq!(totals["recipients"].as_i64().unwrap(), parts, "{totals}");
}
