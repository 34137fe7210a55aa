//! Who a campaign goes to: some are where it may arrive now and some where it may not, some never agreed or agree no
//! more, some are on the list, some were written to lately.

use chrono::{DateTime, TimeDelta, Timelike, Utc};
use chrono_tz::{Africa, America, Asia, Atlantic, Australia, Europe, Pacific, Tz};
use patchbay_rules::quiet_hours::{self, Window};
use sqlx::{AssertSqlSafe, Executor, PgConnection};

/// One for nearly every hour of the clock.
const ZONES: [Tz; 24] = [
    Pacific::Kiritimati,
    Pacific::Auckland,
    Australia::Sydney,
    Australia::Adelaide,
    Asia::Tokyo,
    Australia::Perth,
    Asia::Bangkok,
    Asia::Dhaka,
    Asia::Kathmandu,
    Asia::Karachi,
    Asia::Dubai,
    Africa::Nairobi,
    Europe::Athens,
    Europe::Paris,
    Europe::London,
    Atlantic::Cape_Verde,
    Atlantic::South_Georgia,
    America::Sao_Paulo,
    America::Halifax,
    America::New_York,
    America::Chicago,
    America::Denver,
    America::Los_Angeles,
    Pacific::Honolulu,
];

/// Countries and states whose hours differ; the last has none of its own.
const LAWS: [(&str, Option<&str>); 8] = [
    ("US", None),
    ("US", Some("RI")),
    ("US", Some("PA")),
    ("US", Some("TX")),
    ("CA", None),
    ("AU", None),
    ("FR", None),
    ("GB", None),
];

/// No scenario lasts longer.
const WHILE: TimeDelta = TimeDelta::hours(2);

/// Where somebody lives, and whose law protects them.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    pub zone: Tz,
    country: &'static str,
    state: Option<&'static str>,
}

/// The places where marketing may arrive from `now` on for a while, and those where it may not: one of either kind for
/// every law that has one at this time of the week.
pub fn places(now: DateTime<Utc>, quiet: Window) -> (Vec<Place>, Vec<Place>) {
    let (mut open, mut closed) = (Vec::new(), Vec::new());
    for (country, state) in LAWS {
        let week = quiet_hours::marketing_rules(country, state, true);
        let is_open = |at, zone| {
            quiet_hours::check(at, &[zone], Some(quiet), week.as_ref()) == quiet_hours::QuietDecision::Open
        };
        let stays_open = |zone| {
            quiet_hours::closes_at(now, &[zone], Some(quiet), week.as_ref()).is_none_or(|at| at > now + WHILE)
        };
        let stays_closed = |zone| {
            let mut times =
                (0..=WHILE.num_minutes()).step_by(5).map(|minute| now + TimeDelta::minutes(minute));
            times.all(|at| !is_open(at, zone))
        };
        let place = |zone: Tz| Place { zone, country, state };
        open.extend(ZONES.into_iter().find(|zone| is_open(now, *zone) && stays_open(*zone)).map(place));
        closed.extend(ZONES.into_iter().rev().find(|zone| stays_closed(*zone)).map(place));
    }
    assert!(!open.is_empty() && !closed.is_empty(), "somewhere it is noon, elsewhere midnight");
    (open, closed)
}

/// A zone whose midnight is far.
pub fn office(now: DateTime<Utc>) -> Tz {
    let noon = |zone: &Tz| (8..18).contains(&now.with_timezone(zone).hour());
    ZONES.into_iter().find(noon).expect("somewhere it is day")
}

pub fn phone(number: u64) -> String {
    format!("+1415{}", 2_000_000 + number)
}

/// Which campaigns somebody is meant by: one in twenty by both, one in twenty by the second only.
pub fn source(number: u64) -> &'static str {
    match number % 20 {
        3 => "both",
        4 => "second",
        _ => "first",
    }
}

/// Makes people `0..count`.
pub async fn make(sql: &mut PgConnection, count: u64, open: &[Place], closed: &[Place]) {
    let place = |number: u64| {
        let here = if number % 10 == 9 { closed } else { open };
        here[usize::try_from(number / 20).unwrap_or_default() % here.len()]
    };
    let places: Vec<Place> = (0..count).map(place).collect();
    let column = |of: fn(&Place) -> Option<String>| places.iter().map(of).collect::<Vec<_>>();
    sqlx::query(
        "insert into patchbay.contacts (tenant_id, first_name, phone_e164, import_id, source, country, state, timezone)
         select t.id, 'P' || p.phone, p.phone, gen_random_uuid(), p.source, p.country, p.state, p.timezone from patchbay.tenants t,
           unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) p (phone, source, country, state, timezone)",
    )
    .bind((0..count).map(phone).collect::<Vec<_>>())
    .bind((0..count).map(source).collect::<Vec<_>>())
    .bind(column(|place| Some(place.country.to_owned())))
    .bind(column(|place| place.state.map(str::to_owned)))
    .bind(column(|place| Some(place.zone.name().to_owned())))
    .execute(&mut *sql)
    .await
    .expect("people");
    // One in fifty of each: never asked, agreed until yesterday, agreed for another month, on the list, written to a
    // month ago, written to in another season.
    let nth = "substr(phone_e164, 6)::int % 50";
    let statements = [
        "analyze patchbay.contacts".to_owned(),
        format!(
            "insert into patchbay.consent_events (tenant_id, channel, address, state, how, created_at, basis, expires_at)
             select tenant_id, 'sms', phone_e164, 'subscribed', 'form', now() - interval '60 days', case when {nth} in (1, 2) then 'enquiry' else 'express' end,
               case {nth} when 1 then now() - interval '1 day' when 2 then now() + interval '30 days' end
             from patchbay.contacts where {nth} <> 0"
        ),
        "insert into patchbay.consents (tenant_id, channel, address, state, how, changed_at, basis, expires_at)
         select tenant_id, channel, address, state, how, created_at, basis, expires_at from patchbay.consent_events"
            .to_owned(),
        format!(
            "insert into patchbay.do_not_contact (tenant_id, phone_e164, reason, created_at)
             select tenant_id, phone_e164, 'Asked on the phone', now() - interval '5 days' from patchbay.contacts where {nth} = 5"
        ),
        format!(
            "insert into patchbay.messages (tenant_id, contact_id, direction, channel, kind, status, priority, dedupe_key, to_address, body, sent_at, claimed_at)
             select tenant_id, id, 'outbound', 'sms', 'campaign', 'delivered', 2, 'before:' || id, phone_e164, 'Winter', at, at
             from (select *, now() - case {nth} when 6 then interval '30 days' else interval '100 days' end as at from patchbay.contacts where {nth} in (6, 7)) c"
        ),
        "update patchbay.contacts c set last_marketed_at = m.sent_at from patchbay.messages m where m.tenant_id = c.tenant_id and m.contact_id = c.id".to_owned(),
    ];
    for statement in statements {
        sql.execute(AssertSqlSafe(statement)).await.expect("history");
    }
}
