//! The compliance file of a campaign: who, why allowed, what was sent, what came back. Streamed, batch by batch, so
//! that its size does not matter.

use std::sync::Arc;

use axum::body::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use futures::{Stream, StreamExt, stream};
use uuid::Uuid;

use super::sql;
use crate::{
    app::App,
    auth::Caller,
    contacts,
    error::{Error, Result},
    messaging,
};

/// Rows of one statement.
const BATCH: i64 = 1_000;

const COLUMNS: [&str; 27] = [
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
    "provider_message_id",
    "error_code",
    "error",
];

/// The file as a stream of CSV. Those whose turn has not come are not in it yet.
///
/// # Errors
/// Not found, before anything is streamed.
pub async fn export(
    app: Arc<App>,
    caller: &Caller,
    id: Uuid,
) -> Result<impl Stream<Item = Result<Bytes>> + use<>> {
    super::get(&app, caller, id).await?;
    let (tenant, viewer) = (caller.tenant.id, caller.tenant.timezone);
    let head = COLUMNS.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let head = stream::once(async move { Ok(Bytes::from(line(&head))) });
    let body = stream::unfold(Some(None), move |after: Option<Option<Uuid>>| {
        let app = app.clone();
        async move {
            let after = after?;
            let rows = async {
                let mut tx = app.db.tenant(tenant).await?;
                sql::list_for_export(&mut tx, id, after, BATCH).await
            };
            match rows.await {
                Ok(rows) if rows.is_empty() => None,
                Ok(rows) => {
                    let next = (rows.len() == usize::try_from(BATCH).unwrap_or_default())
                        .then(|| rows.last().map(|row| row.id));
                    let now = app.now();
                    let text: String = rows.into_iter().map(|row| line(&cells(row, now, viewer))).collect();
                    Some((Ok(Bytes::from(text)), next))
                }
                Err(error) => Some((Err(error), None)),
            }
        }
    });
    // A body may be asked again after its end.
    Ok(head.chain(body).fuse())
}

fn cells(row: sql::ExportRow, now: DateTime<Utc>, viewer: chrono_tz::Tz) -> Vec<String> {
    let at = |at: Option<DateTime<Utc>>| {
        at.map_or_else(String::new, |at| at.to_rfc3339_opts(SecondsFormat::Secs, true))
    };
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
        row.contact_id.map(|id| id.to_string()).unwrap_or_default(),
        contacts::full_name(row.first_name.as_deref(), row.last_name.as_deref()),
        row.to_address,
        row.channel,
        row.consent_state.unwrap_or_else(|| "unknown".to_owned()),
        row.consent_how.unwrap_or_default(),
        row.consent_source.unwrap_or_default(),
        row.consent_wording.unwrap_or_default(),
        at(row.consent_at),
        row.consent_basis.unwrap_or_default(),
        at(row.consent_expires_at),
        row.consent_evidence
            .filter(|evidence| evidence != &serde_json::json!({}))
            .map(|e| e.to_string())
            .unwrap_or_default(),
        row.status,
        gate,
        gate_reason,
        row.from_address.unwrap_or_default(),
        row.template_id.map(|id| id.to_string()).unwrap_or_default(),
        row.body,
        row.segments.to_string(),
        format!("{:.6}", row.cost_micros as f64 / 1e6),
        at(Some(row.created_at)),
        at(row.sent_at),
        at(row.delivered_at),
        at(row.read_at),
        row.provider_message_id.unwrap_or_default(),
        row.error_code.map(|code| code.to_string()).unwrap_or_default(),
        row.error_detail.unwrap_or_default(),
    ]
}

/// One line (RFC 4180). A cell that a spreadsheet would take for a formula begins with an apostrophe, save for
/// numbers, phone numbers among them.
fn line(cells: &[String]) -> String {
    let mut line = String::new();
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            line.push(',');
        }
        let rest = cell.trim_start_matches(['=', '+', '-', '@', '\t', '\r']);
        let number = rest.len() + 1 == cell.len() && rest.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let formula = rest.len() < cell.len() && (!number || rest.is_empty());
        if formula || cell.contains([',', '"', '\n', '\r']) {
            line.push('"');
            line.push_str(if formula { "'" } else { "" });
            line.push_str(&cell.replace('"', "\"\""));
            line.push('"');
        } else {
            line.push_str(cell);
        }
    }
    line.push_str("\r\n");
    line
}

/// A name for the file that any system takes.
pub(super) fn file_name(id: Uuid) -> Result<axum::http::HeaderValue> {
    format!("attachment; filename=\"campaign-{id}.csv\"").parse().map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn cells_are_quoted_and_harmless() {
        let cells =
            ["plain", "a,b", "say \"hi\"", "=1+1", "+61412345678", "-5.20", "@x", "two\nlines", "+", "ü"];
        let cells: Vec<String> = cells.iter().map(|cell| (*cell).to_owned()).collect();
        assert_eq!(
            line(&cells),
            "plain,\"a,b\",\"say \"\"hi\"\"\",\"'=1+1\",+61412345678,-5.20,\"'@x\",\"two\nlines\",\"'+\",ü\r\n"
        );
    }
}
