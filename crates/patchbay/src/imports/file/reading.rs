//! What whoever brings a file says of it, over what would be guessed.

use super::{Encoding, FileProblem, Format, Kind, sniff::DELIMITERS};
use crate::error::{Error, Result};

/// Corrections of a guess; what is absent is guessed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    pub encoding: Option<Encoding>,
    pub delimiter: Option<char>,
    /// Whether the first row names the columns.
    pub header: Option<bool>,
    /// Position of the sheet, from 0.
    pub sheet: Option<usize>,
}

impl Reading {
    /// The names under which the parts are given.
    pub const NAMES: [&str; 4] = ["encoding", "delimiter", "header", "sheet"];

    /// Takes what was written for the part `name`. Nothing written is nothing said.
    ///
    /// # Errors
    /// Names the part, with what can be written there.
    pub fn set(&mut self, name: &'static str, written: &str) -> Result<()> {
        let word = if written == "\t" { "tab" } else { written.trim() };
        if word.is_empty() {
            return Ok(());
        }
        let understood = match name {
            "encoding" => {
                self.encoding = Encoding::from_word(&word.to_lowercase());
                self.encoding.is_some()
            }
            "delimiter" => {
                self.delimiter = delimiter(word);
                self.delimiter.is_some()
            }
            "header" => {
                self.header = yes_or_no(word);
                self.header.is_some()
            }
            _ => {
                self.sheet = word.parse().ok().and_then(|place: usize| place.checked_sub(1));
                self.sheet.is_some()
            }
        };
        if understood { Ok(()) } else { Err(Error::field(name, choices(name))) }
    }

    /// The format that is guessed, corrected.
    ///
    /// # Errors
    /// When what was said makes no sense for this kind of file.
    pub fn over(&self, guessed: Format) -> Result<Format, FileProblem> {
        let is_text = guessed.kind == Kind::Csv;
        if !is_text && (self.encoding.is_some() || self.delimiter.is_some()) {
            return Err(FileProblem::new(
                "This is a workbook, which has neither encoding nor delimiter. Leave them out.",
            ));
        }
        if is_text && self.sheet.is_some_and(|place| place > 0) {
            return Err(FileProblem::new("This is a text file, which has no sheets. Leave the sheet out."));
        }
        Ok(Format {
            encoding: self.encoding.unwrap_or(guessed.encoding),
            delimiter: self.delimiter.unwrap_or(guessed.delimiter),
            header: self.header.unwrap_or(guessed.header),
            sheet: self.sheet.unwrap_or(guessed.sheet),
            kind: guessed.kind,
        })
    }
}

/// `true` and `false` as people write them.
pub fn yes_or_no(word: &str) -> Option<bool> {
    match word.to_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// A single ASCII character, or the name of a usual one.
fn delimiter(word: &str) -> Option<char> {
    let named = DELIMITERS.iter().find(|(_, name)| name.eq_ignore_ascii_case(word)).map(|(sign, _)| *sign);
    let mut letters = word.chars();
    let single = letters.next().filter(|sign| sign.is_ascii_graphic() && !"\"'".contains(*sign));
    named.or(single.filter(|sign| letters.next().is_none() && !sign.is_ascii_alphanumeric()))
}

fn choices(name: &str) -> String {
    match name {
        "encoding" => {
            let names: Vec<&str> = Encoding::ALL.iter().map(|(_, name, _)| *name).collect();
            format!("Choose one of {}.", names.join(", "))
        }
        "delimiter" => "Write the character between the cells, or comma, semicolon, tab or pipe.".to_owned(),
        "header" => "Write true if the first row names the columns, false if it does not.".to_owned(),
        _ => "Write which sheet, 1 for the first.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_understood_or_refused() {
        for (written, sign) in
            [(";", Some(';')), ("Tab", Some('\t')), ("\t", Some('\t')), ("pipe", Some('|')), ("^", Some('^'))]
                .into_iter()
                .chain([("", None)])
        {
            let mut reading = Reading::default();
            reading.set("delimiter", written).unwrap();
            assert_eq!(reading.delimiter, sign, "{written:?}");
        }
        for (name, written) in [
            ("delimiter", ";;"),
            ("delimiter", "a"),
            ("delimiter", "\""),
            ("delimiter", "é"),
            ("encoding", "latin"),
            ("header", "maybe"),
            ("sheet", "0"),
            ("sheet", "-1"),
            ("sheet", "first"),
        ] {
            assert!(matches!(Reading::default().set(name, written), Err(Error::Invalid(_))), "{written:?}");
        }
    }

    #[test]
    fn only_what_was_said_is_corrected() {
        let mut reading = Reading::default();
        assert_eq!(reading.over(Format::default()).unwrap(), Format::default());
        reading.set("encoding", "Windows-1252").unwrap();
        let corrected = reading.over(Format::default()).unwrap();
        assert_eq!((corrected.encoding, corrected.delimiter), (Encoding::Windows1252, ','));
        assert!(reading.over(Format { kind: Kind::Xlsx, ..Format::default() }).is_err());
    }
}
