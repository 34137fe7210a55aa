use chrono::{DateTime, Utc};

use super::*;

fn clock() -> Clock {
    let now = DateTime::<Utc>::from_timestamp(1_785_000_000, 500_000_000).expect("a valid instant");
    Arc::new(move || now)
}

fn message(to: &str, body: &str) -> Outgoing {
    Outgoing::text(Uuid::from_u128(7), Channel::Sms, VALID_SENDER, to, body)
}

fn instant(options: FakeOptions) -> FakeOptions {
    FakeOptions { delay: Duration::ZERO, ..options }
}

async fn statuses(to: &str) -> Vec<(ProviderStatus, Option<u32>)> {
    let (fake, mut events) = Fake::new(instant(FakeOptions::new(clock())));
    assert!(matches!(fake.send(&message(to, "hello")).await, Outcome::Accepted { .. }));
    drop(fake);
    let mut seen = Vec::new();
    while let Some(event) = events.recv().await {
        if let Event::Status { status, error_code, .. } = event {
            seen.push((status, error_code));
        }
    }
    seen
}

#[tokio::test]
async fn callbacks_follow_the_recipients_digits() {
    use ProviderStatus::{Delivered, Failed, Sent, Undelivered};
    assert_eq!(statuses("+61412345678").await, [(Sent, None), (Delivered, None)]);
    assert_eq!(statuses("+61415530003").await, [(Sent, None), (Undelivered, Some(30003))]);
    assert_eq!(statuses("+61415530034").await, [(Failed, Some(30034))]);
    assert_eq!(statuses("+61415500000").await, [(Sent, None)]);
}

#[tokio::test]
async fn a_lead_replies_to_the_sender() {
    let options = FakeOptions { replies: true, ..instant(FakeOptions::new(clock())) };
    let (fake, mut events) = Fake::new(options);
    fake.send(&message("+61412345678", "Your quote is ready")).await;
    drop(fake);
    let mut inbound = Vec::new();
    while let Some(event) = events.recv().await {
        if let Event::Inbound { from, to, body, channel, .. } = event {
            assert!(!body.is_empty());
            inbound.push((from, to, channel));
        }
    }
    assert_eq!(inbound, [("+61412345678".to_owned(), VALID_SENDER.to_owned(), Channel::Sms)]);
}

#[tokio::test]
async fn the_ledger_forgets_the_oldest_and_keeps_positions() {
    let ledger = Ledger::new(2);
    let found = |id: &str| Found {
        provider_message_id: id.to_owned(),
        channel: Channel::Sms,
        to: "+61412345678".to_owned(),
        from: None,
        body: String::new(),
        status: ProviderStatus::Queued,
        error_code: None,
        price: None,
        created_at: clock()(),
    };
    let first = ledger.push(found("a"));
    let second = ledger.push(found("b"));
    ledger.push(found("c"));
    ledger.update(first, ProviderStatus::Sent, None);
    ledger.update(second, ProviderStatus::Delivered, None);
    assert_eq!(ledger.fetch("a"), None);
    assert_eq!(ledger.fetch("b").map(|message| message.status), Some(ProviderStatus::Delivered));
    assert_eq!(ledger.fetch("c").map(|message| message.status), Some(ProviderStatus::Queued));
    let lookup = Lookup { channel: Channel::Sms, to: "+61412345678".to_owned(), since: clock()() };
    assert_eq!(ledger.find(&lookup).len(), 2);
}

#[tokio::test]
async fn a_message_sent_twice_shows_up_twice() {
    let (fake, _events) = Fake::new(instant(FakeOptions::new(clock())));
    let message = message("+61412345678", "hello");
    let first = fake.send(&message).await;
    let second = fake.send(&message).await;
    assert_ne!(first, second);
    let lookup = Lookup { channel: Channel::Sms, to: message.to.clone(), since: clock()() };
    assert_eq!(fake.find(&lookup).await.map(|found| found.len()), Ok(2));
}
