use super::*;
use chrono::NaiveDate;
use chrono_tz::{America, Australia, Europe, Indian, TZ_VARIANTS};
use proptest::prelude::*;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn window(start: &str, end: &str) -> Option<Window> {
    Some(Window { start: format!("{start}:00").parse().unwrap(), end: format!("{end}:00").parse().unwrap() })
}

fn quiet_until(decision: QuietDecision) -> Option<(DateTime<Utc>, Tz)> {
    match decision {
        QuietDecision::Open => None,
        QuietDecision::Quiet { until, zone } => Some((until, zone)),
    }
}

#[test]
fn nine_to_nine_in_one_zone() {
    let (perth, night) = ([Australia::Perth], window("21:00", "09:00"));
    let cases = [
        ("2026-03-02T12:59:59Z", None),
        ("2026-03-02T13:00:00Z", Some("2026-03-03T01:00:00Z")),
        ("2026-03-03T00:59:59.5Z", Some("2026-03-03T01:00:00Z")),
        ("2026-03-03T01:00:00Z", None),
    ];
    for (now, until) in cases {
        let expected = until.map(|until| (at(until), Australia::Perth));
        assert_eq!(quiet_until(check(at(now), &perth, night, None)), expected, "{now}");
    }
    assert_eq!(closes_at(at("2026-03-02T02:00:00Z"), &perth, night, None), Some(at("2026-03-02T13:00:00Z")));
    assert_eq!(closes_at(at("2026-03-02T14:00:00Z"), &perth, night, None), Some(at("2026-03-02T14:00:00Z")));
}

#[test]
fn windows_by_day_and_none_at_all() {
    let (zone, noon) = ([Tz::UTC], at("2026-03-02T12:00:00Z"));
    assert_eq!(check(noon, &zone, window("09:00", "09:00"), None), QuietDecision::Open);
    assert_eq!(check(noon, &zone, None, None), QuietDecision::Open);
    assert_eq!(closes_at(noon, &zone, None, None), None);
    let lunch = check(noon, &zone, window("11:30", "13:15"), None);
    assert_eq!(quiet_until(lunch), Some((at("2026-03-02T13:15:00Z"), Tz::UTC)));
    let never = WeekRules { days: [Hours::NONE; 7], holidays: None };
    assert_eq!(quiet_until(check(noon, &zone, None, Some(&never))), Some((noon + HORIZON, Tz::UTC)));
    assert_eq!(quiet_until(check(noon, &[], None, None)), Some((noon + HORIZON, Tz::UTC)));
}

#[test]
fn all_candidate_zones_must_be_open() {
    let (zones, night) = ([Australia::Sydney, Australia::Perth, Indian::Cocos], window("21:00", "09:00"));
    // Ten in Sydney is seven in Perth and half past five on Cocos, which opens last: 02:30 UTC.
    let morning = check(at("2026-03-01T23:00:00Z"), &zones, night, None);
    assert_eq!(quiet_until(morning), Some((at("2026-03-02T02:30:00Z"), Indian::Cocos)));
    // Sydney closes first: 21:00 there is 10:00 UTC.
    assert_eq!(closes_at(at("2026-03-02T03:00:00Z"), &zones, night, None), Some(at("2026-03-02T10:00:00Z")));
}

#[test]
fn a_night_that_ends_in_a_gap_ends_with_the_gap() {
    // 2026-03-08: New York's clocks go from 02:00 EST to 03:00 EDT at 07:00 UTC.
    let answer = check(at("2026-03-08T05:00:00Z"), &[America::New_York], window("21:00", "02:30"), None);
    assert_eq!(quiet_until(answer), Some((at("2026-03-08T07:00:00Z"), America::New_York)));
}

