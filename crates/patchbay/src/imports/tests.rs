use std::sync::Arc;

use axum::{body::Body, http::Request};
use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use super::jobs;
use crate::{
    crash::Action,
    tests::{Browser, Office, Reply, TestApp},
};

const BOUNDARY: &str = "cut-here";

/// A form with a file, as browsers and curl send it.
fn form(file: &[u8], fields: &[(&str, &str)]) -> Vec<u8> {
    let mut body = format!(
        "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"list.csv\"\r\ncontent-type: text/csv\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(file);
    for (name, value) in fields {
        body.extend_from_slice(
            format!("\r\n--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}")
                .as_bytes(),
        );
    }
    body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    body
}

async fn post(t: &TestApp, key: &str, file: &[u8], fields: &[(&str, &str)]) -> Reply {
    let request = Request::post("/api/imports")
        .header("authorization", format!("Bearer {key}"))
        .header("content-type", format!("multipart/form-data; boundary={BOUNDARY}"))
        .body(Body::from(form(file, fields)))
        .unwrap();
    t.request(request).await
}

fn mapping() -> Value {
    json!({"columns": {"Mobile": "phone", "First": "first_name", "Mail": "email", "Suburb": "properties.suburb"},
        "labels": ["Fair"], "consent": {"channel": "sms", "source": "Home show", "wording": "Text me offers"}, "on_match": "update"})
}

/// Imports `file` and waits; the import as the API shows it.
async fn import(t: &TestApp, office: &Office, file: &str, mapping: &Value, dry_run: bool) -> Value {
    let fields = [("mapping", mapping.to_string()), ("dry_run", dry_run.to_string())];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let created = post(t, &office.key, file.as_bytes(), &fields).await.expect(202).json();
    while jobs::run_once(&t.app).await.unwrap() {}
    t.get(&office.key, &format!("/api/imports/{}", created["id"].as_str().unwrap())).await.expect(200).json()
}

async fn undo(t: &TestApp, office: &Office, import: &Value) -> Value {
    let path = format!("/api/imports/{}", import["id"].as_str().unwrap());
    t.api(&office.key, "POST", &format!("{path}/undo"), Value::Null).await.expect(202);
    while jobs::run_once(&t.app).await.unwrap() {}
    t.get(&office.key, &path).await.expect(200).json()
}

const LIST: &str = "First,Mobile,Mail,Suburb\n\
    Ann,0412 345 601,ann@example.com,Fremantle\n\
    Bob,0412 345 602,,Perth\n\
    Bobby,+61412345602,,\n\
    Cyd,6.1412E+10,,\n\
    Dee,0412 345 604,dee@example.com,\n\
    Eve,0412 345 605,,\n\
    Nobody,,,\n\
    Fay,,fay@example.com,=1+1\n";

async fn base(t: &TestApp, office: &Office) {
    office.contact(t, "Deborah", Some("+61412345604")).await;
    t.execute(&format!("insert into patchbay.do_not_contact (tenant_id, phone_e164, reason) values ('{}', '+61412345605', 'Asked')", office.id)).await;
}

/// Everything that an import may touch, as text.
async fn everything(t: &TestApp, office: &Office) -> String {
    let mut all = String::new();
    for (table, row) in [
        ("contacts", "to_jsonb(t) - 'updated_at' - 'person_id'"),
        ("contact_labels", "to_jsonb(t)"),
        ("consents", "to_jsonb(t) - 'changed_at' - 'detail'"),
        ("do_not_contact", "to_jsonb(t)"),
        ("outbox", "to_jsonb(t)"),
    ] {
        let query = format!(
            "select coalesce(string_agg(({row})::text, E'\\n' order by ({row})::text), '') from patchbay.{table} t where tenant_id = '{}'",
            office.id
        );
        all.push_str(&t.text(&query).await);
    }
    all
}

#[tokio::test]
async fn a_dry_run_changes_nothing_and_counts_what_the_import_counts() {
    let t = TestApp::new().await;
    let office = Office::open(&t, "ace").await;
    base(&t, &office).await;
    let before = everything(&t, &office).await;
    let dry = import(&t, &office, LIST, &mapping(), true).await;
    let counts = json!({"rows": 8, "new": 3, "updated": 1, "duplicate": 1, "invalid": 2, "opted_out": 1});
    assert_eq!((&dry["counts"], &dry["status"]), (&counts, &json!("finished")), "{dry}");
    assert_eq!(everything(&t, &office).await, before);
    let real = import(&t, &office, LIST, &mapping(), false).await;
    assert_eq!(real["counts"], counts);
    assert_eq!(real["progress"]["percent"], 100);

    let contacts = t.get(&office.key, "/api/contacts?q=0412345601").await.json();
    let ann = &contacts["data"][0];
    assert_eq!(ann["first_name"], "Ann");
    assert_eq!((&ann["properties"], &ann["labels"]), (&json!({"suburb": "Fremantle"}), &json!(["Fair"])));
    assert_eq!((&ann["consent"]["sms"], &ann["stage"]), (&json!("subscribed"), &json!("New")));
    let proof =
        t.get(&office.key, &format!("/api/contacts/{}/consent", ann["id"].as_str().unwrap())).await.json();
    assert_eq!(
        (&proof[0]["source"], &proof[0]["wording"], &proof[0]["how"]),
        (&json!("Home show"), &json!("Text me offers"), &json!("import"))
    );
    let dee = t.get(&office.key, "/api/contacts?q=0412345604").await.json();
    assert_eq!(dee["data"][0]["first_name"], "Dee");
    assert_eq!(dee["data"][0]["email"], "dee@example.com");
    // On the do-not-contact list: a contact now, and not subscribed.
    let eve = t.get(&office.key, "/api/contacts?q=0412345605").await.json();
    assert_eq!(eve["data"][0]["consent"]["sms"], "unknown");
    // Imports announce no leads, and everybody has a person.
    assert_eq!(t.scalar("select count(*) from patchbay.outbox o where event_type = 'lead.created' and payload ->> 'contact_id' in (select id::text from patchbay.contacts where import_id is not null)").await, 0);
    assert_eq!(
        t.scalar("select count(*) from patchbay.contacts where import_id is not null and person_id is null")
            .await,
        0
    );

    let rejects = t
        .get(&office.key, &format!("/api/imports/{}/rejects", real["id"].as_str().unwrap()))
        .await
        .expect(200);
    let lines: Vec<&str> = rejects.text.lines().collect();
    assert_eq!(lines[0], "row,reason,First,Mobile,Mail,Suburb");
    assert!(
        lines[1].starts_with("5,") && lines[1].contains("rounded") && lines[1].contains("6.1412E+10"),
        "{}",
        lines[1]
    );
    assert!(lines[2].contains("neither a phone number nor an e-mail"), "{}", lines[2]);
    assert_eq!(lines.len(), 3);
}

#[tokio::test]
async fn importing_twice_brings_nothing_new() {
    let t = TestApp::new().await;
    let office = Office::open(&t, "ace").await;
    base(&t, &office).await;
    import(&t, &office, LIST, &mapping(), false).await;
    let before = everything(&t, &office).await;
    let again = import(&t, &office, LIST, &mapping(), false).await;
    assert_eq!(
        again["counts"],
        json!({"rows": 8, "new": 0, "updated": 0, "duplicate": 5, "invalid": 2, "opted_out": 1})
    );
    assert_eq!(everything(&t, &office).await, before);
}

#[tokio::test]
async fn who_opted_out_stays_opted_out() {
    let t = TestApp::new().await;
    let office = Office::open(&t, "ace").await;
    import(&t, &office, "Mobile\n0412345601\n0412345602\n", &json!({"columns": {"Mobile": "phone"}}), false)
        .await;
    t.execute(&format!("insert into patchbay.consents (tenant_id, channel, address, state, how) values ('{}', 'sms', '+61412345601', 'unsubscribed', 'keyword')", office.id)).await;
    let file = "Mobile,Opted in\n0412345601,yes\n0412345602,no\n";
    let columns = json!({"columns": {"Mobile": "phone", "Opted in": "consent.sms"}});
    let done = import(&t, &office, file, &columns, false).await;
    assert_eq!(
        done["counts"],
        json!({"rows": 2, "new": 0, "updated": 1, "duplicate": 0, "invalid": 0, "opted_out": 1})
    );
    let states = t.text("select string_agg(address || ' ' || state || ' ' || how, ', ' order by address) from patchbay.consents").await;
    assert_eq!(states, "+61412345601 unsubscribed keyword, +61412345602 unsubscribed import");
    assert_eq!(
        t.scalar("select count(*) from patchbay.contacts where consent_sms = 'unsubscribed'").await,
        2
    );
}

#[tokio::test]
async fn what_agreement_rests_on_is_imported_extended_and_given_back() {
    let t = TestApp::new().await;
    let office = Office::open(&t, "ace").await;
    let now = t.app.now();
    let day = |days: i64| (now - chrono::TimeDelta::days(days)).format("%Y-%m-%d").to_string();
    let columns = json!({"columns": {"Mobile": "phone", "OK": "consent.sms", "Why": "consent.basis", "When": "consent.at"}});
    let file = |why: &str, when: &str| {
        format!("Mobile,OK,Why,When\n+14165550121,yes,{why},{when}\n+12125550122,yes,{why},{when}\n")
    };
    let counted = |done: &Value| (done["counts"]["updated"].clone(), done["counts"]["duplicate"].clone());
    let terms = async || {
        t.text("select string_agg(right(address, 1) || ' ' || state || ' ' || basis || ' ' || coalesce(round(extract(epoch from expires_at - changed_at) / 86400 / 30.44)::text, '-'), ', ' order by right(address, 1)) from patchbay.consents").await
    };
    import(&t, &office, &file("enquiry", &day(10)), &columns, false).await;
    assert_eq!(terms().await, "1 subscribed enquiry 6, 2 subscribed enquiry -");
    // An earlier enquiry says nothing new; a purchase lasts longer, where anything ends.
    let older = import(&t, &office, &file("enquiry", &day(40)), &columns, false).await;
    assert_eq!(counted(&older), (json!(0), json!(2)));
    let dry = import(&t, &office, &file("purchase", &day(5)), &columns, true).await;
    let bought = import(&t, &office, &file("purchase", &day(5)), &columns, false).await;
    assert_eq!((counted(&bought), &dry["counts"]), ((json!(1), json!(1)), &bought["counts"]));
    assert_eq!(terms().await, "1 subscribed purchase 24, 2 subscribed enquiry -");
    undo(&t, &office, &bought).await;
    let given_back = t.text("select basis || ' ' || (expires_at < now() + interval '183 days')::text from patchbay.consents where expires_at is not null").await;
    assert_eq!(given_back, "enquiry true");
    // Who says so is asked for no term any more, and a purchase does not bring one back.
    let said = import(&t, &office, &file("", ""), &columns, false).await;
    assert_eq!(counted(&said), (json!(2), json!(0)));
    import(&t, &office, &file("purchase", &day(1)), &columns, false).await;
    assert_eq!(terms().await, "1 subscribed express -, 2 subscribed express -");
    let wrong = import(&t, &office, &file("friendship", &day(1)), &columns, true).await;
    assert_eq!(wrong["counts"]["invalid"], 2);
}

#[tokio::test]
async fn an_undo_restores_what_still_stands() {
    let t = TestApp::new().await;
    let office = Office::open(&t, "ace").await;
    base(&t, &office).await;
    let before = everything(&t, &office).await;
    let done = import(&t, &office, LIST, &mapping(), false).await;
    let undone = undo(&t, &office, &done).await;
    assert_eq!(
        (&undone["status"], &undone["undo"]),
        (&json!("undone"), &json!({"deleted": 4, "restored": 1, "kept": 0}))
    );
    // Consent that was given and taken back leaves its proof, and an address without a state.
    t.execute("delete from patchbay.consents where state = 'unknown'").await;
    t.execute("delete from patchbay.outbox where event_type = 'contact.readdressed'").await;
    assert_eq!(everything(&t, &office).await, before);
    assert_eq!(t.scalar("select count(*) from patchbay.consent_events where state = 'unknown'").await, 3);
    t.api(&office.key, "POST", &format!("/api/imports/{}/undo", done["id"].as_str().unwrap()), Value::Null)
        .await
        .expect(409);

    // What changed since stays.
    let done = import(&t, &office, LIST, &mapping(), false).await;
    t.clock.advance(chrono::TimeDelta::minutes(1));
    let ann = t.get(&office.key, "/api/contacts?q=0412345601").await.json()["data"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    t.api(&office.key, "POST", &format!("/api/contacts/{ann}/notes"), json!({"body": "Called back"}))
        .await
        .expect(201);
    let dee = t.get(&office.key, "/api/contacts?q=0412345604").await.json()["data"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    t.api(&office.key, "PATCH", &format!("/api/contacts/{dee}"), json!({"first_name": "Delia"}))
        .await
        .expect(200);
    let undone = undo(&t, &office, &done).await;
    assert_eq!(undone["undo"], json!({"deleted": 3, "restored": 1, "kept": 1}));
    let dee = t.get(&office.key, &format!("/api/contacts/{dee}")).await.json();
    assert_eq!(
        (&dee["first_name"], &dee["email"], &dee["labels"]),
        (&json!("Delia"), &Value::Null, &json!([]))
    );
    t.get(&office.key, &format!("/api/contacts/{ann}")).await.expect(200);
}

#[tokio::test]
async fn a_list_of_numbers_binds_at_once_and_can_be_taken_back() {
    let t = TestApp::new().await;
    let office = Office::open(&t, "ace").await;
    let columns = json!({"columns": {"Number": "do_not_contact", "Why": "reason"}});
    let file = "Number,Why\n0412345601,Complained\n0412345601,Again\nabc,\n0412345602,\n";
    let done = import(&t, &office, file, &columns, false).await;
    assert_eq!(
        done["counts"],
        json!({"rows": 4, "new": 2, "updated": 0, "duplicate": 1, "invalid": 1, "opted_out": 0})
    );
    let listed = t.get(&office.key, "/api/do-not-contact?phone=0412345601").await.json();
    assert_eq!(
        (&listed["data"][0]["reason"], &listed["data"][0]["source"]),
        (&json!("Complained"), &json!("import"))
    );
    assert_eq!(t.scalar("select count(*) from patchbay.contacts").await, 0);
    assert_eq!(undo(&t, &office, &done).await["status"], "undone");
    assert_eq!(t.scalar("select count(*) from patchbay.do_not_contact").await, 0);
}

#[tokio::test]
async fn what_cannot_be_imported_is_told() {
    let t = TestApp::with_env(&[("PATCHBAY_IMPORT_MAX_BYTES", "2000000")]).await;
    let (office, other) = (Office::open(&t, "ace").await, Office::open(&t, "bee").await);
    let columns = mapping().to_string();
    for (file, mapping, part) in [
        (&b"Mobile\n0412345601\n"[..], columns.as_str(), "no column"),
        (b"", "{}", "empty"),
        (b"Mobile\n0412345601\n", "{\"columns\": {\"Mobile\": \"first_name\"}}", "which column"),
        (b"Mobile\n0412345601\n", "{\"columns\": 3}", "mapping"),
        (b"Mobile\n0412345601\n", "nonsense", "mapping"),
        (&vec![b'x'; 3_000_000], "{}", "larger than"),
    ] {
        let reply = post(&t, &office.key, file, &[("mapping", mapping)]).await.expect(422);
        assert!(reply.text.contains(part), "{}", reply.text);
    }
    t.api(&office.key, "POST", "/api/imports", json!({})).await.expect(415);
    post(&t, &office.reader, b"Mobile\n0412345601\n", &[]).await.expect(403);
    assert_eq!(t.scalar("select count(*) from patchbay.imports").await, 0);
    // A quotation mark that is never closed shows only when the file is read to its end.
    let broken = format!("Mobile,First\n{}0412345699,\"Ann\nx,y\n", "0412345601,Ann\n".repeat(40));
    let failed =
        import(&t, &office, &broken, &json!({"columns": {"Mobile": "phone", "First": "first_name"}}), true)
            .await;
    assert_eq!(failed["status"], "failed", "{failed}");
    assert!(failed["problem"].as_str().unwrap().contains("never closed"), "{failed}");
    // Nobody else sees it.
    let path = format!("/api/imports/{}", failed["id"].as_str().unwrap());
    t.get(&other.key, &path).await.expect(404);
    t.get(&other.key, &format!("{path}/rejects")).await.expect(404);
    t.api(&other.key, "POST", &format!("{path}/undo"), Value::Null).await.expect(404);
    assert_eq!(t.get(&other.key, "/api/imports").await.json()["data"], json!([]));
}

#[tokio::test]
async fn without_a_mapping_columns_are_guessed_and_choices_are_remembered() {
    let t = TestApp::new().await;
    let office = Office::open(&t, "ace").await;
    let reply = post(&t, &office.key, b"Vorname;Handy\nJ\xF6rg;0412345601\n", &[("dry_run", "true")])
        .await
        .expect(202)
        .json();
    assert_eq!(reply["mapping"]["columns"], json!({"Handy": "phone", "Vorname": "first_name"}));
    assert_eq!(
        (&reply["format"]["delimiter"], &reply["format"]["encoding"]),
        (&json!(";"), &json!("windows-1252"))
    );
    for unclear in ["maybe", "", "t", "truee"] {
        let reply = post(&t, &office.key, b"Name;Handy\nA;0412345601\n", &[("dry_run", unclear)]).await;
        assert!(reply.expect(422).json()["errors"]["dry_run"].is_string());
    }
    let columns = json!({"columns": {"Wer": "name", "Wo": "phone", "Was": "properties.job"}}).to_string();
    post(
        &t,
        &office.key,
        b"Wer,Wo,Was\nAnn,0412345601,Roof\n",
        &[("mapping", &columns), ("dry_run", "true")],
    )
    .await
    .expect(202);
    let reply = post(&t, &office.key, b"Wo,Wer,Was\n0412345602,Bob,Gutter\n", &[]).await.expect(202).json();
    assert_eq!(reply["mapping"]["columns"], json!({"Wer": "name", "Wo": "phone", "Was": "properties.job"}));
}

/// Enough rows for several batches, some of them invalid, twice, or known.
fn long_list(rows: usize) -> String {
    let mut file = "Mobile,First,Mail\n".to_owned();
    for row in 0..rows {
        let number = if row % 97 == 5 { row - 1 } else { row };
        match row % 50 {
            49 => file.push_str("12,Bad,\n"),
            48 => file.push_str(&format!(",Mail {row},m{row}@example.com\n")),
            _ => file.push_str(&format!("0412{number:06},Name {row},\n")),
        }
    }
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_dies_between_batches_leaves_no_trace_in_the_result() {
    let columns =
        json!({"columns": {"Mobile": "phone", "First": "first_name", "Mail": "email"}, "labels": ["Big"]});
    let file = long_list(12_345);
    let calm = TestApp::new().await;
    let office = Office::open(&calm, "ace").await;
    let wanted = import(&calm, &office, &file, &columns, false).await["counts"].clone();
    assert_eq!(wanted["rows"], 12_345);
    for (point, after) in
        [("import.written", 0), ("import.committed", 0), ("import.written", 2), ("import.committed", 1)]
    {
        let t = TestApp::new().await;
        let office = Office::open(&t, "ace").await;
        let fields = [("mapping", columns.to_string())];
        let created =
            post(&t, &office.key, file.as_bytes(), &[("mapping", &fields[0].1)]).await.expect(202).json();
        let node = t.doomed_node(point, after, Action::Die).await;
        let app: Arc<crate::app::App> = node.app.clone();
        let work = node.start(async move { jobs::run_once(&app).await });
        node.reached().await;
        node.kill();
        let _ = work.await;
        assert!(!jobs::run_once(&t.app).await.unwrap(), "the lease still holds");
        t.clock.advance(chrono::TimeDelta::minutes(2));
        while jobs::run_once(&t.app).await.unwrap() {}
        let done =
            t.get(&office.key, &format!("/api/imports/{}", created["id"].as_str().unwrap())).await.json();
        assert_eq!((&done["counts"], &done["status"]), (&wanted, &json!("finished")), "{point} {after}");
        assert_eq!(t.scalar("select count(*) from patchbay.contacts").await, wanted["new"].as_i64().unwrap());
        assert_eq!(
            t.scalar("select count(*) from patchbay.import_rejects").await,
            wanted["invalid"].as_i64().unwrap()
        );
        assert_eq!(
            t.scalar("select count(*) from patchbay.contact_labels").await,
            wanted["new"].as_i64().unwrap()
        );
    }
}

#[tokio::test]
async fn somebody_who_is_faster_with_the_same_number_is_updated_instead() {
    let t = TestApp::new().await;
    let office = Office::open(&t, "ace").await;
    let created = post(&t, &office.key, b"Mobile,First\n0412345601,Ann\n0412345602,Bob\n", &[])
        .await
        .expect(202)
        .json();
    // A slow writer holds the number while the import looks for it.
    let mut sql = t.sql().await;
    for statement in [
        "begin".to_owned(),
        format!(
            "insert into patchbay.contacts (tenant_id, first_name, phone_e164) values ('{}', 'Anna', '+61412345601')",
            office.id
        ),
    ] {
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut sql).await.unwrap();
    }
    let (app, commit) = (t.app.clone(), async move {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        sqlx::query("commit").execute(&mut sql).await.unwrap();
    });
    let (worked, ()) = tokio::join!(jobs::run_once(&app), commit);
    assert!(worked.unwrap());
    let done = t.get(&office.key, &format!("/api/imports/{}", created["id"].as_str().unwrap())).await.json();
    assert_eq!((&done["counts"]["new"], &done["counts"]["updated"]), (&json!(1), &json!(1)), "{done}");
    assert_eq!(t.scalar("select count(*) from patchbay.contacts where phone_e164 = '+61412345601'").await, 1);
}

#[tokio::test]
async fn merged_contacts_and_households_are_judged_alike_before_and_after() {
    let t = TestApp::new().await;
    let office = Office::open(&t, "ace").await;
    let kept = office.contact(&t, "Kept", Some("+61412345601")).await;
    let merged = office.contact(&t, "Merged", Some("+61412345602")).await;
    let lone = office.contact(&t, "Lone", None).await;
    t.execute(&format!("update patchbay.contacts set merged_into = '{kept}' where id = '{merged}'")).await;
    t.execute(&format!("update patchbay.contacts set email = 'home@example.com' where id = '{lone}'")).await;
    let file = "Mobile,Mail,First\n\
        0412345602,,Via the merged one\n\
        0412345601,,Directly\n\
        0412345603,home@example.com,Husband\n\
        0412345604,home@example.com,Wife\n\
        ,home@example.com,Again\n\
        0412345605,new@example.com,Cy\n\
        0412345606,new@example.com,Di\n\
        ,other@example.com,Eli\n\
        0412345607,other@example.com,Eli\n";
    let columns = json!({"columns": {"Mobile": "phone", "Mail": "email", "First": "first_name"}});
    let dry = import(&t, &office, file, &columns, true).await;
    let real = import(&t, &office, file, &columns, false).await;
    assert_eq!(dry["counts"], real["counts"]);
    assert_eq!(
        real["counts"],
        json!({"rows": 9, "new": 4, "updated": 2, "duplicate": 3, "invalid": 0, "opted_out": 0})
    );
    assert_eq!(
        t.text(&format!("select first_name || ' ' || phone_e164 from patchbay.contacts where id = '{lone}'"))
            .await,
        "Husband +61412345603"
    );
    assert_eq!(
        t.text(&format!("select first_name || ' ' || phone_e164 from patchbay.contacts where id = '{kept}'"))
            .await,
        "Via the merged one +61412345601"
    );
}

/// A cell of some column, often one that was there before.
fn cell() -> impl Strategy<Value = (u8, u8, u8, u8)> {
    (0_u8..9, 0_u8..5, 0_u8..3, 0_u8..4)
}

proptest! {
    // A failing case is small enough as it is, and every try makes a database.
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 0, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_file_the_dry_run_tells_the_truth(
        first in prop::collection::vec(cell(), 1..20),
        second in prop::collection::vec(cell(), 1..20),
        skip in any::<bool>(),
    ) {
        let list = |cells: &[(u8, u8, u8, u8)]| {
            let mut file = "Mobile,Mail,First,OK\n".to_owned();
            for (phone, mail, name, ok) in cells {
                let phone = if *phone == 0 { String::new() } else { format!("041234560{phone}") };
                let mail = if *mail == 0 { String::new() } else { format!("m{mail}@example.com") };
                file.push_str(&format!("{phone},{mail},Name {name},{}\n", ["", "yes", "no", "perhaps"][usize::from(*ok)]));
            }
            file
        };
        let on_match = if skip { "skip" } else { "update" };
        let columns = json!({"columns": {"Mobile": "phone", "Mail": "email", "First": "first_name", "OK": "consent.sms"}, "on_match": on_match});
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let t = TestApp::new().await;
            let office = Office::open(&t, "ace").await;
            for file in [list(&first), list(&second)] {
                let dry = import(&t, &office, &file, &columns, true).await;
                t.execute("create table public.mails as select email from patchbay.contacts where email is not null").await;
                let real = import(&t, &office, &file, &columns, false).await;
                assert_eq!(dry["counts"], real["counts"], "{file}");
                let counts = &real["counts"];
                let sum: i64 = ["new", "updated", "duplicate", "invalid", "opted_out"].iter().map(|kind| counts[kind].as_i64().unwrap()).sum();
                assert_eq!(counts["rows"], sum, "{file}");
                // A file may give somebody another e-mail in one row and name the old one in the next: then that is nobody's.
                let taken = t.scalar("select count(*) from public.mails m where not exists (select from patchbay.contacts c where c.email = m.email)").await;
                t.execute("drop table public.mails").await;
                let again = import(&t, &office, &file, &columns, true).await;
                assert!(taken > 0 || again["counts"]["new"] == 0, "{file}");
            }
        });
    }
}

#[tokio::test]
async fn a_workbook_is_imported_like_any_file() {
    let t = TestApp::new().await;
    let office = Office::open(&t, "ace").await;
    let book = super::file::tests::workbook(&[
        (
            "xl/workbook.xml",
            r#"<workbook xmlns:r="r"><sheets><sheet name="List" sheetId="1" r:id="rId1"/></sheets></workbook>"#,
        ),
        (
            "xl/_rels/workbook.xml.rels",
            r#"<Relationships><Relationship Id="rId1" Target="worksheets/sheet1.xml"/></Relationships>"#,
        ),
        (
            "xl/worksheets/sheet1.xml",
            r#"<worksheet><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>Mobile</t></is></c></row><row r="2"><c r="A2"><v>412345601</v></c></row></sheetData></worksheet>"#,
        ),
    ]);
    let created = post(&t, &office.key, &book, &[]).await.expect(202).json();
    jobs::run_once(&t.app).await.unwrap();
    let id: Uuid = created["id"].as_str().unwrap().parse().unwrap();
    let done = t.get(&office.key, &format!("/api/imports/{id}")).await.json();
    assert_eq!((&done["status"], &done["counts"]["new"]), (&json!("finished"), &json!(1)), "{done}");
    assert_eq!(t.text("select phone_e164 from patchbay.contacts").await, "+61412345601");
}

#[tokio::test]
async fn the_contacts_of_an_import_are_a_list() {
    let t = TestApp::new().await;
    let (office, other) = (Office::open(&t, "ace").await, Office::open(&t, "bee").await);
    base(&t, &office).await;
    let real = import(&t, &office, LIST, &mapping(), false).await;
    let id = real["id"].as_str().unwrap();
    let path = format!("/contacts?import={id}");
    let mut rosa = Browser::with_session(&t, &office.session);
    let page = rosa.get(&format!("/contacts/import/{id}")).await.expect(200).text;
    assert!(page.contains(&format!("href=\"{path}\"")), "{page}");
    let list = rosa.get(&path).await.expect(200).text;
    for (name, is_there) in [("Ann", true), ("Bob", true), ("Deborah", false)] {
        assert_eq!(list.contains(&format!(">{name}")), is_there, "{name}: {list}");
    }
    // The filter stays: in the search form, in the export, and as a chip that can be taken off.
    assert!(list.contains(&format!("name=\"import\" value=\"{id}\" checked")), "{list}");
    assert!(list.contains(&format!("/contacts/export?import={id}")) && !list.contains("Make it a segment"));
    let few = t.get(&office.key, &format!("/api/contacts?import={id}&q=ann")).await.expect(200).json();
    assert_eq!(few["data"].as_array().unwrap().len(), 1);
    let theirs = t.get(&other.key, &format!("/api/contacts?import={id}")).await.expect(200).json();
    assert_eq!(theirs["data"], json!([]));
    t.get(&office.key, "/api/contacts?import=everything").await.expect(422);
}

#[tokio::test]
async fn what_is_said_of_a_file_counts_more_than_what_is_guessed() {
    let t = TestApp::new().await;
    let office = Office::open(&t, "ace").await;
    let send = async |file: &[u8], fields: &[(&str, &str)]| {
        let fields: Vec<(&str, &str)> = fields.iter().copied().chain([("dry_run", "true")]).collect();
        post(&t, &office.key, file, &fields).await
    };
    let file = b"Mobile^First\n0412345601^J\xF6rg\n";
    let read = send(file, &[("delimiter", "^"), ("encoding", "windows-1252")]).await.expect(202).json();
    assert_eq!(read["mapping"]["columns"], json!({"Mobile": "phone", "First": "first_name"}));
    assert_eq!((&read["format"]["delimiter"], &read["format"]["header"]), (&json!("^"), &json!(true)));
    let bare = send(b"Ann,0412345601\nBob,0412345602\n", &[("header", "true")]).await.expect(202).json();
    assert!(bare["mapping"]["columns"].as_object().unwrap().contains_key("Ann"));
    for (name, written) in [
        ("delimiter", ";;"),
        ("encoding", "latin"),
        ("header", "maybe"),
        ("sheet", "2"),
        ("delimeter", ";"),
        ("dry_run", "perhaps"),
        ("file", "twice"),
    ] {
        let refused = send(b"Ann,0412345601\n", &[(name, written)]).await.expect(422).json();
        let field = if name == "sheet" { "file" } else { name };
        assert!(refused["errors"][field].is_string(), "{refused}");
    }
    assert_eq!(t.scalar("select count(*) from patchbay.imports").await, 2, "what was refused left nothing");
    while jobs::run_once(&t.app).await.unwrap() {}
}
