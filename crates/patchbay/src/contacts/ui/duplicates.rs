//! Who may be there twice, in the whole business.

use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};
use uuid::Uuid;

use super::{
    view::{Alike, AlikeGroup, Duplicates, DuplicatesFragment, DuplicatesPage, Question},
    words,
};
use crate::{
    app::App,
    auth::{Caller, Session},
    contacts::duplicates::{self, Group},
    error::Result,
    web::{
        extract::Path,
        layout::Place,
        notice,
        pages::{html, wants_fragment},
        parts::{Empty, Face},
        shell::shell,
    },
};

/// `GET /contacts/duplicates`.
pub(super) async fn page(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let found = duplicates::list_at_once(&mut tx, app.now()).await?;
    tx.commit().await?;
    let is_looking = found.is_none();
    let groups = found.unwrap_or_default();
    let list = Duplicates {
        is_looking,
        csrf: session.csrf.clone(),
        empty: (groups.is_empty() && !is_looking).then(|| Empty {
            icon: "circle-check",
            heading: "Nobody seems to be there twice".to_owned(),
            text: "Contacts with the same e-mail, the same name, or numbers that end alike are listed here. Any two can be merged from their pages."
                .to_owned(),
            actions: vec![("Back to contacts".to_owned(), "/contacts".to_owned())],
        }),
        groups: groups.iter().map(|group| show(&caller, group)).collect(),
    };
    if wants_fragment(&headers) {
        return html(&DuplicatesFragment { list });
    }
    html(&DuplicatesPage { shell: shell(&app, &session, Place::Contacts, "Duplicates").await?, list })
}

/// `POST /contacts/{id}/distinct/{other_id}`: these two are not one person.
pub(super) async fn tell_apart(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Path((id, other)): Path<(Uuid, Uuid)>,
) -> Result<Response> {
    duplicates::set_distinct(&app, &caller, id, other, true).await?;
    let undo = format!("/contacts/{id}/distinct/{other}/undo");
    Ok(notice::toast(&app, &headers, "/contacts/duplicates", "They are kept as two people", Some(&undo)))
}

/// `POST /contacts/{id}/distinct/{other_id}/undo`.
pub(super) async fn undo(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Path((id, other)): Path<(Uuid, Uuid)>,
) -> Result<Response> {
    duplicates::set_distinct(&app, &caller, id, other, false).await?;
    let to = format!("/contacts/{id}/merge?with={other}");
    Ok(notice::toast(&app, &headers, &to, "They may be one person again", None))
}

fn show(caller: &Caller, group: &Group) -> AlikeGroup {
    let first = group.contacts.first().map(|contact| contact.id);
    AlikeGroup {
        why: group.likeness.words().to_owned(),
        more: group.count - i64::try_from(group.contacts.len()).unwrap_or_default(),
        people: group
            .contacts
            .iter()
            .map(|contact| {
                let name = words::name(caller, contact);
                let reach = [
                    contact.phone_e164.as_deref().map(|e164| words::number(caller, e164)),
                    contact.email.clone(),
                ];
                Alike {
                    href: format!("/contacts/{}", contact.id),
                    face: Face::of(contact.id, &name),
                    why: reach.into_iter().flatten().collect::<Vec<_>>().join(" · "),
                    merge: first
                        .filter(|first| *first != contact.id)
                        .map(|first| Question::new(first, contact.id)),
                    name,
                }
            })
            .collect(),
    }
}