#[test]
fn a_doubled_hour_is_quiet_if_either_reading_is() {
    // 2026-11-01: 02:00 EDT becomes 01:00 EST at 06:00 UTC; 01:00 to 02:00 comes twice from 05:00 UTC on.
    let zone = [America::New_York];
    let early = check(at("2026-11-01T04:00:00Z"), &zone, window("21:00", "01:30"), None);
    assert_eq!(quiet_until(early), Some((at("2026-11-01T06:30:00Z"), America::New_York)));
    let late = window("01:30", "09:00");
    assert_eq!(check(at("2026-11-01T05:29:00Z"), &zone, late, None), QuietDecision::Open);
    assert_eq!(closes_at(at("2026-11-01T04:00:00Z"), &zone, late, None), Some(at("2026-11-01T05:30:00Z")));
    let second = check(at("2026-11-01T06:00:00Z"), &zone, late, None);
    assert_eq!(quiet_until(second), Some((at("2026-11-01T14:00:00Z"), America::New_York)));
}

#[test]
fn australian_marketing_rests_from_saturday_evening_to_monday() {
    let rules = marketing_rules("AU", Some("NSW"), true).unwrap();
    // Saturday 2026-03-07, 17:00 in Sydney, until Monday 09:00.
    let weekend = check(at("2026-03-07T06:00:00Z"), &[Australia::Sydney], None, Some(&rules));
    assert_eq!(quiet_until(weekend), Some((at("2026-03-08T22:00:00Z"), Australia::Sydney)));
    let both =
        check(at("2026-03-07T06:00:00Z"), &[Australia::Sydney], window("18:00", "10:00"), Some(&rules));
    assert_eq!(quiet_until(both), Some((at("2026-03-08T23:00:00Z"), Australia::Sydney)));
}

#[test]
fn marketing_rests_over_runs_of_holidays() {
    let sydney = [Australia::Sydney];
    let australia = marketing_rules("AU", None, true).unwrap();
    // Friday Christmas, Saturday Boxing Day, a Sunday, the Monday in lieu: from Thursday 20:00 to Tuesday 09:00.
    let christmas = check(at("2026-12-24T09:00:00Z"), &sydney, None, Some(&australia));
    assert_eq!(quiet_until(christmas), Some((at("2026-12-28T22:00:00Z"), Australia::Sydney)));
    assert_eq!(
        closes_at(at("2026-12-24T02:00:00Z"), &sydney, None, Some(&australia)),
        Some(at("2026-12-24T09:00:00Z"))
    );
    // From Easter Saturday over Monday, while clocks go back on the Sunday.
    let easter = check(at("2026-04-04T07:00:00Z"), &sydney, None, Some(&australia));
    assert_eq!(quiet_until(easter), Some((at("2026-04-06T23:00:00Z"), Australia::Sydney)));
    // Thanksgiving is over in New York an hour before it is in Chicago.
    let america = marketing_rules("US", None, true).unwrap();
    let zones = [America::New_York, America::Chicago];
    let thanksgiving = check(at("2026-11-26T17:00:00Z"), &zones, None, Some(&america));
    assert_eq!(quiet_until(thanksgiving), Some((at("2026-11-27T16:00:00Z"), America::Chicago)));
}

#[test]
fn four_states_rest_whatever_the_business_chose() {
    let rests = |country, state, resting| {
        marketing_rules(country, state, resting).is_some_and(|week| week.holidays.is_some())
    };
    for state in ["AL", "Louisiana", "pa", "RI"] {
        assert!(rests("US", Some(state), false), "{state}");
    }
    assert!(rests("US", None, true) && rests("PR", None, true) && rests("FR", None, true));
    assert!(!rests("US", Some("TX"), false) && !rests("AU", None, false) && !rests("CA", None, true));
}

