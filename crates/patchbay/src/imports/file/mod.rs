//! Files of rows, read as a stream: text in any usual encoding and delimiter, and workbooks (ECMA-376).
//!
//! Promises: memory stays bounded whatever the file holds; what cannot be read is told in one sentence; the same
//! bytes and the same [`Format`] always give the same rows. Does not: know what the cells mean.

mod guard;
mod reading;
mod sniff;
mod text;
mod workbook;

use std::{
    io::{BufRead, Read, Seek},
    ops::ControlFlow,
};

use csv::StringRecord;
use serde::{Deserialize, Serialize};

pub use reading::{Reading, yes_or_no};
pub use sniff::{Sniffer, has_header};

/// A row, from its first cell to its last; ragged rows are as long as they are.
pub type Cells = StringRecord;

/// Who is handed the rows of a file, one by one; may break off, or find the file broken.
type Each<'a> = &'a mut dyn FnMut(u64, &Cells) -> Result<ControlFlow<()>, FileProblem>;

/// More columns than that are not a list of contacts.
pub const MOST_COLUMNS: usize = 500;
/// One row holds at most so many bytes. A quotation mark that is never closed makes one row of the whole rest.
pub const MOST_ROW_BYTES: usize = 1 << 20;

/// How a file is to be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Format {
    pub kind: Kind,
    pub encoding: Encoding,
    /// A single character; text files only.
    pub delimiter: char,
    /// Whether the first row names the columns.
    pub header: bool,
    /// Position of the sheet; workbooks only.
    pub sheet: usize,
}

impl Default for Format {
    fn default() -> Self {
        Self { kind: Kind::Csv, encoding: Encoding::Utf8, delimiter: ',', header: true, sheet: 0 }
    }
}

/// What sort of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    #[default]
    Csv,
    Xlsx,
}

/// How the bytes of a text file stand for characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Encoding {
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    #[serde(rename = "utf-16le")]
    Utf16Le,
    #[serde(rename = "utf-16be")]
    Utf16Be,
    #[serde(rename = "windows-1252")]
    Windows1252,
}

impl Encoding {
    /// All of them with the names that people choose by.
    pub const ALL: [(Self, &'static str, &'static str); 4] = [
        (Self::Utf8, "utf-8", "UTF-8"),
        (Self::Windows1252, "windows-1252", "Windows (Western European)"),
        (Self::Utf16Le, "utf-16le", "UTF-16, little-endian"),
        (Self::Utf16Be, "utf-16be", "UTF-16, big-endian"),
    ];

    /// The encoding of that name.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, name, _)| *name == word).map(|(encoding, ..)| encoding)
    }
}

/// Why a file cannot be read: one sentence for the person who brought it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FileProblem(pub String);

impl FileProblem {
    /// A problem in these words.
    pub fn new(words: impl Into<String>) -> Self {
        Self(words.into())
    }
}

/// Bytes from the beginning; workbooks also need to go back and forth.
pub enum Source<'a> {
    Stream(&'a mut dyn Read),
    File(&'a mut std::fs::File),
}

/// Hands each row to `each`, with its number as a spreadsheet shows it (1 is the first). Rows whose cells are all
/// empty are passed over.
pub fn rows(
    source: Source<'_>,
    format: &Format,
    each: &mut dyn FnMut(u64, &Cells) -> ControlFlow<()>,
) -> Result<(), FileProblem> {
    let each = &mut |number: u64, cells: &Cells| -> Result<ControlFlow<()>, FileProblem> {
        if cells.len() > MOST_COLUMNS {
            return Err(FileProblem::new(format!(
                "Row {number} has {} columns; at most {MOST_COLUMNS} can be imported. Is this the right delimiter?",
                cells.len()
            )));
        }
        Ok(if cells.iter().all(|cell| cell.trim().is_empty()) {
            ControlFlow::Continue(())
        } else {
            each(number, cells)
        })
    };
    match (format.kind, source) {
        (Kind::Csv, Source::Stream(bytes)) => text::rows(bytes, format, each),
        (Kind::Csv, Source::File(file)) => {
            file.rewind().map_err(unreadable)?;
            text::rows(file, format, each)
        }
        (Kind::Xlsx, Source::File(file)) => workbook::rows(file, format.sheet, each),
        (Kind::Xlsx, Source::Stream(_)) => Err(FileProblem::new("A workbook cannot be read as a stream.")),
    }
}

/// The names of a workbook's sheets.
pub fn sheets(file: &mut std::fs::File) -> Result<Vec<String>, FileProblem> {
    workbook::sheets(file)
}

/// Unique names for columns: what the header says, and letters where it says nothing.
pub fn headings(header: Option<&Cells>, width: usize) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(width);
    let mut seen = std::collections::HashMap::<String, usize>::new();
    for place in 0..width {
        let said = header.and_then(|cells| cells.get(place)).and_then(crate::contacts::clean::line);
        let base: String =
            said.unwrap_or_else(|| format!("Column {}", letters(place))).chars().take(100).collect();
        let times = seen.entry(base.to_lowercase()).or_default();
        *times += 1;
        names.push(if *times == 1 { base } else { format!("{base} ({times})") });
    }
    names
}

/// 0 is A, 25 is Z, 26 is AA.
fn letters(mut place: usize) -> String {
    let mut name = String::new();
    loop {
        name.insert(0, char::from(b'A' + u8::try_from(place % 26).unwrap_or_default()));
        if place < 26 {
            return name;
        }
        place = place / 26 - 1;
    }
}

fn unreadable(error: std::io::Error) -> FileProblem {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<FileProblem>()) {
        Some(problem) => problem.clone(),
        None => FileProblem::new(format!("The file cannot be read: {error}.")),
    }
}

/// Reads a file that lies whole in memory, for tests and fuzzers: headings and rows, or what is wrong.
#[cfg(any(test, fuzzing))]
pub fn read_all(bytes: &[u8], format: Option<&Format>) -> Result<Vec<Vec<String>>, FileProblem> {
    let guessed = match format {
        Some(format) => format.clone(),
        None => {
            let mut sniffer = Sniffer::default();
            sniffer.take(bytes);
            sniffer.finish(&Reading::default())?
        }
    };
    let mut all = Vec::new();
    let mut keep = |_: u64, cells: &Cells| {
        all.push(cells.iter().map(str::to_owned).collect());
        ControlFlow::Continue(())
    };
    match guessed.kind {
        Kind::Csv => rows(Source::Stream(&mut std::io::Cursor::new(bytes)), &guessed, &mut keep)?,
        Kind::Xlsx => {
            let mut file = tempfile::tempfile().map_err(unreadable)?;
            std::io::Write::write_all(&mut file, bytes).map_err(unreadable)?;
            rows(Source::File(&mut file), &guessed, &mut keep)?;
        }
    }
    Ok(all)
}

/// A reader with a buffer over something that is only borrowed.
fn buffered(source: impl Read) -> impl BufRead {
    std::io::BufReader::with_capacity(64 << 10, source)
}

#[cfg(test)]
pub(super) mod tests;
