//! A small business whose contacts differ in everything that can be asked about.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::naive::Person;
use crate::tests::{Office, TestApp};

pub const STAGES: [&str; 3] = ["New", "Quoted", "Won"];
pub const LABELS: [&str; 3] = ["VIP", "Solar", "Do later"];
pub const CAMPAIGNS: [&str; 2] = ["Spring offer", "Autumn check"];

/// The contacts of `office`, in the order of their ids.
pub async fn people(test: &TestApp, office: &Office) -> Vec<(Uuid, Person)> {
    define(test, office).await;
    let now = test.app.now();
    let mut people = Vec::new();
    let mut rows = Vec::new();
    for n in 0..72_usize {
        let (id, person) = (test.id(), person(n, office, now));
        rows.push(row(id, &person));
        people.push((id, person));
    }
    insert(test, office, &Value::Array(rows)).await;
    people
}

async fn define(test: &TestApp, office: &Office) {
    let tenant = office.id;
    for statement in [
        format!("insert into patchbay.labels (tenant_id, name) select '{tenant}', unnest(array['VIP', 'Solar', 'Do later'])"),
        format!(
            "insert into patchbay.custom_fields (tenant_id, key, label, type, options) values
             ('{tenant}', 'roof_area', 'Roof', 'number', '[]'), ('{tenant}', 'signed_on', 'Signed', 'date', '[]'),
             ('{tenant}', 'heat_pump', 'Heat pump', 'boolean', '[]'), ('{tenant}', 'suburb', 'Suburb', 'text', '[]'),
             ('{tenant}', 'plan', 'Plan', 'select', '[\"Basic\", \"Extra\"]')"
        ),
        format!(
            "insert into patchbay.campaigns (tenant_id, name, channel, status, launched_at, finished_at)
             select '{tenant}', unnest(array['Spring offer', 'Autumn check']), 'sms', 'finished', now(), now()"
        ),
    ] {
        test.execute(&statement).await;
    }
}

/// Contact number `n`: every list of values has another length, so that they meet in many combinations.
fn person(n: usize, office: &Office, now: DateTime<Utc>) -> Person {
    let pick = |list: &[Value]| list[n % list.len()].clone();
    let ago =
        |hours: usize| Value::from((now - TimeDelta::hours(i64::try_from(hours).unwrap())).to_rfc3339());
    let none = Value::Null;
    let fields = json!({
        "status": pick(&["lead".into(), "active".into(), "inactive".into()]),
        "stage": pick(&["New".into(), "Quoted".into(), none.clone(), "Won".into(), "New".into()]),
        "source": pick(&["Web form".into(), none.clone(), "Referral".into(), "web form".into()]),
        "owner": pick(&[none.clone(), office.owner_id.to_string().into()]),
        "first_name": pick(&["Dana".into(), "dana".into(), "Lucía".into(), "Øyvind".into(), none.clone(), "100%_sure".into(), "Dan\"a".into()]),
        "last_name": pick(&["Whitfield".into(), "O'Brien".into(), "Ng".into(), none.clone(), "Fernández".into()]),
        "email": if n % 4 == 1 { none.clone() } else { format!("p{n}@{}", ["example.com", "example.org"][n % 2]).into() },
        "phone": if n % 6 == 2 { none.clone() } else { format!("+614915700{n:02}").into() },
        "country": pick(&["AU".into(), "NZ".into(), none.clone()]),
        "state": pick(&["WA".into(), none.clone(), "wa".into(), "NSW".into(), "VIC".into()]),
        "timezone": pick(&["Australia/Perth".into(), none.clone()]),
        "consent.sms": pick(&["subscribed".into(), "unsubscribed".into(), "unknown".into(), "subscribed".into()]),
        "consent.sms.ends_at": if n.is_multiple_of(4) && n % 6 != 2 { (now + TimeDelta::hours(300 - 19 * i64::try_from(n).unwrap())).to_rfc3339().into() } else { none.clone() },
        "consent.whatsapp": pick(&["unknown".into(), "subscribed".into(), "unknown".into()]),
        "consent.email": pick(&["unsubscribed".into(), "unknown".into()]),
        "created_at": ago(n * 37), "updated_at": ago(n * 11),
        "last_contacted_at": if n.is_multiple_of(3) { none.clone() } else { ago(n * 23) },
        "last_replied_at": if n.is_multiple_of(5) { ago(n * 7) } else { none.clone() },
        "do_not_contact": n % 9 == 4 && n % 6 != 2,
        "properties.roof_area": pick(&[120.into(), json!(99.5), none.clone(), 0.into()]),
        "properties.signed_on": pick(&[none.clone(), "2026-03-14".into(), "2025-12-31".into(), "2026-03-15".into(), none.clone()]),
        "properties.heat_pump": pick(&[true.into(), false.into(), none.clone(), none.clone(), none.clone()]),
        "properties.suburb": pick(&["Fremantle".into(), "fremantle".into(), none.clone(), "North, \"Perth\"".into()]),
        "properties.plan": pick(&["Basic".into(), none.clone(), "Extra".into()]),
        "properties.loose": pick(&[12.into(), "12".into(), none.clone(), "twelve".into(), true.into(), "2026-03-14".into()]),
    });
    let Value::Object(fields) = fields else { unreachable!() };
    Person {
        fields: fields.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        labels: LABELS
            .into_iter()
            .enumerate()
            .filter(|(at, _)| n.is_multiple_of(at + 2))
            .map(|(_, label)| label)
            .collect(),
        quotes: [("sent", 10_000), ("accepted", 250_000), ("expired", 99)]
            .into_iter()
            .enumerate()
            .filter(|(at, _)| n % (at + 3) == 1)
            .map(|(_, quote)| quote)
            .collect(),
        clicks: (0..n % 3).map(|k| now - TimeDelta::hours(i64::try_from(n * (k + 5)).unwrap())).collect(),
        campaigns: CAMPAIGNS
            .into_iter()
            .enumerate()
            .filter(|(at, _)| n % (at + 2) == 1)
            .map(|(_, name)| (name, n % 4 == 1))
            .collect(),
    }
}

