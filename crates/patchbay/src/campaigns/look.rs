//! Looking at a campaign's texts, and sending one to oneself.

use patchbay_rules::{
    message::{Channel, Kind},
    phone, segments,
};
use serde::Serialize;
use uuid::Uuid;

use super::{words::WayOut, words::Writer};
use crate::{
    app::App,
    auth::Caller,
    contacts,
    db::TenantTx,
    error::{Error, Result},
    links,
    messaging::{self, Intent, Queued},
    templates::{self, Reader},
    tenants,
};

/// For whom to look.
#[derive(Debug, Clone, Default)]
pub struct LookAt {
    /// Without one, somebody is made up of whom only the name is known.
    pub contact_id: Option<Uuid>,
}

/// One of a campaign's texts, as it reads for one contact.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = CampaignLook)]
pub struct Look {
    pub template_id: Uuid,
    pub template_name: String,
    /// With the opt-out line; links have the length of short ones.
    pub text: String,
    pub subject: Option<String>,
    /// Of a text message.
    pub segments: u32,
    /// `gsm7` or `ucs2`.
    pub encoding: String,
    /// Septets or UTF-16 code units, by encoding.
    pub units: u32,
    /// Why it could not be sent like this.
    pub problem: Option<String>,
}

/// A test: where to, whose name in it, and which of the texts (all of them unless told).
#[derive(Debug, Clone)]
pub struct Test {
    pub to: String,
    pub contact_id: Option<Uuid>,
    pub template_id: Option<Uuid>,
}

/// Every text of a campaign for one contact. Changes nothing.
pub async fn preview(app: &App, caller: &Caller, id: Uuid, at: &LookAt) -> Result<Vec<Look>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let campaign = super::find(&mut tx, id).await?;
    let settings = tenants::settings(&mut tx).await?;
    let writer = Writer::load(&mut tx, &campaign, &settings).await?;
    let (reader, country) = reader(&mut tx, app, at.contact_id).await?;
    Ok((0..writer.versions()).map(|turn| look(app, &writer, turn, &reader, country.as_deref())).collect())
}

async fn reader(tx: &mut TenantTx, app: &App, contact: Option<Uuid>) -> Result<(Reader, Option<String>)> {
    let Some(id) = contact else { return Ok((Reader::made_up(tx, app).await?, None)) };
    let contact = contacts::get(tx, id).await?;
    let reader = templates::readers(tx, app, &[id]).await?.remove(&id).ok_or(Error::NotFound("contact"))?;
    Ok((reader, contact.country))
}

fn look(app: &App, writer: &Writer, turn: usize, reader: &Reader, country: Option<&str>) -> Look {
    let position = i64::try_from(turn).unwrap_or_default();
    let words = writer.words(turn);
    let written = writer.write(position, reader).and_then(|mut page| {
        let link = sample_link(app, page.lacks);
        writer.add_way_out(&mut page, country, link.as_deref())?;
        Ok(page)
    });
    let (text, subject, problem) = match written {
        Ok(page) => (sample(app, &page.body), page.subject, None),
        Err(problem) => (words.content.clone(), words.subject.clone(), Some(problem)),
    };
    let counted = segments::count(&text);
    Look {
        template_id: words.template_id,
        template_name: words.name.clone(),
        segments: if writer.channel == Channel::Sms { counted.segments } else { 1 },
        encoding: counted.encoding.as_str().to_owned(),
        units: counted.units,
        text,
        subject,
        problem,
    }
}

/// A text with links as long as the short ones will be.
pub(super) fn sample(app: &App, body: &str) -> String {
    links::sample(app, body)
}

/// A link as long as a recipient's own will be, where one is needed.
pub(super) fn sample_link(app: &App, lacks: Option<WayOut>) -> Option<String> {
    (lacks == Some(WayOut::Link)).then(|| links::sample_opt_out(app))
}

/// Sends the texts of a campaign to oneself.
///
/// # Errors
/// Invalid: an address that is none; a text that cannot be filled in.
pub async fn test_send(app: &App, caller: &Caller, id: Uuid, test: &Test) -> Result<Vec<Queued>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let campaign = super::find(&mut tx, id).await?;
    let to = address(caller, campaign.channel, &test.to)?;
    let settings = tenants::settings(&mut tx).await?;
    let writer = Writer::load(&mut tx, &campaign, &settings).await?;
    let (reader, country) = reader(&mut tx, app, test.contact_id).await?;
    let mut sent = Vec::new();
    for turn in 0..writer.versions() {
        let words = writer.words(turn);
        if test.template_id.is_some_and(|chosen| chosen != words.template_id) {
            continue;
        }
        let position = i64::try_from(turn).unwrap_or_default();
        let mut page =
            writer.write(position, &reader).map_err(|problem| Error::field("template_ids", problem))?;
        let link = sample_link(app, page.lacks);
        writer
            .add_way_out(&mut page, country.as_deref(), link.as_deref())
            .map_err(|problem| Error::field("template_ids", problem))?;
        let key = format!("test:{}", app.new_id());
        let mut intent = Intent::new(Kind::Test, campaign.channel, key, to.clone(), page.body);
        intent.template_id = Some(page.template_id);
        intent.subject = page.subject;
        intent.content_sid = page.content_sid;
        intent.content_variables = page.content_variables;
        intent.from = writer.from.clone();
        intent.sent_by = Some(caller.actor.clone());
        // A campaign has a handful of texts.
        sent.push(messaging::enqueue(&mut tx, app, intent).await?);
    }
    if sent.is_empty() {
        return Err(Error::field("template_id", "This is none of the campaign's templates."));
    }
    tx.commit().await?;
    Ok(sent)
}

fn address(caller: &Caller, channel: Channel, text: &str) -> Result<String> {
    if channel != Channel::Email {
        let parsed = phone::parse(text, Some(&caller.tenant.country));
        return parsed.map(|phone| phone.e164).map_err(|error| Error::field("to", error.to_string()));
    }
    let email = text.trim().to_lowercase();
    let (name, domain) = email.split_once('@').unwrap_or_default();
    if name.is_empty() || !domain.contains('.') || email.len() > 254 || email.contains(char::is_whitespace) {
        return Err(Error::field("to", "This is not an e-mail address."));
    }
    Ok(email)
}
