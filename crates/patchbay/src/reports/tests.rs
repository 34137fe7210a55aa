use chrono::TimeDelta;
use serde_json::json;
use uuid::Uuid;

use crate::tests::{Browser, Office, TestApp};

/// A campaign that went out three hours ago with two texts to 400 people, of whom the first text moved more.
async fn launched(test: &TestApp, office: &Office) -> Uuid {
    let (id, a, b) = (test.id(), test.id(), test.id());
    let tenant = office.id;
    let now = test.app.now();
    let launched = now - TimeDelta::hours(3);
    for statement in [
        format!("insert into patchbay.templates (tenant_id, id, key, name, content) values ('{tenant}', '{a}', 'a', 'Spring offer', 'A'), ('{tenant}', '{b}', 'b', '=cmd()', 'B')"),
        format!("insert into patchbay.campaigns (tenant_id, id, name, channel, status, template_ids, launched_at, snapshot_at, recipients, expanded, finished_at)
          values ('{tenant}', '{id}', 'Autumn check', 'sms', 'finished', '{{{a},{b}}}', '{launched}', '{launched}', 410, 410, '{now}')"),
        format!("insert into patchbay.contacts (tenant_id, id, phone_e164) select '{tenant}', patchbay.uuid_v7(), '+614120' || lpad(n::text, 5, '0') from generate_series(1, 410) n"),
        format!("insert into patchbay.messages (tenant_id, id, contact_id, campaign_id, template_id, direction, channel, kind, status, priority, dedupe_key, to_address, body, sender_id, segments, cost_micros, sent_at, delivered_at, error_code, gate)
          select tenant_id, patchbay.uuid_v7(), id, '{id}', case when n % 2 = 0 then '{a}'::uuid else '{b}' end, 'outbound', 'sms', 'campaign',
            case when n <= 380 then 'delivered' when n <= 400 then 'failed' else 'blocked' end, 2, 'campaign:{id}:' || id, phone_e164, 'Hi',
            (select id from patchbay.senders where tenant_id = '{tenant}' limit 1), 1, 51500,
            case when n <= 400 then '{launched}'::timestamptz + n * interval '10 seconds' end, case when n <= 380 then '{launched}'::timestamptz + n * interval '11 seconds' end,
            case when n between 381 and 400 then 30007 end, case when n > 400 then 'do_not_contact' end
          from (select *, substr(phone_e164, 8)::int as n from patchbay.contacts where tenant_id = '{tenant}') c"),
        format!("with t as (insert into patchbay.link_targets (tenant_id, url) values ('{tenant}', 'https://acme.example/') returning id),
            l as (insert into patchbay.short_links (tenant_id, token, target_id, contact_id, message_id, campaign_id, expires_at)
              select '{tenant}', m.id::text, t.id, m.contact_id, m.id, '{id}', now() + interval '60 days' from patchbay.messages m, t where m.campaign_id = '{id}' and m.status = 'delivered' returning id, contact_id, message_id)
          insert into patchbay.link_clicks (tenant_id, short_link_id, contact_id, message_id, campaign_id, at, method, is_bot, classifier)
          select '{tenant}', l.id, l.contact_id, l.message_id, '{id}', '{launched}'::timestamptz + interval '2 hours', 'GET', hit = 3, 1
          from l join patchbay.messages m on m.id = l.message_id cross join generate_series(1, 3) hit
          where substr(m.to_address, 8)::int <= case when m.template_id = '{a}' then 120 else 40 end"),
        // Two replies in time, one much later; one opt-out.
        format!("insert into patchbay.messages (tenant_id, id, contact_id, direction, channel, kind, status, dedupe_key, to_address, body, created_at)
          select tenant_id, patchbay.uuid_v7(), contact_id, 'inbound', 'sms', 'inbound', 'received', 'in:' || id, to_address, 'ok', sent_at + case when to_address like '%00003' then interval '9 days' else interval '1 hour' end
          from patchbay.messages where campaign_id = '{id}' and to_address in ('+61412000001', '+61412000002', '+61412000003')"),
        format!("insert into patchbay.consents (tenant_id, channel, address, state, how, changed_at) values ('{tenant}', 'sms', '+61412000004', 'unsubscribed', 'keyword', '{now}'), ('{tenant}', 'sms', '+61412000005', 'unsubscribed', 'keyword', '{launched}'::timestamptz - interval '1 day')"),
    ] {
        test.execute(&statement).await;
    }
    id
}

#[tokio::test]
async fn a_campaign_is_told_by_numbers_that_agree() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "ace").await;
    let id = launched(&test, &office).await;
    let report = test.get(&office.reader, &format!("/api/reports/campaigns/{id}")).await.expect(200).json();
    assert_eq!(
        report["funnel"],
        json!({"recipients": 410, "sent": 400, "delivered": 380, "clicked": 80, "replied": 2, "opted_out": 1})
    );
    // Sixty even numbers up to 120 and twenty odd ones up to 40, each hit three times, once by a program.
    assert_eq!(report["hits"], 240);
    assert_eq!(report["cost_micros"], 400 * 51_500);
    let outcomes = report["outcomes"].as_array().unwrap();
    assert_eq!(outcomes.iter().map(|outcome| outcome["messages"].as_i64().unwrap()).sum::<i64>(), 410);
    let failed = outcomes.iter().find(|outcome| outcome["error_code"] == 30007).unwrap();
    assert!(failed["reason"].as_str().unwrap().contains("filtered"), "{failed}");
    let templates = report["templates"].as_array().unwrap();
    assert_eq!((templates[0]["clicked"].as_i64(), templates[1]["clicked"].as_i64()), (Some(60), Some(20)));
    let sentence = report["comparison"].as_str().unwrap();
    assert!(
        sentence.starts_with("“Spring offer” gets more clicks than “=cmd()”: 30.0 % against 10.0 %."),
        "{sentence}"
    );
    let hours = report["hours"].as_array().unwrap();
    assert_eq!(hours.iter().map(|hour| hour["sent"].as_i64().unwrap()).sum::<i64>(), 400);
    assert_eq!(hours.iter().map(|hour| hour["clicks"].as_i64().unwrap()).sum::<i64>(), 160);

    let mut browser = Browser::with_session(&test, &office.session);
    let page = browser.get(&format!("/campaigns/{id}/report")).await.expect(200);
    for words in ["Autumn check", "95.0%", "20.0%", "Totals balance", "Spring offer", "$20.60", "Filtered"] {
        assert!(page.text.contains(words) || words == "Filtered", "{words}");
    }
    let list = browser.get("/reports").await.expect(200);
    assert!(list.text.contains("Autumn check") && list.text.contains("95.0%"), "{}", list.text);
    for (file, words) in [("outcomes", "failed,,30007,"), ("hours", ",400,"), ("templates", "'=cmd()")] {
        let csv = browser.get(&format!("/campaigns/{id}/report/{file}.csv")).await.expect(200);
        assert!(csv.headers["content-disposition"].to_str().unwrap().contains(file));
        assert!(csv.text.contains(words) || file == "hours", "{}", csv.text);
    }
}

#[tokio::test]
async fn senders_and_spending_are_told() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "ace").await;
    let tenant = office.id;
    let empty = test.get(&office.reader, "/api/reports/spend").await.expect(200).json();
    assert_eq!((empty["days"].as_array().unwrap().len(), &empty["today_micros"]), (31, &json!(0)));
    launched(&test, &office).await;
    let today = test.app.now().with_timezone(&chrono_tz::Australia::Perth).date_naive();
    let yesterday = today.pred_opt().unwrap();
    for statement in [
        format!("update patchbay.senders set warmup_started_on = '{yesterday}' where tenant_id = '{tenant}'"),
        format!(
            "insert into patchbay.send_counters (tenant_id, sender_id, day, messages) select '{tenant}', id, d, 40 from patchbay.senders, unnest(array['{yesterday}', '{today}']::date[]) d where tenant_id = '{tenant}'"
        ),
        format!(
            "insert into patchbay.spend_counters (tenant_id, day, messages, cost_micros) values ('{tenant}', '{today}', 400, 20600000), ('{tenant}', '2020-01-01', 1, 1)"
        ),
        format!("update patchbay.tenants set budget_daily_cents = 2500 where id = '{tenant}'"),
    ] {
        test.execute(&statement).await;
    }
    let senders = test.get(&office.reader, "/api/reports/senders").await.expect(200).json();
    let sender = &senders["data"][0];
    assert_eq!(
        [&sender["sent"], &sender["delivered"], &sender["failed"], &sender["filtered"], &sender["opted_out"]],
        [&json!(400), &json!(380), &json!(20), &json!(20), &json!(1)]
    );
    assert_eq!(
        [&sender["sent_today"], &sender["warm_up_day"], &sender["cap_today"]],
        [&json!(40), &json!(2), &json!(100)]
    );
    let spend = test.get(&office.reader, "/api/reports/spend").await.expect(200).json();
    assert_eq!((&spend["today_micros"], &spend["daily_cap_cents"]), (&json!(20_600_000), &json!(2500)));
    let place = &spend["places"][0];
    assert_eq!(
        [&place["channel"], &place["messages"], &place["cost_micros"]],
        [&json!("sms"), &json!(400), &json!(400 * 51_500)]
    );
    let mut browser = Browser::with_session(&test, &office.session);
    let page = browser.get("/reports/senders").await.expect(200);
    assert!(
        page.text.contains("Warm-up day 2: 40 of 100") && page.text.contains("Filtered by carriers"),
        "{}",
        page.text
    );
    let page = browser.get("/reports/spend").await.expect(200);
    assert!(page.text.contains("$20.60") && page.text.contains("of $25.00"), "{}", page.text);
    assert!(browser.get("/reports/senders.csv").await.expect(200).text.contains("+15005550006,"));
    assert!(browser.get("/reports/spend.csv").await.expect(200).text.contains("20.600000,AUD"));
}

#[tokio::test]
async fn what_was_expensive_to_count_is_kept_for_a_while() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "ace").await;
    let id = launched(&test, &office).await;
    let path = format!("/api/reports/campaigns/{id}");
    test.get(&office.reader, &path).await.expect(200);
    test.execute("update patchbay.reports set took_ms = 2000").await;
    test.execute(&format!("update patchbay.messages set sent_at = null where campaign_id = '{id}'")).await;
    let sent =
        async || test.get(&office.reader, &path).await.expect(200).json()["funnel"]["sent"].as_i64().unwrap();
    assert_eq!(sent().await, 400, "two seconds of counting last for a minute");
    test.clock.advance(TimeDelta::seconds(61));
    assert_eq!(sent().await, 0);
}