#[test]
fn state_law_narrows_the_american_default() {
    let days = |country, state| {
        marketing_rules(country, state, true).map(|rules| rules.days.map(|d| (d.from / 60, d.to / 60)))
    };
    let default = [(10, 20), (10, 20), (10, 20), (10, 20), (10, 20), (10, 20), (12, 17)];
    let with_weekend = |saturday, sunday| {
        let mut days = default;
        (days[5], days[6]) = (saturday, sunday);
        Some(days)
    };
    let none = (0, 0);
    assert_eq!(days("US", None), Some(default));
    assert_eq!(days("us", Some("TX")), Some(default));
    assert_eq!(days("US", Some("Nowhere")), Some(default));
    assert_eq!(days("CA", Some("ON")), Some(default));
    assert_eq!(days("PR", None), Some(default));
    assert_eq!(days("US", Some("alabama")), with_weekend((10, 20), none));
    assert_eq!(days("US", Some("LA")), with_weekend((10, 20), none));
    assert_eq!(days("US", Some("PA")), with_weekend((10, 12), none));
    let rhode_island = days("US", Some("RI")).unwrap();
    assert_eq!((rhode_island[0], rhode_island[5], rhode_island[6]), ((10, 18), (10, 17), none));
    assert_eq!(days("FR", None).unwrap()[6], none);
    assert_eq!(days("GB", None), None);
    assert_eq!(days("", None), None);
    assert_eq!(days("é", None), None);
}

#[test]
fn windows_are_stored_like_clock_faces() {
    let night = window("21:00", "09:00").unwrap();
    let json = serde_json::json!({"start": "21:00", "end": "09:00"});
    assert_eq!(serde_json::to_value(night).unwrap(), json);
    assert_eq!(serde_json::from_value::<Window>(json).unwrap(), night);
    let long = serde_json::json!({"start": "21:00:00", "end": "09:00:30"});
    assert_eq!(
        serde_json::to_value(serde_json::from_value::<Window>(long).unwrap()).unwrap()["end"],
        "09:00:30"
    );
    assert!(serde_json::from_value::<Window>(serde_json::json!({"start": "9pm", "end": "25:00"})).is_err());
}

/// An instant near a change of clocks of the zone, if it has one that year, or else any.
fn instant_near_change(zone: Tz, year: i32, day: i64, minute: i64) -> DateTime<Utc> {
    let start = NaiveDate::from_ymd_opt(year, 1, 1).unwrap().and_time(NaiveTime::MIN).and_utc();
    let offset = |day: i64| zone.offset_from_utc_datetime(&(start + TimeDelta::days(day)).naive_utc()).fix();
    let changes: Vec<_> = (0..365).filter(|&day| offset(day) != offset(day + 1)).collect();
    let index = usize::try_from(day).unwrap() % changes.len().max(1);
    let day = changes.get(index).map_or(day, |change| change - 1);
    start + TimeDelta::days(day) + TimeDelta::minutes(minute)
}

/// The definition, read aloud: every zone, under every reading of its clock.
fn is_open(instant: DateTime<Utc>, zones: &[Tz], quiet: Option<Window>, week: Option<&WeekRules>) -> bool {
    zones.iter().all(|zone| {
        let local = instant.with_timezone(zone).naive_local();
        let readings = match zone.from_local_datetime(&local) {
            MappedLocalTime::Ambiguous(one, other) => {
                vec![instant.naive_utc() + one.offset().fix(), instant.naive_utc() + other.offset().fix()]
            }
            _ => vec![local],
        };
        readings.into_iter().all(|reading| {
            let (time, day) = (reading.time(), reading.weekday().num_days_from_monday() as usize);
            let in_window = quiet.is_some_and(|window| {
                let after_start = (time - window.start).num_seconds().rem_euclid(86_400);
                after_start < (window.end - window.start).num_seconds().rem_euclid(86_400)
            });
            let minutes = time.num_seconds_from_midnight() / 60;
            let within = |hours: Hours| u32::from(hours.from) <= minutes && minutes < u32::from(hours.to);
            let rests = |week: &WeekRules| week.holiday_on(reading.date()).is_some();
            !in_window && week.is_none_or(|week| within(week.days[day]) && !rests(week))
        })
    })
}

fn some_window() -> impl Strategy<Value = Option<Window>> {
    let time = (0..24_u32, prop_oneof![Just(0_u32), Just(30), 0..60_u32])
        .prop_map(|(hour, minute)| NaiveTime::from_hms_opt(hour, minute, 0).unwrap());
    prop::option::weighted(0.8, (time.clone(), time).prop_map(|(start, end)| Window { start, end }))
}