fn row(id: Uuid, person: &Person) -> Value {
    let mut properties = Map::new();
    let mut row = json!({ "id": id, "labels": person.labels, "quotes": person.quotes, "clicks": person.clicks, "campaigns": person.campaigns });
    for (name, value) in &person.fields {
        match name.strip_prefix("properties.") {
            Some(key) => properties.insert(key.to_owned(), value.clone()),
            None => row.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    row["properties"] = Value::Object(properties);
    row
}

async fn insert(test: &TestApp, office: &Office, rows: &Value) {
    let mut sql = test.sql().await;
    for statement in [
        r#"insert into patchbay.contacts (tenant_id, id, status, stage_id, source, owner_id, first_name, last_name, email, phone_e164, country, state,
             timezone, created_at, updated_at, last_contacted_at, last_replied_at, properties)
           select $1, (r ->> 'id')::uuid, r ->> 'status', s.id, r ->> 'source', (r ->> 'owner')::uuid, r ->> 'first_name', r ->> 'last_name',
             r ->> 'email', r ->> 'phone', r ->> 'country', r ->> 'state', r ->> 'timezone', (r ->> 'created_at')::timestamptz, (r ->> 'updated_at')::timestamptz, (r ->> 'last_contacted_at')::timestamptz,
             (r ->> 'last_replied_at')::timestamptz, r -> 'properties'
           from jsonb_array_elements($2) r left join patchbay.stages s on s.tenant_id = $1 and s.name = r ->> 'stage'"#,
        "update patchbay.contacts c set consent_sms = r ->> 'consent.sms', consent_whatsapp = r ->> 'consent.whatsapp', consent_email = r ->> 'consent.email'
         from jsonb_array_elements($2) r where c.tenant_id = $1 and c.id = (r ->> 'id')::uuid",
        "insert into patchbay.consents (tenant_id, channel, address, state, how, basis, expires_at)
         select $1, 'sms', r ->> 'phone', 'subscribed', 'form', 'enquiry', (r ->> 'consent.sms.ends_at')::timestamptz
         from jsonb_array_elements($2) r where r ? 'consent.sms.ends_at'",
        "insert into patchbay.contact_labels (tenant_id, contact_id, label_id) select $1, (r ->> 'id')::uuid, l.id
         from jsonb_array_elements($2) r, jsonb_array_elements_text(r -> 'labels') w join patchbay.labels l on l.tenant_id = $1 and l.name = w",
        "insert into patchbay.quotes (tenant_id, contact_id, status, total_cents, currency, held) select $1, (r ->> 'id')::uuid, q ->> 0, (q ->> 1)::bigint, 'AUD', true
         from jsonb_array_elements($2) r, jsonb_array_elements(r -> 'quotes') q",
        "insert into patchbay.do_not_contact (tenant_id, phone_e164, reason) select $1, r ->> 'phone', 'asked'
         from jsonb_array_elements($2) r where (r ->> 'do_not_contact')::boolean",
        "insert into patchbay.campaign_recipients (tenant_id, campaign_id, position, contact_id)
         select $1, k.id, row_number() over (), (r ->> 'id')::uuid
         from jsonb_array_elements($2) r, jsonb_array_elements(r -> 'campaigns') w join patchbay.campaigns k on k.tenant_id = $1 and k.name = w ->> 0",
        "insert into patchbay.messages (tenant_id, contact_id, campaign_id, direction, channel, kind, status, dedupe_key, to_address, body, gate)
         select $1, (r ->> 'id')::uuid, k.id, 'outbound', 'sms', 'campaign', case when (w ->> 1)::boolean then 'delivered' else 'blocked' end,
           k.id || ':' || (r ->> 'id'), '+61491570006', 'x', case when not (w ->> 1)::boolean then 'budget' end
         from jsonb_array_elements($2) r, jsonb_array_elements(r -> 'campaigns') w join patchbay.campaigns k on k.tenant_id = $1 and k.name = w ->> 0",
        "insert into patchbay.short_links (tenant_id, id, token, kind, contact_id, message_id, expires_at)
         select $1, (r ->> 'id')::uuid, r ->> 'id', 'opt_out', (r ->> 'id')::uuid, $1, now() from jsonb_array_elements($2) r",
        // A program looked at everybody's link just now.
        "insert into patchbay.link_clicks (tenant_id, short_link_id, contact_id, message_id, at, method, is_bot)
         select $1, (r ->> 'id')::uuid, (r ->> 'id')::uuid, $1, (k #>> '{}')::timestamptz, 'GET', false
         from jsonb_array_elements($2) r, jsonb_array_elements(r -> 'clicks') k
         union all select $1, (r ->> 'id')::uuid, (r ->> 'id')::uuid, $1, now(), 'GET', true from jsonb_array_elements($2) r",
    ] {
        sqlx::query(statement).bind(office.id).bind(rows).execute(&mut sql).await.expect(statement);
    }
}
