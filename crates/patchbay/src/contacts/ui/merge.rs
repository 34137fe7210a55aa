//! Making one contact of two: first with whom, then what stays, field by field; and taking it back.

use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};
use patchbay_rules::phone;
use serde::Deserialize;
use uuid::Uuid;

use super::{
    view::{Alike, MergeLine, MergePage, PickPage, Side},
    words,
};
use crate::{
    app::App,
    auth::{Caller, Session},
    contacts::{
        self, Contact, duplicates,
        filter::Filter,
        merge::{self, Line, MergeField, Wish, preview},
        search::{self, Slice},
    },
    error::{Error, Result},
    web::{
        extract::{Path, Query, RawForm},
        layout::Place,
        moments::full,
        notice,
        pages::html,
        parts::{Empty, Face},
        shell::shell,
    },
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct With {
    with: Option<Uuid>,
    q: String,
}

/// `GET /contacts/{id}/merge`: whom to merge with, and with `?with=` what would come of it.
pub(super) async fn page(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Path(id): Path<Uuid>,
    Query(query): Query<With>,
) -> Result<Response> {
    let Some(with) = query.with else { return pick(&app, &session, &caller, id, &query.q).await };
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let seen = preview(&mut tx, id, with).await?;
    let are_distinct = duplicates::are_distinct(&mut tx, id, with).await?;
    drop(tx);
    let side = |contact: &Contact| {
        let name = words::name(&caller, contact);
        Side {
            face: Face::of(contact.id, &name),
            since: full(contact.created_at, caller.tenant.timezone),
            href: format!("/contacts/{}", contact.id),
            name,
        }
    };
    let own = seen.fields.iter().map(|line| show(&caller, line, ""));
    let custom = seen.properties.iter().map(|line| show(&caller, line, "properties."));
    html(&MergePage {
        shell: shell(&app, &session, Place::Contacts, "Merge").await?,
        lines: own.chain(custom).collect(),
        labels: seen
            .merged
            .labels
            .iter()
            .filter(|label| !seen.kept.labels.contains(label))
            .cloned()
            .collect(),
        action: format!("/contacts/{id}/merge"),
        swap: format!("/contacts/{with}/merge?with={id}"),
        apart: format!("/contacts/{id}/distinct/{with}{}", if are_distinct { "/undo" } else { "" }),
        are_distinct,
        with: with.to_string(),
        kept: side(&seen.kept),
        merged: side(&seen.merged),
    })
}

fn show(caller: &Caller, line: &Line, prefix: &str) -> MergeLine {
    let is_number = line.field == MergeField::Phone.as_str() && prefix.is_empty();
    let written = |text: &String| match is_number && phone::is_e164(text) {
        true => words::number(caller, text),
        false => text.clone(),
    };
    MergeLine {
        name: format!("{prefix}{}", line.field),
        label: line.label.clone(),
        kept: written(&line.kept),
        merged: written(&line.merged),
        differs: line.differs,
    }
}

async fn pick(app: &App, session: &Session, caller: &Caller, id: Uuid, asked: &str) -> Result<Response> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let contact = contacts::get(&mut tx, id).await?;
    drop(tx);
    let found: Vec<(Contact, String)> = if asked.trim().is_empty() {
        let alike = duplicates::suggest(app, caller.tenant.id, &contact).await?;
        alike.into_iter().map(|(other, why)| (other, why.words().to_owned())).collect()
    } else {
        let filter = Filter { text: asked.trim().to_owned(), ..Filter::default() };
        let (rows, _) = search::list(app, caller.tenant.id, &filter, Slice::after(None, 12)).await?;
        rows.into_iter()
            .map(|other| (words::reach(caller, &other), other))
            .map(|(why, other)| (other, why))
            .collect()
    };
    let people: Vec<Alike> = found
        .into_iter()
        .filter(|(other, _)| other.id != id)
        .map(|(other, why)| {
            let name = words::name(caller, &other);
            Alike {
                href: format!("/contacts/{id}/merge?with={}", other.id),
                face: Face::of(other.id, &name),
                why,
                merge: None,
                name,
            }
        })
        .collect();
    let name = words::name(caller, &contact);
    html(&PickPage {
        empty: people.is_empty().then(|| Empty {
            icon: "merge",
            heading: if asked.trim().is_empty() { "Nobody looks the same" } else { "Nobody matches" }
                .to_owned(),
            text: "Search for the other contact by name, number or e-mail.".to_owned(),
            actions: Vec::new(),
        }),
        people,
        search: asked.to_owned(),
        path: format!("/contacts/{id}/merge"),
        back: format!("/contacts/{id}"),
        shell: shell(app, session, Place::Contacts, "Merge").await?,
        name,
    })
}

/// `POST /contacts/{id}/merge`: `with`, and per field `merged` where the other's value wins.
pub(super) async fn merge(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
    RawForm(body): RawForm,
) -> Result<Response> {
    let mut wish = Wish { kept: id, merged: id, take: Vec::new(), take_properties: Vec::new() };
    for (name, value) in form_urlencoded::parse(&body) {
        if name == "with" {
            wish.merged =
                Uuid::parse_str(&value).map_err(|_| Error::field("with", "Choose another contact."))?;
        } else if value == "merged" {
            match (
                name.strip_prefix("properties."),
                MergeField::ALL.iter().find(|field| field.as_str() == name),
            ) {
                (Some(key), _) => wish.take_properties.push(key.to_owned()),
                (None, Some(field)) => wish.take.push(*field),
                (None, None) => {}
            }
        }
    }
    let merge = merge::merge(&app, &caller, &wish).await?;
    let undo = format!("/contacts/merges/{merge}/undo");
    let to = format!("/contacts/{id}");
    Ok(notice::redirect_undoable(&app, &to, "The two are one contact now", Some(&undo)))
}

/// `POST /contacts/merges/{id}/undo`.
pub(super) async fn undo(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let (kept, separated) = merge::undo(&app, &caller, id).await?;
    let said = format!("{} is a contact of its own again", words::name(&caller, &separated));
    Ok(notice::toast(&app, &headers, &format!("/contacts/{}", kept.id), &said, None))
}
