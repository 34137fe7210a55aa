use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::merge::caller;
use crate::{
    contacts::{
        board::{self, Target, move_card},
        bulk::{self, Change},
        duplicates::{self, Likeness},
        stages,
    },
    tests::{Browser, Office, TestApp},
    web::patch::Patch,
};

async fn names(test: &TestApp, office: &Office, stage: Uuid) -> Vec<String> {
    let mut tx = test.app.db.tenant(office.id).await.unwrap();
    let lane = board::lane(&mut tx, Some(stage), None, 100).await.unwrap();
    lane.cards.iter().map(|card| card.first_name.clone().unwrap()).collect()
}

async fn stage_ids(test: &TestApp, office: &Office) -> Vec<Uuid> {
    let mut tx = test.app.db.tenant(office.id).await.unwrap();
    stages::list(&mut tx).await.unwrap().iter().map(|stage| stage.id).collect()
}

#[tokio::test]
async fn cards_stay_where_they_are_put() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "a").await;
    let stages = stage_ids(&test, &office).await;
    let mut cards = Vec::new();
    for name in ["A", "B", "C", "D"] {
        cards.push(office.contact(&test, name, None).await);
    }
    let by = caller(&office);
    assert_eq!(names(&test, &office, stages[0]).await, ["D", "C", "B", "A"], "the newest on top");
    let put = async |card: Uuid, stage: Uuid, before: Option<Uuid>, after: Option<Uuid>| {
        move_card(&test.app, &by, card, Target { stage: Patch::Set(stage), before, after }).await.unwrap();
    };
    put(cards[0], stages[0], Some(cards[2]), None).await;
    assert_eq!(names(&test, &office, stages[0]).await, ["D", "A", "C", "B"]);
    put(cards[3], stages[0], None, Some(cards[1])).await;
    assert_eq!(names(&test, &office, stages[0]).await, ["A", "C", "B", "D"]);
    put(cards[1], stages[1], None, None).await;
    put(cards[2], stages[1], Some(cards[1]), None).await;
    assert_eq!(names(&test, &office, stages[1]).await, ["C", "B"]);
    // A neighbour that is elsewhere by now: the top.
    put(cards[3], stages[1], Some(cards[0]), None).await;
    assert_eq!(names(&test, &office, stages[1]).await, ["D", "C", "B"]);
    assert_eq!(names(&test, &office, stages[0]).await, ["A"]);
    assert_eq!(test.scalar("select count(*) from patchbay.activities where kind = 'stage.moved'").await, 3);

    assert!(
        move_card(&test.app, &by, cards[0], Target { stage: Patch::Set(test.id()), ..Target::default() })
            .await
            .is_err()
    );
    assert!(
        move_card(&test.app, &by, test.id(), Target { stage: Patch::Set(stages[0]), ..Target::default() })
            .await
            .is_err()
    );
    let mut tx = test.app.db.tenant(office.id).await.unwrap();
    let lanes = board::lanes(&mut tx, 2).await.unwrap();
    let shown: Vec<(usize, bool)> =
        lanes.iter().map(|lane| (lane.cards.len(), lane.next.is_some())).collect();
    assert_eq!(shown, [(1, false), (2, true), (0, false), (0, false)]);
    let rest = board::lane(&mut tx, Some(stages[1]), lanes[1].next, 2).await.unwrap();
    assert_eq!(rest.cards.len(), 1);
}

