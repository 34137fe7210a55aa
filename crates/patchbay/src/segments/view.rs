//! What the pages of segments show.

use askama::Template;

use crate::{
    contacts::Row,
    web::{
        fields::{Choice, Field},
        layout::Shell,
        parts::{Empty, Face, Moment, Pager, Tag},
    },
};

/// A segment in the list.
pub(super) struct SegmentRow {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) summary: String,
    /// Names of the campaigns that go to it.
    pub(super) used: String,
    pub(super) changed: Moment,
}

#[derive(Template)]
#[template(path = "segments/list.html")]
pub(super) struct ListPage {
    pub(super) shell: Shell,
    pub(super) search: String,
    pub(super) rows: Vec<SegmentRow>,
    pub(super) pager: Pager,
    pub(super) empty: Option<Empty>,
}

/// A line of the builder.
pub(super) enum Line {
    Open(GroupLine),
    Condition(ConditionLine),
    Close {
        id: u32,
        /// Whether groups fit in here.
        nests: bool,
        empty: bool,
    },
}

pub(super) struct GroupLine {
    pub(super) id: u32,
    pub(super) joins: Vec<Choice>,
    pub(super) removable: bool,
    pub(super) error: String,
}

pub(super) struct ConditionLine {
    pub(super) id: u32,
    /// The field that the other controls belong to.
    pub(super) field: String,
    pub(super) fields: Vec<(&'static str, Vec<Choice>)>,
    pub(super) ops: Vec<Choice>,
    pub(super) control: Control,
    pub(super) error: String,
}

/// What a value is given with.
pub(super) enum Control {
    Nothing,
    One(Vec<Choice>),
    Many(Vec<Choice>),
    Text {
        kind: &'static str,
        value: String,
        /// The id of a list of suggestions; empty for none.
        list: &'static str,
    },
    Ago {
        amount: String,
        units: Vec<Choice>,
    },
}

/// The conditions, as they stand.
#[derive(Template)]
#[template(path = "segments/builder.html")]
pub(super) struct Builder {
    pub(super) lines: Vec<Line>,
    pub(super) sources: Vec<String>,
    pub(super) can_write: bool,
}

/// Somebody the conditions mean.
pub(super) struct PersonRow {
    pub(super) href: String,
    pub(super) name: String,
    pub(super) reach: String,
    pub(super) face: Face,
}

/// How many the conditions mean, and a few of them.
#[derive(Template)]
#[template(path = "segments/count.html")]
pub(super) struct CountPart {
    /// "412,000"; empty while the conditions are not complete.
    pub(super) amount: String,
    pub(super) exact: bool,
    pub(super) people: Vec<PersonRow>,
    /// What stands in place of a number.
    pub(super) note: String,
}

/// A campaign that goes to a segment.
pub(super) struct UseRow {
    pub(super) href: String,
    pub(super) name: String,
    pub(super) tag: Tag,
}

/// The contacts that a segment means.
#[derive(Template)]
#[template(path = "segments/people.html")]
pub(super) struct PeoplePage {
    pub(super) shell: Shell,
    pub(super) id: String,
    /// The segment's own page.
    pub(super) href: String,
    pub(super) name: String,
    /// The conditions in words.
    pub(super) summary: String,
    pub(super) rows: Vec<Row>,
    pub(super) pager: Pager,
    pub(super) empty: Option<Empty>,
}

#[derive(Template)]
#[template(path = "segments/edit.html")]
pub(super) struct EditPage {
    pub(super) shell: Shell,
    pub(super) heading: String,
    pub(super) action: String,
    pub(super) id: String,
    pub(super) is_new: bool,
    /// What is wrong as a whole; empty for nothing.
    pub(super) error: String,
    pub(super) name: Field,
    pub(super) builder: Builder,
    pub(super) count: CountPart,
    pub(super) uses: Vec<UseRow>,
}
