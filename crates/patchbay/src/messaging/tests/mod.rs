//! The ledger and the inbox from outside: intents in, the fake carrier at the end, the clock in the test's hand.

mod composer;
mod gates;
mod inbox;
mod outcomes;
mod replies;
mod sending;
mod thread;

use serde_json::{Value, json};

use crate::{
    auth::Role,
    tests::{Browser, Office, Tenancy, TestApp},
};

async fn open() -> (TestApp, Tenancy) {
    let t = TestApp::new().await;
    let tenancy = t.tenancy("Brightside").await;
    t.execute("update patchbay.tenants set quiet_start = null, quiet_end = null, country_rules = false")
        .await;
    (t, tenancy)
}

async fn send(t: &TestApp, who: &Tenancy, to: &str, body: &str) -> Value {
    t.api(&who.key, "POST", "/api/messages/send", json!({ "to": to, "body": body })).await.expect(202).json()
}

async fn message(t: &TestApp, who: &Tenancy, id: &Value) -> Value {
    t.get(&who.key, &format!("/api/messages/{}", id.as_str().unwrap())).await.expect(200).json()
}

/// A business of its own with an owner who is signed in, without quiet hours.
async fn office(t: &TestApp) -> (Office, Browser<'_>) {
    let office = Office::open(t, "brightside").await;
    let browser = Browser::with_session(t, &office.session);
    (office, browser)
}

/// The same for tests in which people write to us.
async fn tenancy<'t>(t: &'t TestApp, name: &str) -> (Tenancy, Browser<'t>) {
    let who = t.tenancy(name).await;
    t.execute("update patchbay.tenants set quiet_start = null, quiet_end = null, country_rules = false")
        .await;
    let slug = t.text(&format!("select slug from patchbay.tenants where id = '{}'", who.id)).await;
    let email = format!("owner@{}.example", name.to_lowercase());
    let browser = Browser::member(t, &slug, &email, Role::Owner).await;
    (who, browser)
}

async fn contact_of(t: &TestApp, who: &Tenancy, phone: &str) -> String {
    t.text(&format!(
        "select id::text from patchbay.contacts where tenant_id = '{}' and phone_e164 = '{phone}'",
        who.id
    ))
    .await
}
