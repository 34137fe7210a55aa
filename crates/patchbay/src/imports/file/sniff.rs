//! What a file is, guessed from its beginning.

use std::ops::ControlFlow;

use patchbay_rules::phone;

use super::{Cells, Encoding, FileProblem, Format, Kind, Reading, Source, rows};

/// What can stand between cells, by how often it does.
pub const DELIMITERS: [(char, &str); 4] = [(',', "Comma"), (';', "Semicolon"), ('\t', "Tab"), ('|', "Pipe")];
/// So much of a file is looked at.
pub const HEAD_BYTES: usize = 128 << 10;

/// Looks at all bytes as they arrive, so that a file that is UTF-8 in its beginning only is not taken for it.
#[derive(Default)]
pub struct Sniffer {
    head: Vec<u8>,
    /// The end of what came last, which may be half a character.
    tail: Vec<u8>,
    not_utf8: bool,
}

impl Sniffer {
    /// Takes the next bytes.
    pub fn take(&mut self, bytes: &[u8]) {
        let room = HEAD_BYTES.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..room]);
        if self.not_utf8 {
            return;
        }
        let mut rest = bytes;
        // Finish the character that was cut.
        while !self.tail.is_empty() && !rest.is_empty() {
            self.tail.push(rest[0]);
            rest = &rest[1..];
            match std::str::from_utf8(&self.tail) {
                Ok(_) => self.tail.clear(),
                Err(error) if error.error_len().is_some() => {
                    self.not_utf8 = true;
                    return;
                }
                Err(_) => {}
            }
        }
        if let Err(error) = std::str::from_utf8(rest) {
            self.not_utf8 = error.error_len().is_some();
            self.tail = rest[error.valid_up_to()..].iter().take(4).copied().collect();
        }
    }

    /// What the file is, now that all of it has been seen; what was `said` of it counts more.
    pub fn finish(&self, said: &Reading) -> Result<Format, FileProblem> {
        let mut format = said.over(sniff(&self.head, !self.not_utf8 && self.tail.is_empty())?)?;
        let is_cut_anew = said.encoding.is_some() || said.delimiter.is_some();
        if is_cut_anew && said.header.is_none() {
            format.header = has_header(&first_rows(&self.head, &format, 20));
        }
        Ok(format)
    }
}

/// What a file with this beginning is. `utf8`: whether the whole of it is valid UTF-8.
pub fn sniff(head: &[u8], utf8: bool) -> Result<Format, FileProblem> {
    let bytes = &head[..head.len().min(HEAD_BYTES)];
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(FileProblem::new("The file is empty."));
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return Ok(Format { kind: Kind::Xlsx, ..Format::default() });
    }
    refuse_known(bytes)?;
    let encoding = encoding(bytes, utf8);
    let mut format = Format { encoding, ..Format::default() };
    if !matches!(encoding, Encoding::Utf16Le | Encoding::Utf16Be) {
        let odd = bytes.iter().filter(|byte| **byte < 0x20 && !byte.is_ascii_whitespace()).count();
        if odd * 20 > bytes.len() {
            return Err(FileProblem::new("This is not a text file. Export the list as CSV or XLSX."));
        }
    }
    format.delimiter = delimiter(bytes, &format);
    format.header = has_header(&first_rows(bytes, &format, 20));
    Ok(format)
}

/// Files that people mistake for lists.
fn refuse_known(bytes: &[u8]) -> Result<(), FileProblem> {
    const KNOWN: [(&[u8], &str); 5] = [
        (
            b"\xD0\xCF\x11\xE0",
            "This is an old Excel workbook (.xls), or one with a password. Save it as plain .xlsx or CSV.",
        ),
        (b"%PDF", "This is a PDF. Export the list as CSV or XLSX."),
        (b"\x89PNG", "This is a picture. Export the list as CSV or XLSX."),
        (b"\x1F\x8B", "This file is compressed. Unpack it first."),
        (b"{\\rtf", "This is a text document. Export the list as CSV or XLSX."),
    ];
    match KNOWN.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        Some((_, words)) => Err(FileProblem::new(*words)),
        None => Ok(()),
    }
}

fn encoding(bytes: &[u8], utf8: bool) -> Encoding {
    if bytes.starts_with(b"\xFF\xFE") {
        return Encoding::Utf16Le;
    }
    if bytes.starts_with(b"\xFE\xFF") {
        return Encoding::Utf16Be;
    }
    // Western text in UTF-16 has a zero in every other byte.
    let zeros = |parity: usize| bytes.iter().skip(parity).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    let half = bytes.len() / 2;
    if half > 1 && odd * 10 > half * 6 && even * 10 < half {
        Encoding::Utf16Le
    } else if half > 1 && even * 10 > half * 6 && odd * 10 < half {
        Encoding::Utf16Be
    } else if utf8 {
        Encoding::Utf8
    } else {
        Encoding::Windows1252
    }
}

/// The delimiter that cuts the first rows into the most columns, equally many in most rows.
fn delimiter(bytes: &[u8], format: &Format) -> char {
    let score = |delimiter: char| {
        let rows = first_rows(bytes, &Format { delimiter, ..format.clone() }, 50);
        let Some(width) = rows.first().map(Cells::len) else { return (0, 0) };
        let alike = rows.iter().filter(|row| row.len() == width).count();
        // A delimiter that is not there gives one column everywhere, which says nothing.
        if width < 2 { (0, 0) } else { (alike * 100 / rows.len().max(1), width) }
    };
    DELIMITERS.into_iter().map(|(delimiter, _)| delimiter).rev().max_by_key(|d| score(*d)).unwrap_or(',')
}

/// The first rows; what goes wrong later is told when the file is read.
fn first_rows(bytes: &[u8], format: &Format, count: usize) -> Vec<Cells> {
    let mut found = Vec::new();
    let mut keep = |_: u64, cells: &Cells| {
        found.push(cells.clone());
        if found.len() < count { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let _ = rows(Source::Stream(&mut std::io::Cursor::new(bytes)), format, &mut keep);
    // The last row of a cut beginning is cut itself.
    if bytes.len() >= HEAD_BYTES && found.len() > 1 && found.len() < count {
        found.pop();
    }
    found
}

/// Whether the first row names the columns: it holds no number and no address.
pub fn has_header(rows: &[Cells]) -> bool {
    let Some(first) = rows.first() else { return true };
    let is_data = |cell: &str| {
        let cell = cell.trim();
        (cell.contains('@') && cell.contains('.'))
            || cell.parse::<f64>().is_ok()
            || phone::parse(cell, Some("US")).is_ok_and(|phone| phone.e164.len() > 8)
            || phone::parse(cell, Some("AU")).is_ok_and(|phone| phone.e164.len() > 8)
    };
    !first.iter().any(is_data)
}
