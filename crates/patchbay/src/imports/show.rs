//! One import on the screen: what of it is shown at which step.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    Import,
    decide::Kind,
    file::{self, Encoding, Format},
    mapping::{Field as Goes, Mapping, OnMatch},
    preview::Preview,
    view::{Column, KindRow, Stage, State, Step},
    words,
};
use crate::{
    contacts::custom_fields::CustomField,
    error::FieldErrors,
    web::{
        fields::{Choice, Field},
        parts::{Tag, Tone},
    },
};

/// What a page about an import is drawn from.
pub(super) struct Look {
    pub(super) import: Import,
    pub(super) mapping: Mapping,
    pub(super) format: Format,
    pub(super) preview: Preview,
    pub(super) fields: Vec<CustomField>,
    pub(super) columns_asked: bool,
    pub(super) can_launch: bool,
    pub(super) typed: BTreeMap<String, String>,
    pub(super) errors: FieldErrors,
}

pub(super) fn state(look: &Look, csrf: &str) -> State {
    let import = &look.import;
    let is_open = import.status == "draft" || (import.dry_run && !import.is_under_way());
    let stage = match import.status.as_str() {
        "draft" => Stage::Columns,
        _ if import.is_under_way() => Stage::Working,
        _ if is_open && look.columns_asked => Stage::Columns,
        "failed" => Stage::Failed,
        "undone" => Stage::Undone,
        _ if import.dry_run => Stage::Checked,
        _ => Stage::Done,
    };
    let is_list = look.mapping.columns.values().flatten().any(|word| word == "do_not_contact");
    let invalid = import.invalid_count > 0;
    State {
        id: import.id.to_string(),
        csrf: csrf.to_owned(),
        live: stage == Stage::Working,
        steps: steps(stage, import),
        stage,
        doing: doing(import),
        percent: import.percent(),
        rows_so_far: format!("{} rows so far", words::grouped(import.row_count)),
        error: look.errors.get("mapping").or_else(|| look.errors.get("labels")).cloned().unwrap_or_default(),
        problem: import.problem.clone().filter(|_| stage == Stage::Failed).unwrap_or_default(),
        columns: if stage == Stage::Columns { columns(look) } else { Vec::new() },
        format_fields: format_fields(look),
        options: options(look),
        consent: consent(look),
        headings: look.preview.headings.clone(),
        total: format!("{} rows", words::grouped(import.row_count)),
        kinds: kinds(look, is_list),
        rejects: invalid,
        contacts: match import.new_count {
            0 => "/contacts".to_owned(),
            _ => format!("/contacts?import={}", import.id),
        },
        can_import: look.can_launch && import.new_count + import.updated_count + import.opted_out_count > 0,
        can_undo: look.can_launch && import.is_undoable(),
        is_list,
        is_open,
        changes: words::changes(import),
        short: words::short(import),
        undo: words::undone(import),
    }
}

fn steps(stage: Stage, import: &Import) -> Vec<Step> {
    let now = match stage {
        Stage::Columns => 1,
        Stage::Working if import.dry_run => 2,
        Stage::Checked => 2,
        Stage::Failed if import.dry_run => 2,
        Stage::Working | Stage::Failed => 3,
        Stage::Done | Stage::Undone => 4,
    };
    let word = |place: usize| match place.cmp(&now) {
        std::cmp::Ordering::Less => "done",
        std::cmp::Ordering::Equal => "now",
        std::cmp::Ordering::Greater => "",
    };
    ["File", "Columns", "Check", "Import"]
        .into_iter()
        .enumerate()
        .map(|(place, label)| Step { label, state: word(place) })
        .collect()
}

fn doing(import: &Import) -> &'static str {
    match import.status.as_str() {
        "undoing" => "Undoing",
        "queued" => "Waiting for a worker",
        _ if import.dry_run => "Checking",
        _ => "Importing",
    }
}

