//! Imports: files of contacts, or of numbers that must not be contacted, taken in without losing or doubling anything.
//!
//! Promises: a dry run changes nothing and counts exactly what the import would count; every row ends as new, updated,
//! duplicate, invalid (with the reason) or opted out, and the five add up; a restart loses and repeats nothing; an undo
//! restores what the import changed and leaves alone what changed since; nobody who opted out is subscribed by a file;
//! memory stays bounded whatever the file. Does not: announce imported contacts as leads.

mod api;
mod decide;
mod engine;
mod file;
mod form;
mod guess;
pub mod jobs;
pub mod mapping;
mod parse;
mod preview;
mod row;
mod show;
mod source;
mod sql;
#[cfg(test)]
mod tests;
mod ui;
mod undo;
mod upload;
mod view;
mod words;

#[cfg(fuzzing)]
pub use file::{Kind, read_all};

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

pub use api::Doc;
pub use file::{Format, Reading};
pub use mapping::Mapping;
pub use preview::Preview;
pub use upload::Upload;

use crate::{
    app::App,
    audit,
    auth::{Caller, Role},
    db::TenantTx,
    error::{Error, Result},
    web::{
        paging::{Page, PageQuery},
        routes::Routes,
    },
};

/// A file and what has become of it.
#[derive(Debug, Clone)]
pub struct Import {
    pub tenant_id: Uuid,
    pub id: Uuid,
    pub file_name: String,
    pub byte_count: i64,
    pub format: Value,
    pub preview: Value,
    pub mapping: Value,
    pub dry_run: bool,
    /// `uploading`, `draft`, `queued`, `running`, `finished`, `failed`, `undoing` or `undone`.
    pub status: String,
    pub problem: Option<String>,
    pub row_count: i64,
    pub new_count: i64,
    pub updated_count: i64,
    pub duplicate_count: i64,
    pub invalid_count: i64,
    pub opted_out_count: i64,
    pub bytes_read: i64,
    pub samples: Value,
    pub expected: Option<Value>,
    pub undo: Option<Value>,
    pub attempt: i32,
    pub created_by: String,
    pub created_at: DateTime<Utc>,
    pub started_at: Option<DateTime<Utc>>,
    pub finished_at: Option<DateTime<Utc>>,
}

/// How many rows turned out to be what. The five others add up to `rows`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Counts {
    pub rows: i64,
    pub new: i64,
    pub updated: i64,
    /// An earlier row of the file means the same person, or the row says nothing new.
    pub duplicate: i64,
    pub invalid: i64,
    /// People who must not be written to: imported, never subscribed.
    pub opted_out: i64,
}

impl Import {
    /// What was counted so far.
    pub fn counts(&self) -> Counts {
        Counts {
            rows: self.row_count,
            new: self.new_count,
            updated: self.updated_count,
            duplicate: self.duplicate_count,
            invalid: self.invalid_count,
            opted_out: self.opted_out_count,
        }
    }

    /// How the file is read.
    pub fn format(&self) -> Result<Format> {
        Ok(serde_json::from_value(self.format.clone())?)
    }

    /// Where its columns go.
    pub fn mapping(&self) -> Result<Mapping> {
        Ok(serde_json::from_value(self.mapping.clone())?)
    }

    /// The beginning of the file.
    pub fn preview(&self) -> Preview {
        serde_json::from_value(self.preview.clone()).unwrap_or_default()
    }

    /// The names of its columns.
    pub fn headings(&self) -> Vec<String> {
        self.preview().headings
    }

    /// How much of the work is done, of a hundred.
    pub fn percent(&self) -> i64 {
        match self.status.as_str() {
            "finished" | "undone" => 100,
            _ if self.byte_count > 0 => (self.bytes_read.saturating_mul(100) / self.byte_count).clamp(0, 99),
            _ => 0,
        }
    }

    /// Whether a worker has it or will have it.
    pub fn is_under_way(&self) -> bool {
        matches!(self.status.as_str(), "queued" | "running" | "undoing")
    }

    /// Whether it did something that can be taken back.
    pub fn is_undoable(&self) -> bool {
        !self.dry_run && matches!(self.status.as_str(), "finished" | "failed") && self.row_count > 0
    }
}

/// The import with this id.
pub async fn get(app: &App, caller: &Caller, id: Uuid) -> Result<Import> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let found = sql::find(&mut tx, id).await?;
    found.filter(|import| import.status != "uploading").ok_or(Error::NotFound("import"))
}

/// All imports, newest first.
pub async fn list(app: &App, caller: &Caller, page: &PageQuery) -> Result<Page<Import>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let rows = sql::list(&mut tx, page.after()?, page.limit() + 1).await?;
    Ok(Page::cut(rows, page.limit(), |import| import.id))
}

/// Reads the file's beginning again, in another way.
pub async fn read_as(app: &std::sync::Arc<App>, caller: &Caller, id: Uuid, format: Format) -> Result<Import> {
    let import = get(app, caller, id).await?;
    refuse_begun(&import)?;
    preview::settle(app, caller, id, format, 0, false).await
}

/// Lets the workers go over the file: without changing anything, or in earnest.
pub async fn start(app: &App, caller: &Caller, id: Uuid, mapping: &Mapping, dry_run: bool) -> Result<Import> {
    if !dry_run {
        caller.need(Role::Admin)?;
    }
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let import = sql::lock(&mut tx, id).await?.ok_or(Error::NotFound("import"))?;
    refuse_begun(&import)?;
    mapping.plan(&import.headings(), app.now())?;
    check_labels(mapping)?;
    sql::queue(&mut tx, id, dry_run, &serde_json::to_value(mapping)?).await?;
    remember(&mut tx, app, mapping).await?;
    if !dry_run {
        let changes = json!({ "file": [null, import.file_name] });
        record(&mut tx, caller, "import.started", id, &changes).await?;
    }
    let import = sql::find(&mut tx, id).await?.ok_or(Error::NotFound("import"))?;
    tx.commit().await?;
    Ok(import)
}

