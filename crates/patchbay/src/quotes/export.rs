//! The list of quotes as a file. That one was taken is kept in the audit log, with what it was of.

use std::sync::Arc;

use axum::response::Response;
use patchbay_rules::money;
use serde_json::json;

use super::{Filter, Quote};
use crate::{
    app::App,
    audit,
    auth::Caller,
    error::Result,
    web::{
        csv::{self, instant, or_empty},
        paging::PageQuery,
    },
};

const COLUMNS: [&str; 24] = [
    "id",
    "number",
    "contact_id",
    "contact_name",
    "phone",
    "email",
    "title",
    "status",
    "draft",
    "total",
    "discount_cents",
    "tax_cents",
    "total_cents",
    "currency",
    "expires_on",
    "created_by",
    "created_at",
    "sent_at",
    "viewed_at",
    "answered_at",
    "answered_by",
    "answer_note",
    "items",
    "url",
];

/// Everything that passes `filter`, newest first.
pub async fn export(app: Arc<App>, caller: &Caller, filter: Filter) -> Result<Response> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let told = json!({ "status": [null, filter.status], "search": [null, filter.search] });
    let entry =
        audit::Entry { action: "quotes.exported", kind: audit::Kind::Quote, entity_id: None, changes: &told };
    audit::record(&mut tx, &caller.actor, entry).await?;
    tx.commit().await?;
    let reader = caller.clone();
    Ok(csv::long(caller, &csv::dated("quotes", app.now(), caller), COLUMNS, move |cursor| {
        let (app, caller, filter) = (app.clone(), reader.clone(), filter.clone());
        async move {
            let asked = PageQuery { limit: Some(200), cursor };
            let page = super::list(&app, &caller, &filter, &asked).await?;
            let lines = page.data.into_iter().map(|quote| csv::line(cells(quote, &app))).collect();
            Ok((lines, page.next_cursor))
        }
    }))
}

fn cells(quote: Quote, app: &App) -> [String; 24] {
    let items: Vec<String> =
        quote.items.iter().map(|item| format!("{} × {}", item.quantity.text(), item.name)).collect();
    [
        quote.id.to_string(),
        quote.number.to_string(),
        quote.contact_id.to_string(),
        quote.contact_label(),
        quote.contact_phone.clone().unwrap_or_default(),
        quote.contact_email.clone().unwrap_or_default(),
        quote.title.clone().unwrap_or_default(),
        quote.status.as_str().to_owned(),
        quote.held.to_string(),
        money::format(quote.total_cents, &quote.currency),
        quote.discount_cents.to_string(),
        quote.tax_cents.to_string(),
        quote.total_cents.to_string(),
        quote.currency.clone(),
        or_empty(quote.expires_on),
        quote.created_by.clone().unwrap_or_default(),
        instant(Some(quote.created_at)),
        instant(quote.sent_at),
        instant(quote.viewed_at),
        instant(quote.answered_at),
        quote.answered_by.clone().unwrap_or_default(),
        quote.answer_note.clone().unwrap_or_default(),
        items.join("\n"),
        quote.url(app),
    ]
}
