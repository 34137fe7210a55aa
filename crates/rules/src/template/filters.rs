//! The engine's set-up, and the filters.
//!
//! Promises: a missing value goes through every filter unchanged until `default` replaces it or writing
//! it fails; results are bounded; nothing a template asks for panics.

use super::MAX_CHARACTERS;
use super::values::is_missing;
use crate::money;
use chrono::format::{Item, StrftimeItems};
use chrono::{DateTime, NaiveDate, NaiveDateTime};
use chrono_tz::Tz;
use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value};
use std::fmt::Write;
use std::sync::LazyLock;

/// Instructions of one message. A plain template takes some dozens.
const FUEL: u64 = 10_000;

/// The engine, without a template.
pub(super) fn environment() -> Environment<'static> {
    static PREPARED: LazyLock<Environment<'static>> = LazyLock::new(prepare);
    PREPARED.clone()
}

fn prepare() -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_formatter(write);
    environment.set_fuel(Some(FUEL));
    environment.set_debug(false);
    environment.add_test("defined", |value: &Value| !is_missing(value));
    environment.add_test("undefined", is_missing);
    environment.add_test("none", is_missing);
    environment.add_filter("default", default);
    environment.add_filter("upper", |value: &Value| with_text(value, |text| Ok(text.to_uppercase())));
    environment.add_filter("lower", |value: &Value| with_text(value, |text| Ok(text.to_lowercase())));
    environment.add_filter("title", |value: &Value| with_text(value, |text| Ok(title(text))));
    environment.add_filter("capitalize", |value: &Value| with_text(value, |text| Ok(capitalize(text))));
    environment.add_filter("trim", |value: &Value| with_text(value, |text| Ok(text.trim().to_owned())));
    environment.add_filter("truncate", truncate);
    environment.add_filter("replace", replace);
    environment.add_filter("round", round);
    environment.add_filter("length", length);
    environment.add_filter("first", |value: &Value| end_of(value, false));
    environment.add_filter("last", |value: &Value| end_of(value, true));
    environment.add_filter("join", join);
    environment.add_filter("date", date);
    environment.add_filter("money", money);
    environment.add_filter("cents", cents);
    environment
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}

/// Writes a value into the message; the only place where a missing value fails.
fn write(out: &mut Output, _: &mut State, value: &Value) -> Result<(), Error> {
    if is_missing(value) {
        return Err(ErrorKind::UndefinedError.into());
    }
    Ok(out.write_str(&text_of(value)?)?)
}

/// A text, number or truth value as text.
fn text_of(value: &Value) -> Result<String, Error> {
    match value.kind() {
        ValueKind::String | ValueKind::Number => Ok(value.to_string()),
        ValueKind::Bool => Ok(if value.is_true() { "yes" } else { "no" }.to_owned()),
        kind => Err(invalid(format!("a {kind} is not a text; name one of its parts"))),
    }
}

/// Applies a filter to a text and leaves a missing value missing.
fn with_text(value: &Value, change: impl FnOnce(&str) -> Result<String, Error>) -> Result<Value, Error> {
    if is_missing(value) {
        return Ok(value.clone());
    }
    let text = change(&text_of(value)?)?;
    // One character more than a message holds is enough to be refused for its length.
    Ok(Value::from(text.chars().take(MAX_CHARACTERS + 1).collect::<String>()))
}

/// Without an argument, there is nothing to put into the hole.
fn default(value: &Value, other: Option<Value>) -> Value {
    if is_missing(value) { other.unwrap_or(Value::UNDEFINED) } else { value.clone() }
}

fn capitalize(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string());
    first.unwrap_or_default() + &letters.as_str().to_lowercase()
}

fn title(text: &str) -> String {
    text.split_inclusive(|letter: char| letter.is_whitespace() || letter == '-').map(capitalize).collect()
}

/// Cuts to a length in characters, the ending included.
fn truncate(value: &Value, length: Option<usize>, ending: Option<String>) -> Result<Value, Error> {
    let (length, ending) = (length.unwrap_or(30), ending.unwrap_or_else(|| "...".to_owned()));
    with_text(value, |text| {
        if text.chars().count() <= length {
            return Ok(text.to_owned());
        }
        let kept: String = text.chars().take(length.saturating_sub(ending.chars().count())).collect();
        Ok(kept.trim_end().to_owned() + &ending)
    })
}

fn replace(value: &Value, from: String, to: String) -> Result<Value, Error> {
    with_text(value, |text| {
        if from.is_empty() {
            return Ok(text.to_owned());
        }
        let grown = text.matches(&from).count().saturating_mul(to.len());
        if grown > 4 * (MAX_CHARACTERS + text.len()) {
            return Err(invalid("the replacement makes the text too long"));
        }
        Ok(text.replace(&from, &to))
    })
}

fn number_of(value: &Value) -> Result<f64, Error> {
    let number: Option<f64> = text_of(value)?.trim().parse().ok();
    number.filter(|number| number.is_finite()).ok_or_else(|| invalid("this is not a number"))
}

