use super::{
    super::record::{ENDED_AFTER, SENT_AFTER},
    *,
};
use crate::{magic::VALID_SENDER, status::ProviderStatus};

fn ledger(seed: u64) -> Ledger {
    Ledger::new(seed, DateTime::from_timestamp_millis(1_785_000_000_000).expect("an instant"), Instant::now())
}

fn entry(to: &str) -> Entry<'_> {
    Entry {
        account: "AC1",
        to,
        from: Some("+15005550006"),
        service: None,
        body: "hello",
        callback: Some("https://example.com/s?mid=1"),
        segments: 1,
        media: 0,
        is_scheduled: false,
        created_at: DateTime::from_timestamp_millis(1_785_000_000_000).expect("an instant"),
    }
}

#[test]
fn ids_lead_back_to_their_places_and_others_lead_nowhere() {
    let ledger = ledger(1);
    for index in [0, 1, 8191, 8192, 1_000_000, u32::MAX] {
        let sid = ledger.sid(index).to_string();
        assert!(crate::twilio::resource::is_message_sid(&sid), "{sid}");
        assert_eq!(ledger.index(&sid), Some(index));
        assert_eq!(ledger.index(&sid.replacen('S', "T", 1)), None);
    }
    assert_eq!(ledger.index(""), None);
    assert_eq!(ledger.index("SMéééééééééééééééé"), None);
    assert_eq!(ledger.index(&self::ledger(2).sid(0).to_string()), None);
}

#[test]
fn messages_are_listed_newest_first_by_recipient_and_account() {
    let ledger = ledger(1);
    for nth in 0..20_000_u32 {
        let to = if nth % 1000 == 0 { "+61400000001" } else { "+61400000002" };
        ledger.insert(&Entry { account: if nth == 5000 { "AC2" } else { "AC1" }, ..entry(to) }, |_| ());
    }
    assert_eq!(ledger.len(), 20_000);
    let list = |to, before| {
        let mut seen = Vec::new();
        ledger.newest("AC1", to, before, |index, message| {
            assert_eq!((message.body, message.callback), ("hello", Some("https://example.com/s?mid=1")));
            seen.push(index);
            seen.len() < 3
        });
        seen
    };
    assert_eq!(list(Some("+61400000001"), None), [19_000, 18_000, 17_000]);
    assert_eq!(list(Some("+61400000001"), Some(7000)), [6000, 4000, 3000]);
    assert_eq!(list(None, None), [19_999, 19_998, 19_997]);
    assert_eq!(list(None, Some(2)), [1, 0]);
    assert_eq!(list(Some("+61400000009"), None), [0; 0]);
    let sid = ledger.sid(18_000).to_string();
    assert!(ledger.delete("AC1", &sid));
    assert!(!ledger.delete("AC1", &sid));
    assert_eq!(list(Some("+61400000001"), None), [19_000, 17_000, 16_000]);
}

#[test]
fn a_status_is_told_by_the_time() {
    let ledger = ledger(1);
    let look = |index: Index, age: Duration| {
        let inner = ledger.lock();
        let record = inner.record(index);
        record.status("+61415530003", age)
    };
    let (plain, _) = ledger.insert(&entry("+61415530003"), |_| ());
    let pooled = Entry { from: None, service: Some("MG1"), ..entry("+61415530003") };
    let (pooled, from) = ledger.insert(&pooled, |message| message.from.map(str::to_owned));
    assert_eq!(from, None);
    assert_eq!(look(plain, Duration::ZERO), (ProviderStatus::Queued, None));
    assert_eq!(look(pooled, Duration::ZERO), (ProviderStatus::Accepted, None));
    assert_eq!(look(plain, SENT_AFTER), (ProviderStatus::Sent, None));
    assert_eq!(look(plain, ENDED_AFTER), (ProviderStatus::Undelivered, Some(30003)));
    // Long after, so that the test's own time does not matter.
    let later = 1_000_000;
    let inner = ledger.lock();
    assert_eq!(ledger.view(&inner, pooled, later).from, Some(VALID_SENDER));
}

#[test]
fn only_scheduled_messages_can_be_canceled() {
    let ledger = ledger(1);
    let scheduled = Entry { service: Some("MG1"), is_scheduled: true, ..entry("+61400000001") };
    let (scheduled, _) = ledger.insert(&scheduled, |_| ());
    let (plain, _) = ledger.insert(&entry("+61400000001"), |_| ());
    assert_eq!(ledger.cancel("AC1", &ledger.sid(scheduled).to_string()), Some(true));
    assert_eq!(ledger.cancel("AC1", &ledger.sid(plain).to_string()), Some(false));
    assert_eq!(ledger.cancel("AC2", &ledger.sid(plain).to_string()), None);
    assert_eq!(ledger.at(scheduled, |message| message.status), ProviderStatus::Canceled);
}
