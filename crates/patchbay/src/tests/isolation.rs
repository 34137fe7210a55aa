//! Tenants cannot see each other: every table of the catalogue and every route of the router is attacked with another
//! tenant's ids, so that a new one cannot be forgotten.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Row};
use uuid::Uuid;

use super::{Browser, Office, TestApp};
use crate::web::routes::Access;

/// Stands in every text of the other tenant; no answer may hold it.
pub(super) const MARK: &str = "zebrafinch";

/// Tables of `patchbay` with a column `tenant_id`.
async fn tenant_tables(test: &TestApp) -> Vec<String> {
    let query = "select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'patchbay' and c.relkind in ('r', 'p') and not c.relispartition
          and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped) order by 1";
    sqlx::query_scalar(query).fetch_all(&mut test.sql().await).await.unwrap()
}

/// What `patchbay_tenant` may do with a table, on any column.
async fn may(test: &TestApp, table: &str, right: &str) -> bool {
    let query = format!("select has_any_column_privilege('patchbay_tenant', 'patchbay.{table}', '{right}')");
    sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(&mut test.sql().await).await.unwrap()
}

async fn may_anything(test: &TestApp, table: &str) -> bool {
    may(test, table, "select").await || may(test, table, "insert").await || may(test, table, "update").await
}

#[tokio::test]
async fn every_tenant_table_has_the_one_policy() {
    let test = TestApp::new().await;
    let tables = tenant_tables(&test).await;
    assert!(tables.len() > 25, "the catalogue was read: {tables:?}");
    let mut sql = test.sql().await;
    for table in &tables {
        if !may_anything(&test, table).await {
            continue; // for the system role alone
        }
        let query = "select c.relrowsecurity, p.polname::text, p.polpermissive, p.polcmd::text,
              pg_get_expr(p.polqual, p.polrelid) as reading, pg_get_expr(p.polwithcheck, p.polrelid) as writing,
              (select array_agg(rolname::text) from pg_roles where oid = any (p.polroles)) as roles,
              pg_has_role('patchbay_tenant', c.relowner, 'member') as owns
            from pg_class c left join pg_policy p on p.polrelid = c.oid where c.oid = ('patchbay.' || $1)::regclass";
        let policies = sqlx::query(query).bind(table).fetch_all(&mut sql).await.unwrap();
        assert_eq!(policies.len(), 1, "{table} has one policy");
        let policy = &policies[0];
        assert!(policy.get::<bool, _>(0), "{table} has row-level security");
        assert_eq!(policy.get::<Option<bool>, _>(2), Some(true), "{table}");
        assert_eq!(policy.get::<Option<String>, _>(3).as_deref(), Some("*"), "{table}: for every command");
        for side in [4, 5] {
            let expression = policy.get::<Option<String>, _>(side).unwrap_or_default();
            // The schema's name is left out where it is on the search path.
            assert_eq!(expression.replace("patchbay.", ""), "(tenant_id = current_tenant())", "{table}");
        }
        assert_eq!(
            policy.get::<Option<Vec<String>>, _>(6).unwrap_or_default(),
            ["patchbay_tenant"],
            "{table}"
        );
        assert!(!policy.get::<bool, _>(7), "{table}: an owner is not bound");
    }
}

#[tokio::test]
async fn global_tables_and_views_are_out_of_reach() {
    let test = TestApp::new().await;
    let query = "select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'patchbay' and c.relkind in ('r', 'p', 'v', 'm')
          and not exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped)";
    let tables: Vec<String> = sqlx::query_scalar(query).fetch_all(&mut test.sql().await).await.unwrap();
    for table in tables.iter().filter(|table| *table != "tenants") {
        let harmless =
            table == "dialing" && !may(&test, table, "update").await && !may(&test, table, "insert").await;
        assert!(
            harmless || !may_anything(&test, table).await,
            "{table} has no tenant, but tenants may use it"
        );
    }
    for privilege in ["usage", "create"] {
        let query = format!("select has_schema_privilege('patchbay_tenant', 'api', '{privilege}')::int");
        assert_eq!(test.scalar(&query).await, 0);
    }
    let query = "select rolsuper or rolbypassrls or rolcreaterole or rolcreatedb from pg_roles where rolname = 'patchbay_tenant'";
    assert!(!sqlx::query_scalar::<_, bool>(query).fetch_one(&mut test.sql().await).await.unwrap());
}

