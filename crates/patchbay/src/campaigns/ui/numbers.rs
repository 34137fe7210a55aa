//! The numbers of a campaign as a bar that splits; each part opens its list.

use std::collections::BTreeMap;

use crate::{
    campaigns::{Campaign, Preflight, Status, Totals, words::reason},
    web::charts::{Breakdown, Mark, Part},
};

/// With commas between thousands.
pub fn grouped(number: i64) -> String {
    crate::segments::grouped(number)
}

/// What became of everybody; without `base` the parts do not open.
pub fn totals(totals: &Totals, campaign: &Campaign, base: &str) -> Breakdown {
    let is_paused = campaign.status == Status::Paused;
    let held_by = |gate: &str| match gate {
        "kill_switch" if is_paused => reason(gate, Some("campaign_paused")),
        gate => reason(gate, None),
    };
    let never = |gate: &str| reason(gate, None);
    let is_over = campaign.finished_at.is_some();
    let list = |state: &str, gate: &str| (!base.is_empty()).then(|| list(base, "state", state, gate));
    let mut parts = vec![
        part("Delivered", Mark::Good, totals.delivered, list("delivered", "")),
        part("Sent, no receipt yet", Mark::Calm, totals.sent, list("sent", "")),
        waits("being sent", Mark::Cord, totals.sending, list("sending", "")),
        waits("in line", Mark::Rest, totals.queued, list("queued", "")),
    ];
    parts.extend(gates(&totals.waiting, "Waiting", Mark::Wait, held_by, |gate| list("waiting", gate)));
    let unknown = list("unknown", "");
    parts.push(if is_over {
        part("Never found out", Mark::Wait, totals.unknown, unknown)
    } else {
        waits("being found out", Mark::Wait, totals.unknown, unknown)
    });
    parts.extend(gates(&totals.blocked, "Not sent", Mark::Stop, never, |gate| list("blocked", gate)));
    parts.push(Part {
        detail: "not delivered".to_owned(),
        ..part("Failed", Mark::Fail, totals.undelivered, list("undelivered", ""))
    });
    parts.push(part("Failed", Mark::Fail, totals.failed, list("failed", "")));
    parts.push(part("Called off", Mark::Rest, totals.canceled, list("canceled", "")));
    breakdown(parts, totals.recipients)
}

/// What would become of everybody.
pub fn preflight(found: &Preflight, base: &str) -> Breakdown {
    let list = |verdict: &str, gate: &str| Some(list(base, "verdict", verdict, gate));
    let word = |gate: &str| reason(gate, None);
    let mut parts = vec![part("Goes at once", Mark::Good, found.now, list("now", ""))];
    parts.extend(gates(&found.later, "Later", Mark::Wait, word, |gate| list("later", gate)));
    parts.extend(gates(&found.never, "Never", Mark::Stop, word, |gate| list("never", gate)));
    breakdown(parts, found.recipients)
}

fn list(base: &str, of: &str, value: &str, gate: &str) -> String {
    let gate = if gate.is_empty() { String::new() } else { format!("&gate={gate}") };
    format!("{base}/people?{of}={value}{gate}")
}

fn gates(
    counts: &BTreeMap<String, i64>,
    when: &str,
    mark: Mark,
    word: impl Fn(&str) -> &'static str,
    href: impl Fn(&str) -> Option<String>,
) -> Vec<Part> {
    let mut gates: Vec<_> = counts.iter().filter(|(_, count)| **count > 0).collect();
    gates.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let part = |(gate, count): (&String, &i64)| Part {
        detail: word(gate).to_owned(),
        ..part(when, mark, *count, href(gate))
    };
    gates.into_iter().map(part).collect()
}

fn waits(detail: &str, mark: Mark, count: i64, href: Option<String>) -> Part {
    Part { detail: detail.to_owned(), ..part("Waiting", mark, count, href) }
}

fn part(label: &str, mark: Mark, count: i64, href: Option<String>) -> Part {
    Part {
        label: label.to_owned(),
        detail: String::new(),
        mark,
        count: count.unsigned_abs(),
        amount: grouped(count),
        href,
    }
}

fn breakdown(parts: Vec<Part>, total: i64) -> Breakdown {
    let parts: Vec<Part> = parts.into_iter().filter(|part| part.count > 0).collect();
    Breakdown { parts, total: total.unsigned_abs(), amount: grouped(total) }
}

/// "about 12 minutes", of a number of seconds.
pub fn about(seconds: i64) -> String {
    match seconds {
        ..=90 => "about a minute".to_owned(),
        91..=5400 => format!("about {} minutes", (seconds + 30) / 60),
        5401..=129_600 => format!("about {} hours", (seconds + 1800) / 3600),
        _ => format!("about {} days", (seconds + 43_200) / 86_400),
    }
}
