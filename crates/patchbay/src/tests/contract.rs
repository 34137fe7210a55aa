//! Plain SQL on the public views: what is written is stored or refused, and what comes back is true.

use serde_json::Value;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::{Office, TestApp};

async fn open() -> (TestApp, Office, Uuid) {
    let test = TestApp::new().await;
    let office = Office::open(&test, "ace").await;
    let dana = office.contact(&test, "Dana", Some("+61491570006")).await;
    test.settle().await;
    (test, office, dana)
}

/// The row that a statement with `returning` answers.
async fn row(test: &TestApp, statement: &str) -> Value {
    let query = format!("with r as ({statement} returning *) select to_jsonb(r) from r");
    sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(&mut test.sql().await).await.expect("row")
}

/// Why a statement is refused.
async fn refusal(test: &TestApp, statement: &str) -> String {
    let done = sqlx::query(AssertSqlSafe(statement.to_owned())).execute(&mut test.sql().await).await;
    match done {
        Ok(_) => panic!("not refused: {statement}"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn messages_are_inserted_and_never_changed() {
    let (test, office, dana) = open().await;
    let (tenant, insert) = (office.id, "insert into api.messages (tenant_id, lead_id, channel, body");
    let sent = row(
        &test,
        &format!("{insert}, to_number) values ('{tenant}', '{dana}', 'sms', 'Hi', '0491 570 006')"),
    )
    .await;
    assert_eq!(
        (&sent["status"], &sent["direction"], &sent["to_number"]),
        (&"queued".into(), &"outbound".into(), &"+61491570006".into())
    );
    assert!(sent["created_at"].is_string());
    test.settle().await;
    for change in [
        "update api.messages set body = 'Other'",
        "update api.messages set status = 'failed'",
        "delete from api.messages",
    ] {
        assert!(refusal(&test, change).await.contains("not changed or deleted"), "{change}");
    }
    assert_eq!(test.text("select body || ' ' || status from patchbay.messages").await, "Hi delivered");
    for (columns, values) in [
        ("provider_message_id", "'SM1'"),
        ("error_code", "'30007'"),
        ("status", "'sent'"),
        ("direction", "'inbound'"),
        ("to_number", "'12'"),
    ] {
        refusal(&test, &format!("{insert}, {columns}) values ('{tenant}', '{dana}', 'sms', 'Hi', {values})"))
            .await;
    }
    refusal(&test, &format!("{insert}) values ('{tenant}', null, 'sms', 'Hi')")).await;
    refusal(&test, &format!("{insert}) values ('{tenant}', '{}', 'sms', 'Hi')", test.id())).await;
    assert_eq!(test.scalar("select count(*) from patchbay.messages").await, 1);
}

#[tokio::test]
async fn quotes_keep_what_is_written_and_are_told_once() {
    let (test, office, dana) = open().await;
    let tenant = office.id;
    let insert = |columns: &str, values: &str| {
        format!(
            "insert into api.quotes (tenant_id, lead_id, data, total_cents{columns}) values ('{tenant}', '{dana}', '{{}}', 9900{values})"
        )
    };
    let draft = row(&test, &insert("", "")).await;
    assert_eq!((&draft["status"], &draft["currency"]), (&"draft".into(), &"AUD".into()));
    let sent = row(&test, &insert(", status, created_at", ", 'sent', '2026-01-02T03:04:05Z'")).await;
    assert_eq!(sent["status"], "sent");
    assert!(sent["created_at"].as_str().unwrap().starts_with("2026-01-02T03:04:05"));
    // What comes with the time it was sent, or with its answer, went out elsewhere.
    let old = row(&test, &insert(", sent_at", ", '2026-01-02T03:04:05Z'")).await;
    assert_eq!(old["status"], "sent");
    row(&test, &insert(", status", ", 'accepted'")).await;
    test.settle().await;
    let texts = "select count(*) from patchbay.messages where kind = 'quote'";
    assert_eq!(test.scalar(texts).await, 2);
    assert_eq!(
        test.scalar("select count(*) from api.quotes where sent_at is null").await,
        1,
        "only the accepted one"
    );

    let id = draft["id"].as_str().unwrap();
    let update = |change: &str| format!("update api.quotes set {change} where id = '{id}'");
    let other = office.contact(&test, "Eve", Some("+61491570156")).await;
    for change in [
        format!("lead_id = '{other}'"),
        "sent_at = null".to_owned(),
        "status = 'draft'".to_owned(),
        "created_at = now()".to_owned(),
        "number = 99".to_owned(),
        "token = 'x'".to_owned(),
    ] {
        refusal(&test, &update(&change)).await;
    }
    let changed = row(&test, &update("sent_at = '2026-02-03T00:00:00Z', total_cents = 100")).await;
    assert!(changed["sent_at"].as_str().unwrap().starts_with("2026-02-03"));
    assert_eq!(row(&test, &update("status = 'accepted'")).await["status"], "accepted");
    assert_eq!(test.scalar("select count(answered_at) from patchbay.quotes").await, 1);
    for (columns, values) in
        [(", number", ", 7"), (", token", ", 'x'"), (", status, sent_at", ", 'draft', now()")]
    {
        refusal(&test, &insert(columns, values)).await;
    }
    test.settle().await;
    assert_eq!(test.scalar(texts).await, 2);
}

#[tokio::test]
async fn leads_keep_their_dates_and_show_what_is_stored() {
    let (test, office, dana) = open().await;
    let tenant = office.id;
    let lead = row(&test, &format!("insert into api.leads (tenant_id, first_name, email, last_contacted_at, created_at, updated_at) values ('{tenant}', 'Eve', 'eve@example.com', '2026-01-02', '2025-01-02', '2026-01-03')")).await;
    for (column, day) in
        [("last_contacted_at", "2026-01-02"), ("created_at", "2025-01-02"), ("updated_at", "2026-01-03")]
    {
        assert!(lead[column].as_str().unwrap().starts_with(day), "{column}: {lead}");
    }
    // The same lead again: the row as it is, not as it was written.
    let again = row(
        &test,
        &format!(
            "insert into api.leads (tenant_id, first_name, phone) values ('{tenant}', 'Other', '0491570006')"
        ),
    )
    .await;
    assert_eq!((&again["id"], &again["first_name"]), (&dana.to_string().into(), &"Dana".into()));
    let update = |change: &str| format!("update api.leads set {change} where id = '{dana}'");
    let changed = row(&test, &update("last_contacted_at = '2026-03-04', consent_sms = false")).await;
    assert!(changed["last_contacted_at"].as_str().unwrap().starts_with("2026-03-04"));
    assert_eq!(changed["consent_sms"], false);
    refusal(&test, &update("created_at = now()")).await;
    assert!(refusal(&test, &update("consent_sms = true")).await.contains("opted out"));
    let ticked = row(
        &test,
        &format!(
            "insert into api.leads (tenant_id, phone, consent_sms) values ('{tenant}', '0491570006', true)"
        ),
    )
    .await;
    assert_eq!(ticked["consent_sms"], false, "a box that is ticked lifts no refusal");
    test.settle().await;
}
