//! The pages of the reports.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use patchbay_rules::{money, phone, proportions::Share};
use uuid::Uuid;

use super::{
    CampaignReport, SenderHealth, Spend,
    campaign::{Hour, TemplateResult},
    share, sql,
    view::{
        CampaignLine, CampaignPage, DayLine, Figure, Gauge, IndexPage, ReasonLine, SenderLine, SendersPage,
        SpendPage, Step, TemplateLine, TimeLine,
    },
};
use crate::{
    app::App,
    auth::{Caller, Session},
    dashboard::grouped,
    error::Result,
    web::{
        charts::{Breakdown, Columns, Lines, Mark, Part},
        extract::{Path, Query},
        layout::Place,
        pages::html,
        paging::{Page, PageQuery},
        parts::{Empty, Pager, Tab, Tag, Tone},
        shell::shell,
    },
};

/// Points of a line; more hours are put together.
const POINTS: i64 = 48;

fn tabs(at: usize) -> Vec<Tab> {
    [("Campaigns", "/reports"), ("Senders", "/reports/senders"), ("Spending", "/reports/spend")]
        .into_iter()
        .enumerate()
        .map(|(place, (label, href))| Tab::new(label, href.to_owned(), place == at))
        .collect()
}

pub(super) async fn index(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Response> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let rows = sql::list_campaigns(&mut tx, query.after()?, query.limit() + 1).await?;
    drop(tx);
    let found = Page::cut(rows, query.limit(), |row| row.id);
    let (zone, first) = (caller.tenant.timezone, query.cursor.is_none());
    let page = IndexPage {
        tabs: tabs(0),
        empty: (found.data.is_empty() && first).then(|| Empty {
            icon: "chart-column",
            heading: "No campaign has been launched yet".to_owned(),
            text: "Once one is on its way, its deliveries, clicks, replies and costs are told here."
                .to_owned(),
            actions: vec![("See the senders".to_owned(), "/reports/senders".to_owned())],
        }),
        pager: Pager {
            previous: (!first).then(|| "/reports".to_owned()),
            next: found.next_cursor.as_ref().map(|cursor| format!("/reports?cursor={cursor}")),
            note: String::new(),
        },
        rows: found
            .data
            .into_iter()
            .map(|line| {
                let funnel = line.counted.as_ref().map(|counted| counted.funnel(line.recipients));
                let part = |of: fn(&super::campaign::Funnel) -> i64| {
                    funnel
                        .as_ref()
                        .map_or_else(|| "–".to_owned(), |funnel| percent(share(of(funnel), funnel.sent)))
                };
                CampaignLine {
                    href: format!("/campaigns/{}/report", line.id),
                    name: line.name,
                    tag: status_tag(&line.status),
                    launched: line.launched_at.map(|at| day_and_time(at, zone)).unwrap_or_default(),
                    recipients: grouped(line.recipients),
                    delivered: part(|funnel| funnel.delivered),
                    clicked: part(|funnel| funnel.clicked),
                    opted_out: part(|funnel| funnel.opted_out),
                }
            })
            .collect(),
        shell: shell(&app, &session, Place::Reports, "Reports").await?,
    };
    html(&page)
}

