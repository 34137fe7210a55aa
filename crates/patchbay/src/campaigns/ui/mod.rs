//! The pages of campaigns: the list, writing one, asking the gates and launching, watching it go.

mod act;
mod edit;
mod numbers;
mod people;
mod show;

use std::sync::Arc;

use axum::{extract::State, response::Response};
use patchbay_rules::message::Channel;
use serde::Deserialize;

use super::{
    Campaign, Filter, Status, api,
    view::{CampaignRow, ListPage},
};
use crate::{
    app::App,
    auth::{Caller, Role, Session},
    error::Result,
    web::{
        extract::Query,
        layout::Place,
        moments::moment,
        pages::html,
        paging::PageQuery,
        parts::{Empty, Pager, Tab, Tag, Tone},
        routes::{Access, Routes},
        shell::shell,
    },
};

/// The pages. What starts a campaign or sets it going again is for admins; stopping one is for everybody who works.
pub(super) fn routes(routes: Routes) -> Routes {
    let (read, work, decide) =
        (Access::Page(Role::Viewer), Access::Page(Role::Member), Access::Page(Role::Admin));
    routes
        .get("/campaigns", read, list)
        .post("/campaigns", work, edit::create)
        .get("/campaigns/new", work, edit::new)
        .get("/campaigns/audience", work, edit::audience)
        .get("/campaigns/{id}", read, show::page)
        .post("/campaigns/{id}", work, edit::save)
        .get("/campaigns/{id}/edit", work, edit::edit)
        .get("/campaigns/{id}/live", read, show::live)
        .get("/campaigns/{id}/pace", read, show::pace)
        .get("/campaigns/{id}/look", read, show::look)
        .get("/campaigns/{id}/people", read, people::page)
        .get("/campaigns/{id}/people/export", work, people::export)
        .get("/campaigns/{id}/export", decide, api::export)
        .post("/campaigns/{id}/preflight", work, act::preflight)
        .post("/campaigns/{id}/test", work, act::test)
        .post("/campaigns/{id}/launch", decide, act::launch)
        .post("/campaigns/{id}/unschedule", decide, act::unschedule)
        .post("/campaigns/{id}/pause", work, act::pause)
        .post("/campaigns/{id}/resume", decide, act::resume)
        .post("/campaigns/{id}/cancel", decide, act::cancel)
        .post("/campaigns/{id}/delete", work, act::delete)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ListQuery {
    status: String,
    cursor: String,
}

async fn list(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Response> {
    let status = Status::read(&query.status);
    let asked = PageQuery { limit: Some(50), cursor: Some(query.cursor.clone()) };
    let found = super::list(&app, &caller, &Filter { status, search: None }, &asked).await?;
    let shell = shell(&app, &session, Place::Campaigns, "Campaigns").await?;
    let mut tabs = vec![Tab::new("All", "/campaigns", status.is_none())];
    tabs.extend(EACH.iter().map(|each| {
        let href = format!("/campaigns?status={}", each.as_str());
        Tab::new(status_word(*each), href, status == Some(*each))
    }));
    let rows = found.data.iter().map(|campaign| row(campaign, &app, &caller)).collect();
    html(&ListPage {
        tabs,
        rows,
        live_src: address(&query.status, &query.cursor),
        pager: Pager {
            previous: (!query.cursor.is_empty()).then(|| address(&query.status, "")),
            next: found.next_cursor.as_deref().map(|cursor| address(&query.status, cursor)),
            note: String::new(),
        },
        empty: found.data.is_empty().then(|| empty(status, shell.can_write)),
        shell,
    })
}

const EACH: [Status; 6] =
    [Status::Draft, Status::Scheduled, Status::Running, Status::Paused, Status::Finished, Status::Canceled];

fn address(status: &str, cursor: &str) -> String {
    let pairs = [("status", status), ("cursor", cursor)].into_iter().filter(|(_, value)| !value.is_empty());
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    if query.is_empty() { "/campaigns".to_owned() } else { format!("/campaigns?{query}") }
}

fn row(campaign: &Campaign, app: &App, caller: &Caller) -> CampaignRow {
    let at = match campaign.status {
        Status::Scheduled => campaign.scheduled_at,
        _ => campaign.launched_at,
    };
    let totals = campaign.totals.as_ref().filter(|totals| totals.recipients > 0);
    CampaignRow {
        href: format!("/campaigns/{}", campaign.id),
        name: campaign.name.clone(),
        channel: channel_word(campaign.channel),
        tag: tag(campaign),
        progress: totals.map_or_else(String::new, |totals| {
            format!(
                "{} of {} settled",
                numbers::grouped(campaign.settled(totals)),
                numbers::grouped(totals.recipients)
            )
        }),
        bar: totals.map(|totals| numbers::totals(totals, campaign, "")),
        at: moment(at.unwrap_or(campaign.created_at), app.now(), caller.tenant.timezone),
    }
}

fn empty(status: Option<Status>, can_write: bool) -> Empty {
    if let Some(status) = status {
        return Empty {
            icon: "megaphone",
            heading: format!("No campaign is {}", status_word(status).to_lowercase()),
            text: "The other tabs show the rest.".to_owned(),
            actions: vec![("Show all campaigns".to_owned(), "/campaigns".to_owned())],
        };
    }
    Empty {
        icon: "megaphone",
        heading: "No campaigns yet".to_owned(),
        text: "A campaign sends one message to a whole segment. Before it starts you see who gets it at once, who later, who never and why, and what it costs.".to_owned(),
        actions: if can_write { vec![("Write a campaign".to_owned(), "/campaigns/new".to_owned())] } else { Vec::new() },
    }
}

fn status_word(status: Status) -> &'static str {
    match status {
        Status::Draft => "Draft",
        Status::Scheduled => "Scheduled",
        Status::Running => "Running",
        Status::Paused => "Paused",
        Status::Finished => "Finished",
        Status::Canceled => "Canceled",
    }
}

fn tag(campaign: &Campaign) -> Tag {
    let (tone, icon) = match campaign.status {
        Status::Draft => (Tone::Plain, "pencil"),
        Status::Scheduled => (Tone::Calm, "calendar-clock"),
        Status::Running => (Tone::Good, "play"),
        Status::Paused if campaign.pause_reason.is_some() => {
            return Tag::new(Tone::Stop, "triangle-alert", "Paused itself");
        }
        Status::Paused => (Tone::Wait, "pause"),
        Status::Finished => (Tone::Good, "check"),
        Status::Canceled => (Tone::Stop, "x"),
    };
    Tag::new(tone, icon, status_word(campaign.status))
}

fn channel_word(channel: Channel) -> &'static str {
    match channel {
        Channel::Sms => "Text message",
        Channel::Whatsapp => "WhatsApp",
        Channel::Email => "E-mail",
    }
}
