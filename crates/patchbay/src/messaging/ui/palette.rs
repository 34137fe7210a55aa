//! Ctrl K: people and quotes by a few letters.

use std::sync::Arc;

use axum::extract::State;
use patchbay_rules::money;
use serde::{Deserialize, Serialize};

use super::{Look, list, path};
use crate::{
    app::App,
    auth::{Caller, Session},
    error::Result,
    messaging::inbox::{self, View, Wanted},
    quotes,
    web::{
        extract::{Json, Query},
        paging::PageQuery,
    },
};

/// What is looked for.
#[derive(Debug, Deserialize)]
pub(super) struct Ask {
    #[serde(default)]
    q: Option<String>,
}

/// Something to open.
#[derive(Debug, Serialize)]
pub(super) struct Choice {
    label: String,
    hint: String,
    href: String,
    icon: &'static str,
}

/// `GET /palette?q=`.
pub(super) async fn find(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Query(ask): Query<Ask>,
) -> Result<Json<Vec<Choice>>> {
    let q: String = ask.q.unwrap_or_default().trim().chars().take(100).collect();
    let Some(wanted) = Wanted::parse(&q) else { return Ok(Json(Vec::new())) };
    let look = Look::new(&app, &caller, &session, View::default());
    let found = inbox::search(&app, &caller, &wanted, 6, 0).await?;
    let mut choices: Vec<Choice> = found
        .people
        .iter()
        .map(|contact| Choice {
            label: list::contact_name(&look, contact),
            hint: contact
                .phone_e164
                .as_deref()
                .map(|phone| list::number(&look, phone))
                .or_else(|| contact.email.clone())
                .unwrap_or_default(),
            href: path(contact.id, View::default()),
            icon: "message-square",
        })
        .collect();
    let filter = quotes::Filter { search: Some(q), ..quotes::Filter::default() };
    let page = PageQuery { limit: Some(4), cursor: None };
    for quote in quotes::list(&app, &caller, &filter, &page).await?.data {
        choices.push(Choice {
            label: format!("Quote {} for {}", quote.number, quote.contact_called(&caller.tenant.country)),
            hint: money::format(quote.total_cents, &quote.currency),
            href: format!("/quotes/{}", quote.id),
            icon: "file-text",
        });
    }
    Ok(Json(choices))
}