fn some_week() -> impl Strategy<Value = Option<WeekRules>> {
    let hours = (0..=1440_u16, 0..=1440_u16).prop_map(|(from, to)| Hours { from, to });
    let calendars = vec![Calendar::UnitedStates, Calendar::Australia, Calendar::France];
    let calendar = prop::option::of(prop::sample::select(calendars));
    let any_week =
        (prop::array::uniform7(hours), calendar).prop_map(|(days, holidays)| WeekRules { days, holidays });
    let law = prop::sample::select(vec![("US", Some("RI")), ("US", None), ("AU", None), ("FR", None)])
        .prop_flat_map(|place| (Just(place), any::<bool>()))
        .prop_map(|((country, state), resting)| marketing_rules(country, state, resting).unwrap());
    prop::option::weighted(0.5, prop_oneof![any_week, law])
}

fn some_zones() -> impl Strategy<Value = Vec<Tz>> {
    let wild = vec![Australia::Lord_Howe, America::New_York, Europe::London, chrono_tz::Antarctica::Troll];
    let zone = prop_oneof![prop::sample::select(wild), prop::sample::select(&TZ_VARIANTS[..])];
    prop::collection::vec(zone, 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn until_is_the_first_open_minute(
        zones in some_zones(), quiet in some_window(), week in some_week(),
        year in 1995..2038_i32, day in 0..365_i64, minute in 0..4320_i64,
    ) {
        let now = instant_near_change(zones[0], year, day, minute);
        let week = week.as_ref();
        let until = match check(now, &zones, quiet, week) {
            QuietDecision::Open => {
                prop_assert!(is_open(now, &zones, quiet, week));
                return Ok(());
            }
            QuietDecision::Quiet { until, zone } => {
                prop_assert!(zones.contains(&zone));
                let before = until - TimeDelta::seconds(1);
                prop_assert!(until == now + HORIZON || !is_open(before, &[zone], quiet, week));
                until
            }
        };
        prop_assert!(now < until && until <= now + HORIZON);
        prop_assert!(until == now + HORIZON || is_open(until, &zones, quiet, week));
        let mut minute = now;
        while minute < until {
            prop_assert!(!is_open(minute, &zones, quiet, week), "{} is open", minute);
            minute += TimeDelta::minutes(1);
        }
    }

    #[test]
    fn nothing_is_open_on_a_holiday_anywhere(
        zones in some_zones(), country in prop::sample::select(vec!["US", "AU", "FR"]),
        year in 1995..2038_i32, day in 0..366_i64, minute in 0..1440_i64,
    ) {
        let week = marketing_rules(country, None, true).unwrap();
        let now = instant_near_change(zones[0], year, day, minute);
        let opens = match check(now, &zones, None, Some(&week)) {
            QuietDecision::Open => now,
            QuietDecision::Quiet { until, .. } => until,
        };
        for zone in &zones {
            let there = opens.with_timezone(zone).date_naive();
            prop_assert!(opens == now + HORIZON || week.holiday_on(there).is_none(), "{} in {}", there, zone);
        }
    }

    #[test]
    fn it_stays_open_until_it_closes(
        zones in some_zones(), quiet in some_window(), week in some_week(),
        year in 1995..2038_i32, day in 0..365_i64, minute in 0..4320_i64,
    ) {
        let now = instant_near_change(zones[0], year, day, minute);
        let week = week.as_ref();
        let closes = closes_at(now, &zones, quiet, week);
        prop_assert!(closes.is_none_or(|closes| !is_open(closes, &zones, quiet, week)));
        let mut minute = now;
        while minute < closes.unwrap_or(now + HORIZON) {
            prop_assert!(is_open(minute, &zones, quiet, week), "{} is quiet", minute);
            minute += TimeDelta::minutes(1);
        }
    }
}
