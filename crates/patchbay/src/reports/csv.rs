//! The tables of the reports as files.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use uuid::Uuid;

use super::{Line, campaign::Funnel, share};
use crate::{
    app::App,
    auth::Caller,
    error::Result,
    web::{
        csv::{instant, line, long, or_empty, short},
        extract::Path,
        paging::PageQuery,
    },
};

/// The list of reports.
pub(super) async fn campaigns(State(app): State<Arc<App>>, caller: Caller) -> Response {
    let head = [
        "id",
        "name",
        "status",
        "launched_at",
        "recipients",
        "sent",
        "delivered",
        "clicked",
        "replied",
        "opted_out",
        "cost",
        "currency",
        "counted_at",
    ];
    let reader = caller.clone();
    long(&caller, "campaigns", head, move |cursor| {
        let (app, caller) = (app.clone(), reader.clone());
        async move {
            let page = super::campaigns(&app, &caller, &PageQuery { limit: Some(200), cursor }).await?;
            let lines = page.data.into_iter().map(|one| line(campaign(one, &caller.tenant.currency)));
            Ok((lines.collect(), page.next_cursor))
        }
    })
}

fn campaign(line: Line, currency: &str) -> [String; 13] {
    let funnel = line.counted.as_ref().map(|counted| counted.funnel(line.recipients));
    let count = |of: fn(&Funnel) -> i64| or_empty(funnel.as_ref().map(of));
    [
        line.id.to_string(),
        line.name,
        line.status,
        instant(line.launched_at),
        line.recipients.to_string(),
        count(|funnel| funnel.sent),
        count(|funnel| funnel.delivered),
        count(|funnel| funnel.clicked),
        count(|funnel| funnel.replied),
        count(|funnel| funnel.opted_out),
        line.counted.as_ref().map(|counted| amount(counted.cost_micros())).unwrap_or_default(),
        currency.to_owned(),
        instant(line.counted_at),
    ]
}

/// Millionths as whole units.
fn amount(micros: i64) -> String {
    format!("{:.6}", micros as f64 / 1e6)
}

/// From everybody to those who answered; shares from 0 to 1.
pub(super) async fn funnel(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let report = super::report(&app, &caller, id).await?;
    let funnel = &report.funnel;
    let steps = [
        ("recipients", funnel.recipients),
        ("sent", funnel.sent),
        ("delivered", funnel.delivered),
        ("clicked", funnel.clicked),
        ("replied", funnel.replied),
        ("opted_out", funnel.opted_out),
    ];
    let part =
        |count: i64, of: i64| if of > 0 { format!("{:.5}", share(count, of).rate()) } else { String::new() };
    let rows = steps.map(|(step, count)| {
        vec![step.to_owned(), count.to_string(), part(count, funnel.recipients), part(count, funnel.sent)]
    });
    let head = ["step", "people", "share_of_recipients", "share_of_sent"];
    Ok(short(&caller, "funnel", &head, rows.into_iter()))
}

pub(super) async fn outcomes(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let report = super::report(&app, &caller, id).await?;
    let rows = report.outcomes.into_iter().map(|outcome| {
        let code = or_empty(outcome.error_code);
        vec![
            outcome.status,
            outcome.gate.unwrap_or_default(),
            code,
            outcome.reason,
            outcome.messages.to_string(),
        ]
    });
    Ok(short(&caller, "outcomes", &["status", "gate", "error_code", "reason", "messages"], rows))
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
    Ok(short(&caller, "hours", &["hour", "sent", "delivered", "clicks", "all_clicks"], rows))
}

pub(super) async fn templates(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let report = super::report(&app, &caller, id).await?;
    let rows = report.templates.into_iter().map(|template| {
        let id = or_empty(template.template_id);
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
    Ok(short(&caller, "templates", &head, rows))
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
        [sender.channel, sender.address, sender.label.unwrap_or_default()]
            .into_iter()
            .chain(counts.map(|count| count.to_string()))
            .chain(limits.map(or_empty))
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
    Ok(short(&caller, "senders", &head, rows))
}

pub(super) async fn spend(State(app): State<Arc<App>>, caller: Caller) -> Result<Response> {
    let spend = super::spend(&app, &caller).await?;
    let rows = spend.days.iter().map(|day| {
        let cost = amount(day.cost_micros);
        vec![day.day.to_string(), day.messages.to_string(), cost, spend.currency.clone()]
    });
    Ok(short(&caller, "spend", &["day", "messages", "cost", "currency"], rows))
}
