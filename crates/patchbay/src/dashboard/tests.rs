use chrono::{Duration, TimeDelta};
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::{
    auth::{Actor, ActorKind, TenantInfo},
    tests::{Office, TestApp},
};

fn caller(office: &Office) -> Caller {
    let tenant = TenantInfo {
        id: office.id,
        slug: "a".into(),
        name: "A".into(),
        timezone: chrono_tz::Australia::Perth,
        country: "AU".into(),
        currency: "AUD".into(),
    };
    Caller {
        tenant,
        actor: Actor { kind: ActorKind::User, id: Some(office.owner_id), label: "Rosa".into() },
        role: Role::Viewer,
    }
}

/// The program's own ids never go back; those of a history do.
fn id_in_the_past(at: DateTime<Utc>) -> Uuid {
    Uuid::from_u128(days::id_at(at).as_u128() | (Uuid::new_v4().as_u128() & 0xffff_ffff_ffff))
}

async fn message(
    test: &TestApp,
    office: &Office,
    contact: Uuid,
    at: DateTime<Utc>,
    kind: &str,
    status: &str,
) {
    let direction = if kind == "inbound" { "inbound" } else { "outbound" };
    sqlx::query("insert into patchbay.messages (tenant_id, id, contact_id, direction, channel, kind, status, dedupe_key, to_address, body, created_at, gate) values ($1, $2, $3, $4, 'sms', $5, $6, gen_random_uuid()::text, 'x', 'y', $7, case when $6 = 'blocked' then 'budget' end)")
        .bind(office.id).bind(id_in_the_past(at)).bind(contact).bind(direction).bind(kind).bind(status).bind(at)
        .execute(&mut test.sql().await).await.unwrap();
}

#[tokio::test]
async fn numbers_are_those_of_the_tenant_and_its_days() {
    let test = TestApp::new().await;
    let (office, other) = (Office::open(&test, "a").await, Office::open(&test, "b").await);
    let (dana, tom) = (office.contact(&test, "Dana", None).await, office.contact(&test, "Tom", None).await);
    let theirs = other.contact(&test, "Eve", None).await;
    let now = test.app.now();
    let ago = |minutes: i64| now - TimeDelta::minutes(minutes);
    // Dana asks twice and is answered by a machine, then after 30 minutes by a person; Tom after ten.
    for (who, minutes, kind, status) in [
        (dana, 600, "inbound", "received"),
        (dana, 595, "inbound", "received"),
        (dana, 594, "auto_reply", "delivered"),
        (dana, 570, "manual", "delivered"),
        (tom, 300, "inbound", "received"),
        (tom, 290, "manual", "failed"),
        (tom, 200, "manual", "sent"),
        (tom, 100, "inbound", "received"),
        (dana, 90, "quote", "blocked"),
        (dana, 80, "quote", "read"),
    ] {
        message(&test, &office, who, ago(minutes), kind, status).await;
    }
    message(&test, &office, dana, now - Duration::days(8), "manual", "delivered").await;
    message(&test, &other, theirs, ago(5), "manual", "delivered").await;
    sqlx::query("update patchbay.contacts set source = 'Web form' where id = $1")
        .bind(dana)
        .execute(&mut test.sql().await)
        .await
        .unwrap();
    for cents in [100, 250] {
        let quote = json!({"contact_id": dana, "total_cents": cents, "draft": true});
        test.api(&office.key, "POST", "/api/quotes", quote).await.expect(201);
    }
    let told = numbers(&test.app, &caller(&office)).await.unwrap();
    assert_eq!(told.days.len(), 7);
    let all = |statuses: &[&str]| told.days.iter().map(|day| day.count(statuses)).sum::<i64>();
    assert_eq!((all(&["received"]), all(&["delivered"]), all(&["failed"]), all(&["blocked"])), (4, 2, 1, 1));
    let fates: i64 = Fate::ALL.iter().map(|fate| all(fate.statuses())).sum();
    assert_eq!(fates, 6);
    assert_eq!(told.median_reply_seconds, Some(1_200.0)); // of 1,800 and 600
    assert_eq!(told.sources, [(Some("Web form".to_owned()), 1), (None, 1)]);
    assert_eq!(
        told.quotes,
        [QuoteSum { status: "draft".into(), currency: "AUD".into(), count: 2, total_cents: 350 }]
    );
    let nothing = numbers(&test.app, &caller(&other)).await.unwrap();
    assert_eq!((nothing.median_reply_seconds, nothing.quotes.len(), nothing.sources.len()), (None, 0, 1));
    test.settle().await;
}

#[test]
fn every_status_of_an_outbound_message_has_one_fate() {
    for status in patchbay_rules::message::Status::ALL {
        let homes = Fate::ALL.iter().filter(|fate| fate.statuses().contains(&status.as_str())).count();
        assert_eq!(homes, usize::from(status.as_str() != "received"), "{status}");
    }
}
