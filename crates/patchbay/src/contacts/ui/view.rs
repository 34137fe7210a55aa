//! What the pages show, as plain data.

use askama::Template;
use uuid::Uuid;

use crate::web::{
    fields::{Choice, Field},
    layout::Shell,
    parts::{Empty, Face, Moment, Pager, Tab, Tag},
};

/// `/contacts`.
#[derive(Debug, Template)]
#[template(path = "contacts/list.html")]
pub(super) struct ListPage {
    pub(super) shell: Shell,
    pub(super) results: Results,
}

/// The part of the list that changes with the filters.
#[derive(Debug, Template)]
#[template(path = "contacts/results_only.html")]
pub(super) struct ResultsFragment {
    pub(super) results: Results,
}

#[derive(Debug)]
pub(super) struct Results {
    pub(super) search: String,
    pub(super) chips: Vec<Chip>,
    pub(super) facets: Vec<Facet>,
    pub(super) rows: Vec<Row>,
    pub(super) pager: Pager,
    pub(super) empty: Option<Empty>,
    /// "1,000+ contacts".
    pub(super) count: String,
    pub(super) live_src: String,
    pub(super) export: String,
    /// Where these filters become a segment; empty while there are none.
    pub(super) segment: String,
    /// The list without any filter.
    pub(super) clear: String,
    pub(super) can_write: bool,
    pub(super) archived: bool,
    pub(super) csrf: String,
    /// What many can be given at once.
    pub(super) labels: Vec<String>,
    pub(super) stages: Vec<Choice>,
    pub(super) members: Vec<(Face, Choice)>,
}

/// A filter that is on.
#[derive(Debug)]
pub(super) struct Chip {
    pub(super) label: String,
    pub(super) value: String,
    /// The list without it.
    pub(super) href: String,
}

/// A filter that can be set: its values as ticks.
#[derive(Debug)]
pub(super) struct Facet {
    pub(super) name: &'static str,
    pub(super) label: String,
    pub(super) choices: Vec<Choice>,
    pub(super) open: bool,
}

/// A contact in a list.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) href: String,
    pub(crate) face: Face,
    pub(crate) name: String,
    pub(crate) reach: String,
    pub(crate) stage: String,
    pub(crate) labels: Vec<String>,
    /// Labels beyond those.
    pub(crate) more_labels: usize,
    pub(crate) source: String,
    pub(crate) owner: Option<(Face, String)>,
    pub(crate) consent: Tag,
    pub(crate) last: Option<Moment>,
    /// What the list is ordered by.
    pub(crate) added: Moment,
}

/// `/contacts/new` and `/contacts/{id}/edit`.
#[derive(Debug, Template)]
#[template(path = "contacts/edit.html")]
pub(super) struct EditPage {
    pub(super) shell: Shell,
    pub(super) heading: String,
    pub(super) action: String,
    pub(super) back: String,
    pub(super) is_new: bool,
    pub(super) error: String,
    /// Who has this number already: name and page.
    pub(super) existing: Option<(String, String)>,
    pub(super) who: Vec<Field>,
    pub(super) work: Vec<Field>,
    pub(super) labels: Field,
    pub(super) place: Vec<Field>,
    pub(super) custom: Vec<Field>,
}

/// `/contacts/{id}`.
#[derive(Debug, Template)]
#[template(path = "contacts/show.html")]
pub(super) struct ShowPage {
    pub(super) shell: Shell,
    pub(super) card: Card,
}

/// The same, without the frame.
#[derive(Debug, Template)]
#[template(path = "contacts/card_only.html")]
pub(super) struct CardFragment {
    pub(super) card: Card,
}

#[derive(Debug)]
pub(super) struct Card {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) face: Face,
    /// "Customer · since 12 Mar".
    pub(super) caption: String,
    pub(super) archived: bool,
    /// Name and page of the contact that this one was merged into.
    pub(super) merged_into: Option<(String, String)>,
    pub(super) can_write: bool,
    pub(super) can_manage: bool,
    pub(super) csrf: String,
    pub(super) facts: Vec<Fact>,
    pub(super) status: Vec<Choice>,
    pub(super) stage: Vec<Choice>,
    pub(super) owner: Vec<Choice>,
    pub(super) labels: Vec<String>,
    pub(super) known_labels: Vec<String>,
    pub(super) consents: Vec<Consent>,
    pub(super) listed: Option<String>,
    pub(super) properties: Vec<Fact>,
    pub(super) quotes: Vec<QuoteLine>,
    pub(super) trail: Trail,
}

