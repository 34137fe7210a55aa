//! What was promised before a launch still holds at it: trying a text out changes nobody's audience, and whoever
//! launches agrees to the numbers as they are.

use serde_json::json;

use super::Desk;
use crate::{
    messaging::inbound::{self, Inbound},
    tests::Browser,
};

impl Desk {
    /// Somebody texts the business.
    async fn hears(&self, from: &str, body: &str) {
        let inbound = Inbound {
            provider: "fake".to_owned(),
            provider_message_id: self.t.id().simple().to_string(),
            channel: "sms".to_owned(),
            from: from.to_owned(),
            to: "+15005550006".to_owned(),
            body: body.to_owned(),
            media: Vec::new(),
            profile_name: None,
            button_payload: None,
            handled_by_carrier: false,
        };
        inbound::receive(&self.t.app, self.office.id, inbound).await.unwrap();
    }
}

#[tokio::test]
async fn who_answers_a_test_is_no_lead() {
    let desk = Desk::open(2).await;
    let id = desk.draft(json!({})).await;
    let test = json!({ "to": "0400 000 009" });
    desk.t.api(&desk.office.key, "POST", &format!("/api/campaigns/{id}/test"), test).await.expect(202);
    desk.t.settle().await;
    let people = "select count(*) from patchbay.contacts";
    desk.hears("+61400000009", "Looks good!").await;
    desk.hears("+61400000009", "STOP").await;
    desk.t.settle().await;
    assert_eq!(desk.t.scalar(people).await, 2);
    assert_eq!(desk.t.scalar("select count(*) from patchbay.conversations").await, 0);
    assert_eq!(
        desk.t.text("select state from patchbay.consents where address = '+61400000009'").await,
        "unsubscribed",
        "a STOP is a STOP"
    );
    // Anybody else who writes is one.
    desk.hears("+61491570156", "Do you do gas?").await;
    assert_eq!(desk.t.scalar(people).await, 3);
}

#[tokio::test]
async fn an_audience_that_moved_is_agreed_to_anew() {
    let desk = Desk::open(3).await;
    let id = desk.draft(json!({})).await;
    let mut browser = Browser::with_session(&desk.t, &desk.office.session);
    browser.post(&format!("/campaigns/{id}/preflight"), &[]).await.expect(303);
    let page = browser.get(&format!("/campaigns/{id}")).await.expect(200).text;
    assert!(page.contains("name=\"recipients\" value=\"3\""), "{page}");
    desk.t.execute(&format!("insert into patchbay.contacts (tenant_id, first_name, phone_e164) values ('{}', 'New', '+61491570156')", desk.office.id)).await;
    let launch = format!("/campaigns/{id}/launch");
    let asked = browser.post(&launch, &[("recipients", "3")]).await.expect(409).text;
    assert!(asked.contains("4 people now, 3 when it was checked") && asked.contains("data-open"), "{asked}");
    assert_eq!(desk.get(id).await["status"], "draft");
    browser.post(&launch, &[("recipients", "4")]).await.expect(303);
    assert_eq!(desk.get(id).await["recipients"], 4);
}
