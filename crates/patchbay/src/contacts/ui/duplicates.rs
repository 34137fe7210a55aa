//! Who may be there twice, in the whole business.

use std::sync::Arc;

use axum::{extract::State, response::Response};

use super::{
    view::{Alike, AlikeGroup, DuplicatesPage},
    words,
};
use crate::{
    app::App,
    auth::{Caller, Session},
    contacts::duplicates::{self, Group},
    error::Result,
    web::{
        layout::Place,
        pages::html,
        parts::{Empty, Face},
        shell::shell,
    },
};

/// `GET /contacts/duplicates`.
pub(super) async fn page(State(app): State<Arc<App>>, session: Session, caller: Caller) -> Result<Response> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let groups = duplicates::list(&mut tx).await?;
    drop(tx);
    html(&DuplicatesPage {
        shell: shell(&app, &session, Place::Contacts, "Duplicates").await?,
        empty: groups.is_empty().then(|| Empty {
            icon: "circle-check",
            heading: "Nobody seems to be there twice".to_owned(),
            text: "Contacts with the same e-mail, the same name, or numbers that end alike are listed here. Any two can be merged from their pages."
                .to_owned(),
            actions: vec![("Back to contacts".to_owned(), "/contacts".to_owned())],
        }),
        groups: groups.iter().map(|group| show(&caller, group)).collect(),
    })
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
                        .map(|first| format!("/contacts/{first}/merge?with={}", contact.id)),
                    name,
                }
            })
            .collect(),
    }
}
