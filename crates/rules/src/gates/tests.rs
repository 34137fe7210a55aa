use super::*;
use crate::consent::Basis;
use crate::frequency::Cap;
use crate::quiet_hours::Window;
use crate::zones::{ZoneSource, Zones};
use chrono::{NaiveDate, NaiveTime, Weekday};
use chrono_tz::{America, Australia, Tz};
use proptest::prelude::*;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Monday, 2 March 2026, 13:00 in Sydney, 10:00 in Perth.
fn monday() -> DateTime<Utc> {
    at("2026-03-02T02:00:00Z")
}

fn tenant() -> TenantFacts {
    let hour = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
    TenantFacts {
        kill_switch: false,
        timezone: Australia::Sydney,
        country: "AU".to_owned(),
        currency: "AUD".to_owned(),
        budget_daily_micros: Some(20_000_000),
        budget_monthly_micros: Some(200_000_000),
        suppression_days: 90,
        quiet: Some(Window { start: hour(21), end: hour(9) }),
        apply_country_rules: true,
        rest_on_holidays: true,
        quiet_hours_bind_people: false,
    }
}

fn sender() -> SenderFacts {
    SenderFacts {
        warmup_started_on: None,
        warmup_day_index: 0,
        active: true,
        label: "Main number".to_owned(),
        unregistered_name: false,
    }
}

fn recipient(zone: Tz) -> RecipientFacts {
    RecipientFacts {
        zones: Zones { zones: vec![zone], source: ZoneSource::Address, certain: true },
        country: None,
        state: None,
        consent: ConsentState::Subscribed,
        do_not_contact: None,
        campaign_paused: false,
        last_marketed_at: None,
        texted_at: Vec::new(),
        cap: None,
        wants_registered_name: false,
        last_inbound_at: None,
    }
}

fn usage() -> Usage {
    Usage {
        spent_today_micros: 0,
        spent_month_micros: 0,
        sender_today: 0,
        rate_tokens: 1_000,
        rate_interval: TimeDelta::milliseconds(100),
        rate_deferred: 0,
    }
}

#[derive(Debug)]
struct Scene {
    kind: Kind,
    cost_micros: i64,
    tenant: TenantFacts,
    sender: SenderFacts,
    recipient: RecipientFacts,
    usage: Usage,
    now: DateTime<Utc>,
}

impl Scene {
    fn new(kind: Kind) -> Self {
        let (tenant, sender, recipient) = (tenant(), sender(), recipient(Australia::Perth));
        Self { kind, cost_micros: 51_500, tenant, sender, recipient, usage: usage(), now: monday() }
    }

    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn decide(&mut self) -> Verdict {
        let Self { kind, cost_micros, tenant, sender, recipient, usage, now } = self;
        decide(*kind, *cost_micros, tenant, sender, recipient, usage, *now)
    }

    fn explain(&self) -> Vec<(Gate, Verdict)> {
        let Self { kind, cost_micros, tenant, sender, recipient, usage, now } = self;
        explain_all(*kind, *cost_micros, tenant, sender, recipient, usage, *now)
    }

    /// The gate and the sentence as read in the tenant's own zone.
    fn told(&mut self) -> (Option<Gate>, String) {
        let (now, zone) = (self.now, self.tenant.timezone);
        match self.decide() {
            Verdict::Pass => (None, String::new()),
            Verdict::Wait { gate, reason, until } => (Some(gate), reason.sentence(Some(until), now, zone)),
            Verdict::Block { gate, reason } => {
                (Some(gate), format!("never: {}", reason.sentence(None, now, zone)))
            }
        }
    }
}

#[test]
fn gates_stand_in_their_order() {
    let order = "kill_switch budget do_not_contact suppression_window quiet_hours rate_limit warm_up";
    assert_eq!(Gate::ALL.iter().map(|gate| gate.as_str()).collect::<Vec<_>>().join(" "), order);
    assert!(Gate::ALL.iter().enumerate().all(|(position, &gate)| gate as usize == position));
}

#[test]
fn everything_in_order_passes_and_reserves() {
    let mut scene = Scene::new(Kind::Campaign);
    assert_eq!(scene.decide(), Verdict::Pass);
    let expected = Usage {
        spent_today_micros: 51_500,
        spent_month_micros: 51_500,
        sender_today: 1,
        rate_tokens: 999,
        ..usage()
    };
    assert_eq!(scene.usage, expected);
}

