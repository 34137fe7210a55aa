//! The tables of the reports as files. A cell that a spreadsheet would take for a formula is made text.

use std::sync::Arc;

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use uuid::Uuid;

use crate::{app::App, auth::Caller, error::Result, web::extract::Path};

pub(super) async fn outcomes(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let report = super::report(&app, &caller, id).await?;
    let rows = report.outcomes.into_iter().map(|outcome| {
        let code = outcome.error_code.map(|code| code.to_string()).unwrap_or_default();
        vec![
            outcome.status,
            outcome.gate.unwrap_or_default(),
            code,
            outcome.reason,
            outcome.messages.to_string(),
        ]
    });
    Ok(file("outcomes.csv", &["status", "gate", "error_code", "reason", "messages"], rows))
}

pub(super) async fn hours(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let report = super::report(&app, &caller, id).await?;
    let rows = report.hours.into_iter().map(|hour| {
        let numbers = [hour.sent, hour.delivered, hour.clicks, hour.hits].map(|number| number.to_string());
        let at = hour.at.with_timezone(&caller.tenant.timezone).to_rfc3339();
        std::iter::once(at).chain(numbers).collect()
    });
    Ok(file("hours.csv", &["hour", "sent", "delivered", "clicks", "all_clicks"], rows))
}

pub(super) async fn templates(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let report = super::report(&app, &caller, id).await?;
    let rows = report.templates.into_iter().map(|template| {
        let id = template.template_id.map(|id| id.to_string()).unwrap_or_default();
        let counts =
            [template.sent, template.delivered, template.clicked, template.replied, template.opted_out];
        let rates = [template.click_rate, template.click_rate_low, template.click_rate_high];
        [id, template.name]
            .into_iter()
            .chain(counts.map(|count| count.to_string()))
            .chain(rates.map(|rate| format!("{rate:.5}")))
            .collect()
    });
    let head = [
        "template_id",
        "name",
        "sent",
        "delivered",
        "clicked",
        "replied",
        "opted_out",
        "click_rate",
        "click_rate_low",
        "click_rate_high",
    ];
    Ok(file("templates.csv", &head, rows))
}

pub(super) async fn senders(State(app): State<Arc<App>>, caller: Caller) -> Result<Response> {
    let rows = super::senders(&app, &caller).await?.into_iter().map(|sender| {
        let counts = [
            sender.sent,
            sender.delivered,
            sender.failed,
            sender.filtered,
            sender.opted_out,
            sender.sent_today,
        ];
        let limits = [sender.warm_up_day, sender.cap_today];
        // Numbers are digits and a plus: no formula, and spoilt by a mark in front.
        [sender.channel, sender.address, sender.label.unwrap_or_default()]
            .into_iter()
            .chain(counts.map(|count| count.to_string()))
            .chain(limits.map(|limit| limit.map(|limit| limit.to_string()).unwrap_or_default()))
            .collect()
    });
    let head = [
        "channel",
        "address",
        "label",
        "sent",
        "delivered",
        "failed",
        "filtered",
        "opted_out",
        "sent_today",
        "warm_up_day",
        "cap_today",
    ];
    Ok(file("senders.csv", &head, rows))
}

pub(super) async fn spend(State(app): State<Arc<App>>, caller: Caller) -> Result<Response> {
    let spend = super::spend(&app, &caller).await?;
    let rows = spend.days.iter().map(|day| {
        let cost = format!("{:.6}", day.cost_micros as f64 / 1e6);
        vec![day.day.to_string(), day.messages.to_string(), cost, spend.currency.clone()]
    });
    Ok(file("spend.csv", &["day", "messages", "cost", "currency"], rows))
}

fn file(name: &str, head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Response {
    let mut text = head.join(",");
    text.push_str("\r\n");
    for row in rows {
        text.push_str(&row.iter().map(|value| cell(value)).collect::<Vec<_>>().join(","));
        text.push_str("\r\n");
    }
    let disposition = format!("attachment; filename=\"{name}\"");
    (
        [
            (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
            (header::CONTENT_DISPOSITION, disposition),
        ],
        text,
    )
        .into_response()
}

/// OWASP, CSV Injection: an apostrophe in front of what would be calculated. A phone number calculates to itself.
fn cell(value: &str) -> String {
    let is_number =
        value.strip_prefix(['+', '-']).is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
    let risky = value.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number;
    let text = if risky { format!("'{value}") } else { value.to_owned() };
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn cells_are_text_and_nothing_is_calculated() {
        for (value, written) in [
            ("Spring", "Spring"),
            ("a, \"b\"", "\"a, \"\"b\"\"\""),
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("+61412000111", "+61412000111"),
            ("+1-cmd", "'+1-cmd"),
            ("", ""),
        ] {
            assert_eq!(cell(value), written);
        }
    }
}
