//! Imports in words.

use super::{
    Import,
    file::{Encoding, Format, Kind},
};
use crate::web::parts::{Tag, Tone};

/// "1,204".
pub(super) fn grouped(count: i64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + 4);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// "12 KB", "200 MB".
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..1_024 => format!("{bytes} bytes"),
        1_024..1_048_576 => format!("{} KB", bytes / 1_024),
        _ => format!("{} MB", bytes / 1_048_576),
    }
}

/// The state of an import.
pub(super) fn tag(import: &Import) -> Tag {
    match import.status.as_str() {
        "draft" => Tag::plain("Not imported"),
        "queued" => Tag::new(Tone::Wait, "hourglass", "Waiting"),
        "running" if import.dry_run => Tag::new(Tone::Calm, "list-filter", "Checking"),
        "running" => Tag::new(Tone::Calm, "hourglass", "Importing"),
        "finished" if import.dry_run => Tag::plain("Checked"),
        "finished" => Tag::new(Tone::Good, "check", "Imported"),
        "undoing" => Tag::new(Tone::Wait, "undo-2", "Undoing"),
        "undone" => Tag::new(Tone::Plain, "undo-2", "Undone"),
        _ => Tag::new(Tone::Stop, "circle-alert", "Failed"),
    }
}

/// What came of it, as far as it has come.
pub(super) fn outcome(import: &Import) -> String {
    if let Some(problem) = &import.problem {
        return problem.clone();
    }
    if import.row_count == 0 {
        return String::new();
    }
    let counts = import.counts();
    let parts = [
        (counts.new, "new"),
        (counts.updated, "updated"),
        (counts.duplicate, "duplicate"),
        (counts.invalid, "invalid"),
        (counts.opted_out, "opted out"),
    ];
    let said: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{} {word}", grouped(*count)))
        .collect();
    said.join(", ")
}

/// "CSV, UTF-8, 12 KB".
pub(super) fn about(import: &Import, format: &Format) -> String {
    let size = size(import.byte_count.unsigned_abs());
    match format.kind {
        Kind::Xlsx => format!("XLSX, {size}"),
        Kind::Csv => {
            let encoding =
                Encoding::ALL.iter().find(|(each, ..)| *each == format.encoding).map(|(.., label)| *label);
            format!("CSV, {}, {size}", encoding.unwrap_or_default())
        }
    }
}

/// What the import found different from its dry run.
pub(super) fn changes(import: &Import) -> String {
    let Some(expected) = &import.expected else { return String::new() };
    let found = serde_json::to_value(import.counts()).unwrap_or_default();
    if import.status != "finished" || *expected == found {
        return String::new();
    }
    "Contacts changed between the check and the import, so the numbers differ from those that were shown before.".to_owned()
}

/// Rows that end before the header does; empty for none.
pub(super) fn short(import: &Import) -> String {
    let numbers: Vec<String> =
        import.samples["short"].as_array().into_iter().flatten().map(ToString::to_string).collect();
    let Some((last, others)) = numbers.split_last() else { return String::new() };
    let (who, have) = match others {
        [] => (format!("Row {last}"), "has"),
        others => (format!("Rows {} and {last}", others.join(", ")), "have"),
    };
    format!("{who} {have} fewer cells than the header. Look whether something slid into the wrong column.")
}

/// What an undo did.
pub(super) fn undone(import: &Import) -> String {
    let count = |name: &str| import.undo.as_ref().and_then(|undo| undo[name].as_i64()).unwrap_or_default();
    let (deleted, restored, kept) = (count("deleted"), count("restored"), count("kept"));
    let kept = match kept {
        0 => String::new(),
        1 => " 1 contact was used since and stays.".to_owned(),
        more => format!(" {} contacts were used since and stay.", grouped(more)),
    };
    format!(
        "This import was undone: {} contacts that it made are gone, {} that it changed are as they were.{kept}",
        grouped(deleted),
        grouped(restored)
    )
}