fn columns(look: &Look) -> Vec<Column> {
    let samples = |place: usize| {
        let filled =
            look.preview.rows.iter().filter_map(|row| row.get(place)).filter(|cell| !cell.trim().is_empty());
        filled.take(3).cloned().collect()
    };
    let column = |(place, heading): (usize, &String)| {
        let chosen = look.mapping.columns.get(heading).cloned().flatten().unwrap_or_default();
        Column {
            place,
            heading: heading.clone(),
            samples: samples(place),
            choices: choices(look, heading, &chosen),
        }
    };
    look.preview.headings.iter().enumerate().map(column).collect()
}

fn choices(look: &Look, heading: &str, chosen: &str) -> Vec<Choice> {
    let mut choices = vec![Choice::new("", "Leave out", chosen.is_empty())];
    choices.extend(Goes::OFFERED.iter().map(|(word, label)| Choice::new(*word, *label, *word == chosen)));
    choices.extend(look.fields.iter().map(|field| {
        let word = format!("properties.{}", field.key);
        let is_chosen = word == chosen;
        Choice::new(word, field.label.clone(), is_chosen)
    }));
    let own = format!("properties.{}", key(heading));
    let other = if chosen.starts_with("properties.") { chosen.to_owned() } else { own };
    if !choices.iter().any(|choice| choice.value == other) {
        let label = format!("Custom: {}", other.trim_start_matches("properties."));
        let is_chosen = other == chosen;
        choices.push(Choice::new(other, label, is_chosen));
    }
    choices
}

/// A key for values that have no field yet: "Roof area (m²)" is `roof_area_m`.
fn key(heading: &str) -> String {
    let mut key = String::new();
    for c in heading.to_lowercase().chars().take(40) {
        if c.is_ascii_alphanumeric() {
            key.push(c);
        } else if !key.is_empty() && !key.ends_with('_') {
            key.push('_');
        }
    }
    let key = key.trim_matches('_');
    if key.is_empty() { "value".to_owned() } else { key.to_owned() }
}

fn format_fields(look: &Look) -> Vec<Field> {
    let format = &look.format;
    let header = Field::tick("header", "The first row names the columns", format.header);
    if format.kind == file::Kind::Xlsx {
        let sheets = look.preview.sheets.iter().enumerate();
        let sheets =
            sheets.map(|(place, name)| Choice::new(place.to_string(), name.clone(), place == format.sheet));
        return vec![Field::select("sheet", "Sheet", sheets.collect()), header];
    }
    let encodings =
        Encoding::ALL.iter().map(|(each, word, label)| Choice::new(*word, *label, *each == format.encoding));
    let delimiters = [(',', ",", "Comma"), (';', ";", "Semicolon"), ('\t', "tab", "Tab"), ('|', "|", "Pipe")];
    let delimiters = delimiters.map(|(each, word, label)| Choice::new(word, label, each == format.delimiter));
    vec![
        Field::select("delimiter", "Between the cells stands a", delimiters.to_vec()),
        Field::select("encoding", "Encoding", encodings.collect())
            .hint("Change it when letters like é look wrong."),
        header,
    ]
}

impl Look {
    fn typed(&self, name: &str, otherwise: &str) -> String {
        self.typed.get(name).cloned().unwrap_or_else(|| otherwise.to_owned())
    }

    fn error(&self, name: &str) -> String {
        self.errors.get(name).cloned().unwrap_or_default()
    }
}

