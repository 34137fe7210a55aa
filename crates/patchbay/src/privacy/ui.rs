//! The page on which a person is erased.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    app::App,
    auth::{Caller, Session},
    contacts,
    error::{Error, Result},
    web::{
        extract::{Form, Path},
        layout::{Place, Shell},
        notice,
        pages::html,
        shell::shell,
    },
};

#[derive(Template)]
#[template(path = "privacy/erase.html")]
struct ErasePage {
    shell: Shell,
    id: String,
    name: String,
    contact_href: String,
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let contact = contacts::find(&mut tx, id).await?.ok_or(Error::NotFound("contact"))?;
    drop(tx);
    let page = ErasePage {
        shell: shell(&app, &session, Place::Contacts, "Erase personal data").await?,
        id: id.to_string(),
        contact_href: format!("/contacts/{id}"),
        name: contact.called(&caller.tenant.country),
    };
    html(&page)
}

#[derive(Debug, Deserialize)]
pub(super) struct Confirmation {
    sure: Option<String>,
}

pub(super) async fn erase(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Form(confirmation): Form<Confirmation>,
) -> Result<Response> {
    if confirmation.sure.is_none() {
        return Err(Error::field("sure", "Tick the box first: this cannot be undone."));
    }
    super::erase(&app, &caller, id).await?;
    Ok(notice::redirect(&app, "/contacts", "The person was erased"))
}
