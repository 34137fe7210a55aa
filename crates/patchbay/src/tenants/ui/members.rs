//! Settings → Members.

use std::{str::FromStr, sync::Arc};

use axum::{extract::State, response::Response};
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    app::App,
    auth::{Caller, Role, Session},
    error::{Error, FieldErrors, Result},
    tenants::{
        members::{self as people, Member},
        view::{InvitationRow, MemberRow, MembersPage},
    },
    web::{
        extract::{Form, Path},
        fields::{Choice, Field},
        layout::Place,
        moments::moment,
        notice,
        pages::html_form,
        parts::Face,
        settings::{Section, tabs},
        shell::shell,
    },
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::tenants) struct InviteForm {
    email: String,
    role: String,
}

#[derive(Debug, Deserialize)]
pub(in crate::tenants) struct RoleForm {
    role: String,
}

pub(in crate::tenants) async fn page(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
) -> Result<Response> {
    let form = InviteForm { email: String::new(), role: "member".to_owned() };
    show(&app, &session, &caller, &form, &FieldErrors::new()).await
}

pub(in crate::tenants) async fn invite(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Form(form): Form<InviteForm>,
) -> Result<Response> {
    let invited = match Role::from_str(&form.role) {
        Ok(role) => people::invite(&app, &caller, &form.email, role).await,
        Err(error) => Err(error),
    };
    match invited {
        Ok(_) => Ok(done(&app, &format!("Invited {}", form.email.trim()))),
        Err(Error::Invalid(errors)) => show(&app, &session, &caller, &form, &errors).await,
        Err(error) => Err(error),
    }
}

pub(in crate::tenants) async fn set_role(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Form(form): Form<RoleForm>,
) -> Result<Response> {
    people::set_role(&app, &caller, id, Role::from_str(&form.role)?).await?;
    Ok(done(&app, "Role changed"))
}

pub(in crate::tenants) async fn remove(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    people::remove(&app, &caller, id).await?;
    Ok(done(&app, "Removed. Their access ended at once."))
}

pub(in crate::tenants) async fn revoke(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let email = people::revoke_invitation(&app, &caller, id).await?;
    Ok(done(&app, &format!("Took back the invitation of {email}")))
}

fn done(app: &App, text: &str) -> Response {
    notice::redirect(app, Section::Members.href(), text)
}

async fn show(
    app: &App,
    session: &Session,
    caller: &Caller,
    form: &InviteForm,
    errors: &FieldErrors,
) -> Result<Response> {
    let (now, zone) = (app.now(), caller.tenant.timezone);
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let members = people::list(&mut tx).await?;
    let invitations = if caller.role.can_manage() { people::invitations(&mut tx).await? } else { Vec::new() };
    drop(tx);
    let owners = members.iter().filter(|member| member.role == "owner").count();
    let error = |name: &str| errors.get(name).cloned().unwrap_or_default();
    let page = MembersPage {
        tabs: tabs(Section::Members, caller.role),
        members: members.into_iter().map(|member| row(caller, session, owners, member)).collect(),
        invitations: invitations
            .into_iter()
            .map(|one| InvitationRow {
                id: one.id.to_string(),
                is_expired: one.expires_at <= now,
                invited: moment(one.created_at, now, zone),
                role: word(&one.role),
                email: one.email,
            })
            .collect(),
        email: Field::email("email", "E-mail address")
            .value(&form.email)
            .error(error("email"))
            .required()
            .autocomplete("off"),
        role: Field::select("role", "Role", choices(caller, &form.role)).error(error("role")).required(),
        shell: shell(app, session, Place::Settings, "Members").await?,
    };
    html_form(errors, &page)
}

/// What the caller may do with this member is offered, nothing else.
fn row(caller: &Caller, session: &Session, owners: usize, member: Member) -> MemberRow {
    let is_owner = member.role == "owner";
    let may_change = caller.role.can_manage() && (!is_owner || (caller.role == Role::Owner && owners > 1));
    MemberRow {
        face: Face::of(member.id, member.display_name()),
        name: member.display_name().to_owned(),
        is_self: member.id == session.user_id,
        role: word(&member.role),
        choices: if may_change { choices(caller, &member.role) } else { Vec::new() },
        id: member.id.to_string(),
        email: member.email,
    }
}

fn choices(caller: &Caller, chosen: &str) -> Vec<Choice> {
    [
        (Role::Viewer, "Viewer: reads"),
        (Role::Member, "Member: works with contacts"),
        (Role::Admin, "Admin: changes settings too"),
        (Role::Owner, "Owner: everything"),
    ]
    .into_iter()
    .filter(|(role, _)| *role < Role::Owner || caller.role == Role::Owner)
    .map(|(role, label)| Choice::new(role.as_str(), label, role.as_str() == chosen))
    .collect()
}

fn word(role: &str) -> &'static str {
    match role {
        "owner" => "Owner",
        "admin" => "Admin",
        "member" => "Member",
        _ => "Viewer",
    }
}
