//! The dashboard's page, and the messages behind its numbers.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use patchbay_rules::{gates::Reason, money, phone};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    Day, Fate, MESSAGE_DAYS, Numbers, days, sql,
    view::{BarRow, DashboardPage, Figure, MessageLine, MessagesPage, QuoteLine},
};
use crate::{
    app::App,
    auth::{Caller, Session},
    contacts::full_name,
    error::Result,
    quotes::{self, Status},
    tenants::setup,
    web::{
        charts::{Breakdown, Columns, Mark, Part},
        extract::Query,
        layout::Place,
        moments::moment,
        pages::html,
        paging::{Page, PageQuery},
        parts::{Empty, Face, Pager, Tab, Tag, Tone},
        shell::shell,
    },
};

/// Bars of the ranking of sources; the rest is summed up.
const SOURCES: usize = 7;

pub(super) async fn page(State(app): State<Arc<App>>, session: Session, caller: Caller) -> Result<Response> {
    let numbers = super::numbers(&app, &caller).await?;
    let leads: i64 = numbers.sources.iter().map(|(_, count)| count).sum();
    let outbound = |day: &Day| Fate::ALL.iter().map(|fate| day.count(fate.statuses())).sum::<i64>();
    let columns: Vec<(String, f64, String)> = numbers
        .days
        .iter()
        .map(|day| (day.date.format("%a").to_string(), outbound(day) as f64, grouped(outbound(day))))
        .collect();
    let total: i64 = numbers.days.iter().map(outbound).sum();
    let setup = match total {
        0 => setup::steps(&mut app.db.tenant(caller.tenant.id).await?, &caller).await?,
        _ => Vec::new(),
    };
    let page = DashboardPage {
        figures: figures(&numbers, leads, app.now()),
        days: Columns::new(&columns, Mark::Calm, format!("Messages per day over {MESSAGE_DAYS} days")),
        sent_total: sent_of(&numbers, total),
        setup,
        messages: (total > 0).then(|| breakdown(&numbers, total)),
        sources: sources(&numbers.sources),
        quotes: quote_lines(&numbers),
        shell: shell(&app, &session, Place::Dashboard, "Dashboard").await?,
    };
    html(&page)
}

/// "58 in 7 days, 36 of them sent": those that left are what the reports count and money was spent on.
fn sent_of(numbers: &Numbers, total: i64) -> String {
    let left = [Fate::Delivered, Fate::Sent].iter().flat_map(|fate| fate.statuses());
    let left: Vec<&str> = left.copied().chain(["undelivered"]).collect();
    let sent: i64 = numbers.days.iter().map(|day| day.count(&left)).sum();
    format!("{} in {MESSAGE_DAYS} days, {} of them sent", grouped(total), grouped(sent))
}

fn figures(numbers: &Numbers, leads: i64, now: DateTime<Utc>) -> Vec<Figure> {
    let waiting_note =
        numbers.waiting_since.map(|since| format!("the longest for {}", span((now - since).num_seconds())));
    vec![
        Figure {
            label: "Waiting for an answer",
            amount: up_to(numbers.waiting),
            note: waiting_note.unwrap_or_else(|| "nobody waits".to_owned()),
            href: "/inbox?view=unread",
        },
        Figure {
            label: "Conversations today",
            amount: up_to(numbers.conversations_today),
            note: String::new(),
            href: "/inbox",
        },
        Figure {
            label: "First answer, median",
            amount: numbers
                .median_reply_seconds
                .map_or_else(|| "–".to_owned(), |seconds| span(seconds.round() as i64)),
            note: format!("last {MESSAGE_DAYS} days"),
            href: "/inbox?view=done",
        },
        Figure {
            label: "New leads",
            amount: grouped(leads),
            note: "last 30 days".to_owned(),
            href: "/contacts",
        },
    ]
}

fn breakdown(numbers: &Numbers, total: i64) -> Breakdown {
    let parts = Fate::ALL.into_iter().map(|fate| {
        let count: i64 = numbers.days.iter().map(|day| day.count(fate.statuses())).sum();
        let (label, mark) = look(fate);
        Part {
            label: label.to_owned(),
            detail: String::new(),
            mark,
            count: count.unsigned_abs(),
            amount: grouped(count),
            href: Some(format!("/dashboard/messages?fate={}", fate.as_str())),
        }
    });
    Breakdown { parts: parts.collect(), total: total.unsigned_abs(), amount: grouped(total) }
}

fn look(fate: Fate) -> (&'static str, Mark) {
    match fate {
        Fate::Delivered => ("Delivered", Mark::Good),
        Fate::Sent => ("Sent, no receipt yet", Mark::Calm),
        Fate::Waiting => ("Waiting", Mark::Wait),
        Fate::Blocked => ("Not sent", Mark::Stop),
        Fate::Failed => ("Failed", Mark::Fail),
        Fate::Canceled => ("Called off", Mark::Rest),
    }
}

fn sources(all: &[(Option<String>, i64)]) -> Vec<BarRow> {
    let longest = all.first().map_or(1, |(_, count)| *count).max(1);
    let bar = |label: String, count: i64, href: String| BarRow {
        label,
        amount: grouped(count),
        width: format!("{:.2}%", (100.0 * count as f64 / longest as f64).min(100.0)),
        href,
    };
    let mut rows: Vec<BarRow> = all
        .iter()
        .take(SOURCES)
        .map(|(source, count)| match source {
            Some(source) => {
                let encoded: String = form_urlencoded::byte_serialize(source.as_bytes()).collect();
                bar(source.clone(), *count, format!("/contacts?source={encoded}"))
            }
            None => bar("Not known".to_owned(), *count, "/contacts".to_owned()),
        })
        .collect();
    let rest: i64 = all.iter().skip(SOURCES).map(|(_, count)| count).sum();
    if rest > 0 {
        let others = all.len() - SOURCES;
        let label = if others == 1 { "1 other".to_owned() } else { format!("{others} others") };
        rows.push(bar(label, rest, "/contacts".to_owned()));
    }
    rows
}