#[test]
fn each_gate_tells_why() {
    let campaign = || Scene::new(Kind::Campaign);
    let keyword = OptOutSource::Keyword { word: "STOP".to_owned() };
    let march = |day: u32| NaiveDate::from_ymd_opt(2026, 3, day).unwrap();
    let cases = [
        (
            campaign().with(|s| s.tenant.kill_switch = true),
            Gate::KillSwitch,
            "Sending is switched off for this business",
        ),
        (
            campaign().with(|s| s.recipient.campaign_paused = true),
            Gate::KillSwitch,
            "This campaign is paused",
        ),
        (
            campaign().with(|s| s.sender.active = false),
            Gate::KillSwitch,
            "Sending from Main number is switched off",
        ),
        (
            campaign().with(|s| s.usage.spent_today_micros = 19_950_000),
            Gate::Budget,
            "Daily budget of $20.00 is used up until midnight",
        ),
        (
            campaign().with(|s| s.usage.spent_month_micros = 200_000_000),
            Gate::Budget,
            "Monthly budget of $200.00 is used up until 1 April",
        ),
        (
            campaign().with(|s| {
                s.recipient.do_not_contact =
                    Some(DoNotContact { reason: "asked by phone".to_owned(), at: s.now });
            }),
            Gate::DoNotContact,
            "never: On the do-not-contact list since 2 March: asked by phone",
        ),
        (
            campaign().with(|s| {
                let at = s.now - TimeDelta::days(364);
                s.recipient.consent = ConsentState::Unsubscribed { how: keyword.clone(), at };
            }),
            Gate::DoNotContact,
            "never: Unsubscribed by replying STOP on 3 March 2025",
        ),
        (
            campaign().with(|s| s.recipient.consent = ConsentState::Unknown),
            Gate::DoNotContact,
            "never: Has not agreed to receive marketing",
        ),
        (
            campaign().with(|s| {
                let ends_at = at("2025-05-03T02:00:00Z");
                s.recipient.consent = ConsentState::Implied { basis: Basis::Enquiry, ends_at };
            }),
            Gate::DoNotContact,
            "never: Consent from an enquiry ended on 3 May 2025",
        ),
        (
            campaign().with(|s| {
                s.sender =
                    SenderFacts { unregistered_name: true, label: "Brightside".to_owned(), ..sender() };
                s.recipient.wants_registered_name = true;
            }),
            Gate::KillSwitch,
            "never: Brightside is not a registered sender name; register it, then say so under Settings, or send from a number",
        ),
        (
            campaign().with(|s| {
                s.recipient.cap = Some(Cap { most: 3, hours: 24 });
                s.recipient.texted_at = [1, 30, 2, 23].map(|hours| s.now - TimeDelta::hours(hours)).to_vec();
            }),
            Gate::SuppressionWindow,
            "Was sent 3 marketing texts within 24 hours; waits until 14:00",
        ),
        (
            campaign().with(|s| {
                s.recipient = recipient(Australia::Sydney);
                s.now = at("2026-04-03T00:00:00Z");
            }),
            Gate::QuietHours,
            "No marketing on Good Friday in Australia; not before Saturday 09:00",
        ),
        (
            campaign().with(|s| s.recipient.last_marketed_at = Some(s.now - TimeDelta::days(20))),
            Gate::SuppressionWindow,
            "never: Was sent a campaign on 10 February; 90 days must pass",
        ),
        (
            campaign().with(|s| s.now = at("2026-03-02T13:30:00Z")),
            Gate::QuietHours,
            "Quiet hours in Perth until 09:00 tomorrow (12:00 your time)",
        ),
        (
            campaign().with(|s| {
                s.now = at("2026-03-02T13:30:00Z");
                s.tenant.timezone = Australia::Perth;
            }),
            Gate::QuietHours,
            "Quiet hours in Perth until 09:00 tomorrow",
        ),
        (
            campaign().with(|s| s.usage.rate_tokens = 0),
            Gate::RateLimit,
            "Waiting for its turn at this sending rate until 13:00",
        ),
        (
            campaign().with(|s| {
                s.sender.warmup_started_on = Some(march(1));
                s.usage.sender_today = 50;
            }),
            Gate::WarmUp,
            "Warm-up: this number may send 50 today",
        ),
        (
            campaign().with(|s| s.sender.warmup_started_on = Some(march(9))),
            Gate::WarmUp,
            "Warm-up of this number starts on 9 March",
        ),
    ];
    for (mut scene, gate, sentence) in cases {
        let before = scene.usage.clone();
        assert_eq!(scene.told(), (Some(gate), sentence.to_owned()));
        let reserved = Usage { rate_deferred: before.rate_deferred, ..scene.usage.clone() };
        assert_eq!(reserved, before, "{sentence}: reserved nothing");
        assert_eq!(scene.explain()[gate as usize].1.gate(), Some(gate));
    }
}

