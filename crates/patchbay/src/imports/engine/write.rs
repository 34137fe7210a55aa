//! A judged batch, written in one transaction.

use std::{sync::Arc, time::Instant};

use chrono::{DateTime, Utc};
use patchbay_rules::{consent::Term, message::Channel};
use serde_json::Value;
use tokio::sync::{Mutex, mpsc};
use uuid::Uuid;

use super::{Item, Judged, Work, columns, judge::judge_again, lease_until, storable};
use crate::{
    consent::State,
    crash,
    db::SystemTx,
    error::{Error, Result},
    imports::{
        decide::{self, Action, Kind},
        sql::{self, Consents, Progress, Writer},
    },
    messaging,
};

/// So often a batch is judged anew because somebody else brought the same numbers meanwhile.
const MOST_RETRIES: usize = 5;

/// Writes judged batches until none is left; `false` when another node has taken over.
pub(super) async fn write(work: Arc<Work>, judged: Arc<Mutex<mpsc::Receiver<Judged>>>) -> Result<bool> {
    let mut label_ids = Vec::new();
    let mut renewed = Instant::now();
    loop {
        let next = judged.lock().await.recv().await;
        let Some(mut batch) = next else { return Ok(true) };
        if batch.done_before {
            if renewed.elapsed() > work.app.config.lease / 3 {
                renewed = Instant::now();
                let mut conn = work.app.db.system_conn().await?;
                let (import, until) = (&work.import, lease_until(&work.app));
                if !sql::renew(&mut conn, import.tenant_id, import.id, import.attempt, until).await? {
                    return Ok(false);
                }
            }
            continue;
        }
        let mut retries = 0;
        loop {
            match write_batch(&work, &batch, &mut label_ids).await? {
                Written::Done => break,
                Written::Lost => return Ok(false),
                Written::Overtaken if retries < MOST_RETRIES => {
                    retries += 1;
                    judge_again(&work, &mut batch).await?;
                }
                Written::Overtaken => return Err(Error::internal("an import was overtaken again and again")),
            }
        }
        renewed = Instant::now();
    }
}

enum Written {
    Done,
    Lost,
    /// Somebody else made one of the new contacts meanwhile.
    Overtaken,
}

async fn write_batch(work: &Work, batch: &Judged, label_ids: &mut Vec<Uuid>) -> Result<Written> {
    let import = &work.import;
    let mut tx = work.app.db.system().await?;
    let by = Writer {
        tenant: import.tenant_id,
        import: import.id,
        actor_label: &import.created_by,
        file_name: &import.file_name,
        now: work.app.now(),
    };
    let step = progress(work, batch);
    if !sql::insert_range(tx.conn(), import.tenant_id, import.id, step.from, step.to).await? {
        return Ok(Written::Lost);
    }
    write_rejects(&mut tx, by, &batch.items).await?;
    let mut ids = label_ids.clone();
    if !import.dry_run {
        match write_rows(work, &mut tx, by, batch, &mut ids).await {
            Ok(true) => {}
            Ok(false) | Err(Error::Conflict { .. }) => return Ok(Written::Overtaken),
            Err(error) => return Err(error),
        }
    }
    // Last, because batches take turns from here on.
    if !sql::advance(tx.conn(), import.tenant_id, import.id, &step).await? {
        return Ok(Written::Lost);
    }
    crash::point("import.written").await;
    tx.commit().await?;
    *label_ids = ids;
    crash::point("import.committed").await;
    if !import.dry_run {
        let mut conn = work.app.db.system_conn().await?;
        work.growth.lock().await.add(&mut conn, step.new).await?;
    }
    Ok(Written::Done)
}

/// `false` when a new contact was there already.
async fn write_rows(
    work: &Work,
    tx: &mut SystemTx,
    by: Writer<'_>,
    batch: &Judged,
    label_ids: &mut Vec<Uuid>,
) -> Result<bool> {
    let (items, names) = (&batch.items[..], &batch.labels[..]);
    if work.plan.is_list {
        return list_numbers(tx, by, items).await.map(|()| true);
    }
    if names.len() > label_ids.len() {
        let fresh = &names[label_ids.len()..];
        let ids: Vec<Uuid> = fresh.iter().map(|_| work.app.new_id()).collect();
        label_ids.extend(sql::ensure_labels(tx.conn(), by.tenant, &ids, fresh).await?);
    }
    // Before the contacts, so that new ones are born with it.
    let consents = consents(items, by.now);
    if !consents.row.is_empty() {
        sql::set_consents(tx.conn(), by, &consents).await?;
    }
    let new = columns(&work.app, items);
    let expected = u64::try_from(new.id.len()).unwrap_or_default();
    if expected > 0 && sql::insert_contacts(tx.conn(), by, &new, work.first_stage).await? < expected {
        return Ok(false);
    }
    let (mut ids, mut patches) = (Vec::new(), Vec::new());
    for item in items {
        if let Action::Update { contact_id, patch } = &item.verdict.action
            && !patch.is_empty()
        {
            ids.push(*contact_id);
            patches.push(Value::Object(patch.clone()));
        }
    }
    if !ids.is_empty() {
        sql::update_contacts(tx.conn(), by, &ids, &patches).await?;
    }
    attach_labels(tx, by, items, &new.id, label_ids).await?;
    Ok(true)
}

