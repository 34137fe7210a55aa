//! Telling the lead of a quote: which way, in which words, once.

use patchbay_rules::message::{Channel, Kind};
use serde_json::json;
use uuid::Uuid;

use super::{Quote, sql};
use crate::{
    app::App,
    audit,
    auth::{Actor, Caller},
    db::TenantTx,
    error::{Error, Result},
    messaging::{self, Intent, Queued},
    templates::{self, Source},
};

/// Queues the message that tells of `quote`. A lead without any address gets a row that says so, because every intended
/// message is accounted for.
pub(super) async fn announce(
    tx: &mut TenantTx,
    app: &App,
    quote: &Quote,
    dedupe_key: String,
    sent_by: Option<Actor>,
) -> Result<Queued> {
    let by_mail = quote.contact_phone.is_none() && quote.contact_email.is_some();
    let key = if by_mail { templates::QUOTE_EMAIL } else { templates::QUOTE_SMS };
    let words = templates::render(tx, app, Source::Key(key), quote.contact_id, Some(quote.id)).await?;
    let (address, lacks) = match words.channel {
        Channel::Email => (quote.contact_email.clone(), "no e-mail address"),
        Channel::Sms | Channel::Whatsapp => (quote.contact_phone.clone(), "no number that can be texted"),
    };
    let problem = match &address {
        None => Some(format!("{} has {lacks}.", quote.contact_label())),
        Some(_) => words.problem,
    };
    let to = address.or_else(|| quote.contact_phone_raw.clone()).unwrap_or_default();
    let mut intent = Intent::new(Kind::Quote, words.channel, dedupe_key, to, words.body);
    intent.contact_id = Some(quote.contact_id);
    intent.subject = words.subject;
    intent.template_id = words.template_id;
    intent.quote_id = Some(quote.id);
    intent.sent_by = sent_by;
    intent.problem = problem;
    messaging::enqueue(tx, app, intent).await
}

/// Tells the lead again. Two who press the button at once send one message.
pub async fn resend(app: &App, caller: &Caller, id: Uuid) -> Result<Queued> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let quote = sql::lock(&mut tx, id).await?.ok_or(Error::NotFound("quote"))?;
    if quote.held {
        return Err(Error::conflict("This is still a draft. Send it first."));
    }
    if !quote.status.is_open() || quote.is_past(app.now(), caller.tenant.timezone) {
        return Err(Error::conflict("This quote is closed. Open it again before you send it."));
    }
    let before = sql::count_announcements(&mut tx, &quote).await?;
    let key = if before == 0 { format!("quote:{id}") } else { format!("quote:{id}:{}", before + 1) };
    let queued = announce(&mut tx, app, &quote, key, Some(caller.actor.clone())).await?;
    audit::changed(&mut tx, caller, "quote.resent", id, &json!({ "message_id": [null, queued.id] })).await?;
    tx.commit().await?;
    Ok(queued)
}
