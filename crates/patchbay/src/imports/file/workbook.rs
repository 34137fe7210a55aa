//! Workbooks (ECMA-376, Office Open XML): a zip file of XML parts. Sheets are read as a stream; only the texts that
//! cells share are held, up to a limit.
//!
//! Cells come out as people see them: whole numbers without a fraction, dates as year-month-day. Of a formula the
//! result counts that was stored with it; nothing is ever computed.

use std::{
    collections::HashMap,
    fs::File,
    io::{BufRead, Read},
};

use chrono::{NaiveDate, TimeDelta};
use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};
use zip::ZipArchive;

use super::{
    Cells, Each, FileProblem, MOST_COLUMNS, MOST_ROW_BYTES, buffered,
    guard::{Guard, Row},
    unreadable,
};

/// Real workbooks shrink to a tenth or a twentieth; what unpacks to more than this is made to hurt.
const MOST_GROWTH: u64 = 200;
/// However small the file, so much may be in it.
const LEAST_ALLOWANCE: u64 = 64 << 20;
const MOST_PARTS: usize = 10_000;
/// The texts that cells share, all together.
const MOST_SHARED_BYTES: usize = 64 << 20;

struct Workbook {
    archive: ZipArchive<File>,
    /// Unpacked bytes that a part may have.
    allowance: u64,
}

/// Names of the sheets.
pub(super) fn sheets(file: &mut File) -> Result<Vec<String>, FileProblem> {
    Ok(Workbook::open(file)?.contents()?.sheets.into_iter().map(|(name, _)| name).collect())
}

/// Hands each row of the sheet at this position to `each`.
pub(super) fn rows(file: &mut File, sheet: usize, each: Each<'_>) -> Result<(), FileProblem> {
    let mut workbook = Workbook::open(file)?;
    let contents = workbook.contents()?;
    let (_, path) =
        contents.sheets.get(sheet).ok_or_else(|| FileProblem::new("The workbook has no such sheet."))?;
    let shared = workbook.shared_texts()?;
    let dates = workbook.date_styles()?;
    let (bytes, row) = workbook.part(path, MOST_ROW_BYTES)?.ok_or_else(damaged)?;
    let mut sheet = Sheet { shared: &shared, dates: &dates, epoch_1904: contents.epoch_1904, row };
    sheet.read(buffered(bytes), each)
}

/// What `xl/workbook.xml` says.
struct Contents {
    /// Name and path of each sheet.
    sheets: Vec<(String, String)>,
    epoch_1904: bool,
}

fn damaged() -> FileProblem {
    FileProblem::new(
        "This workbook is damaged, or it is none. Open it, save it as .xlsx again, and upload that.",
    )
}

impl Workbook {
    fn open(file: &File) -> Result<Self, FileProblem> {
        let file = file.try_clone().map_err(unreadable)?;
        let size = file.metadata().map_err(unreadable)?.len();
        let archive = ZipArchive::new(file).map_err(|_| damaged())?;
        if archive.len() > MOST_PARTS {
            return Err(damaged());
        }
        Ok(Self { archive, allowance: size.saturating_mul(MOST_GROWTH).max(LEAST_ALLOWANCE) })
    }

    /// A part of the workbook, of which at most the allowance can be read, and `piece` bytes between two calls of
    /// [`Row::done`].
    fn part(&mut self, path: &str, piece: usize) -> Result<Option<(impl Read + '_, Row)>, FileProblem> {
        let allowance = self.allowance;
        let part = match self.archive.by_name(path) {
            Ok(part) => part,
            Err(zip::result::ZipError::FileNotFound) => return Ok(None),
            Err(zip::result::ZipError::UnsupportedArchive(_)) => {
                return Err(FileProblem::new(
                    "This workbook is protected by a password. Save it without one.",
                ));
            }
            Err(_) => return Err(damaged()),
        };
        let bomb =
            "This workbook unpacks to far more than a list of contacts. Save the sheet as CSV instead.";
        if part.size() > allowance {
            return Err(FileProblem::new(bomb));
        }
        let (whole, _) =
            Guard::new(part, usize::try_from(allowance).unwrap_or(usize::MAX), || bomb.to_owned());
        Ok(Some(Guard::new(whole, piece, || "A row of this workbook is longer than 1 MB.".to_owned())))
    }

