//! The beginning of a file as people see it before they decide: headings, first rows, and what each column may be.

use std::{collections::HashMap, ops::ControlFlow, sync::Arc};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Import,
    file::{self, Cells, FileProblem, Format},
    guess,
    mapping::Mapping,
    source, sql,
};
use crate::{
    app::App,
    auth::Caller,
    contacts::custom_fields,
    error::{Error, Result},
};

const ROWS: usize = 20;

/// The beginning of a file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Preview {
    pub headings: Vec<String>,
    /// The first rows without the header.
    pub rows: Vec<Vec<String>>,
    /// Names of a workbook's sheets.
    pub sheets: Vec<String>,
}

/// Reads the beginning with `format`, guesses the mapping, and keeps both. `bytes`: the size of the whole file.
/// `guess_header`: nobody has said yet whether the first row of a workbook is one.
pub async fn settle(
    app: &Arc<App>,
    caller: &Caller,
    id: Uuid,
    mut format: Format,
    bytes: u64,
    guess_header: bool,
) -> Result<Import> {
    let stored = source::open(app, caller.tenant.id, id, format.kind).await?;
    let asked = format.clone();
    let (preview, header) = tokio::task::spawn_blocking(move || read(stored, &asked, guess_header))
        .await
        .map_err(Error::internal)?
        .map_err(|problem| Error::field("file", problem.0))?;
    format.header = header;
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let folded: Vec<String> = preview.headings.iter().map(|heading| guess::fold(heading)).collect();
    let remembered: HashMap<String, String> =
        sql::list_headings(&mut tx, &folded).await?.into_iter().collect();
    let fields = custom_fields::list(&mut tx).await?;
    let columns =
        guess::guess(&preview.headings, &preview.rows, &remembered, &fields, &caller.tenant.country);
    let mapping = Mapping { columns, ..Mapping::default() };
    let size = match bytes {
        0 => sql::find(&mut tx, id).await?.ok_or(Error::NotFound("import"))?.byte_count,
        bytes => i64::try_from(bytes).unwrap_or(i64::MAX),
    };
    sql::set_file(
        &mut tx,
        id,
        size,
        &serde_json::to_value(&format)?,
        &serde_json::to_value(&preview)?,
        &serde_json::to_value(&mapping)?,
    )
    .await?;
    let import = sql::find(&mut tx, id).await?.ok_or(Error::NotFound("import"))?;
    tx.commit().await?;
    Ok(import)
}

/// Headings and first rows, and whether there is a header.
fn read(
    mut stored: source::Stored,
    format: &Format,
    guess_header: bool,
) -> Result<(Preview, bool), FileProblem> {
    let sheets = match &mut stored {
        source::Stored::File(file) => file::sheets(file)?,
        source::Stored::Chunks(_) => Vec::new(),
    };
    let mut rows: Vec<Cells> = Vec::new();
    stored.rows(format, &mut |_, cells| {
        rows.push(cells.clone());
        if rows.len() <= ROWS { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    if rows.is_empty() {
        return Err(FileProblem::new("The file has no rows."));
    }
    let header = if guess_header { file::has_header(&rows) } else { format.header };
    let width = if header { rows[0].len() } else { rows.iter().map(Cells::len).max().unwrap_or_default() };
    let headings = file::headings(header.then(|| &rows[0]), width);
    let shown =
        |cells: &Cells| cells.iter().map(|cell| cell.replace('\0', "").chars().take(200).collect()).collect();
    let rows = rows.iter().skip(usize::from(header)).take(ROWS).map(shown).collect();
    Ok((Preview { headings, rows, sheets }, header))
}