#[test]
fn the_first_gate_that_objects_is_named() {
    let mut scene = Scene::new(Kind::Campaign).with(|s| {
        s.recipient.consent = ConsentState::Unknown;
        s.usage.spent_today_micros = i64::MAX;
        s.usage.rate_tokens = 0;
        s.now = at("2026-03-02T13:30:00Z");
    });
    assert_eq!(scene.decide().gate(), Some(Gate::Budget));
    let objecting: Vec<_> = scene.explain().into_iter().filter_map(|(_, verdict)| verdict.gate()).collect();
    assert_eq!(objecting, [Gate::Budget, Gate::DoNotContact, Gate::QuietHours, Gate::RateLimit]);
}

#[test]
fn kinds_are_bound_by_their_policy() {
    use Kind::*;
    let night = at("2026-03-02T15:00:00Z");
    let gate = |kind, change: fn(&mut Scene)| Scene::new(kind).with(change).decide().gate();
    let table: [(Kind, [Option<Gate>; 4]); 12] = [
        // kind, then: at night / opted out / never asked / budget spent
        (
            Campaign,
            [Some(Gate::QuietHours), Some(Gate::DoNotContact), Some(Gate::DoNotContact), Some(Gate::Budget)],
        ),
        (
            Sequence,
            [Some(Gate::QuietHours), Some(Gate::DoNotContact), Some(Gate::DoNotContact), Some(Gate::Budget)],
        ),
        (Quote, [Some(Gate::QuietHours), Some(Gate::DoNotContact), None, Some(Gate::Budget)]),
        (Reminder, [Some(Gate::QuietHours), Some(Gate::DoNotContact), None, Some(Gate::Budget)]),
        (Invoice, [Some(Gate::QuietHours), Some(Gate::DoNotContact), None, Some(Gate::Budget)]),
        (AutoReply, [Some(Gate::QuietHours), Some(Gate::DoNotContact), None, Some(Gate::Budget)]),
        (Api, [Some(Gate::QuietHours), Some(Gate::DoNotContact), None, Some(Gate::Budget)]),
        (Manual, [None, Some(Gate::DoNotContact), None, Some(Gate::Budget)]),
        (Test, [None, Some(Gate::DoNotContact), None, Some(Gate::Budget)]),
        (Notification, [None, None, None, Some(Gate::Budget)]),
        (ConsentConfirmation, [None; 4]),
        (Help, [None; 4]),
    ];
    assert_eq!(table.len(), Kind::ALL.len());
    for (kind, expected) in table {
        let found = [
            Scene::new(kind).with(|s| s.now = night).decide().gate(),
            gate(kind, |s| {
                s.recipient.consent = ConsentState::Unsubscribed { how: OptOutSource::Link, at: s.now };
            }),
            gate(kind, |s| s.recipient.consent = ConsentState::Unknown),
            gate(kind, |s| s.usage.spent_today_micros = 20_000_000),
        ];
        assert_eq!(found, expected, "{kind}");
        assert_eq!(gate(kind, |s| s.tenant.kill_switch = true), Some(Gate::KillSwitch));
        assert_eq!(gate(kind, |s| s.usage.rate_tokens = 0), Some(Gate::RateLimit));
    }
}

#[test]
fn people_type_at_night_unless_the_tenant_minds() {
    let night = |kind| Scene::new(kind).with(|s| s.now = at("2026-03-02T15:00:00Z"));
    assert!(night(Kind::Manual).decide().is_pass());
    let mut minded = night(Kind::Manual).with(|s| s.tenant.quiet_hours_bind_people = true);
    assert_eq!(minded.decide().gate(), Some(Gate::QuietHours));
    let mut notification = night(Kind::Notification).with(|s| s.tenant.quiet_hours_bind_people = true);
    assert!(notification.decide().is_pass());
}

