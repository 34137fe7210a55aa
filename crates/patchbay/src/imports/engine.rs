//! The work of an import: three stages side by side, so that reading the file, looking rows up and writing them share
//! the machine. Each batch is written in one transaction together with how far the import has come, so a node may die
//! anywhere: the next one goes on after the last committed row, and no row is ever written twice.
//!
//! The worker writes as the owner of the tables: a contact's person lies beyond what a tenant may touch. Every
//! statement names its tenant.

use std::{sync::Arc, time::Instant};

use chrono::{DateTime, TimeDelta, Utc};
use patchbay_rules::{consent::Term, message::Channel};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{
    Import,
    decide::{self, Action, Kind, Seen, Verdict},
    file::{Cells, FileProblem},
    mapping::Plan,
    parse::{self, Batch},
    row::{Reader, Row},
    source, sql,
    sql::{Columns, Consents, Progress, Writer},
};
use crate::{
    app::App,
    consent::State,
    contacts::custom_fields,
    crash,
    error::{Error, Result},
    messaging,
};

/// First rows of each kind that are kept to be looked at.
const SAMPLES: usize = 10;
/// So often a batch is judged anew because somebody else brought the same numbers meanwhile.
const MOST_RETRIES: usize = 5;

/// A row with its judgement.
struct Item {
    number: u64,
    cells: Cells,
    row: Option<Row>,
    verdict: Verdict,
    /// Why it is invalid.
    problem: Option<String>,
    person: Option<Uuid>,
}

/// A judged batch.
struct Judged {
    from: i64,
    items: Vec<Item>,
    labels: Vec<String>,
    bytes: u64,
    done_before: bool,
}

/// What all stages know.
struct Work {
    app: Arc<App>,
    import: Import,
    plan: Arc<Plan>,
    first_stage: Option<Uuid>,
}

/// How an import ended.
enum End {
    Finished,
    /// The file cannot be read (any further).
    Broken(String),
    /// Another node has it.
    Lost,
}

/// Does the whole of a claimed import.
pub async fn run(app: &Arc<App>, import: Import) -> Result<()> {
    let (tenant, id, attempt, dry_run) = (import.tenant_id, import.id, import.attempt, import.dry_run);
    let end = match stages(app, import).await {
        Ok(end) => end,
        Err(Error::Invalid(fields)) => End::Broken(fields.into_values().collect::<Vec<_>>().join(" ")),
        Err(error) => return Err(error),
    };
    let (status, problem) = match &end {
        End::Finished => ("finished", None),
        End::Broken(words) => ("failed", Some(words.as_str())),
        End::Lost => return Ok(()),
    };
    let mut tx = app.db.system().await?;
    if sql::finish(tx.conn(), tenant, id, attempt, status, problem, app.now()).await?
        && !dry_run
        && problem.is_none()
    {
        sql::delete_chunks(tx.conn(), tenant, id).await?;
    }
    tx.commit().await
}

async fn stages(app: &Arc<App>, import: Import) -> Result<End> {
    let now = app.now();
    let format = import.format()?;
    let plan = Arc::new(import.mapping()?.plan(&import.headings(), now)?);
    let mut conn = app.db.system_conn().await?;
    let stages = sql::list_stages(&mut conn, import.tenant_id).await?;
    let country = sql::find_country(&mut conn, import.tenant_id).await?;
    drop(conn);
    let mut tx = app.db.tenant(import.tenant_id).await?;
    let fields = custom_fields::list(&mut tx).await?;
    drop(tx);
    let first_stage = stages.first().map(|(id, _)| *id);
    let reader = Reader::new(plan.clone(), &country, stages, fields, now);
    let stored = source::open(app, import.tenant_id, import.id, format.kind).await?;
    // A dry run has left nothing behind that it could go on from but its counts.
    let skip = import.row_count;
    let (batches, parsed) = mpsc::channel(1);
    let parser = tokio::task::spawn_blocking(move || parse::parse(stored, &format, reader, skip, batches));
    let work = Arc::new(Work { app: app.clone(), import, plan, first_stage });
    let (verdicts, judged) = mpsc::channel(1);
    let judge = tokio::spawn(judge(work.clone(), parsed, verdicts));
    let written = write(&work, judged).await;
    let judged = judge.await.map_err(Error::internal)?;
    let parsed: Result<(), FileProblem> = parser.await.map_err(Error::internal)?;
    // Who stops early makes the others stop; the last one knows why.
    if !written? {
        return Ok(End::Lost);
    }
    judged?;
    Ok(parsed.map_or_else(|problem| End::Broken(problem.0), |()| End::Finished))
}