/// One row of a tenant in every table that plain SQL can fill, all of them marked.
pub(super) async fn furnish(test: &TestApp, office: &Office) {
    let contact = office.contact(test, MARK, Some("+61412000111")).await;
    let tenant = office.id;
    let person = test.id();
    for statement in [
        format!(
            "insert into patchbay.users (id, email, name) values ('{person}', '{MARK}@example.com', '{MARK}')"
        ),
        format!(
            "insert into patchbay.memberships (tenant_id, user_id, role) values ('{tenant}', '{person}', 'member')"
        ),
        format!(
            "insert into patchbay.invitations (tenant_id, email, role, expires_at) values ('{tenant}', '{MARK}2@example.com', 'viewer', now() + interval '1 day')"
        ),
        format!(
            "insert into patchbay.idempotency_keys (tenant_id, key, route, request_hash, created_at) values ('{tenant}', '{MARK}', 'x', 'x', now())"
        ),
        format!(
            "insert into patchbay.audit_log (tenant_id, actor_kind, actor_label, action, entity_type) values ('{tenant}', 'system', '{MARK}', 'x.y', 'x')"
        ),
        format!(
            "insert into patchbay.custom_fields (tenant_id, key, label, type) values ('{tenant}', '{MARK}', '{MARK}', 'text')"
        ),
        format!(
            "insert into patchbay.segments (tenant_id, name, filter) values ('{tenant}', '{MARK}', '{{\"all\": []}}')"
        ),
        format!("insert into patchbay.labels (tenant_id, name) values ('{tenant}', '{MARK}')"),
        format!(
            "insert into patchbay.contact_labels (tenant_id, contact_id, label_id) select tenant_id, '{contact}', id from patchbay.labels where tenant_id = '{tenant}'"
        ),
        format!(
            "insert into patchbay.notes (tenant_id, contact_id, author_label, body) values ('{tenant}', '{contact}', '{MARK}', '{MARK}')"
        ),
        format!(
            "insert into patchbay.activities (tenant_id, contact_id, kind, actor_label) values ('{tenant}', '{contact}', 'x', '{MARK}')"
        ),
        format!(
            "insert into patchbay.contact_merges (tenant_id, kept_id, merged_id, before, moved, merged_by) values ('{tenant}', '{contact}', '{contact}', '{{}}', '{{}}', '{MARK}')"
        ),
        format!(
            "with other as (insert into patchbay.contacts (tenant_id, id, first_name) values ('{tenant}', '00000000-0000-7000-8000-000000000001', '{MARK}') returning id)
             insert into patchbay.distinct_contacts (tenant_id, first_id, second_id, said_by) select '{tenant}', id, '{contact}', '{MARK}' from other"
        ),
        format!(
            "insert into patchbay.bulk_changes (tenant_id, undo, changed_by) values ('{tenant}', '{{\"kind\": \"archived\", \"archived\": true, \"ids\": [\"{contact}\"]}}', '{MARK}')"
        ),
        format!(
            "insert into patchbay.consents (tenant_id, channel, address, state, how) values ('{tenant}', 'sms', '+61412000111', 'subscribed', '{MARK}')"
        ),
        format!(
            "insert into patchbay.consent_events (tenant_id, channel, address, state, how) values ('{tenant}', 'sms', '+61412000111', 'subscribed', '{MARK}')"
        ),
        format!(
            "insert into patchbay.do_not_contact (tenant_id, phone_e164, reason) values ('{tenant}', '+61412000222', '{MARK}')"
        ),
        format!(
            "insert into patchbay.provider_accounts (tenant_id, provider, account_sid) values ('{tenant}', 'twilio', 'AC{MARK}')"
        ),
        format!(
            "insert into patchbay.send_counters (tenant_id, sender_id, day, messages) select tenant_id, id, current_date, 1 from patchbay.senders where tenant_id = '{tenant}'"
        ),
        format!("insert into patchbay.spend_counters (tenant_id, day) values ('{tenant}', current_date)"),
        format!(
            "insert into patchbay.rate_buckets (tenant_id, key, tokens, refilled_at) values ('{tenant}', '{MARK}', 1, now())"
        ),
        format!(
            "insert into patchbay.templates (tenant_id, key, name, content) values ('{tenant}', '{MARK}', '{MARK}', '{MARK}')"
        ),
        format!(
            "insert into patchbay.messages (tenant_id, contact_id, direction, channel, kind, status, dedupe_key, from_address, to_address, body) values ('{tenant}', '{contact}', 'inbound', 'sms', 'inbound', 'received', '{MARK}', '+61412000111', '+15005550006', '{MARK}')"
        ),
        format!(
            "insert into patchbay.messages (tenant_id, contact_id, direction, channel, kind, status, dedupe_key, to_address, body, gate) values ('{tenant}', '{contact}', 'outbound', 'sms', 'manual', 'blocked', '{MARK}2', '+61412000111', '{MARK}', 'budget')"
        ),
        format!(
            "insert into patchbay.message_texts (tenant_id, message_id, contact_id, folded) select tenant_id, id, contact_id, body from patchbay.messages where tenant_id = '{tenant}' on conflict do nothing"
        ),
        format!(
            "insert into patchbay.message_events (tenant_id, message_id, event) select tenant_id, id, '{MARK}' from patchbay.messages where tenant_id = '{tenant}'"
        ),
        format!(
            "insert into patchbay.conversations (tenant_id, contact_id, unread, last_preview) values ('{tenant}', '{contact}', 1, '{MARK}') on conflict do nothing"
        ),
        format!(
            "insert into patchbay.quotes (tenant_id, contact_id, title, total_cents, currency, held) values ('{tenant}', '{contact}', '{MARK}', 100, 'AUD', true)"
        ),
        format!(
            "insert into patchbay.notification_rules (tenant_id, event_type, channel, target) values ('{tenant}', 'lead.created', 'email', '{MARK}@example.com')"
        ),
        format!(
            "insert into patchbay.notification_marks (tenant_id, rule_id, subject, event_id, spoke_at) select tenant_id, id, '{MARK}', 1, now() from patchbay.notification_rules where tenant_id = '{tenant}'"
        ),
        format!(
            "insert into patchbay.campaigns (tenant_id, name, channel) values ('{tenant}', '{MARK}', 'sms')"
        ),
        format!(
            "insert into patchbay.campaign_recipients (tenant_id, campaign_id, position, contact_id) select tenant_id, id, 0, '{contact}' from patchbay.campaigns where tenant_id = '{tenant}'"
        ),
        format!(
            "insert into patchbay.campaign_preflight (tenant_id, campaign_id, verdict, contact_id) select tenant_id, id, 'now', '{contact}' from patchbay.campaigns where tenant_id = '{tenant}'"
        ),
        format!(
            "insert into patchbay.link_targets (tenant_id, url) values ('{tenant}', 'https://example.com/{MARK}')"
        ),
        format!(
            "insert into patchbay.short_links (tenant_id, token, target_id, contact_id, message_id, expires_at) select tenant_id, '{MARK}', id, '{contact}', id, now() + interval '60 days' from patchbay.link_targets where tenant_id = '{tenant}'"
        ),
        format!(
            "insert into patchbay.link_clicks (tenant_id, short_link_id, contact_id, message_id, at, method, user_agent, is_bot) select tenant_id, id, contact_id, message_id, now(), 'GET', '{MARK}', false from patchbay.short_links where tenant_id = '{tenant}'"
        ),
        format!(
            "insert into patchbay.imports (tenant_id, file_name, status, created_by_kind, created_by_label) values ('{tenant}', '{MARK}', 'draft', 'system', '{MARK}')"
        ),
        format!(
            "insert into patchbay.import_chunks (tenant_id, import_id, position, bytes) select tenant_id, id, 0, '{MARK}' from patchbay.imports where tenant_id = '{tenant}'"
        ),
        format!(
            "insert into patchbay.import_rejects (tenant_id, import_id, row_number, reason, cells) select tenant_id, id, 1, '{MARK}', '[]' from patchbay.imports where tenant_id = '{tenant}'"
        ),
        format!(
            "insert into patchbay.import_changes (tenant_id, import_id, contact_id, before, after) select tenant_id, id, '{contact}', '{{}}', '{{}}' from patchbay.imports where tenant_id = '{tenant}'"
        ),
        format!(
            "insert into patchbay.import_addresses (tenant_id, import_id, channel, address, after) select tenant_id, id, 'sms', '{MARK}', 'x' from patchbay.imports where tenant_id = '{tenant}'"
        ),
        format!(
            "insert into patchbay.import_ranges (tenant_id, import_id, from_row, to_row) select tenant_id, id, 0, 1 from patchbay.imports where tenant_id = '{tenant}'"
        ),
        format!(
            "insert into patchbay.import_headings (tenant_id, heading, field) values ('{tenant}', '{MARK}', 'phone')"
        ),
        format!(
            "insert into patchbay.reports (tenant_id, subject, data, counted_at, took_ms) values ('{tenant}', '{MARK}', '{{}}', now(), 0)"
        ),
        format!(
            "update patchbay.outbox set parked_at = now(), last_error = '{MARK}' where tenant_id = '{tenant}'"
        ),
    ] {
        test.execute(&statement).await;
    }
}

