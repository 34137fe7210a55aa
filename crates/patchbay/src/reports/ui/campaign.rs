//! One campaign: its figures, the funnel, everybody once, and how it went over time.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use patchbay_rules::money;
use uuid::Uuid;

use super::{capital, day_and_time, percent, status_tag};
use crate::{
    app::App,
    auth::{Caller, Session},
    dashboard::grouped,
    error::Result,
    reports::{
        self, CampaignReport,
        campaign::{Hour, TemplateResult},
        share,
        view::{CampaignPage, Figure, ReasonLine, Step, TemplateLine, TimeLine},
    },
    web::{
        charts::{Breakdown, Lines, Mark, Part},
        extract::Path,
        layout::Place,
        pages::html,
        parts::Empty,
        shell::shell,
    },
};

/// Points of a line; more hours are put together.
const POINTS: i64 = 48;

pub(super) async fn page(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let report = reports::report(&app, &caller, id).await?;
    let zone = caller.tenant.timezone;
    let times = stretches(&report.hours);
    let labels: Vec<String> = times.iter().map(|(hour, width)| when(hour.at, *width, zone)).collect();
    let line = |of: fn(&Hour) -> i64| times.iter().map(|(hour, _)| of(hour) as f64).collect::<Vec<_>>();
    let page = CampaignPage {
        href: format!("/campaigns/{id}"),
        tag: status_tag(&report.status),
        counted: day_and_time(report.counted_at, zone),
        figures: figures(&report),
        steps: steps(&report),
        outcomes: outcomes(&report),
        reasons: reasons(&report),
        sending: Lines::new(
            &labels,
            &[
                ("Sent", Mark::Calm, line(|hour| hour.sent)),
                ("Delivered", Mark::Good, line(|hour| hour.delivered)),
            ],
            "Messages sent and delivered over time",
        ),
        clicking: Lines::new(
            &labels,
            &[
                ("All clicks", Mark::Rest, line(|hour| hour.hits)),
                ("People’s clicks", Mark::Cord, line(|hour| hour.clicks)),
            ],
            "Clicks over time",
        ),
        times: times.iter().zip(&labels).map(|((hour, _), label)| time_line(hour, label)).collect(),
        templates: report.templates.iter().map(template_line).collect(),
        comparison: report.comparison.clone().unwrap_or_default(),
        empty: report.launched_at.is_none().then(|| Empty {
            icon: "chart-column",
            heading: "Not launched yet".to_owned(),
            text: "Once this campaign is on its way, what comes of it is told here.".to_owned(),
            actions: vec![("Back to the campaign".to_owned(), format!("/campaigns/{id}"))],
        }),
        name: report.name,
        shell: shell(&app, &session, Place::Reports, "Report").await?,
    };
    html(&page)
}

fn figures(report: &CampaignReport) -> Vec<Figure> {
    let funnel = &report.funnel;
    let of_sent = |hits: i64| percent(share(hits, funnel.sent));
    let per_click = if funnel.clicked > 0 {
        format!("{} per click", money::format_micros(report.cost_micros / funnel.clicked, &report.currency))
    } else {
        format!("{} segments", grouped(report.segments))
    };
    vec![
        Figure {
            label: "Delivered",
            amount: of_sent(funnel.delivered),
            note: format!("{} of {} sent", grouped(funnel.delivered), grouped(funnel.sent)),
        },
        Figure {
            label: "Clicked",
            amount: of_sent(funnel.clicked),
            note: format!("{} people, {} clicks in all", grouped(funnel.clicked), grouped(report.hits)),
        },
        Figure {
            label: "Replied",
            amount: of_sent(funnel.replied),
            note: format!("{} people", grouped(funnel.replied)),
        },
        Figure {
            label: "Opted out",
            amount: of_sent(funnel.opted_out),
            note: format!("{} people", grouped(funnel.opted_out)),
        },
        Figure {
            label: "Cost",
            amount: money::format(report.cost_micros / 10_000, &report.currency),
            note: per_click,
        },
    ]
}

fn steps(report: &CampaignReport) -> Vec<Step> {
    let funnel = &report.funnel;
    let step = |label, count: i64, of: i64, what: &str, mark| Step {
        label,
        amount: grouped(count),
        share: format!("{} {what}", percent(share(count, of))),
        width: format!("{:.2}%", 100.0 * share(count, funnel.recipients).rate()),
        mark,
    };
    vec![
        step("Recipients", funnel.recipients, funnel.recipients, "of the audience", Mark::Rest),
        step("Sent", funnel.sent, funnel.recipients, "of the audience", Mark::Calm),
        step("Delivered", funnel.delivered, funnel.sent, "of those sent", Mark::Good),
        step("Clicked", funnel.clicked, funnel.sent, "of those sent", Mark::Cord),
        step("Replied", funnel.replied, funnel.sent, "of those sent", Mark::Cord),
        step("Opted out", funnel.opted_out, funnel.sent, "of those sent", Mark::Stop),
    ]
}

