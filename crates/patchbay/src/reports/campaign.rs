//! What came of one campaign.

use chrono::{DateTime, Utc};
use patchbay_providers::errors;
use patchbay_rules::proportions::{Comparison, compare};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ECHO, kept, share, sql};
use crate::{
    app::App,
    auth::Caller,
    campaigns,
    dashboard::days,
    error::{Error, Result},
};

/// What is counted, as it is kept.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Counted {
    pub(super) groups: Vec<Group>,
    pub(super) hours: Vec<Hour>,
    pub(super) hits: i64,
}

/// Messages of one template with one outcome.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Group {
    pub template_id: Option<Uuid>,
    pub status: String,
    pub gate: Option<String>,
    /// Which of the gate's reasons.
    pub code: Option<String>,
    pub error_code: Option<i32>,
    pub messages: i64,
    pub sent: i64,
    pub segments: i64,
    pub cost_micros: i64,
    pub clicked: i64,
    pub replied: i64,
    pub opted_out: i64,
}

/// One hour of a campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Hour {
    /// When it began.
    pub at: DateTime<Utc>,
    pub sent: i64,
    pub delivered: i64,
    /// People's clicks.
    pub clicks: i64,
    /// All clicks, programs' too.
    pub hits: i64,
}

/// What came of a campaign.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct CampaignReport {
    pub id: Uuid,
    pub name: String,
    pub status: String,
    pub launched_at: Option<DateTime<Utc>>,
    /// When this was counted.
    pub counted_at: DateTime<Utc>,
    pub funnel: Funnel,
    /// ISO 4217.
    pub currency: String,
    /// Of what was handed to the carrier, in millionths of the currency.
    pub cost_micros: i64,
    pub segments: i64,
    /// All clicks, programs' too; `funnel.clicked` are people.
    pub hits: i64,
    /// Messages by status, and by reason where there is one. Recipients whose turn has not come are in none.
    pub outcomes: Vec<Outcome>,
    pub hours: Vec<Hour>,
    pub templates: Vec<TemplateResult>,
    /// What the comparison of the templates amounts to, in a sentence; null with fewer than two.
    pub comparison: Option<String>,
}

/// From everybody to those who answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Funnel {
    pub recipients: i64,
    /// Handed to the carrier.
    pub sent: i64,
    pub delivered: i64,
    /// Recipients who opened a link themselves.
    pub clicked: i64,
    /// Within seven days.
    pub replied: i64,
    /// Within seven days.
    pub opted_out: i64,
}

/// Messages that ended, or stand, alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Outcome {
    pub status: String,
    pub gate: Option<String>,
    pub error_code: Option<i32>,
    /// In plain words; empty where the status says it all.
    pub reason: String,
    pub messages: i64,
}

/// How one of the templates did.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct TemplateResult {
    pub template_id: Option<Uuid>,
    pub name: String,
    pub sent: i64,
    pub delivered: i64,
    pub clicked: i64,
    pub replied: i64,
    pub opted_out: i64,
    /// Clicks per message sent, 0 to 1, with the interval that holds the true rate with 95 % confidence.
    pub click_rate: f64,
    pub click_rate_low: f64,
    pub click_rate_high: f64,
}

/// Counting a settled campaign takes at most one part in so many of the time: seconds a day.
const SETTLED: i32 = 30_000;

/// The report of a campaign, counted at most a moment ago.
pub async fn report(app: &App, caller: &Caller, id: Uuid) -> Result<CampaignReport> {
    let now = app.now();
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let campaign = sql::find_campaign(&mut tx, id).await?.ok_or(Error::NotFound("campaign"))?;
    let first = days::id_at(campaign.launched_at.unwrap_or(now));
    let after = days::id_at(campaign.finished_at.unwrap_or(now) + ECHO);
    let subject = id.to_string();
    // Once the time for answers is over only late clicks change it.
    let is_settled = campaign.finished_at.is_some_and(|at| at + ECHO < now);
    let share = if is_settled { SETTLED } else { kept::SHARE };
    let (counted, counted_at): (Counted, _) = kept::or_counted(&mut tx, now, &subject, share, async |tx| {
        let groups = sql::count_groups(tx, id, first, after).await?;
        let hours = sql::count_hours(tx, id).await?;
        let hits = hours.iter().map(|hour| hour.hits).sum();
        Ok(Counted { groups, hours, hits })
    })
    .await?;
    let names = sql::template_names(&mut tx, &campaign.template_ids).await?;
    tx.commit().await?;
    let templates = templates(&counted.groups, &names);
    Ok(CampaignReport {
        id,
        name: campaign.name,
        status: campaign.status,
        launched_at: campaign.launched_at,
        counted_at,
        funnel: counted.funnel(campaign.recipients),
        currency: caller.tenant.currency.clone(),
        cost_micros: counted.groups.iter().map(|group| group.cost_micros).sum(),
        segments: counted.groups.iter().map(|group| group.segments).sum(),
        hits: counted.hits,
        outcomes: outcomes(&counted.groups),
        hours: counted.hours,
        comparison: comparison(&templates),
        templates,
    })
}