#[tokio::test]
async fn as_one_tenant_nothing_of_another_is_seen_or_written() {
    let test = TestApp::new().await;
    let (ace, bee) = (Office::open(&test, "ace").await, Office::open(&test, "bee").await);
    furnish(&test, &bee).await;
    for table in tenant_tables(&test).await {
        if !may_anything(&test, &table).await {
            continue;
        }
        if may(&test, &table, "select").await {
            let there = test
                .scalar(&format!("select count(*) from patchbay.{table} where tenant_id = '{}'", bee.id))
                .await;
            assert!(there > 0, "{table}: the test puts no row there; add one to furnish()");
            let mut tx = test.app.db.tenant(ace.id).await.unwrap();
            let seen = AssertSqlSafe(format!(
                "select count(*) from patchbay.{table} where tenant_id <> '{}'",
                ace.id
            ));
            assert_eq!(sqlx::query_scalar::<_, i64>(seen).fetch_one(tx.conn()).await.unwrap(), 0, "{table}");
        }
        if may(&test, &table, "insert").await {
            let mut tx = test.app.db.tenant(ace.id).await.unwrap();
            let statement =
                AssertSqlSafe(format!("insert into patchbay.{table} (tenant_id) values ('{}')", bee.id));
            let error = sqlx::query(statement).execute(tx.conn()).await.unwrap_err();
            let code =
                error.as_database_error().and_then(|error| error.code()).unwrap_or_default().into_owned();
            assert_eq!(code, "42501", "{table}: {error}");
        }
    }
    let mut tx = test.app.db.tenant(ace.id).await.unwrap();
    let seen: Vec<Uuid> =
        sqlx::query_scalar("select id from patchbay.tenants").fetch_all(tx.conn()).await.unwrap();
    assert_eq!(seen, [ace.id]);
    // Members come through a door; an unset tenant sees nothing through it, nor anywhere.
    let seen: Vec<String> =
        sqlx::query_scalar("select email from patchbay.members()").fetch_all(tx.conn()).await.unwrap();
    assert_eq!(seen, ["ace@example.com"]);
    sqlx::query("set local patchbay.tenant_id = ''").execute(tx.conn()).await.unwrap();
    let seen: Vec<String> =
        sqlx::query_scalar("select email from patchbay.members()").fetch_all(tx.conn()).await.unwrap();
    assert!(seen.is_empty());
    let contacts: i64 =
        sqlx::query_scalar("select count(*) from patchbay.contacts").fetch_one(tx.conn()).await.unwrap();
    assert_eq!(contacts, 0);
}