fn consent(look: &Look) -> Vec<Field> {
    let claim = look.mapping.consent.clone().unwrap_or_default();
    let channels = [
        ("", "Nobody, or a column of the file says who"),
        ("sms", "Texts"),
        ("whatsapp", "WhatsApp messages"),
        ("email", "E-mails"),
    ];
    let choices = channels.map(|(word, label)| Choice::new(word, label, word == claim.channel));
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let rests_on = look.typed("consent.basis", &text(&claim.basis));
    let bases =
        [("express", "They said so"), ("enquiry", "They enquired"), ("purchase", "They bought something")];
    let bases = bases.map(|(word, label)| Choice::new(word, label, word == rests_on));
    vec![
        Field::select("consent.channel", "Everybody in this file agreed to get", choices.to_vec())
            .error(look.error("consent.channel")),
        Field::select("consent.basis", "Because", bases.to_vec())
            .hint("In Canada what rests on an enquiry ends after six months, on a purchase after two years, counted from the day they agreed.")
            .error(look.error("consent.basis")),
        Field::text("consent.source", "Where they agreed")
            .value(look.typed("consent.source", &text(&claim.source)))
            .hint("The form, the fair, the paper.")
            .error(look.error("consent.source")),
        Field::text("consent.wording", "What they agreed to")
            .value(look.typed("consent.wording", &text(&claim.wording)))
            .hint("The words they saw."),
        Field::tick(
            "consent.agreed",
            "I have their agreement and can show it",
            !look.typed("consent.agreed", "").is_empty(),
        )
        .error(look.error("consent.agreed")),
    ]
}

fn options(look: &Look) -> Vec<Field> {
    let skip = look.mapping.on_match == OnMatch::Skip;
    vec![
        Field::text("labels", "Labels for everybody in this file")
            .value(look.typed("labels", &look.mapping.labels.join(", ")))
            .hint("Several with commas between."),
        Field::radios(
            "on_match",
            "Contacts that are here already",
            vec![
                Choice::new("update", "Take over what the file says", !skip)
                    .hint("Empty cells change nothing."),
                Choice::new("skip", "Stay as they are", skip),
            ],
        ),
    ]
}

fn kinds(look: &Look, is_list: bool) -> Vec<KindRow> {
    let import = &look.import;
    let done = !import.dry_run;
    let row = |kind: Kind, label, hint, count: i64, tag| KindRow {
        label,
        hint,
        amount: words::grouped(count),
        tag,
        // What went wrong is worth more lines than what went well.
        samples: samples(
            &import.samples[kind.as_str()],
            look.preview.headings.len(),
            if kind == Kind::Invalid { 10 } else { 3 },
        ),
    };
    let (new, updated, opted_out) = if is_list {
        ("Numbers for the list", "", "On the list already")
    } else if done {
        ("Contacts that were made", "Contacts that got other values", "They stay opted out")
    } else {
        ("Contacts to be made", "Contacts that get other values", "They stay opted out")
    };
    let mut rows = vec![
        row(Kind::New, "New", new, import.new_count, Tag::new(Tone::Good, "plus", "New")),
        row(
            Kind::Updated,
            "Updated",
            updated,
            import.updated_count,
            Tag::new(Tone::Calm, "pencil", "Updated"),
        ),
        row(
            Kind::Duplicate,
            "Duplicate",
            "Nothing to do",
            import.duplicate_count,
            Tag::new(Tone::Plain, "copy", "Duplicate"),
        ),
        row(
            Kind::Invalid,
            "Invalid",
            "Left out; the note says why",
            import.invalid_count,
            Tag::new(Tone::Stop, "circle-alert", "Invalid"),
        ),
        row(
            Kind::OptedOut,
            "Opted out",
            opted_out,
            import.opted_out_count,
            Tag::new(Tone::Wait, "ban", "Opted out"),
        ),
    ];
    if is_list {
        rows.remove(1);
    }
    rows
}

/// Number, cells and note of some kept rows; as many cells as there are headings.
fn samples(kept: &Value, width: usize, most: usize) -> Vec<(String, Vec<String>, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let rows = kept.as_array().into_iter().flatten().take(most);
    rows.map(|row| {
        let mut cells: Vec<String> = row["cells"].as_array().into_iter().flatten().map(text).collect();
        cells.resize(width, String::new());
        (row["row"].to_string(), cells, text(&row["note"]))
    })
    .collect()
}
