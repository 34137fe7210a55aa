//! Where the ledger keeps its texts: a million messages without a million allocations.

use std::collections::HashMap;

/// Texts are appended to blocks of this size and never move.
const BLOCK_BYTES: usize = 1 << 20;

/// Append-only text.
#[derive(Default)]
pub(super) struct Arena {
    blocks: Vec<String>,
}

/// A place in the arena.
#[derive(Clone, Copy)]
pub(super) struct Span {
    block: u32,
    start: u32,
}

impl Arena {
    /// Appends texts side by side and returns where the first begins.
    pub(super) fn push(&mut self, texts: &[&str]) -> Span {
        let bytes = texts.iter().map(|text| text.len()).sum::<usize>();
        if self.blocks.last().is_none_or(|block| block.capacity() - block.len() < bytes) {
            self.blocks.push(String::with_capacity(BLOCK_BYTES.max(bytes)));
        }
        let number = self.blocks.len() - 1;
        let block = &mut self.blocks[number];
        let start = block.len();
        for text in texts {
            block.push_str(text);
        }
        Span { block: number as u32, start: start as u32 }
    }

    /// Reads `length` bytes from `offset` bytes after the span's beginning.
    pub(super) fn read(&self, span: Span, offset: usize, length: usize) -> &str {
        let start = span.start as usize + offset;
        &self.blocks[span.block as usize][start..start + length]
    }
}

/// Texts that repeat (accounts, senders, services), kept once each.
#[derive(Default)]
pub(super) struct Names {
    numbers: HashMap<Box<str>, u32>,
    names: Vec<Box<str>>,
}

impl Names {
    /// The name's number, from 1; 0 stands for "none".
    pub(super) fn number(&mut self, name: Option<&str>) -> u32 {
        let Some(name) = name else { return 0 };
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        self.names.push(name.into());
        let number = self.names.len() as u32;
        self.numbers.insert(name.into(), number);
        number
    }

    pub(super) fn name(&self, number: u32) -> Option<&str> {
        self.names.get((number as usize).checked_sub(1)?).map(AsRef::as_ref)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stay_where_they_are_over_blocks() {
        let mut arena = Arena::default();
        let large = "x".repeat(BLOCK_BYTES - 3);
        let first = arena.push(&["é", "b"]);
        let second = arena.push(&[&large]);
        let third = arena.push(&["abcd"]);
        assert_eq!((arena.read(first, 0, 2), arena.read(first, 2, 1)), ("é", "b"));
        assert_eq!(arena.read(second, 0, large.len()), large);
        assert_eq!(arena.read(third, 1, 2), "bc");
    }

    #[test]
    fn names_are_numbered_once() {
        let mut names = Names::default();
        assert_eq!((names.number(None), names.number(Some("a")), names.number(Some("b"))), (0, 1, 2));
        assert_eq!(names.number(Some("a")), 1);
        assert_eq!((names.name(0), names.name(2), names.name(3)), (None, Some("b"), None));
    }
}