async fn attach_labels(
    tx: &mut SystemTx,
    by: Writer<'_>,
    items: &[Item],
    new: &[Uuid],
    label_ids: &[Uuid],
) -> Result<()> {
    let (mut contacts, mut labels, mut known) = (Vec::new(), Vec::new(), Vec::new());
    let mut new = new.iter();
    for item in items {
        let contact = match &item.verdict.action {
            Action::Insert => new.next().copied(),
            Action::Update { contact_id, .. } => {
                known.push(*contact_id);
                Some(*contact_id)
            }
            Action::Nothing | Action::List => None,
        };
        let Some(contact) = contact else { continue };
        for label in item.verdict.labels.iter().filter_map(|place| label_ids.get(*place)) {
            contacts.push(contact);
            labels.push(*label);
        }
    }
    if contacts.is_empty() {
        return Ok(());
    }
    sql::attach_labels(tx.conn(), by, &contacts, &labels, &known).await
}

fn consents(items: &[Item], now: DateTime<Utc>) -> Consents {
    let mut given = Consents::default();
    for item in items {
        let Some(row) = &item.row else { continue };
        for (channel, state) in &item.verdict.consents {
            let Some(address) = decide::address(row, *channel) else { continue };
            given.channel.push(Channel::as_str(*channel).to_owned());
            given.address.push(address.to_owned());
            given.state.push(state.as_str().to_owned());
            given.source.push(row.consent_source.clone());
            given.wording.push(row.consent_wording.clone());
            given.at.push(row.consent_at.unwrap_or(now));
            let term = row.consent_term.filter(|_| *state == State::Subscribed).unwrap_or(Term::EXPRESS);
            given.basis.push(term.basis.as_str().to_owned());
            given.expires_at.push(term.ends_at);
            given.row.push(i64::try_from(item.number).unwrap_or_default());
        }
    }
    given
}

async fn list_numbers(tx: &mut SystemTx, by: Writer<'_>, items: &[Item]) -> Result<()> {
    let (mut phones, mut reasons) = (Vec::new(), Vec::new());
    for row in
        items.iter().filter(|item| item.verdict.action == Action::List).filter_map(|item| item.row.as_ref())
    {
        phones.extend(row.phone.clone());
        reasons.push(row.reason.clone());
    }
    if phones.is_empty() {
        return Ok(());
    }
    sql::list_numbers(tx.conn(), by, &phones, &reasons).await?;
    messaging::block_queued_all(tx.conn(), by.tenant, &phones, by.now).await
}

async fn write_rejects(tx: &mut SystemTx, by: Writer<'_>, items: &[Item]) -> Result<()> {
    let (mut numbers, mut reasons, mut cells) = (Vec::new(), Vec::new(), Vec::new());
    for item in items {
        let Some(problem) = &item.problem else { continue };
        numbers.push(i64::try_from(item.number).unwrap_or_default());
        reasons.push(storable(problem));
        cells.push(Value::Array(item.cells.iter().map(|cell| storable(cell).into()).collect()));
    }
    if numbers.is_empty() {
        return Ok(());
    }
    sql::insert_rejects(tx.conn(), by, &numbers, &reasons, &cells).await
}

fn progress<'a>(work: &Work, batch: &'a Judged) -> Progress<'a> {
    let count = |kind: Kind| {
        i64::try_from(batch.items.iter().filter(|item| item.verdict.kind == kind).count()).unwrap_or_default()
    };
    Progress {
        attempt: work.import.attempt,
        from: batch.from,
        to: batch.from + i64::try_from(batch.items.len()).unwrap_or_default(),
        new: count(Kind::New),
        updated: count(Kind::Updated),
        duplicate: count(Kind::Duplicate),
        invalid: count(Kind::Invalid),
        opted_out: count(Kind::OptedOut),
        bytes_read: i64::try_from(batch.bytes).unwrap_or_default(),
        samples: batch.samples.as_ref(),
        lease_until: lease_until(&work.app),
    }
}