impl Counted {
    /// The sums over all groups.
    pub(super) fn funnel(&self, recipients: i64) -> Funnel {
        let sum = |of: fn(&Group) -> i64| self.groups.iter().map(of).sum();
        Funnel {
            recipients,
            sent: sum(|group| group.sent),
            delivered: sum(Group::delivered),
            clicked: sum(|group| group.clicked),
            replied: sum(|group| group.replied),
            opted_out: sum(|group| group.opted_out),
        }
    }
}

impl Group {
    fn delivered(&self) -> i64 {
        if matches!(self.status.as_str(), "delivered" | "read") { self.messages } else { 0 }
    }
}

/// Groups put together across templates, most messages first.
fn outcomes(groups: &[Group]) -> Vec<Outcome> {
    let mut outcomes: Vec<Outcome> = Vec::new();
    for group in groups {
        let alike = |outcome: &&mut Outcome| {
            outcome.status == group.status
                && outcome.gate == group.gate
                && outcome.reason == reason(group)
                && outcome.error_code == group.error_code
        };
        match outcomes.iter_mut().find(alike) {
            Some(outcome) => outcome.messages += group.messages,
            None => outcomes.push(Outcome {
                status: group.status.clone(),
                gate: group.gate.clone(),
                error_code: group.error_code,
                reason: reason(group),
                messages: group.messages,
            }),
        }
    }
    outcomes.sort_by_key(|outcome| std::cmp::Reverse(outcome.messages));
    outcomes
}

fn reason(group: &Group) -> String {
    if let Some(gate) = &group.gate {
        return campaigns::reason(gate, group.code.as_deref()).to_owned();
    }
    let Some(code) = group.error_code else { return String::new() };
    u32::try_from(code)
        .ok()
        .and_then(errors::explain)
        .map_or_else(|| format!("The carrier refused it with code {code}."), |entry| entry.words.to_owned())
}

fn templates(groups: &[Group], names: &[(Uuid, String)]) -> Vec<TemplateResult> {
    let mut ids: Vec<Option<Uuid>> = names.iter().map(|(id, _)| Some(*id)).collect();
    ids.extend(groups.iter().filter(|group| group.sent > 0).map(|group| group.template_id));
    let mut seen = Vec::new();
    ids.retain(|id| {
        !seen.contains(id) && {
            seen.push(*id);
            true
        }
    });
    ids.into_iter()
        .map(|id| {
            let of_it = || groups.iter().filter(|group| group.template_id == id);
            let sum = |of: fn(&Group) -> i64| of_it().map(of).sum::<i64>();
            let (sent, clicked) = (sum(|group| group.sent), sum(|group| group.clicked));
            let (low, high) = share(clicked, sent).interval();
            TemplateResult {
                template_id: id,
                name: names
                    .iter()
                    .find(|(known, _)| Some(*known) == id)
                    .map_or_else(|| "A text that is gone".to_owned(), |(_, name)| name.clone()),
                sent,
                delivered: sum(Group::delivered),
                clicked,
                replied: sum(|group| group.replied),
                opted_out: sum(|group| group.opted_out),
                click_rate: share(clicked, sent).rate(),
                click_rate_low: low,
                click_rate_high: high,
            }
        })
        .collect()
}

/// The best against the runner-up: by clicks where there are any, else by replies.
fn comparison(templates: &[TemplateResult]) -> Option<String> {
    if templates.len() < 2 {
        return None;
    }
    let by_clicks = templates.iter().any(|template| template.clicked > 0);
    let what = if by_clicks { "clicks" } else { "replies" };
    let rate = |template: &TemplateResult| {
        share(if by_clicks { template.clicked } else { template.replied }, template.sent)
    };
    let mut order: Vec<&TemplateResult> = templates.iter().collect();
    order.sort_by(|a, b| rate(b).rate().total_cmp(&rate(a).rate()));
    let (best, next) = (order[0], order[1]);
    let percent = |template| format!("{:.1} %", 100.0 * rate(template).rate());
    Some(match compare(rate(best), rate(next)) {
        Comparison::TooFew => format!("Too few {what} yet to tell the texts apart."),
        Comparison::First { p } | Comparison::Second { p } => format!(
            "“{}” gets more {what} than “{}”: {} against {}. Chance alone would do that {}.",
            best.name,
            next.name,
            percent(best),
            percent(next),
            once_in(p)
        ),
        Comparison::Chance { p } => format!(
            "“{}” is ahead with {} against {}, but that may be chance: it would happen {} between texts that are equally good.",
            best.name,
            percent(best),
            percent(next),
            once_in(p)
        ),
    })
}

/// A probability as people say it.
fn once_in(p: f64) -> String {
    match p {
        p if p < 0.001 => "less than once in a thousand times".to_owned(),
        p if p < 0.4 => format!("about once in {:.0} times", 1.0 / p),
        p => format!("in {:.0} of 100 cases", 100.0 * p),
    }
}