fn quote_lines(numbers: &Numbers) -> Vec<QuoteLine> {
    Status::ALL
        .into_iter()
        .filter_map(|status| {
            let sums: Vec<_> = numbers.quotes.iter().filter(|sum| sum.status == status.as_str()).collect();
            (!sums.is_empty()).then(|| QuoteLine {
                tag: quotes::status_tag(status),
                href: format!("/quotes?status={}", status.as_str()),
                count: grouped(sums.iter().map(|sum| sum.count).sum()),
                sums: sums.iter().map(|sum| money::format(sum.total_cents, &sum.currency)).collect(),
            })
        })
        .collect()
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct MessagesQuery {
    fate: String,
    cursor: Option<String>,
}

pub(super) async fn messages(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Query(query): Query<MessagesQuery>,
) -> Result<Response> {
    let fate = Fate::ALL.into_iter().find(|fate| fate.as_str() == query.fate).unwrap_or(Fate::Failed);
    let (now, zone) = (app.now(), caller.tenant.timezone);
    let asked = PageQuery { limit: Some(50), cursor: query.cursor.clone() };
    let first = days::last(now, zone, MESSAGE_DAYS).first().map_or_else(Uuid::nil, |(_, first, _)| *first);
    let statuses: Vec<String> = fate.statuses().iter().map(|status| (*status).to_owned()).collect();
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let rows = sql::list_messages(&mut tx, &statuses, first, asked.after()?, asked.limit() + 1).await?;
    drop(tx);
    let found = Page::cut(rows, asked.limit(), |row| row.id);
    let here = |fate: Fate| format!("/dashboard/messages?fate={}", fate.as_str());
    let page = MessagesPage {
        tabs: Fate::ALL.into_iter().map(|each| Tab::new(look(each).0, here(each), each == fate)).collect(),
        pager: Pager {
            previous: query.cursor.is_some().then(|| here(fate)),
            next: found.next_cursor.as_ref().map(|cursor| format!("{}&cursor={cursor}", here(fate))),
            note: String::new(),
        },
        empty: found.data.is_empty().then(|| Empty {
            icon: "circle-check",
            heading: "None in seven days".to_owned(),
            text: "Messages that end up like this are listed here.".to_owned(),
            actions: vec![("Back to the dashboard".to_owned(), "/dashboard".to_owned())],
        }),
        rows: found.data.into_iter().map(|row| line(row, fate, &caller.tenant.country, now, zone)).collect(),
        shell: shell(&app, &session, Place::Dashboard, "Messages").await?,
    };
    html(&page)
}

fn line(row: sql::MessageLine, fate: Fate, country: &str, now: DateTime<Utc>, zone: Tz) -> MessageLine {
    let name = full_name(row.first_name.as_deref(), row.last_name.as_deref());
    let address = if phone::is_e164(&row.to_address) {
        phone::format_national_or_international(&row.to_address, country)
    } else {
        row.to_address
    };
    let why = row.gate_reason.as_ref().map(|stored| match serde_json::from_value::<Reason>(stored.clone()) {
        Ok(reason) => reason.sentence(row.gate_until, now, zone),
        Err(_) => stored["detail"].as_str().unwrap_or_default().to_owned(),
    });
    let (tone, icon) = match fate {
        Fate::Delivered => (Tone::Good, "check-check"),
        Fate::Sent => (Tone::Calm, "check"),
        Fate::Waiting => (Tone::Wait, "hourglass"),
        Fate::Blocked => (Tone::Stop, "ban"),
        Fate::Failed => (Tone::Stop, "circle-alert"),
        Fate::Canceled => (Tone::Plain, "circle-x"),
    };
    let word = match row.status.as_str() {
        "read" => "Read",
        "sending" => "Being sent",
        "unknown" => "Being found out",
        "undelivered" => "Not delivered",
        _ => look(fate).0,
    };
    MessageLine {
        href: row.contact_id.map(|id| format!("/conversations/{id}")).unwrap_or_default(),
        face: Face::of(row.contact_id.unwrap_or(row.id), &name),
        who: if name.is_empty() { address } else { name },
        body: row.body,
        tag: Tag::new(tone, icon, word),
        why: why.or(row.error_detail).unwrap_or_default(),
        kind: row.kind.replace('_', " "),
        at: moment(row.created_at, now, zone),
    }
}

/// "1,204"; with a plus where counting stopped.
fn up_to(count: i64) -> String {
    if count >= sql::MOST { format!("{}+", grouped(sql::MOST)) } else { grouped(count) }
}

/// "1,204".
pub(crate) fn grouped(count: i64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + 4);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// "45 s", "12 min", "3 h 20 min", "2 d".
fn span(seconds: i64) -> String {
    match seconds.max(0) {
        s @ 0..60 => format!("{s} s"),
        s @ 60..3_600 => format!("{} min", s / 60),
        s @ 3_600..86_400 if s % 3_600 < 60 => format!("{} h", s / 3_600),
        s @ 3_600..86_400 => format!("{} h {} min", s / 3_600, s % 3_600 / 60),
        s => format!("{} d", s / 86_400),
    }
}
