use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::tests::{Office, Reply, TestApp};

async fn found(test: &TestApp, key: &str, query: &str) -> Vec<String> {
    names(&test.get(key, &format!("/api/contacts?{query}")).await.expect(200))
}

fn names(reply: &Reply) -> Vec<String> {
    reply.json()["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|contact| contact["name"].as_str().unwrap().to_owned())
        .collect()
}

/// Newest last.
async fn populate(test: &TestApp, key: &str) {
    for body in [
        json!({"first_name": "Dana", "last_name": "Whitfield", "phone": "0491 570 006", "email": "dana@example.com", "stage": "New", "labels": ["VIP"], "source": "Web form"}),
        json!({"first_name": "Lucía", "last_name": "Fernández", "phone": "+503 7000 1122", "stage": "Quoted", "source": "WhatsApp", "status": "active"}),
        json!({"first_name": "Øyvind", "last_name": "O'Brien", "email": "oyvind_o@example.org", "stage": "Quoted", "labels": ["VIP", "Solar"]}),
        json!({"first_name": "Wes", "last_name": "Ng", "phone": "0491 570 156", "properties": {"suburb": "Fremantle", "note": "100%_sure"}, "status": "inactive"}),
    ] {
        test.api(key, "POST", "/api/contacts", body).await.expect(201);
    }
}

#[tokio::test]
async fn words_digits_and_beginnings_find_people() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "a").await;
    populate(&test, &office.key).await;
    let (dana, lucia, oyvind, wes) = ("Dana Whitfield", "Lucía Fernández", "Øyvind O'Brien", "Wes Ng");
    for (q, expected) in [
        ("", vec![wes, oyvind, lucia, dana]),
        ("whit", vec![dana]),
        ("hitf", vec![dana]),
        ("WHITFIELD dana", vec![dana]),
        ("dana fern", vec![]),
        ("lucia fernandez", vec![lucia]),
        ("LUCÍA", vec![lucia]),
        ("oyv", vec![oyvind]),
        ("o'br", vec![oyvind]),
        ("w", vec![wes, dana]),
        ("ng", vec![wes]),
        ("n", vec![wes]),
        ("0491570006", vec![dana]),
        ("0491 570 006", vec![dana]),
        ("%2B61 491 570", vec![wes, dana]),
        ("570-156", vec![wes]),
        ("7000 1122", vec![lucia]),
        ("%2B503 7000", vec![lucia]),
        ("0006", vec![dana]),
        ("dana@example.com", vec![dana]),
        ("example", vec![oyvind, dana]),
        ("oyvind_o", vec![oyvind]),
        ("fremantle", vec![wes]),
        ("suburb", vec![]),
        ("100%25_", vec![wes]),
        ("%25%25%25", vec![wes, oyvind, lucia, dana]),
        ("e_e", vec![]),
        ("zzz", vec![]),
        ("%00", vec![wes, oyvind, lucia, dana]),
        ("'; drop table patchbay.contacts; --", vec![]),
    ] {
        assert_eq!(found(&test, &office.key, &format!("q={}", q.replace(' ', "+"))).await, expected, "{q}");
    }
}

#[tokio::test]
async fn filters_combine() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "a").await;
    populate(&test, &office.key).await;
    let dana = test.get(&office.key, "/api/contacts?q=dana").await.json()["data"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    test.execute(&format!("insert into patchbay.consents (tenant_id, channel, address, state, how) values ('{0}', 'sms', '+61491570006', 'subscribed', 'form'), ('{0}', 'email', 'dana@example.com', 'unsubscribed', 'link')", office.id)).await;
    test.api(&office.key, "PATCH", &format!("/api/contacts/{dana}"), json!({"owner_id": office.owner_id}))
        .await
        .expect(200);
    let (dana, lucia, oyvind, wes) = ("Dana Whitfield", "Lucía Fernández", "Øyvind O'Brien", "Wes Ng");
    let owner = office.owner_id;
    for (query, expected) in [
        ("status=lead", vec![oyvind, dana]),
        ("status=lead&status=inactive", vec![wes, oyvind, dana]),
        ("stage=quoted", vec![oyvind, lucia]),
        ("stage=New&stage=Quoted&status=active", vec![lucia]),
        ("label=vip", vec![oyvind, dana]),
        ("label=vip&label=solar", vec![oyvind, dana]),
        ("label=vip&stage=New", vec![dana]),
        ("label=solar&q=dana", vec![]),
        ("source=WhatsApp", vec![lucia]),
        ("source=WhatsApp&status=lead", vec![]),
        ("consent=subscribed", vec![dana]),
        ("consent=unknown", vec![wes, oyvind, lucia]),
        ("consent=email:unsubscribed", vec![dana]),
        ("consent=email:unknown&status=lead", vec![oyvind]),
        ("consent=subscribed&consent=email:unsubscribed&q=whit", vec![dana]),
        (&format!("owner={owner}"), vec![dana]),
        ("owner=none", vec![wes, oyvind, lucia]),
        (&format!("owner=none&owner={owner}"), vec![wes, oyvind, lucia, dana]),
        ("owner=none&stage=Quoted&q=example", vec![oyvind]),
        ("label=unheard", vec![]),
        ("stage=unheard&stage=new", vec![wes, dana]),
        ("status=&q=&label=", vec![wes, oyvind, lucia, dana]),
        ("archived=true", vec![]),
    ] {
        assert_eq!(found(&test, &office.key, query).await, expected, "{query}");
    }
    for query in ["status=led", "owner=me", "consent=maybe"] {
        test.get(&office.key, &format!("/api/contacts?{query}")).await.expect(422);
    }
    for query in ["cursor=nonsense", "archived=perhaps", "limit=x"] {
        test.get(&office.key, &format!("/api/contacts?{query}")).await.expect(400);
    }
    test.settle().await;
}