    /// A small part, whole: calls `each` with every element that opens.
    fn elements(&mut self, path: &str, mut each: impl FnMut(&BytesStart<'_>)) -> Result<(), FileProblem> {
        let Some((bytes, _)) = self.part(path, 16 << 20)? else { return Ok(()) };
        let mut reader = Reader::from_reader(buffered(bytes));
        let mut buffer = Vec::new();
        loop {
            match reader.read_event_into(&mut buffer).map_err(xml_problem)? {
                Event::Start(element) | Event::Empty(element) => each(&element),
                Event::Eof => return Ok(()),
                _ => {}
            }
            buffer.clear();
        }
    }

    fn contents(&mut self) -> Result<Contents, FileProblem> {
        let mut targets = HashMap::new();
        self.elements("xl/_rels/workbook.xml.rels", |element| {
            if let (Some(id), Some(target)) = (attribute(element, b"Id"), attribute(element, b"Target")) {
                targets.insert(id, target);
            }
        })?;
        let (mut sheets, mut epoch_1904) = (Vec::new(), false);
        self.elements("xl/workbook.xml", |element| match element.local_name().as_ref() {
            b"sheet" => {
                let target = attribute(element, b"r:id").and_then(|id| targets.get(&id));
                if let (Some(name), Some(target)) = (attribute(element, b"name"), target) {
                    let path = target.strip_prefix('/').map_or_else(|| format!("xl/{target}"), str::to_owned);
                    sheets.push((name, path));
                }
            }
            b"workbookPr" => {
                epoch_1904 = attribute(element, b"date1904").is_some_and(|on| on == "1" || on == "true");
            }
            _ => {}
        })?;
        if sheets.is_empty() {
            return Err(damaged());
        }
        Ok(Contents { sheets, epoch_1904 })
    }

    fn shared_texts(&mut self) -> Result<Vec<Box<str>>, FileProblem> {
        let Some((bytes, row)) = self.part("xl/sharedStrings.xml", MOST_ROW_BYTES)? else {
            return Ok(Vec::new());
        };
        let mut reader = Reader::from_reader(buffered(bytes));
        let (mut buffer, mut texts, mut text) = (Vec::new(), Vec::new(), String::new());
        let (mut inside, mut phonetic, mut held) = (false, false, 0);
        loop {
            match reader.read_event_into(&mut buffer).map_err(xml_problem)? {
                Event::Start(element) => match element.local_name().as_ref() {
                    b"t" => inside = !phonetic,
                    b"rPh" => phonetic = true,
                    _ => {}
                },
                Event::Empty(element) if element.local_name().as_ref() == b"si" => texts.push("".into()),
                Event::End(element) => match element.local_name().as_ref() {
                    b"t" => inside = false,
                    b"rPh" => phonetic = false,
                    b"si" => {
                        held += text.len() + size_of::<Box<str>>();
                        if held > MOST_SHARED_BYTES {
                            return Err(FileProblem::new(
                                "This workbook holds too much text to be read as one. Save the sheet as CSV instead.",
                            ));
                        }
                        texts.push(std::mem::take(&mut text).into_boxed_str());
                        row.done();
                    }
                    _ => {}
                },
                Event::Eof => return Ok(texts),
                event if inside => append(&mut text, &event),
                _ => {}
            }
            buffer.clear();
        }
    }

    /// For each cell style, whether its numbers are days.
    fn date_styles(&mut self) -> Result<Vec<bool>, FileProblem> {
        let (mut custom, mut styles, mut in_cell_styles) = (HashMap::new(), Vec::new(), false);
        self.elements("xl/styles.xml", |element| match element.local_name().as_ref() {
            b"numFmt" => {
                if let (Some(id), Some(code)) =
                    (attribute(element, b"numFmtId"), attribute(element, b"formatCode"))
                {
                    custom.insert(id, is_date_code(&code));
                }
            }
            b"cellXfs" => in_cell_styles = true,
            b"cellStyles" | b"dxfs" => in_cell_styles = false,
            b"xf" if in_cell_styles => {
                let id = attribute(element, b"numFmtId").unwrap_or_default();
                let built_in = id.parse::<u32>().is_ok_and(|id| matches!(id, 14..=22 | 45..=47));
                styles.push(built_in || custom.get(&id).copied().unwrap_or(false));
            }
            _ => {}
        })?;
        Ok(styles)
    }
}

/// Whether a number format shows days: it has a d, m or y outside quotations and brackets.
fn is_date_code(code: &str) -> bool {
    let (mut quoted, mut bracketed) = (false, false);
    code.chars().any(|c| {
        match c {
            '"' => quoted = !quoted,
            '[' => bracketed = true,
            ']' => bracketed = false,
            _ => {}
        }
        !quoted && !bracketed && matches!(c.to_ascii_lowercase(), 'd' | 'y')
    })
}

struct Sheet<'a> {
    shared: &'a [Box<str>],
    dates: &'a [bool],
    epoch_1904: bool,
    row: Row,
}

/// The cell that is being read.
#[derive(Default)]
struct Cell {
    column: usize,
    kind: String,
    style: usize,
    text: String,
}

