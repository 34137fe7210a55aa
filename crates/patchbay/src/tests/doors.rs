//! The doors in the wall between tenants: functions that run as the owner. Each is found in the catalogue and opened by
//! one tenant with everything that another has: its ids, its numbers, its words. Nothing of the other's comes back or
//! changes, and the answer, errors included, is the one that invented ids and words of the same kind get.
//!
//! A new door is attacked without a word here, as long as its arguments are of kinds that are known.

use sqlx::{AssertSqlSafe, Row};
use uuid::Uuid;

use super::{
    Office, TestApp,
    isolation::{MARK, everything, furnish, ids_of},
};

/// What the other tenant writes to; a contact of the attacker has it too.
const PHONE: &str = "+61412000111";

struct Door {
    /// `patchbay.find_quotes(text[], …)`
    name: String,
    call: String,
    /// The types of its arguments.
    takes: Vec<String>,
    tenants_may: bool,
    is_trigger: bool,
    source: String,
    settings: String,
}

async fn doors(test: &TestApp) -> Vec<Door> {
    let query = "select p.oid::regprocedure::text as name, n.nspname || '.' || p.proname as call,
          array(select format_type(t, null) from unnest(p.proargtypes) with ordinality a (t, nth) order by nth) as takes,
          has_function_privilege('patchbay_tenant', p.oid, 'execute') as tenants_may, p.prorettype = 'trigger'::regtype as is_trigger,
          pg_get_functiondef(p.oid) as source, coalesce(array_to_string(p.proconfig, ','), '') as settings
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname in ('patchbay', 'api') and p.prosecdef order by 1";
    let rows = sqlx::query(query).fetch_all(&mut test.sql().await).await.unwrap();
    rows.iter()
        .map(|row| Door {
            name: row.get("name"),
            call: row.get("call"),
            takes: row.get("takes"),
            tenants_may: row.get("tenants_may"),
            is_trigger: row.get("is_trigger"),
            source: row.get("source"),
            settings: row.get("settings"),
        })
        .collect()
}

/// What an attacker knows of the other, or makes up.
struct Loot {
    ids: Vec<String>,
    words: Vec<String>,
}

impl Loot {
    /// The same number of things of the same kinds and, as far as ids go, of the same age, of which there are none.
    fn invented(&self) -> Self {
        let ids = self.ids.iter().map(|id| {
            let mut bytes = *id.parse::<Uuid>().unwrap().as_bytes();
            bytes[15] ^= 0x5a;
            Uuid::from_bytes(bytes).to_string()
        });
        let words = self.words.iter().map(|word| {
            word.chars()
                .map(|letter| match letter {
                    '0'..='8' => char::from(letter as u8 + 1),
                    'a'..='y' => char::from(letter as u8 + 1),
                    other => other,
                })
                .collect()
        });
        Self { ids: ids.collect(), words: words.collect() }
    }

    /// All arguments of a kind, as PostgreSQL reads them.
    fn arguments(&self, door: &Door, kind: &str) -> Vec<Option<String>> {
        let list = |of: &[String]| {
            Some(format!("{{{}}}", of.iter().map(|one| format!("\"{one}\"")).collect::<Vec<_>>().join(",")))
        };
        let each = |of: &[String]| of.iter().cloned().map(Some).chain([None]).collect();
        match kind {
            "uuid" => each(&self.ids),
            "text" => each(&self.words),
            // One by one, and all together.
            "uuid[]" => {
                self.ids.iter().map(|id| list(std::slice::from_ref(id))).chain([list(&self.ids)]).collect()
            }
            "text[]" => self
                .words
                .iter()
                .map(|word| list(std::slice::from_ref(word)))
                .chain([list(&self.words)])
                .collect(),
            "integer" | "bigint" => vec![Some("1000".to_owned())],
            "boolean" => vec![Some("true".to_owned()), Some("false".to_owned())],
            other => panic!("{} takes {other}: say here what an attacker would try", door.name),
        }
    }
}

/// Calls as they are written, each argument in turn through all it can be while the others are at their first.
fn calls(door: &Door, loot: &Loot) -> Vec<Vec<Option<String>>> {
    let all: Vec<_> = door.takes.iter().map(|kind| loot.arguments(door, kind)).collect();
    let first: Vec<Option<String>> = all.iter().map(|values| values[0].clone()).collect();
    // Optional filters left out, so that they do not hide what the others would find.
    let open: Vec<Option<String>> = all.iter().map(|values| values[values.len() - 1].clone()).collect();
    let mut calls = vec![first.clone(), open.clone()];
    for (place, values) in all.iter().enumerate() {
        for value in values {
            for rest in [&first, &open] {
                let mut call = rest.clone();
                call[place].clone_from(value);
                calls.push(call);
            }
        }
    }
    calls
}

