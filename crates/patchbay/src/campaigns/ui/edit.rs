//! Writing a campaign: one calm form, step by step. What is typed survives every refusal.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use chrono::{DateTime, NaiveDateTime, Utc};
use chrono_tz::Tz;
use patchbay_rules::message::Channel;
use serde::Deserialize;
use uuid::Uuid;

use super::channel_word;
use crate::{
    app::App,
    auth::{Caller, Session},
    campaigns::{
        self, Campaign, Change, New, Status,
        view::{AudiencePart, EditPage, TemplateChoice},
    },
    error::{Error, FieldErrors, Result},
    providers, segments, templates,
    web::{
        extract::{Form, Path, Query},
        fields::{Choice, Field},
        layout::Place,
        notice,
        pages::{html, html_form},
        paging::PageQuery,
        shell::shell,
    },
};

/// The form as it was sent.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct CampaignForm {
    name: String,
    segment_id: String,
    channel: String,
    sender_id: String,
    template_ids: Vec<String>,
    /// `now`, `at` or `zones`.
    when: String,
    /// Local time, as a browser writes it: `2026-03-14T09:00`.
    scheduled_at: String,
}

/// What a link to a new campaign may say beforehand.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct NewQuery {
    segment_id: String,
}

impl CampaignForm {
    fn of(campaign: &Campaign, zone: Tz) -> Self {
        Self {
            name: campaign.name.clone(),
            segment_id: campaign.segment_id.map(|id| id.to_string()).unwrap_or_default(),
            channel: campaign.channel.as_str().to_owned(),
            sender_id: campaign.sender_id.map(|id| id.to_string()).unwrap_or_default(),
            template_ids: campaign.template_ids.iter().map(Uuid::to_string).collect(),
            when: match (campaign.scheduled_at, campaign.in_recipient_zone) {
                (None, _) => "now",
                (Some(_), false) => "at",
                (Some(_), true) => "zones",
            }
            .to_owned(),
            scheduled_at: campaign
                .scheduled_at
                .map(|at| at.with_timezone(&zone).format("%Y-%m-%dT%H:%M").to_string())
                .unwrap_or_default(),
        }
    }

    fn channel(&self) -> Channel {
        self.channel.parse().unwrap_or(Channel::Sms)
    }

    /// What the form means.
    fn read(&self, zone: Tz) -> Result<New> {
        Ok(New {
            name: self.name.clone(),
            channel: self.channel(),
            segment_id: Uuid::parse_str(&self.segment_id).ok(),
            template_ids: self.template_ids.iter().filter_map(|id| Uuid::parse_str(id).ok()).collect(),
            sender_id: Uuid::parse_str(&self.sender_id).ok(),
            scheduled_at: if self.when == "at" || self.when == "zones" {
                Some(self.instant(zone)?)
            } else {
                None
            },
            in_recipient_zone: self.when == "zones",
        })
    }

    fn instant(&self, zone: Tz) -> Result<DateTime<Utc>> {
        NaiveDateTime::parse_from_str(self.scheduled_at.trim(), "%Y-%m-%dT%H:%M")
            .ok()
            // A time that clocks skip is read as the one an hour later.
            .and_then(|local| {
                local
                    .and_local_timezone(zone)
                    .earliest()
                    .or_else(|| (local + chrono::TimeDelta::hours(1)).and_local_timezone(zone).earliest())
            })
            .map(|at| at.to_utc())
            .ok_or_else(|| Error::field("scheduled_at", "Choose a day and a time."))
    }
}

pub(super) async fn new(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Query(query): Query<NewQuery>,
) -> Result<Response> {
    let form = CampaignForm {
        channel: "sms".to_owned(),
        when: "now".to_owned(),
        segment_id: query.segment_id,
        ..CampaignForm::default()
    };
    show(&app, &session, &caller, None, &form, &FieldErrors::new()).await
}

pub(super) async fn edit(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let campaign = campaigns::get(&app, &caller, id).await?;
    if campaign.status != Status::Draft {
        return Ok(notice::redirect(
            &app,
            &format!("/campaigns/{id}"),
            "A campaign that was launched stays as it is.",
        ));
    }
    let form = CampaignForm::of(&campaign, caller.tenant.timezone);
    show(&app, &session, &caller, Some(&campaign), &form, &FieldErrors::new()).await
}

pub(super) async fn create(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Form(form): Form<CampaignForm>,
) -> Result<Response> {
    let made = match form.read(caller.tenant.timezone) {
        Ok(input) => campaigns::create(&app, &caller, input).await,
        Err(error) => Err(error),
    };
    match made {
        Ok(campaign) => Ok(notice::redirect(&app, &format!("/campaigns/{}", campaign.id), "Campaign saved")),
        Err(Error::Invalid(errors)) => show(&app, &session, &caller, None, &form, &errors).await,
        Err(error) => Err(error),
    }
}