/// Every row of a tenant, as text, by table.
pub(super) async fn everything(test: &TestApp, tenant: Uuid) -> BTreeMap<String, String> {
    let mut rows = BTreeMap::new();
    for table in tenant_tables(test).await {
        // When a key was last used is no change of the tenant's data.
        if table == "api_keys" {
            continue;
        }
        let query = format!(
            "select coalesce(string_agg(t::text, E'\\n' order by t::text), '') from patchbay.{table} t where tenant_id = '{tenant}'"
        );
        rows.insert(table, test.text(&query).await);
    }
    rows
}

/// Every id that another tenant has, of whatever kind.
pub(super) async fn ids_of(test: &TestApp, tenant: Uuid) -> Vec<String> {
    let mut ids = vec![tenant.to_string()];
    for table in tenant_tables(test).await {
        for column in ["id", "user_id", "contact_id"] {
            let query = format!(
                "select coalesce(string_agg(distinct v, ','), '') from (select to_jsonb(t) ->> '{column}' as v from patchbay.{table} t where tenant_id = '{tenant}' limit 2) s"
            );
            ids.extend(test.text(&query).await.split(',').filter(|id| !id.is_empty()).map(str::to_owned));
        }
    }
    ids.sort();
    ids.dedup();
    ids
}

/// A body that many routes can make something of, all of whose ids are another tenant's.
fn body(id: &str) -> Value {
    json!({
        "name": "Mine now", "label": "Mine", "key": "mine_now", "content": "Mine", "body": "Mine", "text": "Mine", "title": "Mine",
        "first_name": "Mine", "reason": "Mine", "role": "admin", "scope": "full", "kind": "open", "type": "text", "channel": "sms",
        "contact_id": id, "lead_id": id, "label_id": id, "template_id": id, "quote_id": id, "stage_id": id, "stage": id, "owner_id": id,
        "account_id": id, "assignee_id": id, "merged_id": id, "other_id": id, "ids": [id], "contact_ids": [id], "labels": [id],
        "total_cents": 100, "currency": "AUD", "archived": true, "card": id, "lane": id, "order": [id], "event_type": "lead.created",
        "target": "x@example.com", "email": "mine@example.com", "provider": "fake", "address": "+61412000333", "state": "unsubscribed",
    })
}

