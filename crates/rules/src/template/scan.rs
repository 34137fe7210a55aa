//! Reads the tags of a template: which names they use and where, and whether they keep to the part of
//! the language that is let through.
//!
//! Does not: check that expressions are well formed and blocks balanced; the template engine does.

use super::{FILTERS, TemplateError};
use std::ops::Range;

mod lexer;

use lexer::{Lexer, Sign};

/// Words of the language that are not names.
const KEYWORDS: &[&str] =
    &["and", "or", "not", "in", "is", "if", "else", "true", "false", "none", "True", "False", "None"];

/// Statements that are let through.
const STATEMENTS: &[&str] = &["if", "elif", "else", "endif", "for", "endfor"];

/// Tests that may follow `is`.
const TESTS: &[&str] = &["defined", "undefined", "none"];

/// A name that a template uses.
#[derive(Debug)]
pub(super) struct Token {
    /// As written: `first_name`, `quote.data.rooms`, `items[0].name`.
    pub(super) path: String,
    /// Byte of the source.
    pub(super) position: usize,
    /// Belongs to a `for` around it.
    pub(super) is_local: bool,
}

impl Token {
    /// The first part of the path.
    pub(super) fn root(&self) -> &str {
        self.path.split(['.', '[']).next().unwrap_or(&self.path)
    }
}

/// One `{{ … }}` or `{% … %}`.
#[derive(Debug)]
pub(super) struct Tag {
    pub(super) span: Range<usize>,
    pub(super) tokens: Vec<Token>,
}

/// All tags of a template, and the text between them.
#[derive(Debug, Default)]
pub(super) struct Scan {
    tags: Vec<Tag>,
    /// Stretches of plain text.
    pub(super) texts: Vec<Range<usize>>,
}

impl Scan {
    /// Scans until the end or the first fault.
    pub(super) fn new(source: &str) -> (Self, Option<TemplateError>) {
        let mut scan = Self::default();
        let error = scan.read(source).err();
        (scan, error)
    }

    pub(super) fn tokens(&self) -> impl Iterator<Item = &Token> {
        self.tags.iter().flat_map(|tag| &tag.tokens)
    }

    pub(super) fn tag_at(&self, position: usize) -> Option<&Tag> {
        self.tags.iter().find(|tag| tag.span.contains(&position))
    }

    fn read(&mut self, source: &str) -> Result<(), TemplateError> {
        let mut position = 0;
        let mut loop_variables = Vec::new();
        loop {
            let start = next_opening(source, position);
            self.texts.push(position..start);
            if start == source.len() {
                return Ok(());
            }
            position = if source[start..].starts_with("{#") {
                skip_comment(source, start)?
            } else {
                self.read_tag(source, start, &mut loop_variables)?
            };
        }
    }

    /// Reads the tag at `start` and returns where it ends.
    fn read_tag(
        &mut self,
        source: &str,
        start: usize,
        loop_variables: &mut Vec<String>,
    ) -> Result<usize, TemplateError> {
        let is_statement = source[start..].starts_with("{%");
        if is_statement {
            check_statement(source, start)?;
        }
        let (signs, end) = Lexer::new(source, start).tag(if is_statement { "%}" } else { "}}" })?;
        let mut reader = Reader { source, signs: &signs, next: 0, loop_variables, tokens: Vec::new() };
        let outcome = if is_statement { reader.statement(start) } else { reader.expression() };
        // Names are kept even if the tag turns out wrong: `tokens` wants those of a broken template.
        self.tags.push(Tag { span: start..end, tokens: reader.tokens });
        outcome.map(|()| end)
    }
}

/// Refuses statements by their first word, before the signs that only they use.
fn check_statement(source: &str, start: usize) -> Result<(), TemplateError> {
    let rest = source[start + 2..].trim_start_matches(['-', '+']).trim_start();
    let word =
        rest.split(|sign: char| !sign.is_ascii_alphanumeric() && sign != '_').next().unwrap_or_default();
    if word.is_empty() || STATEMENTS.contains(&word) {
        return Ok(());
    }
    let message = format!("{{% {word} %}} cannot be used in a message");
    Err(error_at(source, source.len() - rest.len(), message, Some(word.to_owned())))
}

/// Where the next tag or comment opens; the end of the source if none does. Reads no further than that, so that all of
/// a source is read once however many tags it has.
fn next_opening(source: &str, position: usize) -> usize {
    let opens = |start: &usize| matches!(source.as_bytes().get(start + 1), Some(b'{' | b'%' | b'#'));
    let mut braces = source[position..].match_indices('{').map(|(offset, _)| position + offset);
    braces.find(opens).unwrap_or(source.len())
}

fn skip_comment(source: &str, start: usize) -> Result<usize, TemplateError> {
    match source[start..].find("#}") {
        Some(length) => Ok(start + length + 2),
        None => Err(error_at(source, start, "This comment is never closed".to_owned(), None)),
    }
}

/// An error at a byte of the source.
pub(super) fn error_at(
    source: &str,
    position: usize,
    message: String,
    token: Option<String>,
) -> TemplateError {
    let (line, column) = place(source, position);
    TemplateError { message, line, column, token }
}