pub(super) async fn campaign(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let report = super::report(&app, &caller, id).await?;
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
        ("Sent, awaiting receipt", Mark::Calm, count(&["sent"])),
        (
            "Waiting",
            Mark::Wait,
            count(&["queued", "sending", "unknown"]) + if canceled { 0 } else { to_come },
        ),
        ("Blocked", Mark::Stop, count(&["blocked"])),
        ("Failed", Mark::Fail, count(&["failed", "undelivered"])),
        ("Canceled", Mark::Rest, count(&["canceled"]) + if canceled { to_come } else { 0 }),
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
            word: if outcome.status == "queued" { "Waiting".to_owned() } else { capital(&outcome.status) },
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

pub(super) async fn senders(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
) -> Result<Response> {
    let senders = super::senders(&app, &caller).await?;
    let page = SendersPage {
        tabs: tabs(1),
        empty: senders.is_empty().then(|| Empty {
            icon: "phone",
            heading: "No senders yet".to_owned(),
            text: "Add a number or an address to send from; how it fares is told here.".to_owned(),
            actions: vec![("Go to the settings".to_owned(), "/settings".to_owned())],
        }),
        rows: senders.iter().map(|sender| sender_line(sender, &caller.tenant.country)).collect(),
        shell: shell(&app, &session, Place::Reports, "Senders").await?,
    };
    html(&page)
}

fn sender_line(sender: &SenderHealth, country: &str) -> SenderLine {
    let of_sent =
        |hits: i64| if sender.sent > 0 { percent(share(hits, sender.sent)) } else { "–".to_owned() };
    let today = match (sender.warm_up_day, sender.cap_today) {
        (Some(day), Some(cap)) => {
            format!("Warm-up day {day}: {} of {}", grouped(sender.sent_today), grouped(i64::from(cap)))
        }
        _ => format!("{} sent, no cap", grouped(sender.sent_today)),
    };
    let above = |hits: i64, rate: f64| sender.sent >= 100 && share(hits, sender.sent).rate() > rate;
    let worry = [
        (above(sender.filtered, 0.01), "Filtered by carriers"),
        (above(sender.opted_out, 0.02), "Many opt out"),
        (above(sender.failed, 0.1), "Many fail"),
    ]
    .into_iter()
    .find(|(holds, _)| *holds)
    .map(|(_, word)| Tag::new(Tone::Stop, "triangle-alert", word.to_owned()));
    SenderLine {
        address: phone::format_national_or_international(&sender.address, country),
        label: sender.label.clone().unwrap_or_default(),
        channel: match sender.channel.as_str() {
            "sms" => "SMS".to_owned(),
            "whatsapp" => "WhatsApp".to_owned(),
            _ => "E-mail".to_owned(),
        },
        sent: grouped(sender.sent),
        delivered: of_sent(sender.delivered),
        failed: of_sent(sender.failed),
        filtered: of_sent(sender.filtered),
        opted_out: of_sent(sender.opted_out),
        today,
        worry,
    }
}

pub(super) async fn spend(State(app): State<Arc<App>>, session: Session, caller: Caller) -> Result<Response> {
    let spend = super::spend(&app, &caller).await?;
    let money = |micros: i64| money::format(micros / 10_000, &spend.currency);
    let last = spend.days.len().saturating_sub(1);
    let columns: Vec<(String, f64, String)> = spend
        .days
        .iter()
        .enumerate()
        .map(|(place, day)| {
            // Every fifth day is named, counted from today.
            let label =
                if (last - place) % 5 == 0 { day.day.format("%-d %b").to_string() } else { String::new() };
            (label, day.cost_micros as f64, money(day.cost_micros))
        })
        .collect();
    let page = SpendPage {
        tabs: tabs(2),
        gauges: gauges(&spend),
        columns: Columns::new(&columns, Mark::Calm, "Spending per day over 31 days"),
        nothing: spend.days.iter().all(|day| day.messages == 0),
        days: spend
            .days
            .iter()
            .rev()
            .filter(|day| day.messages > 0)
            .map(|day| DayLine {
                day: day.day.format("%a %-d %b").to_string(),
                messages: grouped(day.messages),
                cost: money(day.cost_micros),
            })
            .collect(),
        shell: shell(&app, &session, Place::Reports, "Spending").await?,
    };
    html(&page)
}

fn gauges(spend: &Spend) -> Vec<Gauge> {
    let gauge = |label, micros: i64, cap: Option<i64>| {
        let used = cap.map(|cents| share(micros / 10_000, cents.max(1)));
        Gauge {
            label,
            amount: money::format(micros / 10_000, &spend.currency),
            cap: cap.map_or_else(
                || "No cap".to_owned(),
                |cents| format!("of {}", money::format(cents, &spend.currency)),
            ),
            width: used.map(|used| format!("{:.2}%", 100.0 * used.rate())).unwrap_or_default(),
            mark: match used.map(Share::rate) {
                Some(rate) if rate >= 1.0 => Mark::Stop,
                Some(rate) if rate >= 0.8 => Mark::Wait,
                _ => Mark::Good,
            },
        }
    };
    vec![
        gauge("Today", spend.today_micros, spend.daily_cap_cents),
        gauge("This month", spend.month_micros, spend.monthly_cap_cents),
    ]
}

fn status_tag(status: &str) -> Tag {
    let (tone, icon) = match status {
        "running" => (Tone::Calm, "send"),
        "finished" => (Tone::Good, "circle-check"),
        "paused" | "scheduled" => (Tone::Wait, "clock"),
        "canceled" => (Tone::Stop, "circle-x"),
        _ => (Tone::Plain, "file-text"),
    };
    Tag::new(tone, icon, capital(status))
}

fn capital(word: &str) -> String {
    let mut word = word.replace('_', " ");
    if let Some(first) = word.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    word
}

fn percent(share: Share) -> String {
    if share.of == 0 { "–".to_owned() } else { format!("{:.1}%", 100.0 * share.rate()) }
}

fn day_and_time(at: DateTime<Utc>, zone: Tz) -> String {
    crate::web::moments::full(at, zone)
}

/// As exact as the stretch is long.
fn when(at: DateTime<Utc>, width: TimeDelta, zone: Tz) -> String {
    let local = at.with_timezone(&zone);
    if width < TimeDelta::hours(24) {
        format!("{}, {}", local.format("%-d %b"), patchbay_rules::calendar::clock(at, zone))
    } else {
        local.format("%-d %b").to_string()
    }
}