#[test]
fn any_moves_keep_the_order_that_was_seen() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let test = runtime.block_on(TestApp::new());
    let office = runtime.block_on(Office::open(&test, "a"));
    let stages = runtime.block_on(stage_ids(&test, &office));
    // All in one place, so that the first moves must make room.
    runtime.block_on(test.execute(&format!(
        "insert into patchbay.contacts (tenant_id, first_name, stage_id, stage_position) select '{}', 'c' || n, '{}', 7 from generate_series(1, 6) n",
        office.id, stages[0]
    )));
    let by = caller(&office);
    let mut runner = TestRunner::new(Config { cases: 60, failure_persistence: None, ..Config::default() });
    runner
        .run(&(0..6usize, 0..6usize, any::<bool>()), |(from, to, before)| {
            runtime.block_on(async {
                let mut tx = test.app.db.tenant(office.id).await.unwrap();
                let mut cards: Vec<Uuid> = board::lane(&mut tx, Some(stages[0]), None, 100)
                    .await
                    .unwrap()
                    .cards
                    .iter()
                    .map(|card| card.id)
                    .collect();
                drop(tx);
                let card = cards.remove(from);
                let at = to.min(cards.len());
                let target = if before && at < cards.len() {
                    Target { stage: Patch::Set(stages[0]), before: Some(cards[at]), after: None }
                } else {
                    Target {
                        stage: Patch::Set(stages[0]),
                        before: None,
                        after: at.checked_sub(1).map(|above| cards[above]),
                    }
                };
                cards.insert(at, card);
                move_card(&test.app, &by, card, target).await.unwrap();
                let mut tx = test.app.db.tenant(office.id).await.unwrap();
                let seen: Vec<Uuid> = board::lane(&mut tx, Some(stages[0]), None, 100)
                    .await
                    .unwrap()
                    .cards
                    .iter()
                    .map(|card| card.id)
                    .collect();
                assert_eq!(seen, cards);
            });
            Ok(())
        })
        .unwrap();
    // Fifty times into the same gap is more than a number holds.
    runtime.block_on(async {
        let mut tx = test.app.db.tenant(office.id).await.unwrap();
        let cards: Vec<Uuid> = board::lane(&mut tx, Some(stages[0]), None, 100)
            .await
            .unwrap()
            .cards
            .iter()
            .map(|card| card.id)
            .collect();
        drop(tx);
        for turn in 0..80 {
            let card = cards[2 + turn % 2];
            move_card(
                &test.app,
                &by,
                card,
                Target { stage: Patch::Set(stages[0]), before: None, after: Some(cards[0]) },
            )
            .await
            .unwrap();
            let mut tx = test.app.db.tenant(office.id).await.unwrap();
            let seen: Vec<Uuid> = board::lane(&mut tx, Some(stages[0]), None, 100)
                .await
                .unwrap()
                .cards
                .iter()
                .map(|card| card.id)
                .collect();
            assert_eq!(seen[..2], [cards[0], card], "turn {turn}");
        }
    });
    runtime.block_on(test.execute("delete from patchbay.outbox"));
}

#[tokio::test]
async fn many_change_at_once() {
    let test = TestApp::new().await;
    let (office, other) = (Office::open(&test, "a").await, Office::open(&test, "b").await);
    let stages = stage_ids(&test, &office).await;
    let mut ids = Vec::new();
    for name in ["A", "B", "C"] {
        ids.push(office.contact(&test, name, None).await);
    }
    let theirs = other.contact(&test, "X", None).await;
    ids.push(theirs);
    let by = caller(&office);
    let changed = async |change: Change| {
        bulk::apply(&test.app, &by, &ids, &change).await.map(|done| done.changed.len())
    };
    assert_eq!(changed(Change::AddLabel("VIP".into())).await.unwrap(), 3);
    assert_eq!(changed(Change::AddLabel("vip".into())).await.unwrap(), 0);
    assert_eq!(changed(Change::RemoveLabel("VIP".into())).await.unwrap(), 3);
    assert!(changed(Change::RemoveLabel("unheard".into())).await.is_err());
    assert_eq!(changed(Change::Stage(stages[2])).await.unwrap(), 3);
    assert_eq!(names(&test, &office, stages[2]).await, ["A", "B", "C"]);
    assert!(changed(Change::Stage(stage_ids(&test, &other).await[0])).await.is_err());
    assert_eq!(changed(Change::Owner(Some(office.owner_id))).await.unwrap(), 3);
    assert!(changed(Change::Owner(Some(other.owner_id))).await.is_err());
    assert_eq!(changed(Change::Owner(None)).await.unwrap(), 3);
    assert_eq!(changed(Change::Archive).await.unwrap(), 3);
    assert_eq!(changed(Change::Archive).await.unwrap(), 0);
    assert_eq!(changed(Change::Restore).await.unwrap(), 3);
    assert!(bulk::apply(&test.app, &by, &vec![ids[0]; bulk::MOST + 1], &Change::Archive).await.is_err());
    assert_eq!(
        test.scalar(&format!("select count(*) from patchbay.activities where contact_id = '{theirs}'")).await,
        0
    );
    assert_eq!(
        test.scalar("select count(*) from patchbay.audit_log where action like 'contacts.%'").await,
        7
    );
    test.settle().await;
}

