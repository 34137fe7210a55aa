//! Files of a campaign: the compliance file (who, why allowed, what was sent, what came back), and the people behind a
//! number. That one was taken is kept in the audit log.
//!
//! What came back is what the reports count: a person's first click, and the first reply and opt-out within seven days.

use std::sync::Arc;

use axum::response::Response;
use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use super::{recipients::State, sql};
use crate::{
    app::App,
    audit,
    auth::Caller,
    contacts,
    error::Result,
    messaging,
    web::{
        csv::{self, instant, or_empty},
        paging::PageQuery,
    },
};

/// Rows of one statement.
const BATCH: i64 = 1_000;

const COLUMNS: [&str; 30] = [
    "contact_id",
    "name",
    "address",
    "channel",
    "consent_state",
    "consent_how",
    "consent_source",
    "consent_wording",
    "consent_at",
    "consent_basis",
    "consent_expires_at",
    "consent_evidence",
    "status",
    "gate",
    "gate_reason",
    "from",
    "template_id",
    "text",
    "segments",
    "cost",
    "queued_at",
    "sent_at",
    "delivered_at",
    "read_at",
    "clicked_at",
    "replied_at",
    "opted_out_at",
    "provider_message_id",
    "error_code",
    "error",
];

/// The compliance file. Those whose turn has not come are not in it yet.
///
/// # Errors
/// Not found, before anything is streamed.
pub async fn export(app: Arc<App>, caller: &Caller, id: Uuid) -> Result<Response> {
    taken(&app, caller, id, "compliance").await?;
    let (tenant, viewer) = (caller.tenant.id, caller.tenant.timezone);
    Ok(csv::long(caller, &format!("campaign-{id}"), COLUMNS, move |after| {
        let app = app.clone();
        async move {
            let mut tx = app.db.tenant(tenant).await?;
            let rows = sql::list_for_export(&mut tx, id, after, BATCH).await?;
            let is_full = rows.len() == usize::try_from(BATCH).unwrap_or_default();
            let last = rows.last().map(|row| row.id).filter(|_| is_full);
            Ok((rows.into_iter().map(|row| csv::line(cells(row, app.now(), viewer))).collect(), last))
        }
    }))
}

/// Notes that a file was taken of a campaign, which must exist.
async fn taken(app: &App, caller: &Caller, id: Uuid, what: &str) -> Result<()> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    super::find(&mut tx, id).await?;
    audit::changed(&mut tx, caller, "campaign.exported", id, &json!({ "file": [null, what] })).await?;
    tx.commit().await
}

fn cells(row: sql::ExportRow, now: DateTime<Utc>, viewer: chrono_tz::Tz) -> Vec<String> {
    let gate = messaging::gate_of(
        row.gate.as_deref(),
        &row.status,
        row.gate_reason.as_ref(),
        row.gate_until,
        now,
        viewer,
    );
    let (gate, gate_reason) = gate.map_or_else(Default::default, |gate| (gate.name, gate.reason));
    vec![
        or_empty(row.contact_id),
        contacts::full_name(row.first_name.as_deref(), row.last_name.as_deref()),
        row.to_address,
        row.channel,
        row.consent_state.unwrap_or_else(|| "unknown".to_owned()),
        row.consent_how.unwrap_or_default(),
        row.consent_source.unwrap_or_default(),
        row.consent_wording.unwrap_or_default(),
        instant(row.consent_at),
        row.consent_basis.unwrap_or_default(),
        instant(row.consent_expires_at),
        row.consent_evidence
            .filter(|evidence| evidence != &serde_json::json!({}))
            .map(|e| e.to_string())
            .unwrap_or_default(),
        row.status,
        gate,
        gate_reason,
        row.from_address.unwrap_or_default(),
        or_empty(row.template_id),
        row.body,
        row.segments.to_string(),
        format!("{:.6}", row.cost_micros as f64 / 1e6),
        instant(Some(row.created_at)),
        instant(row.sent_at),
        instant(row.delivered_at),
        instant(row.read_at),
        instant(row.clicked_at),
        instant(row.replied_at),
        instant(row.opted_out_at),
        row.provider_message_id.unwrap_or_default(),
        or_empty(row.error_code),
        row.error_detail.unwrap_or_default(),
    ]
}

/// The recipients in `state`, and at `gate` if one is named.
///
/// # Errors
/// Not found, before anything is streamed.
pub async fn people(
    app: Arc<App>,
    caller: &Caller,
    id: Uuid,
    state: State,
    gate: Option<String>,
) -> Result<Response> {
    taken(&app, caller, id, state.as_str()).await?;
    let name = format!("campaign-{id}-{}", state.as_str());
    let head = [
        "contact_id",
        "name",
        "address",
        "status",
        "gate",
        "reason",
        "goes_at",
        "sent_at",
        "delivered_at",
        "error_code",
        "error",
        "message_id",
    ];
    let reader = caller.clone();
    Ok(csv::long(caller, &name, head, move |cursor| {
        let (app, caller, gate) = (app.clone(), reader.clone(), gate.clone());
        async move {
            let asked = PageQuery { limit: Some(200), cursor };
            let page = super::recipients(&app, &caller, id, state, gate.as_deref(), &asked).await?;
            let line = |one: super::Recipient| {
                let (gate, reason) = one.gate.map(|gate| (gate.name, gate.reason)).unwrap_or_default();
                csv::line([
                    or_empty(one.contact_id),
                    one.name,
                    one.address.unwrap_or_default(),
                    one.status,
                    gate,
                    reason,
                    instant(one.goes_at),
                    instant(one.sent_at),
                    instant(one.delivered_at),
                    or_empty(one.error_code),
                    one.error_detail.unwrap_or_default(),
                    or_empty(one.message_id),
                ])
            };
            Ok((page.data.into_iter().map(line).collect(), page.next_cursor))
        }
    }))
}

/// What the latest preflight found: `verdict` is `now`, `later` or `never`.
///
/// # Errors
/// Not found, before anything is streamed.
pub async fn found(
    app: Arc<App>,
    caller: &Caller,
    id: Uuid,
    verdict: String,
    gate: Option<String>,
) -> Result<Response> {
    taken(&app, caller, id, &verdict).await?;
    let name = format!("campaign-{id}-{verdict}");
    let head = ["contact_id", "name", "address", "verdict", "gate", "reason", "until"];
    let reader = caller.clone();
    Ok(csv::long(caller, &name, head, move |cursor| {
        let (app, caller, verdict, gate) = (app.clone(), reader.clone(), verdict.clone(), gate.clone());
        async move {
            let asked = PageQuery { limit: Some(200), cursor };
            let page = super::verdicts(&app, &caller, id, &verdict, gate.as_deref(), &asked).await?;
            let line = |one: super::Verdict| {
                csv::line([
                    one.contact_id.to_string(),
                    one.name,
                    one.address.unwrap_or_default(),
                    verdict.clone(),
                    one.gate.unwrap_or_default(),
                    one.reason.unwrap_or_default(),
                    instant(one.until),
                ])
            };
            Ok((page.data.into_iter().map(line).collect(), page.next_cursor))
        }
    }))
}
