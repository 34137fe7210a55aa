//! Text files: any delimiter, any of the usual encodings, quotation as in RFC 4180.

use std::io::{self, Read};

use encoding_rs::{CoderResult, Decoder, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::{Cells, Each, Encoding, FileProblem, Format, MOST_ROW_BYTES, guard::Guard, unreadable};

/// Hands each row of `bytes` to `each`.
pub(super) fn rows(bytes: &mut dyn Read, format: &Format, each: Each<'_>) -> Result<(), FileProblem> {
    let decoded = Decoded::new(bytes, format.encoding);
    // The reader behind the guard holds a buffer of rows that are still to be handed out.
    let (guarded, row) = Guard::new(decoded, MOST_ROW_BYTES, String::new);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(u8::try_from(format.delimiter).unwrap_or(b','))
        .from_reader(guarded);
    // A row is handed on when it is known whether another one follows it.
    let (mut cells, mut next, mut number) = (Cells::new(), Cells::new(), 0);
    loop {
        let more = reader.read_record(&mut next).map_err(|error| problem(error, number))?;
        row.done();
        // A cell that runs over line ends to the end of the file has lost its closing mark.
        let runs_on = cells.iter().next_back().is_some_and(|cell| cell.contains('\n'));
        if !more && runs_on && row.last_byte() != b'"' {
            return Err(unclosed(number));
        }
        if number > 0 && each(number, &cells)?.is_break() || !more {
            return Ok(());
        }
        std::mem::swap(&mut cells, &mut next);
        number += 1;
    }
}

fn unclosed(number: u64) -> FileProblem {
    FileProblem::new(format!(
        "The quotation mark that opens in row {number} is never closed. Mend that row and upload the file again."
    ))
}

fn problem(error: csv::Error, read: u64) -> FileProblem {
    match error.into_kind() {
        csv::ErrorKind::Io(cause) if cause.get_ref().is_some_and(|inner| inner.is::<FileProblem>()) => {
            FileProblem::new(format!(
                "Row {} is longer than 1 MB. A quotation mark that is never closed can cause this.",
                read + 1
            ))
        }
        csv::ErrorKind::Io(cause) => unreadable(cause),
        other => FileProblem::new(format!("Row {} cannot be read: {other:?}.", read + 1)),
    }
}

/// Whatever the encoding, UTF-8 comes out; what stands for no character becomes U+FFFD.
struct Decoded<R> {
    inner: R,
    decoder: Decoder,
    raw: Box<[u8]>,
    /// What of `raw` is still to be decoded.
    pending: std::ops::Range<usize>,
    ended: bool,
    finished: bool,
}

impl<R: Read> Decoded<R> {
    fn new(inner: R, encoding: Encoding) -> Self {
        let encoding = match encoding {
            Encoding::Utf8 => UTF_8,
            Encoding::Utf16Le => UTF_16LE,
            Encoding::Utf16Be => UTF_16BE,
            Encoding::Windows1252 => WINDOWS_1252,
        };
        Self {
            inner,
            decoder: encoding.new_decoder_with_bom_removal(),
            raw: vec![0; 16 << 10].into_boxed_slice(),
            pending: 0..0,
            ended: false,
            finished: false,
        }
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        // A character takes up to four bytes; the reader behind us always offers more.
        if out.len() < 8 {
            return Err(io::Error::other("the buffer is too small"));
        }
        while !self.finished {
            if self.pending.is_empty() && !self.ended {
                let count = self.inner.read(&mut self.raw)?;
                self.pending = 0..count;
                self.ended = count == 0;
            }
            let (result, read, written, _) =
                self.decoder.decode_to_utf8(&self.raw[self.pending.clone()], out, self.ended);
            self.pending.start += read;
            self.finished = self.ended && result == CoderResult::InputEmpty;
            if written > 0 {
                return Ok(written);
            }
        }
        Ok(0)
    }
}