#[test]
fn an_answer_within_minutes_is_not_held_by_the_night() {
    let wrote = |kind, minutes: i64| {
        Scene::new(kind).with(|s| {
            s.now = at("2026-03-02T15:00:00Z");
            s.recipient.last_inbound_at = Some(s.now - TimeDelta::minutes(minutes));
        })
    };
    assert!(wrote(Kind::AutoReply, 10).decide().is_pass());
    assert_eq!(wrote(Kind::AutoReply, 11).decide().gate(), Some(Gate::QuietHours));
    assert_eq!(wrote(Kind::Quote, 1).decide().gate(), Some(Gate::QuietHours));
}

#[test]
fn marketing_keeps_to_the_hours_of_the_country() {
    // Sunday noon in New York and Perth alike is open by the tenant's own window.
    let sunday = at("2026-03-08T16:30:00Z");
    let in_new_york = |kind, state: Option<&str>| {
        Scene::new(kind).with(|s| {
            s.recipient = recipient(America::New_York);
            s.recipient.country = Some("US".to_owned());
            s.recipient.state = state.map(str::to_owned);
            s.now = sunday;
        })
    };
    assert!(in_new_york(Kind::Campaign, Some("NY")).decide().is_pass());
    assert_eq!(in_new_york(Kind::Campaign, Some("RI")).decide().gate(), Some(Gate::QuietHours));
    assert!(in_new_york(Kind::Quote, Some("RI")).decide().is_pass());
    let mut unruly = in_new_york(Kind::Campaign, Some("RI")).with(|s| s.tenant.apply_country_rules = false);
    assert!(unruly.decide().is_pass());
    // Unknown country: the tenant's, where Sunday is off.
    let mut home = Scene::new(Kind::Campaign).with(|s| s.now = at("2026-03-08T04:00:00Z"));
    assert_eq!(home.decide().gate(), Some(Gate::QuietHours));
}

#[test]
fn the_rule_that_holds_marketing_is_named() {
    let in_melbourne = |now: &str, change: fn(&mut Scene)| {
        let mut scene = Scene::new(Kind::Campaign).with(|s| {
            s.recipient = recipient(Australia::Melbourne);
            s.now = at(now);
            change(s);
        });
        let Verdict::Wait { reason, until, .. } = scene.decide() else { panic!("it is open") };
        reason.sentence(Some(until), scene.now, Australia::Melbourne)
    };
    let nothing = |_: &mut Scene| {};
    // Sunday 09:35, and the evening before, when the night alone would end on Sunday.
    let sunday = "No marketing on Sundays in Australia; not before Monday 09:00";
    assert_eq!(in_melbourne("2026-11-21T22:35:00Z", nothing), sunday);
    assert_eq!(in_melbourne("2026-11-21T11:00:00Z", nothing), sunday);
    assert_eq!(
        in_melbourne("2026-11-22T21:00:00Z", nothing),
        "Quiet hours in Melbourne until 09:00",
        "the tenant's own hours hold it as long as the country's"
    );
    assert_eq!(
        in_melbourne("2026-11-22T21:00:00Z", |s| s.tenant.quiet = None),
        "No marketing at this hour in Australia; not before 09:00"
    );
    assert_eq!(
        in_melbourne("2026-12-25T01:00:00Z", nothing),
        "No marketing on Christmas Day in Australia; not before Tuesday 09:00"
    );
}

#[test]
fn implied_consent_holds_for_marketing_until_it_ends() {
    let agreed = |kind, days: i64| {
        Scene::new(kind).with(|s| {
            let ends_at = s.now + TimeDelta::days(days);
            s.recipient.consent = ConsentState::Implied { basis: Basis::Purchase, ends_at };
        })
    };
    assert!(agreed(Kind::Campaign, 1).decide().is_pass());
    assert_eq!(agreed(Kind::Campaign, 0).decide().gate(), Some(Gate::DoNotContact));
    for kind in [Kind::Manual, Kind::Quote, Kind::Reminder, Kind::Api, Kind::AutoReply, Kind::Invoice] {
        assert!(agreed(kind, -1).decide().is_pass(), "{kind}");
    }
}