/// Rounds to a number of decimals, and shows all of them.
fn round(value: &Value, decimals: Option<usize>) -> Result<Value, Error> {
    let decimals = decimals.unwrap_or(0).min(6);
    if is_missing(value) {
        return Ok(value.clone());
    }
    let number = number_of(value)?;
    let scale = 10_f64.powi(i32::try_from(decimals).unwrap_or(0));
    // Halves away from zero, as people round; formatting alone would round them to even.
    let rounded = if (number * scale).is_finite() { (number * scale).round() / scale } else { number };
    Ok(Value::from(format!("{rounded:.decimals$}")))
}

/// Characters of a text, entries of a list.
fn length(value: &Value) -> Result<Value, Error> {
    if is_missing(value) {
        return Ok(value.clone());
    }
    let length = match value.kind() {
        ValueKind::Seq | ValueKind::Map => value.len(),
        _ => Some(text_of(value)?.chars().count()),
    };
    length.map(Value::from).ok_or_else(|| invalid("this has no length"))
}

/// First or last entry of a list, or letter of a text.
fn end_of(value: &Value, last: bool) -> Result<Value, Error> {
    if is_missing(value) {
        return Ok(value.clone());
    }
    let end = if value.kind() == ValueKind::Seq {
        let mut entries = value.try_iter()?;
        if last { entries.last() } else { entries.next() }
    } else {
        let text = text_of(value)?;
        let letter = if last { text.chars().next_back() } else { text.chars().next() };
        letter.map(|letter| Value::from(letter.to_string()))
    };
    Ok(end.unwrap_or(Value::UNDEFINED))
}

fn join(value: &Value, separator: Option<String>) -> Result<Value, Error> {
    if is_missing(value) {
        return Ok(value.clone());
    }
    if value.kind() != ValueKind::Seq {
        return Err(invalid("this is not a list"));
    }
    let separator = separator.unwrap_or_else(|| ", ".to_owned());
    let mut joined = String::new();
    for (position, entry) in value.try_iter()?.enumerate() {
        if joined.len() > 4 * MAX_CHARACTERS {
            break;
        }
        if position > 0 {
            joined.push_str(&separator);
        }
        joined.push_str(&text_of(&entry)?);
    }
    Ok(if joined.is_empty() { Value::UNDEFINED } else { Value::from(joined) })
}

/// Writes a date (`2026-03-02`) or an instant (`2026-03-02T10:00:00Z`, shown in the context's zone) as
/// `2 March 2026`, or by a strftime format.
fn date(state: &State, value: &Value, format: Option<String>) -> Result<Value, Error> {
    let format = format.unwrap_or_else(|| "%-d %B %Y".to_owned());
    let items: Vec<Item<'_>> = StrftimeItems::new(&format).collect();
    if items.contains(&Item::Error) {
        return Err(invalid(format!("\"{format}\" is not a date format")));
    }
    let named = state.lookup("timezone").and_then(|zone| zone.as_str()?.parse().ok());
    let zone: Tz = named.unwrap_or(Tz::UTC);
    with_text(value, |text| {
        let text = text.trim();
        let mut written = String::new();
        let outcome = if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
            write!(written, "{}", instant.with_timezone(&zone).format_with_items(items.iter()))
        } else if let Ok(day) = text.parse::<NaiveDate>() {
            write!(written, "{}", day.format_with_items(items.iter()))
        } else if let Ok(time) = text.parse::<NaiveDateTime>() {
            write!(written, "{}", time.format_with_items(items.iter()))
        } else {
            return Err(invalid("this is not a date"));
        };
        // A date without a time cannot show one.
        outcome.map_err(|_| invalid(format!("\"{format}\" asks for more than this date tells")))?;
        Ok(written)
    })
}

/// The currency that was asked for, or that of the context, or none.
fn currency(state: &State, asked: Option<String>) -> String {
    let quoted = || state.lookup("quote").and_then(|quote| quote.get_attr("currency").ok());
    let known = || state.lookup("currency").filter(|code| !is_missing(code)).or_else(quoted);
    let code = asked.or_else(|| Some(known()?.as_str()?.to_owned()));
    code.unwrap_or_default().to_ascii_uppercase()
}

/// Writes an amount of main units: 450 and "450.00" are $450.00.
fn money(state: &State, value: &Value, asked: Option<String>) -> Result<Value, Error> {
    with_text(value, |text| {
        let cents = money::parse_cents(text).or_else(|| {
            // More decimals than the currency has: stored as a float.
            let rounded = (text.trim().parse::<f64>().ok()? * 100.0).round();
            (rounded.abs() < 1e15).then(|| format!("{rounded:.0}").parse().ok()).flatten()
        });
        let cents = cents.ok_or_else(|| invalid("this is not an amount of money"))?;
        Ok(money::format_micros(cents.saturating_mul(10_000), &currency(state, asked)))
    })
}

/// Writes an amount of minor units: 45000 is $450.00.
fn cents(state: &State, value: &Value, asked: Option<String>) -> Result<Value, Error> {
    with_text(value, |text| {
        let cents = text.trim().parse().map_err(|_| invalid("this is not a whole number of cents"))?;
        Ok(money::format(cents, &currency(state, asked)))
    })
}
