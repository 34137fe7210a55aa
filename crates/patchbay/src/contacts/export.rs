//! A list of contacts as CSV (RFC 4180), for spreadsheets and for other programs.
//!
//! Promises: however long the list, memory stays bounded: rows are read in batches by key and sent as they come. A
//! spreadsheet opens it as UTF-8 (a byte order mark leads) and takes nothing in it for a formula: a cell that begins
//! with `=`, `+`, `-`, `@`, tab or carriage return gets a `'` before it (OWASP, CSV Injection). A sign with nothing but a number
//! after it is no formula and stays as it is, so that `+61491570006` is still a phone number to whatever reads it next.
//! Columns carry the names of the API; custom fields are `properties.<key>`.
//! Does not: hold the list still. Who is added while it is read is not in it.

use std::sync::Arc;

use axum::body::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use futures::{Stream, stream};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Contact,
    custom_fields::{self, CustomField},
    filter::Filter,
    input::Member,
    properties,
    search::{self, Slice},
    sql,
};
use crate::{
    app::App,
    audit,
    auth::Caller,
    error::{Error, Result},
};

/// Rows read at once.
const BATCH: i64 = 500;
const MARK: &str = "\u{feff}";
const COLUMNS: [&str; 21] = [
    "id",
    "first_name",
    "last_name",
    "phone",
    "phone_extension",
    "email",
    "status",
    "stage",
    "labels",
    "source",
    "owner",
    "consent.sms",
    "consent.whatsapp",
    "consent.email",
    "state",
    "postal",
    "country",
    "timezone",
    "created_at",
    "last_contacted_at",
    "last_replied_at",
];

/// What every row is written with.
struct Export {
    app: Arc<App>,
    tenant: Uuid,
    filter: Filter,
    fields: Vec<CustomField>,
    members: Vec<Member>,
}

/// Everything that passes `filter`, newest first. That it was taken is kept in the audit log, with the filter's `words`.
pub async fn csv(
    app: Arc<App>,
    caller: &Caller,
    filter: Filter,
    words: Value,
) -> Result<impl Stream<Item = Result<Bytes>> + use<>> {
    let tenant = caller.tenant.id;
    let mut tx = app.db.tenant(tenant).await?;
    let (fields, members) = (custom_fields::list(&mut tx).await?, sql::list_members(&mut tx).await?);
    let changes = json!({"filter": [null, words]});
    let entry = audit::Entry {
        action: "contacts.exported",
        entity_type: "contact",
        entity_id: None,
        changes: &changes,
    };
    audit::record(&mut tx, &caller.actor, entry).await?;
    tx.commit().await?;
    let mut head = MARK.to_owned();
    let names = fields.iter().map(|field| format!("properties.{}", field.key));
    push_row(
        &mut head,
        COLUMNS.iter().map(|name| (*name).to_owned()).chain(names).chain(["properties".to_owned()]),
    );
    let export = Export { app, tenant, filter, fields, members };
    let first = (export, None, Some(head));
    Ok(stream::try_unfold(Some(first), |state| async move {
        let Some((export, place, head)) = state else { return Ok(None) };
        let mut text = head.unwrap_or_default();
        let slice = Slice::after(place, BATCH);
        let (contacts, found) = search::list(&export.app, export.tenant, &export.filter, slice).await?;
        for contact in &contacts {
            push_row(&mut text, export.cells(contact));
        }
        let next = found.ids.last().copied().filter(|_| found.more);
        Ok::<_, Error>(Some((Bytes::from(text), next.map(|place| (export, Some(place), None)))))
    }))
}

impl Export {
    fn cells(&self, contact: &Contact) -> impl Iterator<Item = String> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let at = |at: Option<DateTime<Utc>>| {
            at.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true)).unwrap_or_default()
        };
        let owner = contact.owner_id.and_then(|id| self.members.iter().find(|member| member.id == id));
        let own = [
            contact.id.to_string(),
            text(&contact.first_name),
            text(&contact.last_name),
            text(if contact.phone_e164.is_some() { &contact.phone_e164 } else { &contact.phone_raw }),
            text(&contact.phone_ext),
            text(&contact.email),
            contact.status.as_str().to_owned(),
            text(&contact.stage),
            contact.labels.join(", "),
            text(&contact.source),
            owner.map(|member| member.name.clone()).unwrap_or_default(),
            contact.consent_sms.as_str().to_owned(),
            contact.consent_whatsapp.as_str().to_owned(),
            contact.consent_email.as_str().to_owned(),
            text(&contact.state),
            text(&contact.postal),
            text(&contact.country),
            text(&contact.timezone),
            at(Some(contact.created_at)),
            at(contact.last_contacted_at),
            at(contact.last_replied_at),
        ];
        let mut rest = contact.properties.as_object().cloned().unwrap_or_default();
        let known: Vec<String> = self
            .fields
            .iter()
            .map(|field| rest.remove(&field.key).as_ref().and_then(properties::whole).unwrap_or_default())
            .collect();
        let rest = if rest.is_empty() { String::new() } else { Value::Object(rest).to_string() };
        own.into_iter().chain(known).chain([rest])
    }
}

fn push_row(text: &mut String, cells: impl Iterator<Item = String>) {
    for (at, cell) in cells.enumerate() {
        if at > 0 {
            text.push(',');
        }
        push_cell(text, &cell);
    }
    text.push_str("\r\n");
}

fn push_cell(text: &mut String, cell: &str) {
    let guard = if is_formula(cell) { "'" } else { "" };
    if cell.contains([',', '"', '\n', '\r', '\t', '\'']) || !guard.is_empty() {
        text.push('"');
        text.push_str(guard);
        text.push_str(&cell.replace('"', "\"\""));
        text.push('"');
    } else {
        text.push_str(cell);
    }
}

/// Whether a spreadsheet could compute it. Full-width forms of the signs count as well.
fn is_formula(cell: &str) -> bool {
    let Some(rest) = cell.strip_prefix(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'])
    else {
        return false;
    };
    let is_number = cell.starts_with(['+', '-'])
        && !rest.is_empty()
        && rest.chars().all(|c| c.is_ascii_digit() || c == '.')
        && rest.chars().filter(|c| *c == '.').count() <= 1;
    !is_number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_computed_and_numbers_survive() {
        for (cell, written) in [
            ("Dana", "Dana"),
            ("+61491570006", "+61491570006"),
            ("-3.5", "-3.5"),
            ("=1+1", "\"'=1+1\""),
            ("+61 491", "\"'+61 491\""),
            ("-", "\"'-\""),
            ("-1-1", "\"'-1-1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("\tcmd", "\"'\tcmd\""),
            ("＝1", "\"'＝1\""),
            ("+1.2.3", "\"'+1.2.3\""),
            ("=HYPERLINK(\"http://x\",\"y\")", "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\""),
            ("O'Hara, \"Jo\"", "\"O'Hara, \"\"Jo\"\"\""),
            ("two\nlines", "\"two\nlines\""),
        ] {
            let mut text = String::new();
            push_cell(&mut text, cell);
            assert_eq!(text, written);
        }
    }
}
