//! The account: name, theme, invitations, and where one is signed in.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    app::App,
    auth::{
        Session, guard, sessions, users,
        view::{AccountPage, AlonePage, Invited, SessionRow},
    },
    error::{Error, Result},
    web::{
        client::browser_name,
        cookies,
        extract::{Form, Path},
        fields::Field,
        layout::Place,
        moments::moment,
        notice::{self, see_other},
        pages::{bare, html_with},
        parts::{Tag, Tone},
        shell,
    },
};

pub(super) async fn sign_out(State(app): State<Arc<App>>, session: Session) -> Result<Response> {
    sessions::revoke(&app, &session, session.id).await?;
    Ok(leave(&app))
}

pub(super) async fn account_page(State(app): State<Arc<App>>, session: Session) -> Result<Response> {
    account(&app, &session, session.name.clone().unwrap_or_default(), "", StatusCode::OK).await
}

async fn account(
    app: &App,
    session: &Session,
    name: String,
    error: &str,
    status: StatusCode,
) -> Result<Response> {
    let invitations = sessions::invitations(app, session)
        .await?
        .into_iter()
        .map(|one| Invited { tenant: one.tenant, role: one.role })
        .collect();
    let Some((tenant, _)) = &session.membership else {
        let mut bare = bare("Patchbay", shell::theme(&session.theme));
        bare.csrf = session.csrf.clone();
        return html_with(status, &AlonePage { bare, email: session.email.clone(), invitations });
    };
    let rows = sessions::list(app, session).await?.into_iter().map(|one| SessionRow {
        id: one.id.to_string(),
        browser: browser_name(one.user_agent.as_deref().unwrap_or_default()),
        ip: one.ip.unwrap_or_default(),
        since: moment(one.created_at, app.now(), tenant.timezone),
        // Use is noted once a minute; the session on screen is in use now.
        seen: moment(if one.id == session.id { app.now() } else { one.seen_at }, app.now(), tenant.timezone),
        is_this: one.id == session.id,
    });
    let page = AccountPage {
        invitations,
        sessions: rows.collect(),
        this_tag: Tag::new(Tone::Good, "check", "this one"),
        name: Field::text("name", "Your name")
            .value(name)
            .error(error)
            .autocomplete("name")
            .hint("Your team sees it; leads do not."),
        shell: shell::shell(app, session, Place::Account, "Account").await?,
    };
    html_with(status, &page)
}

#[derive(Deserialize)]
pub(super) struct Name {
    #[serde(default)]
    name: String,
}

pub(super) async fn rename(
    State(app): State<Arc<App>>,
    session: Session,
    Form(form): Form<Name>,
) -> Result<Response> {
    match users::rename(&app, &session, &form.name).await {
        Ok(()) => Ok(notice::redirect(&app, "/account", "Name saved")),
        Err(Error::Invalid(errors)) => {
            let error = errors.get("name").cloned().unwrap_or_default();
            account(&app, &session, form.name, &error, StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(error) => Err(error),
    }
}

pub(super) async fn join(State(app): State<Arc<App>>, session: Session) -> Result<Response> {
    sessions::join(&app, &session).await?;
    Ok(notice::redirect(&app, "/inbox", "Welcome"))
}

#[derive(Deserialize)]
pub(super) struct ThemeForm {
    theme: String,
    #[serde(default)]
    path: String,
}

pub(super) async fn set_theme(
    State(app): State<Arc<App>>,
    session: Session,
    Form(form): Form<ThemeForm>,
) -> Result<Response> {
    users::set_theme(&app, &session, &form.theme).await?;
    Ok(see_other(if sessions::is_local(&form.path) { &form.path } else { "/account" }))
}

pub(super) async fn end_session(
    State(app): State<Arc<App>>,
    session: Session,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    sessions::revoke(&app, &session, id).await?;
    Ok(if id == session.id { leave(&app) } else { notice::redirect(&app, "/account", "Signed out there") })
}

pub(super) async fn end_others(State(app): State<Arc<App>>, session: Session) -> Result<Response> {
    sessions::revoke_all(&app, &session, true).await?;
    Ok(notice::redirect(&app, "/account", "Signed out everywhere else"))
}

pub(super) async fn end_all(State(app): State<Arc<App>>, session: Session) -> Result<Response> {
    sessions::revoke_all(&app, &session, false).await?;
    Ok(leave(&app))
}

#[derive(Deserialize)]
pub(super) struct Switch {
    tenant_id: Uuid,
}

pub(super) async fn switch_tenant(
    State(app): State<Arc<App>>,
    session: Session,
    Form(form): Form<Switch>,
) -> Result<Response> {
    sessions::switch_tenant(&app, &session, form.tenant_id).await?;
    let name =
        session.tenants.iter().find(|(id, _)| *id == form.tenant_id).map_or("", |(_, name)| name.as_str());
    Ok(notice::redirect(&app, "/inbox", &format!("Now in {name}")))
}

fn leave(app: &App) -> Response {
    let mut response = see_other("/sign-in");
    let headers = response.headers_mut();
    headers.append(header::SET_COOKIE, cookies::clear(app, guard::SESSION_COOKIE));
    // Drafts kept in the browser go too (OWASP ASVS 5.0, 14.3.1).
    headers.insert("clear-site-data", HeaderValue::from_static("\"storage\""));
    response
}
