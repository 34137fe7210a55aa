//! What was spent, by day and against the caps.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use patchbay_rules::{money, proportions::Share};

use super::tabs;
use crate::{
    app::App,
    auth::{Caller, Session},
    dashboard::grouped,
    error::Result,
    reports::{
        self, Spend, share,
        view::{DayLine, Gauge, SpendPage},
    },
    web::{
        charts::{Columns, Mark},
        layout::Place,
        pages::html,
        shell::shell,
    },
};

pub(super) async fn page(State(app): State<Arc<App>>, session: Session, caller: Caller) -> Result<Response> {
    let spend = reports::spend(&app, &caller).await?;
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
        places: spend.places.iter().map(|place| place.line(&spend.currency)).collect(),
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
