//! Settings → API keys.

use std::{str::FromStr, sync::Arc};

use axum::{extract::State, response::Response};
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    app::App,
    auth::{
        Caller, Scope, Session, keys,
        view::{KeyRow, KeysPage, MadeKey},
    },
    error::{Error, FieldErrors, Result},
    web::{
        extract::{Form, Path},
        fields::{Choice, Field},
        layout::Place,
        moments::moment,
        notice,
        pages::html_form,
        parts::Empty,
        settings::{self, Section},
        shell,
    },
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct KeyForm {
    name: String,
    scope: String,
}

impl KeyForm {
    /// Before anything was typed: the narrowest scope, so that a wider one is somebody's decision.
    fn empty() -> Self {
        Self { name: String::new(), scope: "ingest".to_owned() }
    }
}

pub(super) async fn keys_page(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
) -> Result<Response> {
    keys_form(&app, &session, &caller, &KeyForm::empty(), &FieldErrors::new(), None).await
}

/// The one answer that shows the key; it is not redirected, because then it would have to be kept somewhere.
pub(super) async fn create_key(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Form(form): Form<KeyForm>,
) -> Result<Response> {
    let made = match Scope::from_str(&form.scope) {
        Ok(scope) => keys::create_key(&app, caller.tenant.id, &caller.actor, &form.name, scope).await,
        Err(error) => Err(error),
    };
    match made {
        Ok(new) => {
            let made = MadeKey { name: form.name.trim().to_owned(), key: new.key };
            keys_form(&app, &session, &caller, &KeyForm::empty(), &FieldErrors::new(), Some(made)).await
        }
        Err(Error::Invalid(errors)) => keys_form(&app, &session, &caller, &form, &errors, None).await,
        Err(error) => Err(error),
    }
}

pub(super) async fn revoke_key(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let name = keys::revoke(&app, &caller, id).await?;
    Ok(notice::redirect(&app, Section::ApiKeys.href(), &format!("Revoked {name}")))
}

async fn keys_form(
    app: &App,
    session: &Session,
    caller: &Caller,
    form: &KeyForm,
    errors: &FieldErrors,
    made: Option<MadeKey>,
) -> Result<Response> {
    let (now, zone) = (app.now(), caller.tenant.timezone);
    let keys = keys::list(app, caller).await?.into_iter().map(|key| KeyRow {
        id: key.id.to_string(),
        name: key.name,
        prefix: key.prefix,
        scope: match key.scope.as_str() {
            "full" => "everything",
            "read" => "read",
            _ => "hand in leads",
        },
        made: moment(key.created_at, now, zone),
        used: key.last_used_at.map(|at| moment(at, now, zone)),
    });
    let error = |name: &str| errors.get(name).cloned().unwrap_or_default();
    let choice =
        |value: &str, label: &str, hint: &str| Choice::new(value, label, form.scope == value).hint(hint);
    let page = KeysPage {
        keys: keys.collect(),
        tabs: settings::tabs(Section::ApiKeys, caller.role),
        made,
        name: Field::text("name", "Name")
            .value(&form.name)
            .error(error("name"))
            .required()
            .placeholder("Website")
            .hint("Which program uses it."),
        scope: Field::radios(
            "scope",
            "It may",
            vec![
                choice("ingest", "Hand in leads and quotes", "For web forms; reads nothing."),
                choice("read", "Read", "Everything a viewer sees; changes nothing."),
                choice("full", "Everything", "What an admin may do here, over the API."),
            ],
        )
        .error(error("scope")),
        empty: Empty {
            icon: "key",
            heading: "No keys yet".to_owned(),
            text: "A key lets your website or another program work with this business over the API."
                .to_owned(),
            actions: Vec::new(),
        },
        shell: shell::shell(app, session, Place::Settings, "API keys").await?,
    };
    html_form(errors, &page)
}