/// Line and column of a byte, both from 1.
pub(super) fn place(source: &str, position: usize) -> (usize, usize) {
    let before = source.get(..position).unwrap_or(source);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// Walks over the signs of one tag.
struct Reader<'a> {
    source: &'a str,
    signs: &'a [(Sign<'a>, usize)],
    next: usize,
    loop_variables: &'a mut Vec<String>,
    tokens: Vec<Token>,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<Sign<'a>> {
        self.signs.get(self.next).map(|(sign, _)| *sign)
    }

    fn take(&mut self) -> Option<(Sign<'a>, usize)> {
        let sign = self.signs.get(self.next).copied();
        self.next += 1;
        sign
    }

    fn fault<T>(&self, position: usize, message: String, token: &str) -> Result<T, TemplateError> {
        Err(error_at(self.source, position, message, Some(token.to_owned())))
    }

    fn statement(&mut self, start: usize) -> Result<(), TemplateError> {
        let Some((Sign::Name(word), position)) = self.take() else {
            return self.fault(start, "This tag does nothing".to_owned(), "{%");
        };
        match word {
            "if" | "elif" => self.expression(),
            "endfor" => {
                self.loop_variables.pop();
                Ok(())
            }
            "for" => {
                let (variable, of) = (self.take(), self.take());
                let (Some((Sign::Name(variable), _)), Some((Sign::Name("in"), _))) = (variable, of) else {
                    let message = "A loop is written {% for item in items %}".to_owned();
                    return self.fault(position, message, "for");
                };
                self.expression()?;
                self.loop_variables.push(variable.to_owned());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn expression(&mut self) -> Result<(), TemplateError> {
        let mut previous = None;
        while let Some((sign, position)) = self.take() {
            match sign {
                Sign::Name(filter) if previous == Some(Sign::Mark("|")) => self.filter(filter, position)?,
                Sign::Name(test) if self.follows_is(previous) => self.test(test, position)?,
                Sign::Name(word) if KEYWORDS.contains(&word) => {}
                Sign::Name(_) => self.path(position)?,
                Sign::Mark(mark @ ("." | "[" | "]")) => {
                    return self.fault(position, format!("`{mark}` does not follow a name"), mark);
                }
                Sign::Mark(_) | Sign::Literal(_) => {}
            }
            previous = Some(sign);
        }
        Ok(())
    }

    /// Whether the sign just taken follows `is` or `is not`.
    fn follows_is(&self, previous: Option<Sign<'_>>) -> bool {
        let before_previous = self.next.checked_sub(3).and_then(|index| self.signs.get(index));
        match previous {
            Some(Sign::Name("is")) => !matches!(self.signs.get(self.next - 1), Some((Sign::Name("not"), _))),
            Some(Sign::Name("not")) => matches!(before_previous, Some((Sign::Name("is"), _))),
            _ => false,
        }
    }

    fn filter(&self, name: &str, position: usize) -> Result<(), TemplateError> {
        if FILTERS.contains(&name) {
            return Ok(());
        }
        self.fault(position, format!("There is no filter \"{name}\""), name)
    }

    fn test(&self, name: &str, position: usize) -> Result<(), TemplateError> {
        if TESTS.contains(&name) {
            return Ok(());
        }
        self.fault(position, format!("There is no test \"{name}\""), name)
    }

    /// A name and everything that leads on from it; its first part is already taken.
    fn path(&mut self, position: usize) -> Result<(), TemplateError> {
        let mut end = self.end_of_last();
        loop {
            match self.peek() {
                Some(Sign::Mark(".")) => {
                    self.take();
                    if !matches!(self.take(), Some((Sign::Name(_) | Sign::Literal(_), _))) {
                        return self.fault(end, "A name is missing after the dot".to_owned(), ".");
                    }
                }
                Some(Sign::Mark("[")) => {
                    self.take();
                    let key = self.take();
                    let close = self.take();
                    if !matches!((key, close), (Some((Sign::Literal(_), _)), Some((Sign::Mark("]"), _)))) {
                        return self.fault(end, "Brackets hold a number or a quoted name".to_owned(), "[");
                    }
                }
                Some(Sign::Mark("(")) => {
                    let name = &self.source[position..end];
                    return self.fault(position, format!("\"{name}\" cannot be called"), name);
                }
                _ => break,
            }
            end = self.end_of_last();
        }
        let path = self.source[position..end].to_owned();
        let mut token = Token { path, position, is_local: false };
        let root = token.root();
        token.is_local = self.loop_variables.iter().any(|variable| variable == root)
            || (root == "loop" && !self.loop_variables.is_empty());
        self.tokens.push(token);
        Ok(())
    }

    /// Where the sign that was last taken ends.
    fn end_of_last(&self) -> usize {
        self.next
            .checked_sub(1)
            .and_then(|index| self.signs.get(index))
            .map_or(self.source.len(), |(sign, start)| start + sign.text().len())
    }
}
