//! Reading ahead: a thread turns the file into batches of rows while the batch before is looked up and written.

use std::{
    collections::VecDeque,
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::mpsc;

use super::{
    file::{Cells, FileProblem, Format},
    row::{Reader, Row},
    source::Stored,
};

/// Rows that are looked up and written together.
pub const BATCH_ROWS: usize = 2_000;
/// A batch of long rows ends sooner.
const BATCH_BYTES: usize = 4 << 20;

/// A row as it was written, and what it says or why it cannot be taken.
pub struct Parsed {
    /// As a spreadsheet numbers it.
    pub number: u64,
    pub cells: Cells,
    pub row: Result<Row, String>,
}

/// Consecutive rows of the file.
pub struct Batch {
    /// How many rows came before it.
    pub from: i64,
    pub rows: Vec<Parsed>,
    /// Labels that these rows are the first to carry.
    pub labels: Vec<String>,
    /// How far the file was read.
    pub bytes: u64,
    /// These rows were written before the import was taken over; they are only remembered.
    pub done_before: bool,
}

struct Batches {
    reader: Reader,
    labels_sent: usize,
    batch: Vec<Parsed>,
    batch_bytes: usize,
    from: i64,
    /// Rows at which a range that was written before begins or ends, in order.
    borders: VecDeque<i64>,
    /// Whether the next row lies in such a range.
    done: bool,
    bytes: Arc<AtomicU64>,
    out: mpsc::Sender<Batch>,
}

/// Sends the rows of the file in batches; those in the ranges `done`, which are in order, as done. Blocks.
pub fn parse(
    mut stored: Stored,
    format: &Format,
    reader: Reader,
    done: &[(i64, i64)],
    out: mpsc::Sender<Batch>,
) -> Result<(), FileProblem> {
    let mut batches = Batches {
        bytes: stored.counter(),
        reader,
        labels_sent: 0,
        batch: Vec::with_capacity(BATCH_ROWS),
        batch_bytes: 0,
        from: 0,
        borders: done.iter().flat_map(|(from, to)| [*from, *to]).collect(),
        done: false,
        out,
    };
    batches.cross_borders();
    let mut header = format.header;
    stored.rows(format, &mut |number, cells| {
        if std::mem::take(&mut header) {
            return ControlFlow::Continue(());
        }
        batches.add(number, cells)
    })?;
    if batches.from == 0 && batches.batch.is_empty() {
        let words =
            if format.header { "The file has a header and no rows." } else { "The file has no rows." };
        return Err(FileProblem::new(words));
    }
    let _ = batches.send();
    Ok(())
}

impl Batches {
    fn add(&mut self, number: u64, cells: &Cells) -> ControlFlow<()> {
        let row = self.reader.read(cells);
        self.batch_bytes += cells.as_slice().len() + 100;
        self.batch.push(Parsed { number, cells: cells.clone(), row });
        let next = self.from + i64::try_from(self.batch.len()).unwrap_or_default();
        let at_border = self.borders.front() == Some(&next);
        if self.batch.len() >= BATCH_ROWS || self.batch_bytes >= BATCH_BYTES || at_border {
            self.send()
        } else {
            ControlFlow::Continue(())
        }
    }

    fn cross_borders(&mut self) {
        while self.borders.front() == Some(&self.from) {
            self.borders.pop_front();
            self.done = !self.done;
        }
    }

    fn send(&mut self) -> ControlFlow<()> {
        if self.batch.is_empty() {
            return ControlFlow::Continue(());
        }
        let rows = std::mem::replace(&mut self.batch, Vec::with_capacity(BATCH_ROWS));
        self.batch_bytes = 0;
        let labels = self.reader.labels()[self.labels_sent..].to_vec();
        self.labels_sent += labels.len();
        let from = self.from;
        self.from += i64::try_from(rows.len()).unwrap_or_default();
        let bytes = self.bytes.load(Ordering::Relaxed);
        let batch = Batch { from, rows, labels, bytes, done_before: self.done };
        self.cross_borders();
        // Nobody waits for more when the import was taken over by another node.
        match self.out.blocking_send(batch) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    }
}