#[test]
fn three_texts_a_day_are_enough_where_the_number_is_capped() {
    let texted = |kind, hours: &[i64]| {
        Scene::new(kind).with(|s| {
            s.recipient.cap = Some(Cap { most: 3, hours: 24 });
            s.recipient.texted_at = hours.iter().map(|hours| s.now - TimeDelta::hours(*hours)).collect();
        })
    };
    assert!(texted(Kind::Campaign, &[1, 2]).decide().is_pass());
    assert!(texted(Kind::Campaign, &[1, 2, 24]).decide().is_pass());
    assert_eq!(texted(Kind::Sequence, &[1, 1, 1]).decide().gate(), Some(Gate::SuppressionWindow));
    assert!(texted(Kind::Quote, &[1, 1, 1]).decide().is_pass());
    let mut elsewhere = texted(Kind::Campaign, &[1, 1, 1, 1]).with(|s| s.recipient.cap = None);
    assert!(elsewhere.decide().is_pass());
}

#[test]
fn marketing_rests_on_holidays_unless_the_business_chose_otherwise() {
    // Labor Day, Monday noon in New York.
    let labor_day = |kind, state: Option<&str>, resting| {
        Scene::new(kind).with(|s| {
            s.recipient = recipient(America::New_York);
            s.recipient.country = Some("US".to_owned());
            s.recipient.state = state.map(str::to_owned);
            s.tenant.rest_on_holidays = resting;
            s.now = at("2026-09-07T16:00:00Z");
        })
    };
    assert_eq!(labor_day(Kind::Campaign, Some("NY"), true).decide().gate(), Some(Gate::QuietHours));
    assert!(labor_day(Kind::Campaign, Some("NY"), false).decide().is_pass());
    assert_eq!(labor_day(Kind::Campaign, Some("AL"), false).decide().gate(), Some(Gate::QuietHours));
    assert!(labor_day(Kind::Quote, Some("AL"), true).decide().is_pass());
    let mut none = labor_day(Kind::Campaign, Some("AL"), true).with(|s| s.tenant.apply_country_rules = false);
    assert!(none.decide().is_pass());
}

#[test]
fn a_name_that_nobody_registered_sends_no_marketing_where_it_must_be() {
    let named = |kind, wanted| {
        Scene::new(kind).with(|s| {
            s.sender.unregistered_name = true;
            s.recipient.wants_registered_name = wanted;
        })
    };
    assert_eq!(named(Kind::Campaign, true).decide().gate(), Some(Gate::KillSwitch));
    assert!(named(Kind::Campaign, false).decide().is_pass());
    assert!(named(Kind::Quote, true).decide().is_pass());
}

#[test]
fn the_rate_spreads_what_it_puts_off() {
    let mut scene = Scene::new(Kind::Campaign).with(|s| s.usage.rate_tokens = 1);
    let now = scene.now;
    let waits: Vec<_> = (0..4)
        .map(|_| match scene.decide() {
            Verdict::Wait { until, .. } => (until - now).num_milliseconds(),
            Verdict::Pass => 0,
            Verdict::Block { .. } => -1,
        })
        .collect();
    assert_eq!(waits, [0, 100, 200, 300]);
}

#[test]
fn free_messages_do_not_overspend() {
    let spent = |s: &mut Scene| s.usage.spent_today_micros = 30_000_000;
    assert!(Scene::new(Kind::Quote).with(spent).with(|s| s.cost_micros = 0).decide().is_pass());
    let mut negative = Scene::new(Kind::Quote).with(|s| s.cost_micros = -5);
    assert!(negative.decide().is_pass());
    assert_eq!(negative.usage.spent_today_micros, 0);
    let exact = Scene::new(Kind::Quote).with(|s| s.usage.spent_today_micros = 20_000_000 - 51_500).decide();
    assert!(exact.is_pass());
}

#[test]
fn a_sender_that_rested_resumes_its_warm_up() {
    let warming = |index| {
        Scene::new(Kind::Quote).with(|s| {
            s.sender.warmup_started_on = NaiveDate::from_ymd_opt(2026, 1, 1);
            s.sender.warmup_day_index = index;
            s.usage.sender_today = 150;
        })
    };
    assert_eq!(warming(1).decide().gate(), Some(Gate::WarmUp));
    assert!(warming(2).decide().is_pass());
    assert!(warming(4).with(|s| s.usage.sender_today = 1_000_000).decide().is_pass());
}

