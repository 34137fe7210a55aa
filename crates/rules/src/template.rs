//! Message templates that tenants write: `Hi {{first_name}}, your quote is ${{total}}: {{short_url}}`.
//!
//! Promises: a message with a hole is never made: a value that is absent, null or blank and has no
//! `default` is an error that names it. Templates cannot harm the server: a small part of the Jinja
//! language is let through (values, a few filters, `if`, `for`; no arithmetic, calls, macros, includes or
//! assignments), instructions are counted, and values and output are bounded. Nothing is escaped, for a
//! message is plain text, and nothing that a contact wrote is read as a template.
//! Does not: fetch values, or know which of them a message should hold.
//!
//! A bare name means, in this order: a field of the message's context, a property of the lead, a field of
//! the quote's data, a field of the lead or the quote itself.

mod check;
mod filters;
mod scan;
mod values;

pub use check::{Problem, check};

use filters::environment;
use minijinja::{Environment, Error, ErrorKind};
use scan::Scan;
use serde_json::Value as Json;
use std::io;

/// Names that a template may use whatever properties the tenant's contacts have.
pub const ROOTS: &[&str] = &[
    "first_name",
    "last_name",
    "full_name",
    "phone",
    "email",
    "total",
    "short_url",
    "business_name",
    "owner_name",
    "lead",
    "quote",
    "properties",
    "data",
];

/// Filters that a template may use.
pub const FILTERS: &[&str] = &[
    "default",
    "upper",
    "lower",
    "title",
    "capitalize",
    "trim",
    "truncate",
    "date",
    "money",
    "cents",
    "round",
    "length",
    "first",
    "last",
    "join",
    "replace",
];

/// The longest message, in characters (Twilio Docs: Message resource).
pub const MAX_CHARACTERS: usize = 1_600;

/// Bytes of a template's source. Far more than can make a message that is short enough.
const MAX_SOURCE: usize = 10_000;

/// Bytes that are written before it is clear that the message is too long, even if every character takes
/// four and much white space is trimmed.
const MAX_OUTPUT: usize = 32_000;

/// A template that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} (line {line}, column {column})")]
pub struct TemplateError {
    /// What is wrong, in plain words.
    pub message: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The name or sign it is about.
    pub token: Option<String>,
}

/// Why a message could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// The template itself is wrong.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A value is absent, null or blank and has no default.
    #[error("\"{token}\" has no value for this contact, and no default")]
    Missing {
        /// The name, as in the template.
        token: String,
    },
    /// A value cannot be used as the template wants to.
    #[error("\"{token}\": {message}")]
    Invalid {
        /// The name, as in the template.
        token: String,
        /// What is wrong.
        message: String,
    },
    /// The template does too much.
    #[error("This template does too much for one message")]
    TooComplex,
    /// The message is longer than [`MAX_CHARACTERS`].
    #[error("The message is longer than {MAX_CHARACTERS} characters")]
    TooLong,
    /// There is nothing to send.
    #[error("The message is empty")]
    Empty,
}

/// A message that is ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// Without white space around it; neither empty nor too long.
    pub text: String,
}

/// A template that was checked once and can be rendered often.
#[derive(Debug)]
pub struct Template {
    source: String,
    scan: Scan,
    environment: Environment<'static>,
}

/// Name of the only template in an [`Environment`].
const NAME: &str = "message";

/// Checks the language of a template. Names are checked by [`check`].
pub fn compile(source: &str) -> Result<Template, TemplateError> {
    if source.len() > MAX_SOURCE {
        let message = "This template is too long".to_owned();
        return Err(TemplateError { message, line: 1, column: 1, token: None });
    }
    let (scan, error) = Scan::new(source);
    if let Some(error) = error {
        return Err(error);
    }
    let mut environment = environment();
    environment.add_template_owned(NAME, source.to_owned()).map_err(|error| syntax_error(source, &error))?;
    Ok(Template { source: source.to_owned(), scan, environment })
}

/// Makes one message; [`compile`] once to make many. `context` is an object with any of the [`ROOTS`].
///
/// ```
/// use patchbay_rules::template::render;
/// let context = serde_json::json!({"first_name": "Sam", "total": "1,284.00"});
/// let message = render("Hi {{first_name}}, your quote is ${{total}}.", &context).unwrap();
/// assert_eq!(message.text, "Hi Sam, your quote is $1,284.00.");
/// ```
pub fn render(source: &str, context: &Json) -> Result<Rendered, RenderError> {
    compile(source)?.render(context)
}

/// The names a template uses, as written, each once, in order; of a broken template those before the
/// fault; of one that is too long none. Names of loop variables are not among them.
pub fn tokens(source: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    if source.len() > MAX_SOURCE {
        return names;
    }
    for token in Scan::new(source).0.tokens().filter(|token| !token.is_local) {
        if !names.contains(&token.path) {
            names.push(token.path.clone());
        }
    }
    names
}

impl Template {
    /// The text it was compiled from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Makes the message for one context.
    pub fn render(&self, context: &Json) -> Result<Rendered, RenderError> {
        let template = self.environment.get_template(NAME).map_err(|error| self.failure(&error, context))?;
        let values = values::roots(self.scan.tokens().map(|token| token.root()), context);
        let mut output = Bounded(Vec::with_capacity(self.source.len() * 2));
        template.render_captured_to(values, &mut output).map_err(|error| self.failure(&error, context))?;
        let text = String::from_utf8_lossy(&output.0).trim().to_owned();
        if text.is_empty() {
            return Err(RenderError::Empty);
        }
        if text.chars().count() > MAX_CHARACTERS {
            return Err(RenderError::TooLong);
        }
        Ok(Rendered { text })
    }

    fn failure(&self, error: &Error, context: &Json) -> RenderError {
        let token = || error.range().map_or_else(String::new, |range| self.blame(range.start, context));
        match error.kind() {
            ErrorKind::OutOfFuel => RenderError::TooComplex,
            ErrorKind::WriteFailure => RenderError::TooLong,
            ErrorKind::UndefinedError => RenderError::Missing { token: token() },
            kind => RenderError::Invalid {
                token: token(),
                message: error.detail().map_or_else(|| kind.to_string(), str::to_owned),
            },
        }
    }

    /// The name that is to blame for a failure at a byte of the source: in the tag around it the first
    /// one without a value, or else the first one.
    fn blame(&self, position: usize, context: &Json) -> String {
        let Some(tag) = self.scan.tag_at(position) else {
            return String::new();
        };
        let missing = |token: &&scan::Token| token.is_local || values::find(context, &token.path).is_none();
        let token = tag.tokens.iter().find(missing).or_else(|| tag.tokens.first());
        token.map_or_else(|| self.source[tag.span.clone()].to_owned(), |token| token.path.clone())
    }
}

/// What the language's own parser found, where [`Scan`] saw nothing wrong: unbalanced blocks, mostly.
fn syntax_error(source: &str, error: &Error) -> TemplateError {
    let position = error.range().map_or(source.len(), |range| range.start);
    let message = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    scan::error_at(source, position, message, None)
}

/// A buffer that refuses to grow beyond what a message can be.
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_OUTPUT {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
