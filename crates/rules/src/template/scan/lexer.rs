//! The signs of one tag. What is not let through is refused here, at its first character.

use super::{TemplateError, error_at};

/// A word, a constant or a mark within a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign<'a> {
    /// A name or keyword.
    Name(&'a str),
    /// A quoted text or a number, as written.
    Literal(&'a str),
    /// Punctuation.
    Mark(&'a str),
}

impl<'a> Sign<'a> {
    pub(super) const fn text(self) -> &'a str {
        match self {
            Self::Name(text) | Self::Literal(text) | Self::Mark(text) => text,
        }
    }
}

/// Signs with the bytes they start at, and the byte after the tag.
pub(super) type Signs<'a> = (Vec<(Sign<'a>, usize)>, usize);

/// The longest first.
const MARKS: [&str; 13] = ["==", "!=", "<=", ">=", "<", ">", ".", ",", "|", "(", ")", "[", "]"];

pub(super) struct Lexer<'a> {
    source: &'a str,
    start: usize,
}

impl<'a> Lexer<'a> {
    /// `start` is where the tag opens.
    pub(super) const fn new(source: &'a str, start: usize) -> Self {
        Self { source, start }
    }

    /// Reads until the closing delimiter.
    pub(super) fn tag(&self, closing: &str) -> Result<Signs<'a>, TemplateError> {
        let mut signs = Vec::new();
        let mut position = self.start + 2;
        if self.source[position..].starts_with(['-', '+']) {
            position += 1;
        }
        loop {
            let rest = self.source[position..].trim_start();
            position = self.source.len() - rest.len();
            let trimmed = rest.strip_prefix(['-', '+']).unwrap_or(rest);
            if let Some(after) = trimmed.strip_prefix(closing) {
                return Ok((signs, self.source.len() - after.len()));
            }
            let sign = self.sign(rest, position)?;
            signs.push((sign, position));
            position += sign.text().len();
        }
    }

    fn sign(&self, rest: &'a str, position: usize) -> Result<Sign<'a>, TemplateError> {
        let Some(first) = rest.chars().next() else {
            let opening = &self.source[self.start..self.start + 2];
            let message = format!("This {opening} is never closed");
            return Err(error_at(self.source, self.start, message, Some(opening.to_owned())));
        };
        let run =
            |fits: fn(char) -> bool| rest.find(|sign| !fits(sign)).map_or(rest, |length| &rest[..length]);
        if first.is_ascii_alphabetic() || first == '_' {
            return Ok(Sign::Name(run(|sign| sign.is_ascii_alphanumeric() || sign == '_')));
        }
        if first.is_ascii_digit() {
            return Ok(Sign::Literal(run(|sign| sign.is_ascii_digit())));
        }
        if matches!(first, '"' | '\'') {
            return self.quoted(rest, first, position);
        }
        let mark = MARKS.iter().find_map(|mark| rest.starts_with(mark).then(|| &rest[..mark.len()]));
        mark.map(Sign::Mark).ok_or_else(|| {
            let message = format!("`{first}` cannot be used between braces");
            error_at(self.source, position, message, Some(first.to_string()))
        })
    }

    fn quoted(&self, rest: &'a str, quote: char, position: usize) -> Result<Sign<'a>, TemplateError> {
        let mut escaped = false;
        for (offset, character) in rest.char_indices().skip(1) {
            match character {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                _ if character == quote => return Ok(Sign::Literal(&rest[..=offset])),
                _ => {}
            }
        }
        let message = "This quotation is never closed".to_owned();
        Err(error_at(self.source, position, message, Some(quote.to_string())))
    }
}