#[test]
fn verdicts_are_stored_as_json() {
    let mut scene = Scene::new(Kind::Campaign).with(|s| s.now = at("2026-03-02T13:30:00Z"));
    let json = serde_json::json!({
        "verdict": "wait",
        "gate": "quiet_hours",
        "reason": {"code": "quiet_hours", "zone": "Australia/Perth"},
        "until": "2026-03-03T01:00:00Z",
    });
    assert_eq!(serde_json::to_value(scene.decide()).unwrap(), json);
}

fn some_reason() -> impl Strategy<Value = Reason> {
    let now = monday();
    prop::sample::select(vec![
        Reason::SendingOff,
        Reason::CampaignPaused,
        Reason::SenderOff { label: "x".to_owned() },
        Reason::DailyBudget { limit_micros: 1, currency: "USD".to_owned() },
        Reason::MonthlyBudget { limit_micros: 1, currency: "USD".to_owned() },
        Reason::DoNotContact { note: String::new(), at: now },
        Reason::Unsubscribed { how: OptOutSource::Keyword { word: "stop".to_owned() }, at: now },
        Reason::Unsubscribed { how: OptOutSource::Carrier, at: now },
        Reason::NotSubscribed,
        Reason::Suppressed { last_marketed_at: now, days: 1 },
        Reason::ConsentEnded { basis: Basis::Enquiry, at: now },
        Reason::TooMany { most: 3, hours: 24 },
        Reason::NameNotRegistered { label: "Brightside".to_owned() },
        Reason::QuietHours { zone: America::New_York, holiday: None, law: None },
        Reason::QuietHours {
            zone: America::New_York,
            holiday: Some("Labor Day".to_owned()),
            law: Some(Law { place: "Texas".to_owned(), day: Some(Weekday::Sun) }),
        },
        Reason::RateLimit,
        Reason::WarmUp { cap: 50 },
        Reason::WarmUpNotStarted { starts_on: now.date_naive() },
    ])
}

