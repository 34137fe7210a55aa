//! What a parser could not read, said in plain words: not what it found, but what is expected.
//!
//! The parsers (serde, chrono, uuid, the standard library) offer nothing but their sentences, so those are read here,
//! in one place. A sentence that is not known, such as one of our own types, is kept and made a whole one.

/// What `words`, a parser's error, asks for.
pub fn sentence(words: &str) -> String {
    let words = words.split(" at line ").next().unwrap_or(words).trim_end_matches('.');
    let variants = words.strip_prefix("unknown variant ").and_then(|rest| rest.rsplit_once(", expected "));
    if let Some((_, wanted)) = variants {
        return format!("Send {}.", choices(wanted));
    }
    if let Some((_, wanted)) = words.strip_prefix("invalid ").and_then(|rest| rest.rsplit_once(", expected "))
    {
        return format!("Send {}.", kind(wanted));
    }
    let known = PHRASES.iter().find(|(start, _)| words.starts_with(start));
    known.map_or_else(|| whole(words), |(_, sentence)| (*sentence).to_owned())
}

/// The field that is missing, if that is what `words` say.
pub fn missing(words: &str) -> Option<&str> {
    words.strip_prefix("missing field `")?.split('`').next()
}

const DATE: &str = "Send a date such as 2026-03-14, or where a time belongs to it 2026-03-14T09:30:00Z.";
const NUMBER: &str = "Send a whole number.";
const TOO_LARGE: &str = "This number is too large.";

/// How errors begin that do not say what they expect.
const PHRASES: &[(&str, &str)] = &[
    ("missing field", "This is needed."),
    ("duplicate field", "This is given twice."),
    // what is neither text nor object, where a name out of a few belongs
    ("expected value", "Send a text."),
    ("data did not match any variant", "This has none of the shapes that are possible here."),
    // chrono
    ("premature end of input", DATE),
    ("trailing input", DATE),
    ("input contains invalid characters", DATE),
    ("input is not enough for unique date and time", DATE),
    ("input is out of range", "There is no such date."),
    ("no possible date and time matching input", "There is no such date."),
    // uuid
    ("UUID parsing failed", "Send an id such as 0198c0f2-6d3e-7cc1-9d3e-2b1f6a7c8d90."),
    // the standard library
    ("invalid digit found in string", NUMBER),
    ("cannot parse integer from empty string", NUMBER),
    ("number too large", TOO_LARGE),
    ("number too small", "This number is too small."),
    ("number out of range", TOO_LARGE),
    ("invalid float literal", "Send a number."),
    ("cannot parse float from empty string", "Send a number."),
    ("provided string was not `true` or `false`", "Send true or false."),
];

/// What serde calls the types that it expects, and what people do.
const KINDS: &[(&str, &str)] = &[
    ("a string", "a text"),
    ("a borrowed string", "a text"),
    ("string or map", "a text"),
    ("variant identifier", "a text"),
    ("a boolean", "true or false"),
    ("a sequence", "a list"),
    ("a map", "an object"),
    ("f32", "a number"),
    ("f64", "a number"),
    ("i16", "a whole number from -32,768 to 32,767"),
    ("i32", "a whole number from -2,147,483,648 to 2,147,483,647"),
    ("i64", "a whole number"),
    ("isize", "a whole number"),
    ("u8", "a whole number from 0 to 255"),
    ("u16", "a whole number from 0 to 65,535"),
    ("u32", "a whole number from 0 to 4,294,967,295"),
    ("u64", "a whole number that is not negative"),
    ("usize", "a whole number that is not negative"),
    ("a formatted date string", "a date such as 2026-03-14"),
    ("an RFC 3339 formatted date and time string", "a date and time such as 2026-03-14T09:30:00Z"),
    ("a formatted time string", "a time such as 09:30"),
    ("a UUID string", "an id such as 0198c0f2-6d3e-7cc1-9d3e-2b1f6a7c8d90"),
];

fn kind(wanted: &str) -> String {
    if let Some((_, plain)) = KINDS.iter().find(|(name, _)| *name == wanted) {
        return (*plain).to_owned();
    }
    match wanted.split(' ').next() {
        Some("struct" | "internally" | "adjacently") => "an object".to_owned(),
        Some("tuple") => "a list".to_owned(),
        Some("enum") => "a text".to_owned(),
        _ => wanted.replace('`', "\""),
    }
}

/// "expected one of `a`, `b`, `c`" as a choice.
fn choices(wanted: &str) -> String {
    let names: Vec<&str> = wanted.split('`').skip(1).step_by(2).collect();
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => "something else".to_owned(),
    }
}

fn whole(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, NaiveDate, Utc};
    use patchbay_rules::message::Channel;
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;

    fn told<T: DeserializeOwned + std::fmt::Debug>(value: Value) -> String {
        sentence(&serde_json::from_value::<T>(value).unwrap_err().to_string())
    }

    #[test]
    fn what_is_expected_is_said_in_plain_words() {
        assert_eq!(told::<String>(json!(1)), "Send a text.");
        assert_eq!(told::<i64>(json!("x, expected y")), "Send a whole number.");
        assert_eq!(told::<u32>(json!(-1)), "Send a whole number from 0 to 4,294,967,295.");
        assert_eq!(told::<bool>(json!("yes")), "Send true or false.");
        assert_eq!(told::<Vec<i64>>(json!({})), "Send a list.");
        assert_eq!(told::<serde_json::Map<String, Value>>(json!([])), "Send an object.");
        assert_eq!(told::<NaiveDate>(json!("2026-03")), DATE);
        assert_eq!(told::<NaiveDate>(json!("soon")), DATE);
        assert_eq!(told::<NaiveDate>(json!("2026-02-30")), "There is no such date.");
        assert_eq!(told::<NaiveDate>(json!(1)), "Send a date such as 2026-03-14.");
        assert_eq!(told::<DateTime<Utc>>(json!("2026-03-14")), DATE);
        assert_eq!(told::<Channel>(json!("zap")), "Send sms, whatsapp or email.");
        assert_eq!(told::<Channel>(json!(7)), "Send a text.");
        assert!(told::<Uuid>(json!("x")).starts_with("Send an id such as "));
        assert_eq!(sentence(&"".parse::<u8>().unwrap_err().to_string()), NUMBER);
        assert_eq!(sentence(&"300".parse::<u8>().unwrap_err().to_string()), TOO_LARGE);
        assert_eq!(sentence("a rule of our own"), "A rule of our own.");
        assert_eq!(missing("missing field `content` at line 1 column 2"), Some("content"));
    }
}
