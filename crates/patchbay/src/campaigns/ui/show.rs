//! One campaign: before the launch what the gates would say, afterwards what becomes of everybody.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use patchbay_rules::{message::Channel, money};
use serde::Deserialize;
use uuid::Uuid;

use super::{channel_word, numbers, tag};
use crate::{
    app::App,
    auth::{Caller, Session},
    campaigns::{
        self, Campaign, LookAt, Preflight, Status, Totals,
        look::Look,
        view::{Checks, Fact, Live, LookRow, Looks, PacePart, ShowPage},
    },
    error::{Error, Result},
    providers, segments, tenants,
    web::{
        charts::{Mark, Spark},
        extract::{Path, Query},
        fields::Field,
        layout::Place,
        moments::{full, moment},
        pages::{html, html_with},
        shell::shell,
    },
};

pub(super) async fn page(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    html(&build(&app, &session, &caller, id, String::new()).await?)
}

/// The page with its dialog open on new numbers.
pub(super) async fn moved(
    app: &App,
    session: &Session,
    caller: &Caller,
    id: Uuid,
    promised: i64,
    now: i64,
) -> Result<Response> {
    let (before, now) = (numbers::grouped(promised), numbers::grouped(now));
    let said = format!(
        "The audience has changed: {now} people now, {before} when it was checked. These are the new numbers."
    );
    html_with(StatusCode::CONFLICT, &build(app, session, caller, id, said).await?)
}

async fn build(app: &App, session: &Session, caller: &Caller, id: Uuid, moved: String) -> Result<ShowPage> {
    let campaign = campaigns::get(app, caller, id).await?;
    let shell = shell(app, session, Place::Campaigns, &campaign.name).await?;
    let before = matches!(campaign.status, Status::Draft | Status::Scheduled);
    let (checks, live) = if before {
        let checks = checks(app, caller, &campaign, &shell.csrf, String::new());
        (Some(Checks { moved, ..checks }), None)
    } else {
        (None, Some(numbers_of(app, caller, &campaign, &shell.csrf).await?))
    };
    let zone = caller.tenant.timezone;
    Ok(ShowPage {
        id: id.to_string(),
        name: campaign.name.clone(),
        tag: tag(&campaign),
        facts: facts(app, caller, &campaign).await?,
        looks: looks(app, caller, &campaign, &LookAt::default()).await?,
        is_draft: campaign.status == Status::Draft,
        is_scheduled: campaign.status == Status::Scheduled,
        in_zones: campaign.in_recipient_zone,
        starts: campaign.scheduled_at.map(|at| full(at, zone)).unwrap_or_default(),
        test_to: Field::text(
            "to",
            if campaign.channel == Channel::Email {
                "Send a test to this address"
            } else {
                "Send a test to this number"
            },
        )
        .placeholder(if campaign.channel == Channel::Email { "you@example.com" } else { "Your own number" })
        .required(),
        checks,
        live,
        shell,
    })
}

/// The numbers alone, for a page that is open.
pub(super) async fn live(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let campaign = campaigns::get(&app, &caller, id).await?;
    html(&numbers_of(&app, &caller, &campaign, &session.csrf).await?)
}

/// What a preflight found, with `problem` in place of numbers where something stands in the way.
pub(super) fn checks(app: &App, caller: &Caller, campaign: &Campaign, csrf: &str, problem: String) -> Checks {
    let found = campaign.preflight.as_ref();
    let (now, zone) = (app.now(), caller.tenant.timezone);
    Checks {
        id: campaign.id.to_string(),
        csrf: csrf.to_owned(),
        breakdown: found.map(|found| numbers::preflight(found, &format!("/campaigns/{}", campaign.id))),
        checked: campaign.preflight_at.map(|at| moment(at, now, zone)),
        cost: found.map(|found| money::format(found.cost_cents, &caller.tenant.currency)).unwrap_or_default(),
        segments: found
            .filter(|_| campaign.channel == Channel::Sms)
            .map(|found| {
                format!(
                    "{} in all, {} at most in one message",
                    numbers::grouped(found.segments),
                    found.segments_most
                )
            })
            .unwrap_or_default(),
        finishes: found
            .map(|found| {
                found
                    .finishes_at
                    .map_or_else(|| "Not within a year, as things are".to_owned(), |at| full(at, zone))
            })
            .unwrap_or_default(),
        name: campaign.name.clone(),
        promise: found
            .filter(|_| problem.is_empty() && campaign.status == Status::Draft && caller.role.can_manage())
            .map(|found| promise(found, campaign, caller))
            .unwrap_or_default(),
        recipients: found.map_or(0, |found| found.recipients),
        moved: String::new(),
        problem,
        can_write: caller.role.can_write(),
    }
}

