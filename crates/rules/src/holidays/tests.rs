use super::*;
use proptest::prelude::*;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn of_year(calendar: Calendar, year: i32) -> Vec<String> {
    let first = NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
    first
        .iter_days()
        .take_while(|day| day.year() == year)
        .filter(|day| calendar.holiday_on(*day).is_some())
        .map(|day| day.format("%m-%d").to_string())
        .collect()
}

#[test]
fn easter_is_where_the_church_keeps_it() {
    for sunday in [
        "1818-03-22",
        "1943-04-25",
        "2000-04-23",
        "2019-04-21",
        "2024-03-31",
        "2025-04-20",
        "2026-04-05",
        "2027-03-28",
        "2035-03-25",
        "2038-04-25",
        "2285-03-22",
    ] {
        assert_eq!(easter(day(sunday).year()), Some(day(sunday)));
    }
}

#[test]
fn years_are_as_they_were_published() {
    let american = |year| of_year(Calendar::UnitedStates, year).join(" ");
    // 4 July 2026 is a Saturday: both it and the Friday.
    assert_eq!(american(2026), "01-01 01-19 02-16 05-25 06-19 07-03 07-04 09-07 10-12 11-11 11-26 12-25");
    // 1 January 2028 is a Saturday: the Friday belongs to the year before. Juneteenth, Independence Day and Christmas
    // 2027 fall on weekends.
    assert_eq!(
        american(2027),
        "01-01 01-18 02-15 05-31 06-18 06-19 07-04 07-05 09-06 10-11 11-11 11-25 12-24 12-25 12-31"
    );
    let australian = |year| of_year(Calendar::Australia, year).join(" ");
    assert_eq!(australian(2026), "01-01 01-26 04-03 04-06 04-25 12-25 12-26 12-28");
    // Christmas on a Saturday, Boxing Day on a Sunday: Monday and Tuesday instead.
    assert_eq!(australian(2027), "01-01 01-26 03-26 03-29 04-25 12-25 12-26 12-27 12-28");
    // Christmas on a Sunday: Boxing Day keeps the Monday, Tuesday is for Christmas. New Year's Day is a Saturday.
    assert_eq!(australian(2022), "01-01 01-03 01-26 04-15 04-18 04-25 12-25 12-26 12-27");
    // A Sunday, and Australia Day on one, too.
    assert_eq!(australian(2020), "01-01 01-26 01-27 04-10 04-13 04-25 12-25 12-26 12-28");
    assert_eq!(
        of_year(Calendar::France, 2026).join(" "),
        "01-01 04-06 05-01 05-08 05-14 05-25 07-14 08-15 11-01 11-11 12-25"
    );
}

#[test]
fn a_day_in_lieu_bears_the_name_of_its_holiday() {
    let names = |calendar: Calendar, days: [&str; 3]| days.map(|text| calendar.holiday_on(day(text)));
    assert_eq!(
        names(Calendar::UnitedStates, ["2026-07-03", "2026-07-04", "2026-07-06"]),
        [Some("Independence Day"), Some("Independence Day"), None]
    );
    assert_eq!(
        names(Calendar::Australia, ["2027-12-27", "2027-12-28", "2027-12-29"]),
        [Some("Christmas Day"), Some("Boxing Day"), None]
    );
}

proptest! {
    /// Written down a second time: a year's holidays are moved one after the other.
    #[test]
    fn days_in_lieu_agree_with_a_list(year in 1900..2200_i32, american in any::<bool>()) {
        let calendar = if american { Calendar::UnitedStates } else { Calendar::Australia };
        let all = |year: i32| {
            let first = NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
            let of_year = first.iter_days().take_while(move |day| day.year() == year);
            of_year.filter(|day| calendar.itself(*day).is_some()).collect::<Vec<_>>()
        };
        let mut resting: Vec<NaiveDate> = [all(year - 1), all(year), all(year + 1)].concat();
        for holiday in resting.clone() {
            let lieu = calendar.itself(holiday).unwrap().lieu;
            let weekend = |day: NaiveDate| matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
            if lieu == Lieu::None || !weekend(holiday) {
                continue;
            }
            let mut moved = holiday;
            if lieu == Lieu::Nearest && holiday.weekday() == Weekday::Sat {
                moved = holiday.pred_opt().unwrap();
            }
            while lieu == Lieu::After && (weekend(moved) || resting.contains(&moved)) || moved.weekday() == Weekday::Sun {
                moved = moved.succ_opt().unwrap();
            }
            resting.push(moved);
        }
        let first = NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
        for day in first.iter_days().take_while(|day| day.year() == year) {
            prop_assert_eq!(calendar.holiday_on(day).is_some(), resting.contains(&day), "{}", day);
        }
    }
}
