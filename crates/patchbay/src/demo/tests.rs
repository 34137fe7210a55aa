//! The demo holds together: it fits the schema, is written once, and says nothing to anybody by itself.

use crate::tests::TestApp;

#[tokio::test]
async fn it_is_written_once_and_nothing_leaves_by_itself() {
    let t = TestApp::new().await;
    assert_eq!(super::seed(&t.app).await.unwrap(), super::OWNER);
    let count = async |table: &str| t.scalar(&format!("select count(*) from patchbay.{table}")).await;
    assert_eq!(count("tenants").await, 2);
    assert!(count("contacts").await >= 40);
    assert!(count("quotes").await >= 20);
    let messages = count("messages").await;
    assert!(messages > 200, "{messages}");
    super::seed(&t.app).await.unwrap();
    assert_eq!(count("messages").await, messages);
    let waiting = t.scalar("select count(*) from patchbay.messages where status = 'queued'").await;
    let of_campaigns = t.scalar("select count(*) from patchbay.messages where status = 'queued' and campaign_id is not null and send_after > now() + interval '30 minutes'").await;
    assert!(of_campaigns > 2, "{of_campaigns}");
    assert_eq!(waiting, 1 + of_campaigns);
    t.settle().await;
    assert_eq!(
        t.scalar("select count(*) from patchbay.messages where created_at >= now() - interval '1 minute'")
            .await,
        0
    );
    assert_eq!(t.scalar("select count(*) from patchbay.messages where status = 'queued'").await, waiting);
    let states = "select string_agg(name || ': ' || status, ', ' order by id) from patchbay.campaigns";
    let before = "Winter check-up: finished, Gas safety week: paused, Welcome, newcomers: running, Quotes that wait for an answer: draft";
    assert_eq!(t.text(states).await, before);
    // In a few days, none of them a Sunday everywhere, the one under way has gone, and nothing else has moved.
    for _ in 0..72 {
        t.clock.advance(chrono::TimeDelta::hours(1));
        t.settle().await;
    }
    assert_eq!(t.text(states).await, before.replace("running", "finished"));
    assert_eq!(
        t.scalar("select count(*) from patchbay.outbox where processed_at is null or parked_at is not null")
            .await,
        0
    );
}

#[tokio::test]
async fn it_agrees_with_itself() {
    let t = TestApp::new().await;
    super::seed(&t.app).await.unwrap();
    for (what, query) in [
        (
            "every number is fiction",
            "select count(*) from patchbay.contacts where phone_e164 !~ '^\\+1[2-9]\\d\\d55501\\d\\d$' and phone_e164 !~ '^\\+61491570(006|110|15[6-9])$'",
        ),
        (
            "ids are ordered by time",
            "select count(*) from (select created_at < lag(created_at) over (order by id) - interval '1 second' as wrong from patchbay.messages) m where wrong",
        ),
        (
            "totals are the sum of their lines and tax",
            "select count(*) from patchbay.quotes q where total_cents <> tax_cents + (select sum(round((i->>'quantity')::numeric * (i->>'unit_cents')::numeric)) from jsonb_array_elements(items) i)",
        ),
        (
            "consent is what it says",
            "select count(*) from patchbay.contacts c join patchbay.consents k on k.tenant_id = c.tenant_id and k.address = c.phone_e164 and k.channel = 'sms' where k.state <> c.consent_sms",
        ),
        (
            "conversations end with their last message",
            "select count(*) from patchbay.conversations v where last_message_at <> (select max(created_at) from patchbay.messages m where m.tenant_id = v.tenant_id and m.contact_id = v.contact_id and m.status <> 'queued' and m.kind not in ('consent_confirmation', 'campaign'))",
        ),
        (
            "whatever was sent cost something, and counters say how much",
            "select count(*) from (select tenant_id, (select sum(s.cost_micros) from patchbay.spend_counters s where s.tenant_id = m.tenant_id) as spent,
               sum(cost_micros) as cost, min(cost_micros) filter (where channel = 'sms') as least from patchbay.messages m where sent_at is not null group by 1) x
             where spent <> cost or least <= 0",
        ),
        (
            "campaigns have their reports",
            "select count(*) from patchbay.campaigns c where launched_at is not null
               and not exists (select from patchbay.reports r where r.tenant_id = c.tenant_id and r.subject = c.id::text)",
        ),
        (
            "the log is ordered by time, and not empty",
            "select count(*) + (select 30 - least(30, count(*)) from patchbay.audit_log)
               from (select at < lag(at) over (order by id) - interval '1 second' as wrong from patchbay.audit_log) l where wrong",
        ),
        (
            "nothing lies in the future",
            "select count(*) from patchbay.messages where created_at > now() or sent_at > now() + interval '5 seconds'",
        ),
        (
            "quotes are for contacts who were there",
            "select count(*) from patchbay.quotes q join patchbay.contacts c on c.tenant_id = q.tenant_id and c.id = q.contact_id where q.created_at < c.created_at",
        ),
        (
            "nobody speaks before being known",
            "select count(*) from patchbay.messages m join patchbay.contacts c on c.tenant_id = m.tenant_id and c.id = m.contact_id where m.created_at < c.created_at - interval '1 minute'",
        ),
    ] {
        assert_eq!(t.scalar(query).await, 0, "{what}");
    }
}