/// What whoever launches agrees to.
fn promise(found: &Preflight, campaign: &Campaign, caller: &Caller) -> Vec<String> {
    let later: i64 = found.later.values().sum();
    let never: i64 = found.never.values().sum();
    let people = |count: i64| {
        if count == 1 { "1 person".to_owned() } else { format!("{} people", numbers::grouped(count)) }
    };
    let mut lines = Vec::new();
    let when = match campaign.scheduled_at {
        Some(at) => format!("at {}", full(at, caller.tenant.timezone)),
        None => "at once".to_owned(),
    };
    lines.push(format!("{} get it {when}.", people(found.now)));
    if later > 0 {
        lines.push(format!("{} get it later: not at this hour, or after others.", people(later)));
    }
    if never > 0 {
        lines.push(format!("{} never get it.", people(never)));
    }
    lines.push(format!("It costs about {}.", money::format(found.cost_cents, &caller.tenant.currency)));
    lines
}

async fn numbers_of(app: &App, caller: &Caller, campaign: &Campaign, csrf: &str) -> Result<Live> {
    let totals = campaigns::totals(app, caller, campaign.id).await?;
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let stopped = tenants::settings(&mut tx).await?.kill_switch;
    drop(tx);
    let is_running = campaign.status == Status::Running;
    Ok(Live {
        id: campaign.id.to_string(),
        csrf: csrf.to_owned(),
        name: campaign.name.clone(),
        tag: tag(campaign),
        breakdown: numbers::totals(&totals, campaign, &format!("/campaigns/{}", campaign.id)),
        settled: campaign.settled(&totals).unsigned_abs(),
        total: totals.recipients.unsigned_abs().max(1),
        settled_text: settled(campaign, &totals),
        pace: match is_running && !stopped && campaign.snapshot_at.is_some() {
            true => Some(pace_of(app, caller, campaign.id).await?),
            false => None,
        },
        paused: campaign.pause_sentence().unwrap_or_default(),
        by_itself: campaign.pause_reason.is_some(),
        stopped: stopped && totals.open() > 0,
        is_running,
        is_paused: campaign.status == Status::Paused,
        can_write: caller.role.can_write(),
        can_manage: caller.role.can_manage(),
    })
}

fn settled(campaign: &Campaign, totals: &Totals) -> String {
    if campaign.snapshot_at.is_none() {
        return "Writing down who gets it …".to_owned();
    }
    format!(
        "{} of {} settled",
        numbers::grouped(campaign.settled(totals)),
        numbers::grouped(totals.recipients)
    )
}

async fn pace_of(app: &App, caller: &Caller, id: Uuid) -> Result<PacePart> {
    let pace = campaigns::pace(app, caller, id).await?;
    let (now, zone) = (app.now(), caller.tenant.timezone);
    let minutes: Vec<f64> = pace.per_minute.iter().map(|count| *count as f64).collect();
    let sent: i64 = pace.per_minute.iter().sum();
    let (in_all, speed) = (numbers::grouped(sent), numbers::grouped(pace.speed));
    let when = |at| moment(at, now, zone).text;
    let mut lines = Vec::new();
    if pace.later > 0 {
        let who = if pace.last_at.is_some() { numbers::grouped(pace.later) } else { "Many".to_owned() };
        lines.push(match (pace.first_at, pace.last_at) {
            (Some(first), Some(last)) if when(first) != when(last) => {
                format!(
                    "{who} wait for their hour, or are held back: the first until {}, the last until {}",
                    when(first),
                    when(last)
                )
            }
            (Some(first), _) => {
                format!("{who} wait for their hour, or are held back: until {} at the earliest", when(first))
            }
            _ => format!("{who} are held back"),
        });
    }
    if let Some(at) = pace.ends_at {
        lines.push(format!(
            "Through in {}, {}, if it goes on like this",
            numbers::about((at - now).num_seconds()),
            full(at, zone)
        ));
    }
    Ok(PacePart {
        speed: if pace.speed > 0 { format!("{speed} a minute") } else { "Nothing lately".to_owned() },
        in_all: format!("{in_all} in the last hour"),
        chart: (sent > 0).then(|| {
            Spark::new(
                &minutes,
                Mark::Cord,
                format!("Messages a minute over the last hour: {in_all} in all, {speed} a minute lately"),
            )
        }),
        lines,
    })
}