/// Everybody in the audience, once.
fn outcomes(report: &CampaignReport) -> Option<Breakdown> {
    let count = |statuses: &[&str]| -> i64 {
        let alike = report.outcomes.iter().filter(|outcome| statuses.contains(&outcome.status.as_str()));
        alike.map(|outcome| outcome.messages).sum()
    };
    let told: i64 = report.outcomes.iter().map(|outcome| outcome.messages).sum();
    let to_come = (report.funnel.recipients - told).max(0);
    let canceled = report.status == "canceled";
    let parts = [
        ("Delivered", Mark::Good, count(&["delivered", "read"])),
        ("Sent, no receipt yet", Mark::Calm, count(&["sent"])),
        (
            "Waiting",
            Mark::Wait,
            count(&["queued", "sending", "unknown"]) + if canceled { 0 } else { to_come },
        ),
        ("Not sent", Mark::Stop, count(&["blocked"])),
        ("Failed", Mark::Fail, count(&["failed", "undelivered"])),
        ("Called off", Mark::Rest, count(&["canceled"]) + if canceled { to_come } else { 0 }),
    ];
    let parts = parts.into_iter().map(|(label, mark, count)| Part {
        label: label.to_owned(),
        detail: String::new(),
        mark,
        count: count.unsigned_abs(),
        amount: grouped(count),
        href: None,
    });
    let total = report.funnel.recipients;
    (total > 0).then(|| Breakdown {
        parts: parts.collect(),
        total: total.unsigned_abs(),
        amount: grouped(total),
    })
}

fn reasons(report: &CampaignReport) -> Vec<ReasonLine> {
    let with_reason = report.outcomes.iter().filter(|outcome| !outcome.reason.is_empty());
    with_reason
        .map(|outcome| ReasonLine {
            word: match outcome.status.as_str() {
                "queued" => "Waiting".to_owned(),
                "blocked" => "Not sent".to_owned(),
                "undelivered" => "Not delivered".to_owned(),
                "canceled" => "Called off".to_owned(),
                other => capital(other),
            },
            reason: outcome.reason.clone(),
            amount: grouped(outcome.messages),
            share: percent(share(outcome.messages, report.funnel.recipients)),
        })
        .collect()
}

fn template_line(template: &TemplateResult) -> TemplateLine {
    let of_sent = |hits: i64| format!("{} ({})", percent(share(hits, template.sent)), grouped(hits));
    TemplateLine {
        name: template.name.clone(),
        href: template.template_id.map(|id| format!("/templates/{id}")).unwrap_or_default(),
        sent: grouped(template.sent),
        delivered: of_sent(template.delivered),
        clicked: of_sent(template.clicked),
        interval: if template.sent > 0 {
            format!("{:.1} to {:.1}%", 100.0 * template.click_rate_low, 100.0 * template.click_rate_high)
        } else {
            "–".to_owned()
        },
        replied: of_sent(template.replied),
        opted_out: of_sent(template.opted_out),
    }
}

fn time_line(hour: &Hour, label: &str) -> TimeLine {
    TimeLine {
        when: label.to_owned(),
        sent: grouped(hour.sent),
        delivered: grouped(hour.delivered),
        clicks: grouped(hour.clicks),
        hits: grouped(hour.hits),
    }
}

/// Hours put together into at most [`POINTS`] stretches of equal length, gaps included.
fn stretches(hours: &[Hour]) -> Vec<(Hour, TimeDelta)> {
    let (Some(first), Some(last)) = (hours.first(), hours.last()) else { return Vec::new() };
    let span = (last.at - first.at).num_hours() + 1;
    let width = [1, 2, 3, 6, 12, 24, 48, 168]
        .into_iter()
        .find(|width| span <= width * POINTS)
        .unwrap_or(span / POINTS + 1);
    let count = (span + width - 1) / width;
    let mut stretches: Vec<(Hour, TimeDelta)> = (0..count)
        .map(|place| {
            let at = first.at + TimeDelta::hours(place * width);
            (Hour { at, sent: 0, delivered: 0, clicks: 0, hits: 0 }, TimeDelta::hours(width))
        })
        .collect();
    for hour in hours {
        let place = usize::try_from((hour.at - first.at).num_hours() / width).unwrap_or_default();
        if let Some((sum, _)) = stretches.get_mut(place) {
            sum.sent += hour.sent;
            sum.delivered += hour.delivered;
            sum.clicks += hour.clicks;
            sum.hits += hour.hits;
        }
    }
    stretches
}

/// As exact as the stretch is long.
fn when(at: DateTime<Utc>, width: TimeDelta, zone: Tz) -> String {
    let local = at.with_timezone(&zone);
    if width < TimeDelta::hours(24) {
        local.format("%-d %b, %H:%M").to_string()
    } else {
        local.format("%-d %b").to_string()
    }
}