#[tokio::test]
async fn who_is_alike_is_suggested() {
    let test = TestApp::new().await;
    let (office, other) = (Office::open(&test, "a").await, Office::open(&test, "b").await);
    let dana = office.contact(&test, "Dana", Some("+61491570006")).await;
    let same_name = office.contact(&test, "DANA", Some("+61491570156")).await;
    office.contact(&test, "Dan", Some("+61491570157")).await;
    other.contact(&test, "Dana", Some("+61491570006")).await;
    test.execute(&format!(
        "update patchbay.contacts set email = 'd@example.com' where id = '{dana}';
         insert into patchbay.contacts (tenant_id, first_name, email) values ('{0}', 'By e-mail', 'd@example.com');
         insert into patchbay.contacts (tenant_id, first_name, phone_e164) values ('{0}', 'By number', '+1491570006');
         insert into patchbay.contacts (tenant_id, first_name, email, archived_at) values ('{0}', 'Archived', 'd@example.com', now())",
        office.id
    ))
    .await;
    let mut tx = test.app.db.tenant(office.id).await.unwrap();
    let contact = crate::contacts::get(&mut tx, dana).await.unwrap();
    drop(tx);
    let found = duplicates::suggest(&test.app, office.id, &contact).await.unwrap();
    let found: Vec<(String, Likeness)> =
        found.into_iter().map(|(contact, why)| (contact.first_name.unwrap(), why)).collect();
    assert_eq!(
        found,
        [
            ("By e-mail".to_owned(), Likeness::Email),
            ("By number".to_owned(), Likeness::PhoneEnding),
            ("DANA".to_owned(), Likeness::Name)
        ]
    );
    let _ = same_name;
    test.settle().await;
}

#[tokio::test]
async fn a_lane_tells_what_its_open_quotes_come_to() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "ace").await;
    let (dana, tom) = (office.contact(&test, "Dana", None).await, office.contact(&test, "Tom", None).await);
    let quote = async |contact: Uuid, cents: i64, currency: &str, status: &str| {
        test.execute(&format!(
            "insert into patchbay.quotes (tenant_id, contact_id, total_cents, currency, status, held) values ('{}', '{contact}', {cents}, '{currency}', '{status}', true)",
            office.id
        ))
        .await;
    };
    let mut rosa = Browser::with_session(&test, &office.session);
    assert!(!rosa.get("/board").await.expect(200).text.contains("open quotes"));
    quote(dana, 120_000, "AUD", "sent").await;
    quote(dana, 3_400, "AUD", "viewed").await;
    quote(tom, 500, "AUD", "draft").await;
    quote(tom, 70_000, "AUD", "accepted").await;
    quote(tom, 90_000, "USD", "sent").await;
    let board = rosa.get("/board").await.expect(200).text;
    assert!(board.contains("$1,239.00<span class=\"sr\"> in open quotes"), "{board}");
    let lanes = test.get(&office.key, "/api/board").await.expect(200).json();
    let sums: Vec<_> =
        lanes["data"].as_array().unwrap().iter().map(|lane| lane["open_quotes_cents"].as_i64()).collect();
    assert_eq!(sums, [Some(123_900), None, None, None]);
    test.execute(&format!("update patchbay.contacts set archived_at = now() where id = '{dana}'")).await;
    let lane = test.text("select id::text from patchbay.stages where name = 'New'").await;
    let lane = rosa.get(&format!("/board/lanes/{lane}")).await.expect(200).text;
    assert!(lane.contains("$5.00<span class=\"sr\"> in open quotes"), "{lane}");
    test.execute("delete from patchbay.outbox").await;
}

#[tokio::test]
async fn a_neighbour_of_another_business_is_none() {
    let test = TestApp::new().await;
    let (office, other) = (Office::open(&test, "a").await, Office::open(&test, "b").await);
    let (dana, tom) = (office.contact(&test, "Dana", None).await, office.contact(&test, "Tom", None).await);
    let theirs = other.contact(&test, "Eve", None).await;
    let put = async |body: Value| test.api(&office.key, "POST", "/api/board/move", body).await;
    let stage = put(json!({"contact_id": dana})).await.expect(200).json()["stage"].clone();
    assert!(stage.is_string(), "whoever names no stage stays");
    for side in ["before", "after"] {
        let problem = put(json!({"contact_id": dana, side: theirs})).await.expect(422).json();
        assert!(problem["errors"][side].is_string(), "{problem}");
    }
    assert_eq!(put(json!({"contact_id": dana, "after": tom})).await.expect(200).json()["stage"], stage);
    assert!(put(json!({"contact_id": dana, "stage_id": null})).await.expect(200).json()["stage"].is_null());
    assert_eq!(put(json!({"contact_id": dana, "after": tom})).await.expect(200).json()["stage"], stage);
}