/// How fast it goes, for a page that is open.
pub(super) async fn pace(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    html(&pace_of(&app, &caller, id).await?)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct LookQuery {
    contact_id: String,
}

/// The texts for somebody in particular.
pub(super) async fn look(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Query(query): Query<LookQuery>,
) -> Result<Response> {
    let campaign = campaigns::get(&app, &caller, id).await?;
    let at = LookAt { contact_id: Uuid::parse_str(&query.contact_id).ok() };
    html(&looks(&app, &caller, &campaign, &at).await?)
}

async fn facts(app: &App, caller: &Caller, campaign: &Campaign) -> Result<Vec<Fact>> {
    let zone = caller.tenant.timezone;
    let fact = |name: &'static str, text: String| Fact { name, text, href: String::new() };
    let mut facts = Vec::new();
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    facts.push(match campaign.segment_id {
        None => fact("To", "Every contact".to_owned()),
        Some(id) => match segments::get(&mut tx, id).await {
            Ok(segment) => Fact { name: "To", text: segment.name, href: format!("/segments/{id}") },
            Err(Error::NotFound(_)) => fact("To", "A segment that was deleted since".to_owned()),
            Err(error) => return Err(error),
        },
    });
    drop(tx);
    facts.push(fact("By", channel_word(campaign.channel).to_owned()));
    if let Some(id) = campaign.sender_id {
        let senders = providers::senders::list(app, caller).await?;
        let sender = senders.into_iter().find(|sender| sender.id == id);
        facts.push(fact(
            "From",
            sender.map_or_else(
                || "A sender that is gone".to_owned(),
                |sender| sender.label.unwrap_or(sender.address),
            ),
        ));
    }
    if let Some(at) = campaign.scheduled_at {
        let clock = if campaign.in_recipient_zone { ", by each person's own clock" } else { "" };
        facts.push(fact("At", format!("{}{clock}", full(at, zone))));
    }
    if let Some(at) = campaign.launched_at {
        let by = campaign.launched_by.as_deref().unwrap_or("somebody");
        facts.push(fact("Launched", format!("{} by {by}", full(at, zone))));
    }
    if let Some(at) = campaign.finished_at {
        let over = if campaign.status == Status::Canceled { "Called off" } else { "Finished" };
        facts.push(fact(over, full(at, zone)));
    }
    if campaign.launched_at.is_none() {
        let by = campaign.created_by.as_deref().unwrap_or("somebody");
        facts.push(fact("Written", format!("{} by {by}", full(campaign.created_at, zone))));
    }
    Ok(facts)
}

async fn looks(app: &App, caller: &Caller, campaign: &Campaign, at: &LookAt) -> Result<Looks> {
    let looks = match campaigns::preview(app, caller, campaign.id, at).await {
        Ok(looks) => looks,
        // Nothing chosen yet, or something that is gone: the checks say so.
        Err(Error::Invalid(_)) => Vec::new(),
        Err(error) => return Err(error),
    };
    Ok(Looks { looks: looks.into_iter().map(|look| look_row(look, campaign.channel)).collect() })
}

fn look_row(look: Look, channel: Channel) -> LookRow {
    let size = match channel {
        Channel::Sms => {
            let pieces = if look.segments == 1 {
                "1 segment".to_owned()
            } else {
                format!("{} segments", look.segments)
            };
            format!("{pieces} · {} characters", look.units)
        }
        _ => String::new(),
    };
    LookRow {
        name: look.template_name,
        subject: look.subject.unwrap_or_default(),
        text: look.text,
        size,
        problem: look.problem.unwrap_or_default(),
    }
}
