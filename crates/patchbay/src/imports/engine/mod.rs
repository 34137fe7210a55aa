//! The work of an import: reading the file, looking rows up and writing them go on side by side. Each batch is written
//! in one transaction together with the range of rows that it holds, so a node may die anywhere: the next one does the
//! ranges that are missing, and no row is ever written twice. Rows of one file that mean one person were told apart
//! before, so batches can be written in any order.
//!
//! The worker writes as the owner of the tables: a contact's person lies beyond what a tenant may touch. Every
//! statement names its tenant.

mod judge;
mod samples;
mod write;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use tokio::{
    sync::{Mutex, mpsc},
    task::JoinSet,
};
use uuid::Uuid;

use super::{
    Import,
    decide::{Action, Verdict},
    file::{Cells, FileProblem},
    mapping::Plan,
    parse,
    row::{Reader, Row},
    source, sql,
    sql::Columns,
};
use crate::{
    app::App,
    contacts::custom_fields,
    db::Growth,
    error::{Error, Result},
};

/// Batches that are written at once.
const WRITERS: usize = 2;

/// What an import adds rows to.
const GROWING: &[&str] = &[
    "contacts",
    "consents",
    "consent_events",
    "contact_labels",
    "people",
    "person_phones",
    "person_emails",
    "import_addresses",
    "import_changes",
    "do_not_contact",
];

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
    /// All labels of the file so far.
    labels: Arc<Vec<String>>,
    bytes: u64,
    /// The first rows of each kind, when this batch brought some.
    samples: Option<Value>,
    done_before: bool,
}

/// What all stages know.
struct Work {
    app: Arc<App>,
    import: Import,
    plan: Arc<Plan>,
    first_stage: Option<Uuid>,
    growth: Mutex<Growth>,
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
    let mut conn = app.db.system_conn().await?;
    let done = sql::list_ranges(&mut conn, import.tenant_id, import.id).await?;
    drop(conn);
    let (batches, parsed) = mpsc::channel(1);
    let parser = tokio::task::spawn_blocking(move || parse::parse(stored, &format, reader, &done, batches));
    let growth = Mutex::new(Growth::of(GROWING));
    let work = Arc::new(Work { app: app.clone(), import, plan, first_stage, growth });
    let (verdicts, judged) = mpsc::channel(1);
    let judge = tokio::spawn(judge::judge(work.clone(), parsed, verdicts));
    let judged = Arc::new(Mutex::new(judged));
    let mut writers = JoinSet::new();
    for _ in 0..WRITERS {
        writers.spawn(write::write(work.clone(), judged.clone()));
    }
    drop(judged);
    let written: Result<Vec<bool>> = writers.join_all().await.into_iter().collect();
    let judged = judge.await.map_err(Error::internal)?;
    let parsed: Result<(), FileProblem> = parser.await.map_err(Error::internal)?;
    // Who stops early makes the others stop; the last one knows why.
    if written?.contains(&false) {
        return Ok(End::Lost);
    }
    judged?;
    Ok(parsed.map_or_else(|problem| End::Broken(problem.0), |()| End::Finished))
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

/// Until when a claimed import is this node's.
pub(super) fn lease_until(app: &App) -> DateTime<Utc> {
    app.now() + TimeDelta::from_std(app.config.lease).unwrap_or_default()
}

/// Text without the one character that the database cannot hold.
fn storable(text: &str) -> String {
    text.replace('\0', "")
}