/// The attack below means something only if it succeeds against oneself.
#[tokio::test]
async fn ones_own_ids_open_ones_own_rows() {
    let test = TestApp::new().await;
    let bee = Office::open(&test, "bee").await;
    furnish(&test, &bee).await;
    let ids = ids_of(&test, bee.id).await;
    let mut browser = Browser::with_session(&test, &bee.session);
    let (mut opened, mut marked) = (std::collections::BTreeSet::new(), 0);
    for route in test
        .routes
        .iter()
        .filter(|route| route.method == "GET" && route.path.contains('{') && !super::roles::is_stream(route))
    {
        for id in &ids {
            let path = route
                .path
                .split('/')
                .map(|part| if part.starts_with('{') { id } else { part })
                .collect::<Vec<_>>()
                .join("/");
            let reply = match route.access {
                Access::Api(_) => test.get(&bee.key, &path).await,
                Access::Page(_) => browser.get(&path).await,
                _ => continue,
            };
            if reply.status.is_success() {
                opened.insert(route.path);
                marked += usize::from(reply.text.contains(MARK));
            }
        }
    }
    let all = test.routes.iter().filter(|route| {
        route.method == "GET"
            && route.path.contains('{')
            && matches!(route.access, Access::Api(_) | Access::Page(_))
    });
    let closed: Vec<&str> = all.map(|route| route.path).filter(|path| !opened.contains(path)).collect();
    assert!(closed.is_empty(), "no id of furnish() opens {closed:?}: add a row for them");
    assert!(marked > 10, "{marked} answers hold the mark");
}

#[tokio::test]
async fn every_route_refuses_another_tenants_ids() {
    let test = TestApp::new().await;
    let (ace, bee) = (Office::open(&test, "ace").await, Office::open(&test, "bee").await);
    furnish(&test, &bee).await;
    let before = everything(&test, bee.id).await;
    let ids = ids_of(&test, bee.id).await;
    let mut browser = Browser::with_session(&test, &ace.session);
    for route in &test.routes {
        let has_id = route.path.contains('{');
        for id in if has_id { &ids[..] } else { &ids[..1] } {
            let path = route
                .path
                .split('/')
                .map(|part| if part.starts_with('{') { id } else { part })
                .collect::<Vec<_>>()
                .join("/");
            let reply = match route.access {
                // Streams never end.
                _ if super::roles::is_stream(route) => continue,
                Access::Api(_) | Access::Ingest => {
                    test.api(&ace.key, route.method.as_str(), &path, body(id)).await
                }
                // Signing out would end the attack.
                Access::SignedIn if ["/sign-out", "/account/sessions/end-all"].contains(&route.path) => {
                    continue;
                }
                Access::Page(_) | Access::SignedIn if route.method == "GET" => browser.get(&path).await,
                Access::Page(_) | Access::SignedIn => {
                    let body = body(id);
                    let fields: Vec<(&str, &str)> = body
                        .as_object()
                        .unwrap()
                        .iter()
                        .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
                        .collect();
                    browser.post(&path, &fields).await
                }
                Access::Public | Access::Signed => continue,
            };
            let name = format!("{} {path}", route.method);
            assert!(!reply.text.contains(MARK), "{name} shows another tenant's data");
            assert!(!reply.status.is_server_error(), "{name}: {} {}", reply.status, reply.text);
            if has_id {
                assert!(reply.status.is_client_error(), "{name}: {} {}", reply.status, reply.text);
            }
        }
    }
    let after = everything(&test, bee.id).await;
    for (table, rows) in &before {
        assert_eq!(rows, &after[table], "{table} of the other tenant changed");
    }
}