#[derive(Debug)]
pub(super) struct Fact {
    pub(super) label: String,
    pub(super) value: String,
    pub(super) href: Option<String>,
}

/// Consent for one channel, and all that proves it.
#[derive(Debug)]
pub(super) struct Consent {
    pub(super) channel: &'static str,
    pub(super) icon: &'static str,
    pub(super) state: Tag,
    /// Since when carriers cannot reach the address, and why; empty for one that they can.
    pub(super) out_of_reach: String,
    /// When an agreement ends by itself; empty for one that does not.
    pub(super) term: String,
    pub(super) proofs: Vec<Proof>,
}

#[derive(Debug)]
pub(super) struct Proof {
    /// "Unsubscribed by reply".
    pub(super) what: String,
    pub(super) at: Moment,
    pub(super) who: String,
    pub(super) source: String,
    pub(super) wording: String,
}

#[derive(Debug)]
pub(super) struct QuoteLine {
    pub(super) number: String,
    pub(super) href: String,
    pub(super) title: String,
    pub(super) total: String,
    pub(super) tag: Tag,
}

/// What happened, newest first.
#[derive(Debug)]
pub(super) struct Trail {
    pub(super) steps: Vec<Step>,
    /// The contact's.
    pub(super) id: String,
    /// The cursor of earlier steps.
    pub(super) earlier: Option<String>,
    pub(super) csrf: String,
}

#[derive(Debug)]
pub(super) struct Step {
    pub(super) icon: &'static str,
    pub(super) text: String,
    /// Of a message or a note.
    pub(super) body: String,
    pub(super) who: String,
    pub(super) at: Moment,
    pub(super) href: Option<String>,
    /// The note's path, if its reader may change it.
    pub(super) note: Option<String>,
    /// Path that takes this step back, and its label.
    pub(super) undo: Option<(String, &'static str)>,
}

/// More of the trail.
#[derive(Debug, Template)]
#[template(path = "contacts/steps_only.html")]
pub(super) struct TrailFragment {
    pub(super) trail: Trail,
}

/// Who may be the same person.
#[derive(Debug, Template)]
#[template(path = "contacts/alike.html")]
pub(super) struct AlikeFragment {
    pub(super) people: Vec<Alike>,
}

#[derive(Debug)]
pub(super) struct Alike {
    pub(super) href: String,
    pub(super) face: Face,
    pub(super) name: String,
    pub(super) why: String,
    /// Where it is decided whether they are one.
    pub(super) merge: Option<Question>,
}

/// Whether two contacts are one person.
#[derive(Debug)]
pub(super) struct Question {
    /// Both side by side.
    pub(super) compare: String,
    /// Posted to: they are two.
    pub(super) apart: String,
}

impl Question {
    pub(super) fn new(first: Uuid, second: Uuid) -> Self {
        Self {
            compare: format!("/contacts/{first}/merge?with={second}"),
            apart: format!("/contacts/{first}/distinct/{second}"),
        }
    }
}

/// `/contacts/duplicates`.
#[derive(Debug, Template)]
#[template(path = "contacts/duplicates.html")]
pub(super) struct DuplicatesPage {
    pub(super) shell: Shell,
    pub(super) list: Duplicates,
}

/// The same, without the frame.
#[derive(Debug, Template)]
#[template(path = "contacts/duplicates_only.html")]
pub(super) struct DuplicatesFragment {
    pub(super) list: Duplicates,
}

#[derive(Debug)]
pub(super) struct Duplicates {
    pub(super) groups: Vec<AlikeGroup>,
    pub(super) empty: Option<Empty>,
    /// They are being looked for.
    pub(super) is_looking: bool,
    pub(super) csrf: String,
}

#[derive(Debug)]
pub(super) struct AlikeGroup {
    pub(super) why: String,
    pub(super) people: Vec<Alike>,
    /// How many there are beyond those.
    pub(super) more: i64,
}

/// `/contacts/{id}/merge`: with whom.
#[derive(Debug, Template)]
#[template(path = "contacts/pick.html")]
pub(super) struct PickPage {
    pub(super) shell: Shell,
    pub(super) name: String,
    pub(super) search: String,
    pub(super) path: String,
    pub(super) back: String,
    pub(super) people: Vec<Alike>,
    pub(super) empty: Option<Empty>,
}

/// `/contacts/{id}/merge?with=`: what stays.
#[derive(Debug, Template)]
#[template(path = "contacts/merge.html")]
pub(super) struct MergePage {
    pub(super) shell: Shell,
    pub(super) kept: Side,
    pub(super) merged: Side,
    pub(super) lines: Vec<MergeLine>,
    /// Labels that the kept one gains.
    pub(super) labels: Vec<String>,
    pub(super) action: String,
    pub(super) with: String,
    /// The same two the other way round.
    pub(super) swap: String,
    /// Posted to: they are two people, or, where somebody said so, they may be one after all.
    pub(super) apart: String,
    pub(super) are_distinct: bool,
}

/// One of two that become one.
#[derive(Debug)]
pub(super) struct Side {
    pub(super) face: Face,
    pub(super) name: String,
    pub(super) href: String,
    pub(super) since: String,
}

#[derive(Debug)]
pub(super) struct MergeLine {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) kept: String,
    pub(super) merged: String,
    pub(super) differs: bool,
}

