//! Fills the frame around a page: who is looking, what they may do, what waits.

use super::{
    assets,
    layout::{Banner, NavCounts, Place, Role as RoleMark, Shell, TenantMark, Theme, UserMark},
    parts::{Face, Tone},
    sql,
};
use crate::{
    app::App,
    auth::{Role, Session},
    error::{Error, Result},
};

/// The frame for `session` at `place`. One round trip, however much waits. Opening the quotes marks what changed
/// there as seen.
pub(crate) async fn shell(app: &App, session: &Session, place: Place, title: &str) -> Result<Shell> {
    let (tenant, role) = session.membership.as_ref().ok_or_else(|| {
        Error::Forbidden("You do not belong to a business yet. Ask an owner for an invitation.".into())
    })?;
    let mut tx = app.db.tenant(tenant.id).await?;
    let waiting = sql::waiting(&mut tx, session.user_id).await?;
    if place == Place::Quotes && waiting.quotes > 0 {
        sql::mark_quotes_seen(&mut tx, session.user_id, app.now()).await?;
        tx.commit().await?;
    }
    let can_manage = role.can_manage();
    let counts = NavCounts {
        inbox: waiting.inbox.unsigned_abs(),
        quotes: if place == Place::Quotes { 0 } else { waiting.quotes.unsigned_abs() },
        parked: if can_manage { waiting.parked.unsigned_abs() } else { 0 },
    };
    let name = session.display_name();
    Ok(Shell {
        title: title.to_owned(),
        place,
        tenant: TenantMark {
            id: tenant.id.to_string(),
            name: tenant.name.clone(),
            face: Face::of(tenant.id, &tenant.name),
        },
        tenants: session
            .tenants
            .iter()
            .filter(|(id, _)| *id != tenant.id)
            .map(|(id, name)| TenantMark {
                id: id.to_string(),
                name: name.clone(),
                face: Face::of(*id, name),
            })
            .collect(),
        single_tenant: app.config.single_tenant,
        user: UserMark {
            name: name.to_owned(),
            email: session.email.clone(),
            face: Face::of(session.user_id, name),
        },
        role: match role {
            Role::Owner => RoleMark::Owner,
            Role::Admin => RoleMark::Admin,
            Role::Member => RoleMark::Member,
            Role::Viewer => RoleMark::Viewer,
        },
        can_write: role.can_write(),
        can_manage,
        counts,
        path: session.path.clone(),
        csrf: session.csrf.clone(),
        as_of: session.as_of.clone(),
        theme: theme(&session.theme),
        assets: assets::prefix(),
        notice: session.notice.take(),
        banner: banner(&waiting, can_manage),
    })
}

/// What keeps messages from leaving, said on every page.
fn banner(waiting: &sql::Waiting, can_manage: bool) -> Option<Banner> {
    let stopped = |text: &str, action: Option<(&str, &str)>| Banner {
        tone: Tone::Stop,
        icon: "ban",
        text: text.to_owned(),
        action: action.map(|(label, href)| (label.to_owned(), href.to_owned())),
    };
    if waiting.is_held {
        let text = "Sending is held because this database was restored or copied.";
        return Some(stopped(text, Some(("Look and decide", "/settings/held"))));
    }
    let text = "Sending is stopped. Messages wait until it is allowed again.";
    waiting
        .kill_switch
        .then(|| stopped(text, can_manage.then_some(("Sending settings", "/settings/sending"))))
}

/// What waits in each room, again, for a page that is open.
pub(crate) async fn counts(app: &App, session: &Session) -> Result<NavCounts> {
    let Some((tenant, role)) = &session.membership else { return Ok(NavCounts::default()) };
    let mut tx = app.db.tenant(tenant.id).await?;
    let waiting = sql::waiting(&mut tx, session.user_id).await?;
    Ok(NavCounts {
        inbox: waiting.inbox.unsigned_abs(),
        quotes: waiting.quotes.unsigned_abs(),
        parked: if role.can_manage() { waiting.parked.unsigned_abs() } else { 0 },
    })
}

/// The stored word as the frame's.
pub(crate) fn theme(word: &str) -> Theme {
    match word {
        "light" => Theme::Light,
        "dark" => Theme::Dark,
        _ => Theme::System,
    }
}
