//! What the pages of imports show. Text arrives formatted.

use askama::Template;

use crate::web::{
    fields::{Choice, Field},
    layout::Shell,
    parts::{Moment, Pager, Tag},
};

/// A file on the list.
pub struct ImportRow {
    pub href: String,
    pub name: String,
    pub tag: Tag,
    /// "1,204 new, 3 updated".
    pub outcome: String,
    pub by: String,
    pub at: Moment,
}

/// Where files are brought, and those that were.
#[derive(Template)]
#[template(path = "imports/start.html")]
pub struct StartPage {
    pub shell: Shell,
    pub error: String,
    pub most: String,
    pub live_src: String,
    pub rows: Vec<ImportRow>,
    pub pager: Pager,
}

/// One of the four steps: `done`, `now` or empty.
pub struct Step {
    pub label: &'static str,
    pub state: &'static str,
}

/// Where an import stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Columns,
    Working,
    Checked,
    Done,
    Failed,
    Undone,
}

impl Stage {
    pub fn is_columns(&self) -> bool {
        *self == Self::Columns
    }
    pub fn is_working(&self) -> bool {
        *self == Self::Working
    }
    pub fn is_checked(&self) -> bool {
        *self == Self::Checked
    }
    pub fn is_done(&self) -> bool {
        *self == Self::Done
    }
    pub fn is_failed(&self) -> bool {
        *self == Self::Failed
    }
    pub fn is_undone(&self) -> bool {
        *self == Self::Undone
    }
}

/// A column of the file.
pub struct Column {
    pub place: usize,
    pub heading: String,
    pub samples: Vec<String>,
    pub choices: Vec<Choice>,
}

/// Rows of one kind.
pub struct KindRow {
    pub label: &'static str,
    pub hint: &'static str,
    pub amount: String,
    pub tag: Tag,
    /// Number, cells, note.
    pub samples: Vec<(String, Vec<String>, String)>,
}

impl KindRow {
    pub fn has_notes(&self) -> bool {
        self.samples.iter().any(|(.., note)| !note.is_empty())
    }
}

/// Everything below the title; fetched again while it changes.
#[derive(Template)]
#[template(path = "imports/state.html")]
pub struct State {
    pub id: String,
    pub csrf: String,
    pub live: bool,
    pub steps: Vec<Step>,
    pub stage: Stage,
    /// What is being done: "Checking", "Importing", "Undoing".
    pub doing: &'static str,
    pub percent: i64,
    pub rows_so_far: String,
    pub error: String,
    pub problem: String,
    pub columns: Vec<Column>,
    pub format_fields: Vec<Field>,
    pub options: Vec<Field>,
    pub consent: Vec<Field>,
    pub headings: Vec<String>,
    pub total: String,
    pub kinds: Vec<KindRow>,
    pub rejects: bool,
    /// The list of those that it added; of all, where it added none.
    pub contacts: String,
    pub can_import: bool,
    pub can_undo: bool,
    pub is_list: bool,
    /// Whether the file is still there to be gone over again.
    pub is_open: bool,
    pub changes: String,
    /// Rows that end before the header does.
    pub short: String,
    pub undo: String,
}

/// One import, at whatever step.
#[derive(Template)]
#[template(path = "imports/show.html")]
pub struct ShowPage {
    pub shell: Shell,
    pub name: String,
    pub about: String,
    pub state: State,
}