/// `/board`.
#[derive(Debug, Template)]
#[template(path = "contacts/board.html")]
pub(super) struct BoardPage {
    pub(super) shell: Shell,
    pub(super) lanes: Vec<LaneView>,
    pub(super) empty: Option<Empty>,
}

/// One lane, again.
#[derive(Debug, Template)]
#[template(path = "contacts/lane_only.html")]
pub(super) struct LaneFragment {
    pub(super) lane: LaneView,
}

#[derive(Debug)]
pub(super) struct LaneView {
    /// The stage's id, or `none`.
    pub(super) id: String,
    pub(super) name: String,
    /// Won or lost: a word and a shape.
    pub(super) tag: Option<Tag>,
    pub(super) total: String,
    /// What the open quotes of its contacts come to; empty where that is nothing.
    pub(super) open: String,
    pub(super) cards: Vec<CardView>,
    /// The lane with more cards.
    pub(super) more: Option<String>,
    pub(super) can_write: bool,
}

#[derive(Debug)]
pub(super) struct CardView {
    pub(super) id: String,
    pub(super) href: String,
    pub(super) face: Face,
    pub(super) name: String,
    pub(super) reach: String,
    /// Total of the newest quote.
    pub(super) quote: String,
    pub(super) labels: Vec<String>,
    pub(super) owner: Option<(Face, String)>,
    pub(super) last: Option<Moment>,
}

/// Settings → Stages.
#[derive(Debug, Template)]
#[template(path = "contacts/stages.html")]
pub(super) struct StagesPage {
    pub(super) shell: Shell,
    pub(super) tabs: Vec<Tab>,
    pub(super) stages: Vec<StageRow>,
    pub(super) name: Field,
    pub(super) kind: Field,
}

#[derive(Debug)]
pub(super) struct StageRow {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) kinds: Vec<Choice>,
    /// The other stages, to take its contacts.
    pub(super) others: Vec<Choice>,
}

/// Settings → Labels.
#[derive(Debug, Template)]
#[template(path = "contacts/labels.html")]
pub(super) struct LabelsPage {
    pub(super) shell: Shell,
    pub(super) tabs: Vec<Tab>,
    pub(super) labels: Vec<LabelRow>,
    pub(super) name: Field,
}

#[derive(Debug)]
pub(super) struct LabelRow {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) active: bool,
    /// The list of those who carry it.
    pub(super) href: String,
    pub(super) carried: String,
}

/// Settings → Custom fields.
#[derive(Debug, Template)]
#[template(path = "contacts/fields.html")]
pub(super) struct FieldsPage {
    pub(super) shell: Shell,
    pub(super) tabs: Vec<Tab>,
    pub(super) fields: Vec<FieldRow>,
    pub(super) error: String,
    pub(super) label: Field,
    pub(super) kind: Field,
    pub(super) options: Field,
    pub(super) key: Field,
    pub(super) required: Field,
}

#[derive(Debug)]
pub(super) struct FieldRow {
    pub(super) id: String,
    pub(super) label: String,
    pub(super) key: String,
    pub(super) kind: &'static str,
    pub(super) required: bool,
    pub(super) is_select: bool,
    /// One in a line.
    pub(super) options: String,
}
