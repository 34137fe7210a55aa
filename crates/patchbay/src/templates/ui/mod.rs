//! The pages of templates: the list; the editor with its live preview.

mod edit;
mod form;
mod look;

use std::{fmt::Write as _, sync::Arc};

use axum::{extract::State, response::Response};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use patchbay_rules::message::Channel;
use serde::Deserialize;

use super::{
    Filter, QUOTE_EMAIL, QUOTE_SMS, Template,
    view::{ListPage, TemplateRow},
    words,
};
use crate::{
    app::App,
    auth::{Caller, Session},
    error::Result,
    web::{
        extract::Query,
        layout::Place,
        moments::moment,
        pages::html,
        paging::PageQuery,
        parts::{Empty, Pager, Tab},
        shell::shell,
    },
};

pub(super) use edit::{archive, create, edit, new, restore, save};
pub(super) use look::{people, preview, variables};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ListQuery {
    q: String,
    archived: bool,
    cursor: String,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Response> {
    let search = Some(query.q.trim().to_owned()).filter(|q| !q.is_empty());
    let filter = Filter { channel: None, search, archived: query.archived };
    let asked = PageQuery { limit: Some(50), cursor: Some(query.cursor.clone()) };
    let found = super::list(&app, &caller, &filter, &asked).await?;
    let shell = shell(&app, &session, Place::Templates, "Templates").await?;
    let (now, zone) = (app.now(), caller.tenant.timezone);
    let place = |archived: bool, cursor: &str| address(&query.q, archived, cursor);
    let page = ListPage {
        tabs: vec![
            Tab::new("In use", place(false, ""), !query.archived),
            Tab::new("Archived", place(true, ""), query.archived),
        ],
        rows: found.data.iter().map(|template| row(template, now, zone)).collect(),
        pager: Pager {
            previous: (!query.cursor.is_empty()).then(|| place(query.archived, "")),
            next: found.next_cursor.as_deref().map(|cursor| place(query.archived, cursor)),
            note: String::new(),
        },
        empty: found.data.is_empty().then(|| empty(&query, shell.can_manage)),
        search: query.q.clone(),
        archived: query.archived,
        shell,
    };
    html(&page)
}

fn address(q: &str, archived: bool, cursor: &str) -> String {
    let mut path = "/templates".to_owned();
    for (name, value) in [("q", q), ("archived", if archived { "true" } else { "" }), ("cursor", cursor)] {
        if !value.is_empty() {
            let value: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
            let sign = if path.contains('?') { '&' } else { '?' };
            let _ = write!(path, "{sign}{name}={value}");
        }
    }
    path
}

fn row(template: &Template, now: DateTime<Utc>, zone: Tz) -> TemplateRow {
    TemplateRow {
        href: format!("/templates/{}", template.id),
        name: template.name.clone(),
        channel: channel_word(template.channel),
        icon: icon(template.channel),
        content: words::readable(&template.text()),
        used: used_for(&template.key),
        changed: moment(template.updated_at, now, zone),
    }
}

fn icon(channel: Channel) -> &'static str {
    match channel {
        Channel::Sms => "message-square",
        Channel::Whatsapp => "message-circle",
        Channel::Email => "mail",
    }
}

fn channel_word(channel: Channel) -> &'static str {
    match channel {
        Channel::Sms => "Text message",
        Channel::Whatsapp => "WhatsApp",
        Channel::Email => "E-mail",
    }
}

fn used_for(key: &str) -> &'static str {
    match key {
        QUOTE_SMS => "Texts every new quote",
        QUOTE_EMAIL => "Mails a new quote to who has no number",
        _ => "",
    }
}

fn empty(query: &ListQuery, can_manage: bool) -> Empty {
    let actions = |label: &str, path: &str| vec![(label.to_owned(), path.to_owned())];
    if !query.q.trim().is_empty() {
        return Empty {
            icon: "search",
            heading: "No template matches".to_owned(),
            text: "Names, keys and texts were searched.".to_owned(),
            actions: actions("Show all templates", "/templates"),
        };
    }
    if query.archived {
        return Empty {
            icon: "archive",
            heading: "Nothing is archived".to_owned(),
            text: "Templates that you archive stay here, and can be used again.".to_owned(),
            actions: Vec::new(),
        };
    }
    Empty {
        icon: "text-quote",
        heading: "No templates of your own".to_owned(),
        text: "Quotes go out in the words every business starts with. Write your own, with the names and amounts filled in.".to_owned(),
        actions: if can_manage { actions("Write a template", "/templates/new") } else { Vec::new() },
    }
}
