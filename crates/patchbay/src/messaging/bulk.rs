//! Many intents at once, in a constant number of statements.

use std::collections::{HashMap, HashSet};

use patchbay_rules::{message::Channel, segments};
use serde_json::json;
use uuid::Uuid;

use super::{Intent, Queued, priority, sql::ledger, weigh};
use crate::{app::App, db::TenantTx, error::Result};

/// The most characters of a message that is no e-mail.
pub(super) const MOST_CHARACTERS: usize = 1_600;

/// Writes intents of bulk kinds (campaigns, sequences) under the ids given, in the caller's transaction. The same
/// dedupe key twice is the same message, as in [`super::enqueue`]; what cannot be sent as it is is born blocked
/// rather than refused, so that everybody is accounted for. Answers in the order of `intents`.
pub async fn enqueue_batch(
    tx: &mut TenantTx,
    app: &App,
    intents: Vec<(Uuid, Intent)>,
) -> Result<Vec<Queued>> {
    if intents.is_empty() {
        return Ok(Vec::new());
    }
    let prices = ledger::prices(tx).await?;
    let mut rows = ledger::Columns::default();
    for (id, intent) in intents {
        push(&mut rows, id, intent, &prices);
    }
    let new: HashSet<Uuid> = ledger::insert_all(tx, &rows, app.now()).await?.into_iter().collect();
    let known: Vec<String> = std::iter::zip(&rows.ids, &rows.keys)
        .filter(|(id, _)| !new.contains(*id))
        .map(|(_, key)| key.clone())
        .collect();
    let known: HashMap<String, Uuid> = if known.is_empty() {
        HashMap::new()
    } else {
        ledger::find_all_by_dedupe_key(tx, &known).await?.into_iter().collect()
    };
    let queued = std::iter::zip(rows.ids, rows.keys).map(|(id, key)| match known.get(&key) {
        Some(&earlier) if !new.contains(&id) => Queued { id: earlier, created: false },
        _ => Queued { id, created: true },
    });
    Ok(queued.collect())
}

fn push(rows: &mut ledger::Columns, id: Uuid, mut intent: Intent, prices: &serde_json::Value) {
    let body = segments::normalise(&intent.body);
    let body = body.trim_end();
    if intent.problem.is_none() {
        if body.is_empty() && intent.content_sid.is_none() {
            intent.problem = Some("The message is empty.".to_owned());
        } else if intent.channel != Channel::Email && body.chars().count() > MOST_CHARACTERS {
            intent.problem = Some("The message is longer than 1,600 characters.".to_owned());
        }
    }
    let weight = weigh(intent.channel, &intent.to, body, prices);
    let gate = intent.gate_of_problem();
    rows.ids.push(id);
    rows.contacts.push(intent.contact_id);
    rows.channels.push(intent.channel.as_str().to_owned());
    rows.kinds.push(intent.kind.as_str().to_owned());
    rows.priorities.push(priority(intent.kind));
    rows.keys.push(intent.dedupe_key);
    rows.froms.push(intent.from);
    rows.tos.push(intent.to);
    rows.subjects.push(intent.subject);
    rows.bodies.push(body.to_owned());
    rows.content_sids.push(intent.content_sid);
    rows.content_variables.push(intent.content_variables);
    rows.templates.push(intent.template_id);
    rows.campaigns.push(intent.campaign_id);
    rows.segments.push(weight.segments);
    rows.encodings.push(weight.encoding.to_owned());
    rows.costs.push(weight.cost_micros);
    rows.send_afters.push(intent.send_after);
    rows.problems.push(intent.problem.map(|detail| json!({ "code": gate, "detail": detail })));
}
