//! What is worth telling somebody who saves a template.

use super::scan::{Scan, place};
use super::{ROOTS, TemplateError, compile};
use serde::Serialize;

/// Something wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What is wrong, in plain words.
    pub message: String,
    /// The name or sign it is about.
    pub token: Option<String>,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

impl From<TemplateError> for Problem {
    fn from(error: TemplateError) -> Self {
        let TemplateError { message, line, column, token } = error;
        Self { message, token, line, column }
    }
}

/// Checks a template before it is saved: its language, and whether its bare names can ever have a value.
/// `known_keys` are the properties that the tenant's contacts and quotes have.
pub fn check(source: &str, known_keys: &[&str]) -> Vec<Problem> {
    let template = match compile(source) {
        Ok(template) => template,
        Err(error) => return vec![error.into()],
    };
    let is_known = |name: &str| ROOTS.contains(&name) || known_keys.contains(&name);
    let mut problems: Vec<_> = template
        .scan
        .tokens()
        .filter(|token| !token.is_local && !is_known(token.root()))
        .map(|token| problem_at(source, token.position, unknown(token.root(), known_keys), &token.path))
        .collect();
    problems.extend(single_braces(source, &template.scan, is_known));
    problems.sort_by_key(|problem| (problem.line, problem.column));
    problems
}

fn problem_at(source: &str, position: usize, message: String, token: &str) -> Problem {
    let (line, column) = place(source, position);
    Problem { message, token: Some(token.to_owned()), line, column }
}

fn unknown(name: &str, known_keys: &[&str]) -> String {
    let candidates = ROOTS.iter().chain(known_keys).map(|known| (distance(name, known), *known));
    match candidates.filter(|(distance, _)| *distance <= 2).min() {
        Some((_, nearest)) => format!("There is no field \"{name}\"; did you mean \"{nearest}\"?"),
        None => format!("There is no field \"{name}\""),
    }
}

/// Names in single braces, which would be sent as they stand.
fn single_braces(source: &str, scan: &Scan, is_known: impl Fn(&str) -> bool) -> Vec<Problem> {
    let mut problems = Vec::new();
    for range in &scan.texts {
        let text = &source[range.clone()];
        for (offset, _) in text.match_indices('{') {
            let after = &text[offset + 1..];
            let Some(end) = after.find(['{', '}']).filter(|end| after[*end..].starts_with('}')) else {
                continue;
            };
            let name = &after[..end];
            if is_known(name.trim()) {
                let message = format!("{{{name}}} would be sent as it stands; write {{{{{name}}}}}");
                problems.push(problem_at(source, range.start + offset, message, name.trim()));
            }
        }
    }
    problems
}

/// How many letters must be added, dropped or changed to make one word of another.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (position, letter) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = position + 1;
        for (column, candidate) in other.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *candidate);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}