/// A file can be gone over again and again until it was imported.
fn refuse_begun(import: &Import) -> Result<()> {
    let open = match import.status.as_str() {
        "draft" => true,
        "finished" | "failed" => import.dry_run,
        _ => false,
    };
    if open {
        return Ok(());
    }
    Err(Error::conflict(if import.is_under_way() {
        "This file is being worked on."
    } else {
        "This file was imported already. Upload it again to import it again."
    }))
}

fn check_labels(mapping: &Mapping) -> Result<()> {
    let too_long = mapping.labels.iter().any(|label| crate::contacts::clean::line_within(label, 60).is_err());
    if too_long || mapping.labels.len() > 20 {
        return Err(Error::field("labels", "Use at most 20 labels of at most 60 characters."));
    }
    Ok(())
}

/// The next file with these headings is mapped alike.
async fn remember(tx: &mut TenantTx, app: &App, mapping: &Mapping) -> Result<()> {
    let (mut headings, mut fields) = (Vec::new(), Vec::new());
    for (heading, field) in &mapping.columns {
        let folded = guess::fold(heading);
        if !folded.is_empty() {
            headings.push(folded);
            fields.push(field.clone().unwrap_or_default());
        }
    }
    sql::remember_headings(tx, &headings, &fields, app.now()).await
}

/// Takes an import back.
pub async fn undo(app: &App, caller: &Caller, id: Uuid) -> Result<Import> {
    caller.need(Role::Admin)?;
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let import = sql::lock(&mut tx, id).await?.ok_or(Error::NotFound("import"))?;
    if !import.is_undoable() {
        return Err(Error::conflict(match import.status.as_str() {
            "undone" => "This import was undone already.",
            _ if import.dry_run || import.status == "draft" => {
                "Nothing was imported, so there is nothing to undo."
            }
            _ => "Wait until the import has ended.",
        }));
    }
    sql::set_undoing(&mut tx, id).await?;
    record(&mut tx, caller, "import.undone", id, &json!({ "file": [import.file_name, null] })).await?;
    let import = sql::find(&mut tx, id).await?.ok_or(Error::NotFound("import"))?;
    tx.commit().await?;
    Ok(import)
}

/// Forgets a file that was not imported.
pub async fn discard(app: &App, caller: &Caller, id: Uuid) -> Result<()> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let import = sql::lock(&mut tx, id).await?.ok_or(Error::NotFound("import"))?;
    refuse_begun(&import)?;
    sql::delete(&mut tx, id).await?;
    tx.commit().await
}

/// Some of the rows that cannot be imported, after row number `after`.
pub async fn rejects(
    app: &App,
    tenant: Uuid,
    id: Uuid,
    after: i64,
) -> Result<Vec<(i64, String, Vec<String>)>> {
    let mut tx = app.db.tenant(tenant).await?;
    let rows = sql::list_rejects(&mut tx, id, after, 1000).await?;
    let cells = |value: Value| match value {
        Value::Array(cells) => {
            cells.into_iter().map(|cell| cell.as_str().unwrap_or_default().to_owned()).collect()
        }
        _ => Vec::new(),
    };
    Ok(rows.into_iter().map(|row| (row.row_number, row.reason, cells(row.cells))).collect())
}

/// The first line of the file of rejected rows.
pub fn reject_head(import: &Import) -> String {
    let mut head = vec!["row".to_owned(), "reason".to_owned()];
    head.extend(import.headings());
    line(&head)
}

/// The lines of these rejected rows.
pub fn reject_lines(import: &Import, rows: Vec<(i64, String, Vec<String>)>) -> String {
    let width = import.headings().len() + 2;
    let mut lines = String::new();
    for (number, reason, cells) in rows {
        let mut all = vec![number.to_string(), reason];
        all.extend(cells);
        all.resize(all.len().max(width), String::new());
        lines.push_str(&line(&all));
    }
    lines
}

/// One line of CSV (RFC 4180). A cell that a spreadsheet would take for a formula gets an apostrophe in front
/// (OWASP: CSV Injection); numbers and phone numbers are left alone.
pub fn line(cells: &[String]) -> String {
    let mut line = String::new();
    for (place, cell) in cells.iter().enumerate() {
        if place > 0 {
            line.push(',');
        }
        let harmless =
            cell.trim_start_matches(['+', '-']).chars().all(|c| c.is_ascii_digit() || " .()-".contains(c));
        let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && !harmless;
        let guarded = if formula { format!("'{cell}") } else { cell.clone() };
        if guarded.contains([',', '"', '\n', '\r', ';']) {
            line.push('"');
            line.push_str(&guarded.replace('"', "\"\""));
            line.push('"');
        } else {
            line.push_str(&guarded);
        }
    }
    line.push_str("\r\n");
    line
}

async fn record(
    tx: &mut TenantTx,
    caller: &Caller,
    action: &'static str,
    id: Uuid,
    changes: &Value,
) -> Result<()> {
    let entry = audit::Entry { action, entity_type: "import", entity_id: Some(id.to_string()), changes };
    audit::record(tx, &caller.actor, entry).await
}

/// The routes of this feature.
pub fn routes(routes: Routes) -> Routes {
    routes.with(api::routes).with(ui::routes)
}