/// What a tenant is answered: rows, or the error's code and words.
async fn open(
    test: &TestApp,
    tenant: Uuid,
    door: &Door,
    values: &[Option<String>],
) -> Result<String, String> {
    let places: Vec<String> =
        door.takes.iter().enumerate().map(|(nth, kind)| format!("${}::text::{kind}", nth + 1)).collect();
    let answer = format!(
        "select coalesce(jsonb_agg(to_jsonb(answer)), '[]')::text from {}({}) answer",
        door.call,
        places.join(", ")
    );
    let mut tx = test.app.db.tenant(tenant).await.unwrap();
    let mut query = sqlx::query_scalar::<_, String>(AssertSqlSafe(answer));
    for value in values {
        query = query.bind(value);
    }
    match query.fetch_one(tx.conn()).await {
        Ok(said) => {
            tx.commit().await.unwrap();
            Ok(said)
        }
        Err(error) => {
            let error = error.into_database_error().expect("an answer of the database");
            Err(format!("{}: {}", error.code().unwrap_or_default(), error.message()))
        }
    }
}

/// Everything of a tenant's, what it shares with nobody but the system, and the people behind it.
async fn belongings(test: &TestApp, tenant: Uuid) -> Vec<(String, String)> {
    let mut all: Vec<_> = everything(test, tenant).await.into_iter().collect();
    for (name, query) in [
        (
            "people",
            "select string_agg(p::text, E'\\n' order by p.id) from patchbay.people p where id in (select person_id from patchbay.contacts where tenant_id = $1)",
        ),
        (
            "person_phones",
            "select string_agg(p::text, E'\\n' order by p::text) from patchbay.person_phones p where person_id in (select person_id from patchbay.contacts where tenant_id = $1)",
        ),
    ] {
        let rows: Option<String> =
            sqlx::query_scalar(query).bind(tenant).fetch_one(&mut test.sql().await).await.unwrap();
        all.push((name.to_owned(), rows.unwrap_or_default()));
    }
    all
}

#[tokio::test]
async fn every_door_is_for_ones_own() {
    let test = TestApp::new().await;
    let (ace, bee) = (Office::open(&test, "ace").await, Office::open(&test, "bee").await);
    furnish(&test, &bee).await;
    for office in [&ace, &bee] {
        let (tenant, sid) = (office.id, office.id.simple());
        test.execute(&format!("insert into patchbay.webhook_events (provider, provider_event_id, tenant_id, kind, payload) values ('twilio', '{sid}', '{tenant}', 'inbound', '{{\"From\": \"{PHONE}\"}}')")).await;
    }
    test.execute(&format!("update patchbay.quotes set held = false where tenant_id = '{}'", bee.id)).await;
    // One person behind a contact of each.
    let same = ace.contact(&test, "Maya", Some(PHONE)).await;
    test.execute(&format!("with known as (select patchbay.resolve_person('{PHONE}', null, 'Maya', null) as id) update patchbay.contacts set person_id = known.id from known where phone_e164 = '{PHONE}'")).await;
    let words = [MARK, PHONE, "+61412000222", "zebrafinch@example.com", "sent", "draft", "1001"];
    // Those of the outbox are numbers, which say nothing.
    let ids = ids_of(&test, bee.id).await.into_iter().filter(|id| id.parse::<Uuid>().is_ok()).collect();
    let loot = Loot { ids, words: words.map(str::to_owned).to_vec() };
    let invented = loot.invented();
    let before = belongings(&test, bee.id).await;
    assert!(before.iter().all(|(name, rows)| !rows.is_empty() || !name.starts_with("person")), "{before:?}");
    let doors = doors(&test).await;
    assert!(doors.iter().filter(|door| door.tenants_may && !door.is_trigger).count() >= 5);
    for door in doors.iter().filter(|door| !door.is_trigger) {
        let mut opened = 0;
        for (call, alike) in calls(door, &loot).iter().zip(calls(door, &invented)) {
            let (said, otherwise) =
                (open(&test, ace.id, door, call).await, open(&test, ace.id, door, &alike).await);
            let name = format!("{} with {call:?}", door.name);
            if !door.tenants_may {
                assert!(said.as_ref().is_err_and(|error| error.starts_with("42501")), "{name}: {said:?}");
                continue;
            }
            opened += usize::from(said.is_ok());
            let told = format!("{said:?}");
            assert!(!told.contains(MARK), "{name} tells {told}");
            assert!(loot.ids.iter().all(|id| !told.contains(id)), "{name} tells {told}");
            assert_eq!(
                said.map_err(|e| e[..5].to_owned()),
                otherwise.map_err(|e| e[..5].to_owned()),
                "{name}: one may learn that it exists"
            );
        }
        assert!(opened > 0 || !door.tenants_may, "{} refuses whatever it is asked", door.name);
    }
    // What is one's own may be let go, and the other keeps it.
    let mut tx = test.app.db.tenant(ace.id).await.unwrap();
    sqlx::query("select patchbay.forget_people($1)").bind(vec![same]).execute(tx.conn()).await.unwrap();
    tx.commit().await.unwrap();
    for ((name, rows), (_, after)) in before.iter().zip(belongings(&test, bee.id).await) {
        assert_eq!(*rows, after, "{name} of the other tenant changed");
    }
}

/// What the attack cannot see: each door asks for whom it runs, and none takes its names from the caller's search path.
#[tokio::test]
async fn every_door_names_the_tenant() {
    let test = TestApp::new().await;
    for door in doors(&test).await {
        let name = &door.name;
        assert!(
            door.settings.contains("search_path="),
            "{name} runs as the owner with the caller's search path"
        );
        let asks = door.is_trigger || !door.tenants_may || door.source.contains("current_tenant()");
        assert!(asks, "{name} does not ask for whom it runs");
    }
}