fn some_scene() -> impl Strategy<Value = Scene> {
    let zone = prop::sample::select(&chrono_tz::TZ_VARIANTS[..]);
    let people = (0..4_u8, any::<[bool; 6]>(), prop::option::of(0..200_i64), prop::option::of(0..30_i64));
    let amounts = (0..3_000_000_i64, 0..4_000_000_i64, 0..60_i64, -1..4_i64, 0..5_u32, 0..3_u32);
    let time = (prop::sample::select(Kind::ALL), zone, -3..10_i64, 0..60 * 24 * 400_i64);
    (time, people, amounts).prop_map(|((kind, zone, warm_up, minute), people, amounts)| {
        let (consent, flags, marketed, wrote) = people;
        let (cost, spent, today, tokens, index, deferred) = amounts;
        Scene::new(kind).with(|s| {
            s.now = monday() + TimeDelta::minutes(minute);
            s.cost_micros = cost;
            s.tenant.timezone = zone;
            s.tenant.budget_daily_micros = flags[0].then_some(5_000_000);
            s.tenant.budget_monthly_micros = flags[1].then_some(6_000_000);
            s.tenant.quiet_hours_bind_people = flags[2];
            s.tenant.kill_switch = flags[3] && flags[4] && flags[5];
            s.recipient = recipient(zone);
            s.recipient.campaign_paused = flags[3] && flags[4] && !flags[5];
            s.recipient.last_marketed_at = marketed.map(|days| s.now - TimeDelta::days(days));
            s.recipient.cap = flags[4].then_some(Cap { most: 2, hours: 24 });
            let days = marketed.into_iter().flat_map(|days| [days, days / 2, days / 3]);
            s.recipient.texted_at = days.map(|days| s.now - TimeDelta::days(days)).collect();
            s.recipient.wants_registered_name = flags[0];
            s.sender.unregistered_name = flags[1] && flags[2] && flags[5];
            s.recipient.last_inbound_at = wrote.map(|minutes| s.now - TimeDelta::minutes(minutes));
            s.recipient.consent = match consent {
                0 => ConsentState::Subscribed,
                1 => ConsentState::Unknown,
                2 => {
                    ConsentState::Implied { basis: Basis::Enquiry, ends_at: s.now + TimeDelta::days(warm_up) }
                }
                _ => ConsentState::Unsubscribed { how: OptOutSource::Api, at: s.now },
            };
            s.recipient.do_not_contact =
                (flags[4] && !flags[3]).then(|| DoNotContact { reason: String::new(), at: s.now });
            s.sender.warmup_started_on = flags[5].then(|| local_day(s.now, zone) - TimeDelta::days(warm_up));
            s.sender.warmup_day_index = index;
            s.usage.spent_today_micros = spent;
            s.usage.spent_month_micros = spent;
            s.usage.sender_today = today;
            s.usage.rate_tokens = tokens;
            s.usage.rate_deferred = deferred;
            s.usage.rate_interval = TimeDelta::milliseconds(today);
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn deciding_and_explaining_agree(mut scene in some_scene()) {
        let explained = scene.explain();
        prop_assert_eq!(explained.iter().map(|(gate, _)| *gate).collect::<Vec<_>>(), Gate::ALL);
        let first = explained.into_iter().map(|(_, verdict)| verdict).find(|verdict| !verdict.is_pass());
        let before = scene.usage.clone();
        let verdict = scene.decide();
        prop_assert_eq!(&verdict, &first.unwrap_or(Verdict::Pass));
        match &verdict {
            Verdict::Pass => prop_assert_eq!(scene.usage.rate_tokens, before.rate_tokens - 1),
            Verdict::Wait { gate, until, .. } => {
                prop_assert!(*until > scene.now);
                prop_assert!(binds(scene.kind, *gate, &scene.tenant));
            }
            Verdict::Block { gate, .. } => prop_assert!(policy(scene.kind).binds[*gate as usize]),
        }
        if !verdict.is_pass() {
            let deferred = u32::from(verdict.gate() == Some(Gate::RateLimit));
            prop_assert_eq!(scene.usage, Usage { rate_deferred: before.rate_deferred + deferred, ..before });
        }
        let json = serde_json::to_value(&verdict).unwrap();
        prop_assert_eq!(serde_json::from_value::<Verdict>(json).unwrap(), verdict);
    }

    #[test]
    fn no_order_of_messages_exceeds_a_limit(scenes in prop::collection::vec(some_scene(), 1..40)) {
        let mut usage = Usage { rate_tokens: 20, sender_today: 40, spent_today_micros: 0, spent_month_micros: 0, ..usage() };
        let mut passed = 0;
        for mut scene in scenes {
            scene.usage = usage.clone();
            scene.cost_micros /= 4;
            let verdict = scene.decide();
            if verdict.is_pass() {
                passed += 1;
                let (tenant, bound) = (&scene.tenant, |gate| binds(scene.kind, gate, &scene.tenant));
                if bound(Gate::Budget) && scene.cost_micros > 0 {
                    prop_assert!(tenant.budget_daily_micros.is_none_or(|limit| scene.usage.spent_today_micros <= limit));
                    prop_assert!(tenant.budget_monthly_micros.is_none_or(|limit| scene.usage.spent_month_micros <= limit));
                }
                let cap = scene.sender.warmup_started_on.and(warm_up::cap_for_day_index(scene.sender.warmup_day_index));
                if let Some(cap) = cap.filter(|_| bound(Gate::WarmUp)) {
                    prop_assert!(scene.usage.sender_today <= i64::from(cap));
                }
            }
            usage = scene.usage;
        }
        prop_assert!(passed <= 20 && usage.rate_tokens == 20 - passed);
    }

    #[test]
    fn reasons_survive_storage_and_speak(reason in some_reason(), minutes in 1..100_000_i64) {
        let json = serde_json::to_value(&reason).unwrap();
        prop_assert_eq!(json["code"].as_str(), Some(reason.code()));
        prop_assert_eq!(&serde_json::from_value::<Reason>(json).unwrap(), &reason);
        let until = Some(monday() + TimeDelta::minutes(minutes));
        for until in [None, until] {
            let sentence = reason.sentence(until, monday(), Australia::Sydney);
            prop_assert!(sentence.starts_with(char::is_uppercase) && !sentence.ends_with(['.', ' ']));
        }
    }
}