/// Looks rows up and judges them; in a real import also finds the people behind new contacts, in a transaction of its
/// own.
async fn judge(
    work: Arc<Work>,
    mut parsed: mpsc::Receiver<Batch>,
    verdicts: mpsc::Sender<Judged>,
) -> Result<()> {
    let (mut seen, mut labels) = (Seen::default(), Vec::new());
    while let Some(batch) = parsed.recv().await {
        labels.extend(batch.labels.iter().cloned());
        let mut judged = Judged {
            from: batch.from,
            items: Vec::new(),
            labels: batch.labels,
            bytes: batch.bytes,
            done_before: batch.done_before,
        };
        if batch.done_before {
            for row in batch.rows.iter().filter_map(|parsed| parsed.row.as_ref().ok()) {
                seen.note(row);
            }
        } else {
            let rows: Vec<(usize, &Row)> = batch
                .rows
                .iter()
                .enumerate()
                .filter_map(|(place, parsed)| Some((place, parsed.row.as_ref().ok()?)))
                .collect();
            let mut conn = work.app.db.system_conn().await?;
            let known = sql::lookup(&mut conn, work.import.tenant_id, &rows, work.plan.is_list).await?;
            drop(conn);
            judged.items = batch
                .rows
                .into_iter()
                .enumerate()
                .map(|(place, parsed)| {
                    let (row, verdict, problem) = match parsed.row {
                        Ok(row) => {
                            let verdict = decide::decide(&row, place, &work.plan, &known, &mut seen, &labels);
                            (Some(row), verdict, None)
                        }
                        Err(problem) => (None, Verdict::invalid(), Some(problem)),
                    };
                    Item { number: parsed.number, cells: parsed.cells, row, verdict, problem, person: None }
                })
                .collect();
            if !work.import.dry_run {
                find_people(&work, &mut judged.items).await?;
            }
        }
        if verdicts.send(judged).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

async fn find_people(work: &Work, items: &mut [Item]) -> Result<()> {
    let new = columns(&work.app, items);
    if new.id.is_empty() {
        return Ok(());
    }
    let mut tx = work.app.db.system().await?;
    let people = sql::resolve_people(tx.conn(), &new).await?;
    tx.commit().await?;
    for (item, person) in items.iter_mut().filter(|item| item.verdict.action == Action::Insert).zip(people) {
        item.person = person;
    }
    Ok(())
}

/// The new contacts of a batch, column by column, in the order of their rows.
fn columns(app: &App, items: &[Item]) -> Columns {
    let mut new = Columns::default();
    for (item, row) in inserts(items) {
        new.id.push(app.new_id());
        new.person.push(item.person);
        new.phone.push(row.phone.clone());
        new.phone_ext.push(row.phone_ext.clone());
        new.email.push(row.email.clone());
        new.first_name.push(row.first_name.clone());
        new.last_name.push(row.last_name.clone());
        new.status.push(row.status.map(|status| status.as_str().to_owned()));
        new.stage.push(row.stage_id);
        new.source.push(row.source.clone());
        new.timezone.push(row.timezone.clone());
        new.state.push(row.state.clone());
        new.postal.push(row.postal.clone());
        new.country.push(row.country.clone());
        new.properties.push((!row.properties.is_empty()).then(|| Value::Object(row.properties.clone())));
    }
    new
}

fn inserts(items: &[Item]) -> impl Iterator<Item = (&Item, &Row)> {
    items
        .iter()
        .filter(|item| item.verdict.action == Action::Insert)
        .filter_map(|item| Some((item, item.row.as_ref()?)))
}

/// Writes judged batches until none is left; `false` when another node has taken over.
async fn write(work: &Work, mut judged: mpsc::Receiver<Judged>) -> Result<bool> {
    let mut samples = Samples::read(&work.import.samples);
    let (mut names, mut label_ids) = (Vec::new(), Vec::new());
    let mut renewed = Instant::now();
    while let Some(mut batch) = judged.recv().await {
        names.append(&mut batch.labels);
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
            match write_batch(work, &batch, &mut samples, &names, &mut label_ids).await? {
                Written::Done => break,
                Written::Lost => return Ok(false),
                Written::Overtaken if retries < MOST_RETRIES => {
                    retries += 1;
                    judge_again(work, &mut batch, &names).await?;
                }
                Written::Overtaken => return Err(Error::internal("an import was overtaken again and again")),
            }
        }
        renewed = Instant::now();
    }
    Ok(true)
}

enum Written {
    Done,
    Lost,
    /// Somebody else made one of the new contacts meanwhile.
    Overtaken,
}

async fn write_batch(
    work: &Work,
    batch: &Judged,
    samples: &mut Samples,
    names: &[String],
    label_ids: &mut Vec<Uuid>,
) -> Result<Written> {
    let import = &work.import;
    let mut tx = work.app.db.system().await?;
    let step = progress(work, batch, samples.take(&batch.items));
    if !sql::advance(tx.conn(), import.tenant_id, import.id, &step.as_progress()).await? {
        return Ok(Written::Lost);
    }
    let by = Writer {
        tenant: import.tenant_id,
        import: import.id,
        actor_label: &import.created_by,
        file_name: &import.file_name,
        now: work.app.now(),
    };
    write_rejects(&mut tx, by, &batch.items).await?;
    let mut ids = label_ids.clone();
    if !import.dry_run {
        match write_rows(work, &mut tx, by, &batch.items, names, &mut ids).await {
            Ok(true) => {}
            Ok(false) | Err(Error::Conflict { .. }) => return Ok(Written::Overtaken),
            Err(error) => return Err(error),
        }
    }
    crash::point("import.written").await;
    tx.commit().await?;
    *label_ids = ids;
    crash::point("import.committed").await;
    Ok(Written::Done)
}

/// `false` when a new contact was there already.
async fn write_rows(
    work: &Work,
    tx: &mut crate::db::SystemTx,
    by: Writer<'_>,
    items: &[Item],
    names: &[String],
    label_ids: &mut Vec<Uuid>,
) -> Result<bool> {
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
    tx: &mut crate::db::SystemTx,
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

async fn list_numbers(tx: &mut crate::db::SystemTx, by: Writer<'_>, items: &[Item]) -> Result<()> {
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

async fn write_rejects(tx: &mut crate::db::SystemTx, by: Writer<'_>, items: &[Item]) -> Result<()> {
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

/// Text without the one character that the database cannot hold.
fn storable(text: &str) -> String {
    text.replace('\0', "")
}

/// Judges new contacts of a batch anew, because somebody was faster with one of them.
async fn judge_again(work: &Work, batch: &mut Judged, names: &[String]) -> Result<()> {
    let rows: Vec<(usize, &Row)> = batch
        .items
        .iter()
        .enumerate()
        .filter(|(_, item)| item.verdict.action == Action::Insert)
        .filter_map(|(place, item)| Some((place, item.row.as_ref()?)))
        .collect();
    let mut conn = work.app.db.system_conn().await?;
    let known = sql::lookup(&mut conn, work.import.tenant_id, &rows, false).await?;
    let places: Vec<usize> = rows.iter().map(|(place, _)| *place).collect();
    for place in places {
        let existing = known.matches.get(&place).and_then(|id| known.contacts.get(id));
        let item = &mut batch.items[place];
        if let (Some(row), Some(_)) = (&item.row, existing) {
            item.verdict = decide::judge(row, existing, &work.plan, &known, names);
        }
    }
    Ok(())
}

/// A step with what it owns.
struct Step {
    attempt: i32,
    from: i64,
    to: i64,
    counts: [i64; 5],
    bytes: i64,
    samples: Option<Value>,
    lease_until: DateTime<Utc>,
}

impl Step {
    fn as_progress(&self) -> Progress<'_> {
        let [new, updated, duplicate, invalid, opted_out] = self.counts;
        Progress {
            attempt: self.attempt,
            from: self.from,
            to: self.to,
            new,
            updated,
            duplicate,
            invalid,
            opted_out,
            bytes_read: self.bytes,
            samples: self.samples.as_ref(),
            lease_until: self.lease_until,
        }
    }
}

fn progress(work: &Work, batch: &Judged, samples: Option<Value>) -> Step {
    let count = |kind: Kind| {
        i64::try_from(batch.items.iter().filter(|item| item.verdict.kind == kind).count()).unwrap_or_default()
    };
    Step {
        attempt: work.import.attempt,
        from: batch.from,
        to: batch.from + i64::try_from(batch.items.len()).unwrap_or_default(),
        counts: [Kind::New, Kind::Updated, Kind::Duplicate, Kind::Invalid, Kind::OptedOut].map(count),
        bytes: i64::try_from(batch.bytes).unwrap_or_default(),
        samples,
        lease_until: lease_until(&work.app),
    }
}

/// Until when a claimed import is this node's.
pub(super) fn lease_until(app: &App) -> DateTime<Utc> {
    app.now() + TimeDelta::from_std(app.config.lease).unwrap_or_default()
}

/// The first rows of each kind.
struct Samples(Map<String, Value>);

impl Samples {
    fn read(stored: &Value) -> Self {
        Self(stored.as_object().cloned().unwrap_or_default())
    }

    /// Takes what is still missing from a batch; `None` when nothing was.
    fn take(&mut self, items: &[Item]) -> Option<Value> {
        let mut changed = false;
        for item in items {
            let Value::Array(kept) =
                self.0.entry(item.verdict.kind.as_str()).or_insert_with(|| Value::Array(Vec::new()))
            else {
                continue;
            };
            // A batch that was rolled back comes here again.
            if kept.len() >= SAMPLES || kept.iter().any(|row| row["row"] == json!(item.number)) {
                continue;
            }
            let cells: Vec<String> =
                item.cells.iter().map(|cell| storable(cell).chars().take(80).collect()).collect();
            let note = item.problem.as_deref().or(item.verdict.note);
            kept.push(json!({"row": item.number, "cells": cells, "note": note.map(storable)}));
            changed = true;
        }
        changed.then(|| Value::Object(self.0.clone()))
    }
}
