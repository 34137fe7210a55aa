//! Settings → Audit log: who changed what, newest first, filtered by kind and person.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::{
    said,
    sql::{self, Filter},
    view::{LogPage, LogRow},
};
use crate::{
    app::App,
    auth::{Caller, Session},
    error::Result,
    web::{
        extract::Query,
        fields::{Choice, Field},
        layout::Place,
        moments::moment,
        pages::html,
        paging::{Page, PageQuery},
        parts::{Empty, Pager},
        settings::{Section, tabs},
        shell::shell,
    },
};

/// Fields of one change that the page shows.
const FIELDS: usize = 6;

/// Kinds of things that change, as stored and as read.
const KINDS: [(&str, &str); 14] = [
    ("settings", "Settings"),
    ("member", "Members"),
    ("invitation", "Invitations"),
    ("api_key", "API keys"),
    ("provider_account", "Carrier accounts"),
    ("sender", "Numbers"),
    ("template", "Templates"),
    ("contact", "Contacts"),
    ("stage", "Stages"),
    ("label", "Labels"),
    ("custom_field", "Custom fields"),
    ("quote", "Quotes"),
    ("notification_rule", "Notifications"),
    ("do_not_contact", "Do not contact"),
];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct LogQuery {
    entity: Option<String>,
    entity_id: Option<String>,
    actor: Option<Uuid>,
    limit: Option<u32>,
    cursor: Option<String>,
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Query(query): Query<LogQuery>,
) -> Result<Response> {
    let paging = PageQuery { limit: query.limit, cursor: query.cursor.clone() };
    let filter = Filter {
        entity_type: query.entity.as_deref(),
        entity_id: query.entity_id.as_deref(),
        actor_id: query.actor,
        before: paging.after::<Uuid>()?,
        limit: paging.limit() + 1,
    };
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let rows = Page::cut(sql::list(&mut tx, &filter).await?, paging.limit(), |row| row.id);
    let actors = sql::recent_actors(&mut tx).await?;
    drop(tx);
    let kinds = KINDS
        .iter()
        .map(|(value, label)| Choice::new(*value, *label, query.entity.as_deref() == Some(value)));
    let people =
        actors.into_iter().map(|one| Choice::new(one.id.to_string(), one.label, query.actor == Some(one.id)));
    let is_filtered = query.entity.is_some() || query.actor.is_some() || query.entity_id.is_some();
    let next = rows.next_cursor.as_ref().map(|cursor| link(&query, cursor));
    let (now, zone) = (app.now(), caller.tenant.timezone);
    let page = LogPage {
        tabs: tabs(Section::Audit, caller.role),
        entity: Field::select(
            "entity",
            "What",
            std::iter::once(Choice::new("", "Everything", false)).chain(kinds).collect(),
        ),
        actor: Field::select(
            "actor",
            "Who",
            std::iter::once(Choice::new("", "Everybody", false)).chain(people).collect(),
        ),
        rows: rows.data.into_iter().map(|row| shown(row, now, zone, &caller.tenant.currency)).collect(),
        empty: empty(is_filtered),
        pager: Pager {
            previous: query.cursor.is_some().then(|| link(&query, "")),
            next,
            note: String::new(),
        },
        shell: shell(&app, &session, Place::Settings, "Audit log").await?,
    };
    html(&page)
}

/// The same view from `cursor` on; back leads to its beginning.
fn link(query: &LogQuery, cursor: &str) -> String {
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    let actor = query.actor.map(|id| id.to_string());
    for (name, value) in [("entity", &query.entity), ("entity_id", &query.entity_id), ("actor", &actor)] {
        if let Some(value) = value {
            pairs.append_pair(name, value);
        }
    }
    if !cursor.is_empty() {
        pairs.append_pair("cursor", cursor);
    }
    format!("{}?{}", Section::Audit.href(), pairs.finish())
}

fn empty(is_filtered: bool) -> Empty {
    let (heading, text) = if is_filtered {
        ("Nothing like that", "Nobody changed anything of this kind. Choose another filter.")
    } else {
        (
            "Nothing has changed yet",
            "Changes of settings, members, templates and contacts are written down here.",
        )
    };
    Empty { icon: "scroll-text", heading: heading.to_owned(), text: text.to_owned(), actions: Vec::new() }
}

fn shown(row: sql::LogRow, now: DateTime<Utc>, zone: Tz, currency: &str) -> LogRow {
    let currency = row.changes["currency"][1].as_str().unwrap_or(currency);
    let change = |(name, change): &(&String, &Value)| said::change(name, change, currency, zone);
    let fields = row.changes.as_object().map(|fields| fields.iter().collect::<Vec<_>>()).unwrap_or_default();
    LogRow {
        at: moment(row.at, now, zone),
        actor_kind: match row.actor_kind.as_str() {
            "api_key" => "API key",
            "system" => "by itself",
            "contact" => "contact",
            _ => "",
        },
        actor: row.actor_label,
        action: words(&row.action),
        changes: fields.iter().take(FIELDS).map(change).collect(),
        more: fields.len().saturating_sub(FIELDS),
        href: row.entity_id.and_then(|id| match row.entity_type.as_str() {
            "contact" => Some(format!("/contacts/{id}")),
            "quote" => Some(format!("/quotes/{id}")),
            "template" => Some(format!("/templates/{id}")),
            _ => None,
        }),
    }
}

/// `api_key.created` as "API key created".
fn words(action: &str) -> String {
    let text = action.replace(['.', '_'], " ").replace("api ", "API ").replace("sms", "SMS");
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
