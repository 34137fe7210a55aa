//! The pages of the reports. Here: how all of them say numbers, times and states.

mod campaign;
mod campaigns;
mod senders;
mod spending;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use patchbay_rules::proportions::Share;

use crate::{
    auth::Role,
    web::{
        parts::{Tab, Tag, Tone},
        routes::{Access, Routes},
    },
};

/// The routes of these pages.
pub(super) fn routes(routes: Routes) -> Routes {
    let page = Access::Page(Role::Viewer);
    routes
        .get("/reports", page, campaigns::page)
        .get("/reports/senders", page, senders::page)
        .get("/reports/spend", page, spending::page)
        .get("/campaigns/{id}/report", page, campaign::page)
}

fn tabs(at: usize) -> Vec<Tab> {
    [("Campaigns", "/reports"), ("Senders", "/reports/senders"), ("Spending", "/reports/spend")]
        .into_iter()
        .enumerate()
        .map(|(place, (label, href))| Tab::new(label, href.to_owned(), place == at))
        .collect()
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
