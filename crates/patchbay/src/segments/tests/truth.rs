//! Every question gets the answer that plain reading gives.

use std::collections::BTreeSet;

use proptest::{
    prelude::*,
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use serde_json::{Value, json};
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::{
    base::{CAMPAIGNS, LABELS, STAGES, people},
    naive::{Now, Person, passes},
};
use crate::{
    segments::{
        Context, Filter,
        fields::{Field, Op, STANDARD},
        push_where,
    },
    tests::{Office, TestApp},
};

struct Base {
    test: TestApp,
    context: Context,
    people: Vec<(Uuid, Person)>,
    owner: Uuid,
}

impl Base {
    async fn new() -> Self {
        let test = TestApp::new().await;
        // The same people elsewhere, whom nobody may meet.
        let other = Office::open(&test, "other").await;
        people(&test, &other).await;
        let office = Office::open(&test, "mine").await;
        let people = people(&test, &office).await;
        let mut tx = test.app.db.tenant(office.id).await.unwrap();
        let context = Context::load(&mut tx, &test.app).await.unwrap();
        drop(tx);
        Self { test, context, people, owner: office.owner_id }
    }

    async fn found(&self, filter: &Value) -> BTreeSet<Uuid> {
        let parsed = Filter::parse(filter).unwrap_or_else(|error| panic!("{filter}: {error}"));
        assert_eq!(&parsed.to_json(), filter);
        parsed.check(&self.context).unwrap_or_else(|error| panic!("{filter}: {error}"));
        let mut sql = QueryBuilder::new("select c.id from patchbay.contacts c where c.tenant_id = ");
        sql.push_bind(self.context.tenant).push(" and c.archived_at is null and c.merged_into is null");
        push_where(&mut sql, &parsed, &self.context);
        let ids: Vec<Uuid> = sql
            .build_query_scalar()
            .fetch_all(&mut self.test.sql().await)
            .await
            .unwrap_or_else(|error| panic!("{filter}: {error}"));
        ids.into_iter().collect()
    }

    async fn agrees(&self, filter: &Value) -> usize {
        let now = Now(self.context.now);
        let expected: BTreeSet<Uuid> = self
            .people
            .iter()
            .filter(|(_, person)| passes(filter, person, &now))
            .map(|(id, _)| *id)
            .collect();
        let found = self.found(filter).await;
        let wrong: Vec<&Person> = self
            .people
            .iter()
            .filter(|(id, _)| expected.contains(id) != found.contains(id))
            .map(|(_, person)| person)
            .collect();
        assert!(
            wrong.is_empty() && found.len() == expected.len(),
            "{filter}: found {}, expected {}; wrong about {wrong:#?}",
            found.len(),
            expected.len()
        );
        found.len()
    }

    /// Values that may stand in such a condition, among them ones that nobody has.
    fn values(&self, field: &str) -> Vec<Value> {
        let words = |words: &[&str]| words.iter().map(|word| Value::from(*word)).collect();
        match field {
            "status" => words(&["lead", "active", "inactive"]),
            "stage" => words(&STAGES),
            "label" => words(&LABELS),
            "owner" => vec![self.owner.to_string().into(), "mine@example.com".into()],
            "campaign" | "campaign.received" => words(&CAMPAIGNS),
            "source" => words(&["Web form", "web form", "Nowhere", "' or true --"]),
            "first_name" => words(&["DANA", "lucia", "Lucía", "Dan\"a", "%", "_", "0%_s", "\\", "øyv"]),
            "last_name" => words(&["whitfield", "O'Brien", "n", "Ng"]),
            "email" => words(&["p3@example.org", "P2@Example.com", "EXAMPLE.com", "p", "p1"]),
            "phone" => words(&["+61491570003", "+61 491 570 0", "+614915700", "+61491570099"]),
            "country" => words(&["AU", "nz", "US"]),
            "state" => words(&["WA", "wa", "nsw"]),
            "timezone" => words(&["Australia/Perth", "Australia/Sydney"]),
            field if field.starts_with("consent.") && !field.ends_with("_at") => {
                words(&["subscribed", "unsubscribed", "unknown"])
            }
            "quote.status" => words(&["draft", "sent", "accepted", "expired"]),
            "quote.total_cents" => vec![99.into(), "10000".into(), json!(99.5), (-1).into()],
            field if field.ends_with("_at") => {
                words(&["-30d", "-10d", "now", "today", "2026-03-14", "-36h", "2027-01-01T00:00:00Z"])
            }
            "clicked" | "do_not_contact" | "properties.heat_pump" => vec![true.into(), false.into()],
            "properties.roof_area" => vec![120.into(), json!(99.5), "99.50".into(), 0.into()],
            "properties.signed_on" => words(&["2026-03-14", "2025-12-31", "-10d"]),
            "properties.suburb" => words(&["Fremantle", "mantle", "fre", "North, \"P"]),
            "properties.plan" => words(&["Basic", "extra"]),
            "properties.loose" => {
                vec![12.into(), "12".into(), "twelve".into(), true.into(), "2026-03-14".into()]
            }
            other => panic!("values for {other}"),
        }
    }

    /// Whether the value makes sense for that operator.
    fn fits(&self, condition: &Value) -> bool {
        Filter::parse(condition).is_ok_and(|filter| filter.check(&self.context).is_ok())
    }

    fn fields(&self) -> Vec<String> {
        let defined = ["roof_area", "signed_on", "heat_pump", "suburb", "plan", "loose"];
        let standard = STANDARD.iter().map(|field| field.name.to_owned());
        standard.chain(defined.iter().map(|key| format!("properties.{key}"))).collect()
    }

    /// Every field with every operator it takes and every value that fits.
    fn conditions(&self) -> Vec<Value> {
        let mut conditions = Vec::new();
        for name in self.fields() {
            let field = Field::from_name(&name).unwrap();
            for op in field.kind(Some(&self.context)).ops() {
                let values = match op {
                    Op::Exists => vec![true.into(), false.into()],
                    Op::In => vec![Value::Array(self.values(&name)[..2].to_vec())],
                    _ => self.values(&name),
                };
                let asked =
                    values.into_iter().map(|value| json!({"field": name, "op": op.as_str(), "value": value}));
                conditions.extend(asked.filter(|condition| self.fits(condition)));
            }
        }
        conditions
    }
}

#[tokio::test]
async fn every_field_and_operator_means_what_it_says() {
    let base = Base::new().await;
    let conditions = base.conditions();
    assert!(conditions.len() > 300, "{}", conditions.len());
    let mut telling = BTreeSet::new();
    for condition in &conditions {
        let found = base.agrees(condition).await;
        let not = base.agrees(&json!({"not": condition})).await;
        assert_eq!(found + not, base.people.len(), "{condition}");
        if found > 0 && not > 0 {
            telling.insert((condition["field"].to_string(), condition["op"].to_string()));
        }
    }
    // Hardly a question of this base is answered by everybody or nobody.
    let asked: BTreeSet<_> =
        conditions.iter().map(|c| (c["field"].to_string(), c["op"].to_string())).collect();
    let idle: Vec<_> = asked.difference(&telling).collect();
    assert!(idle.len() < 20, "these tell nobody apart: {idle:?}");
}

#[tokio::test]
async fn groups_mean_what_they_say() {
    let base = Base::new().await;
    let condition = proptest::sample::select(base.conditions());
    let filter = condition.prop_recursive(4, 24, 4, |part| {
        prop_oneof![
            proptest::collection::vec(part.clone(), 1..4).prop_map(|parts| json!({ "all": parts })),
            proptest::collection::vec(part.clone(), 1..4).prop_map(|parts| json!({ "any": parts })),
            part.prop_map(|part| json!({ "not": part })),
        ]
    });
    let mut runner = TestRunner::deterministic();
    for _ in 0..300 {
        base.agrees(&filter.new_tree(&mut runner).unwrap().current()).await;
    }
    assert_eq!(base.agrees(&json!({"all": []})).await, base.people.len());
}

#[tokio::test]
async fn a_name_that_is_gone_means_nobody() {
    let base = Base::new().await;
    let filter = json!({"not": {"field": "stage", "op": "is", "value": "Quoted"}});
    assert!(base.agrees(&filter).await > 0);
    let mut context = base.context.clone();
    context.stages.retain(|stage| stage.name != "Quoted");
    let parsed = Filter::parse(&filter).unwrap();
    assert!(parsed.check(&context).is_err());
    let mut sql = QueryBuilder::new("select c.id from patchbay.contacts c where true");
    push_where(&mut sql, &parsed, &context);
    assert!(sql.build().fetch_all(&mut base.test.sql().await).await.unwrap().is_empty());
}