#[tokio::test]
async fn one_tenant_never_finds_anothers() {
    let test = TestApp::new().await;
    let (ours, theirs) = (Office::open(&test, "a").await, Office::open(&test, "b").await);
    populate(&test, &theirs.key).await;
    let their_label =
        test.get(&theirs.key, "/api/labels").await.json()["data"][0]["id"].as_str().unwrap().to_owned();
    let their_stage =
        test.get(&theirs.key, "/api/stages").await.json()["data"][0]["id"].as_str().unwrap().to_owned();
    for query in [
        "",
        "q=w",
        "q=whit",
        "q=0491",
        "q=dana@example.com",
        "status=lead",
        "source=WhatsApp",
        "owner=none",
        "archived=true",
        "archived=false",
        "consent=unknown",
        "consent=email:unknown",
        "label=VIP",
        "stage=New",
        &format!("label={their_label}"),
        &format!("stage={their_stage}"),
        &format!("owner={}", theirs.owner_id),
        "q=whit&label=VIP",
        "q=%25'+or+true+--",
    ] {
        assert_eq!(found(&test, &ours.key, query).await, Vec::<String>::new(), "{query}");
    }
    // A cursor from their list is only a place in the order.
    let cursor = test.get(&theirs.key, "/api/contacts?limit=1").await.json()["next_cursor"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(found(&test, &ours.key, &format!("cursor={cursor}")).await, Vec::<String>::new());
    assert_eq!(found(&test, &theirs.key, "q=w").await.len(), 2);
}

/// Rows made by plain SQL, so that there are enough of them for every way a search can take.
async fn crowd(test: &TestApp, office: &Office, count: u32) {
    test.execute(&format!(
        "insert into patchbay.contacts (tenant_id, first_name, last_name, phone_e164, status, stage_id, source, owner_id, import_id, properties)
         select '{0}', (array['Ana', 'Bea', 'Cy', 'Dot', 'Eve'])[1 + n % 5], case when n % 997 = 0 then 'Rare' else 'Name' || n % 50 end,
           '+614' || lpad(n::text, 8, '0'), (array['lead', 'active', 'inactive'])[1 + n % 3],
           (select id from patchbay.stages where tenant_id = '{0}' order by position offset n % 4 limit 1), 'S' || n % 7,
           case when n % 4 = 0 then '{1}'::uuid end, gen_random_uuid(), '{{}}'
         from generate_series(1, {count}) n",
        office.id, office.owner_id,
    ))
    .await;
}

#[tokio::test]
async fn every_page_once_whatever_is_inserted_meanwhile() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "a").await;
    crowd(&test, &office, 6000).await;
    for (query, expected) in [
        ("status=lead", "status = 'lead'"),
        ("q=rare", "last_name = 'Rare'"),
        ("q=name7", "last_name like 'Name7%'"),
        ("q=ana&status=active", "first_name = 'Ana' and status = 'active'"),
        (
            "status=active&stage=New&consent=unknown",
            "status = 'active' and stage_id in (select id from patchbay.stages where name = 'New')",
        ),
        ("owner=none&source=S3", "owner_id is null and source = 'S3'"),
    ] {
        let expected = test
            .scalar(&format!(
                "select count(*) from patchbay.contacts where archived_at is null and {expected}"
            ))
            .await;
        let mut seen = BTreeSet::new();
        let mut last: Option<String> = None;
        let mut cursor = String::new();
        loop {
            let page = test
                .get(&office.key, &format!("/api/contacts?{query}&limit=100&cursor={cursor}"))
                .await
                .expect(200)
                .json();
            for contact in page["data"].as_array().unwrap() {
                let id = contact["id"].as_str().unwrap().to_owned();
                assert!(last.as_ref().is_none_or(|last| *last > id), "{query}: out of order");
                last = Some(id.clone());
                assert!(seen.insert(id), "{query}: twice");
            }
            // Somebody new who would match stands before the place, not in the way.
            test.execute(&format!("insert into patchbay.contacts (tenant_id, first_name, last_name, status, stage_id, source, import_id) select '{}', 'Ana', 'Name7 Rare', 'active', id, 'S3', gen_random_uuid() from patchbay.stages where name = 'New'", office.id)).await;
            match page["next_cursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => break,
            }
        }
        assert_eq!(i64::try_from(seen.len()).unwrap(), expected, "{query}");
        test.execute("delete from patchbay.contacts where last_name = 'Name7 Rare'").await;
    }
}

#[tokio::test]
async fn short_limits_are_kept_within_bounds() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "a").await;
    crowd(&test, &office, 300).await;
    for (query, length) in
        [("limit=0", 1), ("limit=1", 1), ("limit=200", 200), ("limit=100000", 200), ("", 50)]
    {
        let page: Value = test.get(&office.key, &format!("/api/contacts?{query}")).await.expect(200).json();
        assert_eq!(page["data"].as_array().unwrap().len(), length, "{query}");
        assert!(page["next_cursor"].is_string());
    }
}