impl Sheet<'_> {
    fn read(&mut self, bytes: impl BufRead, each: Each<'_>) -> Result<(), FileProblem> {
        let mut reader = Reader::from_reader(bytes);
        let mut buffer = Vec::new();
        let (mut number, mut values, mut cell) = (0, Vec::<String>::new(), Cell::default());
        let mut inside = false;
        loop {
            match reader.read_event_into(&mut buffer).map_err(xml_problem)? {
                Event::Start(element) => match element.local_name().as_ref() {
                    b"row" => {
                        number = attribute(&element, b"r").and_then(|r| r.parse().ok()).unwrap_or(number + 1);
                        values.clear();
                    }
                    b"c" => cell = self.cell(&element, values.len()),
                    b"v" | b"t" => inside = true,
                    _ => {}
                },
                Event::End(element) => match element.local_name().as_ref() {
                    b"v" | b"t" => inside = false,
                    b"c" => self.keep(std::mem::take(&mut cell), &mut values, number)?,
                    b"row" => {
                        self.row.done();
                        let cells: Cells = values.iter().collect();
                        if each(number, &cells)?.is_break() {
                            return Ok(());
                        }
                    }
                    b"sheetData" => return Ok(()),
                    _ => {}
                },
                Event::Eof => return Err(damaged()),
                event if inside => append(&mut cell.text, &event),
                _ => {}
            }
            buffer.clear();
        }
    }

    fn cell(&self, element: &BytesStart<'_>, next: usize) -> Cell {
        let place = attribute(element, b"r").and_then(|place| column(&place));
        Cell {
            column: place.unwrap_or(next),
            kind: attribute(element, b"t").unwrap_or_default(),
            style: attribute(element, b"s").and_then(|s| s.parse().ok()).unwrap_or_default(),
            text: String::new(),
        }
    }

    fn keep(&self, cell: Cell, values: &mut Vec<String>, number: u64) -> Result<(), FileProblem> {
        let column = cell.column;
        let text = self.shown(cell);
        if text.is_empty() {
            return Ok(());
        }
        if column >= MOST_COLUMNS {
            return Err(FileProblem::new(format!(
                "Row {number} has more than {MOST_COLUMNS} columns, which is more than can be imported."
            )));
        }
        if values.len() <= column {
            values.resize(column + 1, String::new());
        }
        values[column] = text;
        Ok(())
    }

    fn shown(&self, cell: Cell) -> String {
        match cell.kind.as_str() {
            "s" => cell
                .text
                .trim()
                .parse::<usize>()
                .ok()
                .and_then(|place| self.shared.get(place))
                .map_or_else(String::new, |text| text.to_string()),
            "b" => if cell.text.trim() == "1" { "true" } else { "false" }.to_owned(),
            "" | "n" => {
                let Ok(number) = cell.text.trim().parse::<f64>() else { return cell.text };
                if self.dates.get(cell.style).copied().unwrap_or(false)
                    && let Some(date) = self.date(number)
                {
                    return date;
                }
                // 61412345678 may be stored as 6.1412345678E10.
                if number.fract() == 0.0 && number.abs() < 1e15 { format!("{number:.0}") } else { cell.text }
            }
            _ => cell.text,
        }
    }

    /// The day, and the time of day if there is one, that a number of days means.
    fn date(&self, days: f64) -> Option<String> {
        if !(0.0..3_000_000.0).contains(&days) {
            return None;
        }
        // Excel believes that 1900 was a leap year.
        let start = if self.epoch_1904 { (1904, 1, 1) } else { (1899, 12, 30) };
        let start = NaiveDate::from_ymd_opt(start.0, start.1, start.2)?.and_hms_opt(0, 0, 0)?;
        #[expect(clippy::cast_possible_truncation, reason = "bounded above")]
        let seconds = (days * 86_400.0).round() as i64;
        let at = start.checked_add_signed(TimeDelta::seconds(seconds))?;
        Some(if seconds % 86_400 == 0 {
            at.format("%Y-%m-%d").to_string()
        } else {
            at.format("%Y-%m-%dT%H:%M:%S").to_string()
        })
    }
}

/// `BC12` is column 54.
fn column(place: &str) -> Option<usize> {
    let letters = place.bytes().take_while(u8::is_ascii_alphabetic);
    let number =
        letters.take(4).fold(0, |sum, letter| sum * 26 + usize::from(letter.to_ascii_uppercase() - b'A') + 1);
    number.checked_sub(1)
}

fn append(text: &mut String, event: &Event<'_>) {
    match event {
        Event::Text(part) => text.push_str(&part.xml_content().unwrap_or_default()),
        Event::CData(part) => text.push_str(&part.xml_content().unwrap_or_default()),
        Event::GeneralRef(reference) => {
            let named = match reference.decode().unwrap_or_default().as_ref() {
                "amp" => Some('&'),
                "lt" => Some('<'),
                "gt" => Some('>'),
                "quot" => Some('"'),
                "apos" => Some('\''),
                _ => None,
            };
            // Entities that a document defines for itself are not followed.
            text.extend(named.or_else(|| reference.resolve_char_ref().ok().flatten()));
        }
        _ => {}
    }
}

fn attribute(element: &BytesStart<'_>, name: &[u8]) -> Option<String> {
    let found = element.try_get_attribute(name).ok()??;
    found.unescape_value().ok().map(std::borrow::Cow::into_owned)
}

fn xml_problem(error: quick_xml::Error) -> FileProblem {
    match error {
        quick_xml::Error::Io(cause) => {
            match cause.get_ref().and_then(|inner| inner.downcast_ref::<FileProblem>()) {
                Some(problem) => problem.clone(),
                None => damaged(),
            }
        }
        _ => damaged(),
    }
}