pub(super) async fn save(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Path(id): Path<Uuid>,
    Form(form): Form<CampaignForm>,
) -> Result<Response> {
    let campaign = campaigns::get(&app, &caller, id).await?;
    let saved = match form.read(caller.tenant.timezone) {
        Ok(input) => campaigns::update(&app, &caller, id, change(input)).await,
        Err(error) => Err(error),
    };
    match saved {
        Ok(_) => Ok(notice::redirect(&app, &format!("/campaigns/{id}"), "Campaign saved")),
        Err(Error::Invalid(errors)) => show(&app, &session, &caller, Some(&campaign), &form, &errors).await,
        Err(error) => Err(error),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AudienceQuery {
    segment_id: String,
}

/// How many are meant, beside the choice.
pub(super) async fn audience(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<AudienceQuery>,
) -> Result<Response> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let context = segments::Context::load(&mut tx, &app).await?;
    let filter = match Uuid::parse_str(&query.segment_id) {
        Ok(id) => segments::get(&mut tx, id).await?.filter,
        Err(_) => segments::Filter::everybody(),
    };
    drop(tx);
    let part = match filter.check(&context) {
        Ok(()) => {
            let found = segments::count(&app, &filter, &context).await?;
            let noun = if found.count == 1 { "person" } else { "people" };
            AudiencePart {
                people: format!("{} {noun}", segments::grouped(found.count)),
                is_exact: found.exact,
                problem: String::new(),
            }
        }
        Err(_) => AudiencePart {
            people: String::new(),
            is_exact: true,
            problem: "This segment names something that is gone. Look at it first.".to_owned(),
        },
    };
    html(&part)
}

fn change(input: New) -> Change {
    Change {
        name: Some(input.name),
        channel: Some(input.channel),
        segment_id: Some(input.segment_id),
        template_ids: Some(input.template_ids),
        sender_id: Some(input.sender_id),
        scheduled_at: Some(input.scheduled_at),
        in_recipient_zone: Some(input.in_recipient_zone),
    }
}

async fn show(
    app: &App,
    session: &Session,
    caller: &Caller,
    campaign: Option<&Campaign>,
    form: &CampaignForm,
    errors: &FieldErrors,
) -> Result<Response> {
    let heading =
        campaign.map_or_else(|| "New campaign".to_owned(), |campaign| format!("Change “{}”", campaign.name));
    let shell = shell(app, session, Place::Campaigns, &heading).await?;
    let error = |name: &str| errors.get(name).cloned().unwrap_or_default();
    let channel = form.channel();
    let href =
        campaign.map_or_else(|| "/campaigns".to_owned(), |campaign| format!("/campaigns/{}", campaign.id));
    let page = EditPage {
        heading,
        crumb: campaign.map_or_else(|| "Campaigns".to_owned(), |campaign| campaign.name.clone()),
        crumb_href: href.clone(),
        action: href.clone(),
        back: href,
        error: if errors.is_empty() { String::new() } else { "Some of it is not right yet.".to_owned() },
        name: Field::text("name", "Name")
            .value(&form.name)
            .required()
            .placeholder("Spring check-up")
            .hint("For yourselves; nobody else sees it.")
            .error(error("name")),
        segment: Field::select("segment_id", "Segment", segments_of(app, caller, form).await?)
            .required()
            .hint("Who is in it is written down at the launch; later changes do not matter to this campaign.")
            .error(error("segment_id")),
        channels: [Channel::Sms, Channel::Whatsapp, Channel::Email]
            .map(|each| Choice::new(each.as_str(), channel_word(each), each == channel))
            .to_vec(),
        sender: Field::select("sender_id", "From", senders(app, caller, form).await?)
            .required()
            .error(error("sender_id")),
        templates: templates_of(app, caller, form).await?,
        templates_error: error("template_ids"),
        when: whens(form, caller),
        at: Field::input("scheduled_at", "datetime-local", "Day and time")
            .value(&form.scheduled_at)
            .error(error("scheduled_at")),
        shell,
    };
    html_form(errors, &page)
}

fn whens(form: &CampaignForm, caller: &Caller) -> Vec<Choice> {
    let is = |word: &str| form.when == word;
    vec![
        Choice::new("now", "As soon as it is launched", !is("at") && !is("zones")),
        Choice::new("at", "At a time", is("at"))
            .hint(format!("By your own clock, {}.", caller.tenant.timezone)),
        Choice::new("zones", "At a time of day where each person lives", is("zones"))
            .hint("9 o’clock reaches Perth when it is 9 o’clock in Perth."),
    ]
}

async fn segments_of(app: &App, caller: &Caller, form: &CampaignForm) -> Result<Vec<Choice>> {
    let found = segments::list(app, caller, None, &PageQuery { limit: Some(200), cursor: None }).await?;
    let mut choices = vec![Choice::new("", "Every contact", form.segment_id.is_empty())];
    choices.extend(found.data.into_iter().map(|segment| {
        let id = segment.id.to_string();
        let chosen = id == form.segment_id;
        Choice::new(id, segment.name, chosen)
    }));
    Ok(choices)
}

async fn senders(app: &App, caller: &Caller, form: &CampaignForm) -> Result<Vec<Choice>> {
    let senders = providers::senders::list(app, caller).await?;
    let mut choices =
        vec![Choice::new("", "Whichever they know, else the default", form.sender_id.is_empty())];
    choices.extend(senders.into_iter().map(|sender| {
        let id = sender.id.to_string();
        let chosen = id == form.sender_id;
        let channel = sender.channel.parse().map_or("", channel_word);
        let name = sender.label.unwrap_or_else(|| sender.address.clone());
        Choice::new(id, format!("{name} · {channel}"), chosen)
    }));
    Ok(choices)
}

async fn templates_of(app: &App, caller: &Caller, form: &CampaignForm) -> Result<Vec<TemplateChoice>> {
    let page = PageQuery { limit: Some(100), cursor: None };
    let found = templates::list(app, caller, &templates::Filter::default(), &page).await?;
    let choice = |template: templates::Template| {
        let id = template.id.to_string();
        TemplateChoice {
            chosen: form.template_ids.contains(&id),
            id,
            unready: if template.channel == Channel::Whatsapp && template.content_sid.is_none() {
                format!("/templates/{}", template.id)
            } else {
                String::new()
            },
            channel: template.channel.as_str(),
            content: template.text(),
            name: template.name,
        }
    };
    Ok(found.data.into_iter().map(choice).collect())
}
