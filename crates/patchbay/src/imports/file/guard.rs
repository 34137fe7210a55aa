//! Limits on what a reader lets through, so that no file can take more memory or time than it is worth.

use std::{
    cell::Cell,
    io::{self, Read},
    rc::Rc,
};

use super::FileProblem;

/// Lets at most `limit` bytes through before [`Row::done`] is called, and remembers the last byte that was no blank.
pub(super) struct Guard<R> {
    inner: R,
    row: Row,
    limit: usize,
    problem: Box<dyn Fn() -> String>,
}

/// The handle that tells a [`Guard`] that a row has ended.
#[derive(Clone, Default)]
pub(super) struct Row {
    passed: Rc<Cell<usize>>,
    last: Rc<Cell<u8>>,
}

impl Row {
    /// The next row may be as long again.
    pub(super) fn done(&self) {
        self.passed.set(0);
    }

    /// The last byte so far that was no blank.
    pub(super) fn last_byte(&self) -> u8 {
        self.last.get()
    }
}

impl<R: Read> Guard<R> {
    pub(super) fn new(inner: R, limit: usize, problem: impl Fn() -> String + 'static) -> (Self, Row) {
        let row = Row::default();
        (Self { inner, row: row.clone(), limit, problem: Box::new(problem) }, row)
    }
}

impl<R: Read> Read for Guard<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let passed = self.row.passed.get() + count;
        self.row.passed.set(passed);
        if let Some(last) = buffer[..count].iter().rev().find(|byte| !byte.is_ascii_whitespace()) {
            self.row.last.set(*last);
        }
        // What lies in buffers behind us belongs to rows that ended already.
        if passed > self.limit {
            return Err(io::Error::other(FileProblem::new((self.problem)())));
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_may_be_long_but_not_endless() {
        let (mut guard, row) = Guard::new(io::repeat(b'x'), 100, || "too long".to_owned());
        let mut buffer = [0; 60];
        assert_eq!(guard.read(&mut buffer).unwrap(), 60);
        row.done();
        assert_eq!(guard.read(&mut buffer).unwrap(), 60);
        assert_eq!(guard.read(&mut buffer).unwrap_err().to_string(), "too long");
        assert_eq!(row.last_byte(), b'x');
    }
}
