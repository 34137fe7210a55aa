//! What may be saved as a template. Every mistake is told at its field, with line and column.

use patchbay_rules::{message::Channel, template};
use serde_json::Value;

use super::{NewTemplate, placeholders};
use crate::{
    contacts::clean,
    error::{Error, FieldErrors, Result},
};

/// Long enough for an e-mail; a text message is held to less when it is rendered.
const LONGEST: usize = 5_000;

/// Refuses what is too long, before anything reads it.
pub(super) fn lengths(content: &str, subject: Option<&str>) -> Result<()> {
    let mut errors = FieldErrors::new();
    if let Some(words) = too_long(content) {
        errors.insert("content".into(), words);
    }
    if let Some(words) = subject.and_then(subject_error) {
        errors.insert("subject".into(), words);
    }
    if errors.is_empty() { Ok(()) } else { Err(Error::Invalid(errors)) }
}

fn too_long(content: &str) -> Option<String> {
    (content.chars().count() > LONGEST).then(|| format!("The text may have {LONGEST} characters at most."))
}

fn subject_error(subject: &str) -> Option<String> {
    (subject.chars().count() > 200 || subject.contains(['\n', '\r']))
        .then(|| "A subject is one line of at most 200 characters.".to_owned())
}

/// `input` trimmed, or what is wrong with it. `known` are the names of the tenant's own fields.
pub(super) fn checked(mut input: NewTemplate, known: &[String]) -> Result<NewTemplate> {
    let mut errors = FieldErrors::new();
    input.name = clean::line(&input.name).unwrap_or_default();
    input.key = input.key.trim().to_owned();
    input.content_sid = input.content_sid.map(|sid| sid.trim().to_owned()).filter(|sid| !sid.is_empty());
    input.subject =
        input.subject.map(|subject| subject.trim().to_owned()).filter(|subject| !subject.is_empty());
    if input.channel != Channel::Email {
        input.subject = None;
    }
    // What is approved is approved by WhatsApp, for WhatsApp.
    if input.channel != Channel::Whatsapp {
        (input.content_sid, input.content_variables) = (None, None);
    }
    input.content_variables = input.content_variables.and_then(without_blanks);
    if input.name.is_empty() || input.name.chars().count() > 120 {
        errors.insert("name".into(), "Give the template a name of at most 120 characters.".into());
    }
    let starts_well = input.key.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    if !starts_well
        || input.key.len() > 60
        || !input.key.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
    {
        let wanted =
            "A key starts with a letter and has small letters, digits and _ only, such as quote_sms.";
        errors.insert("key".into(), wanted.into());
    }
    let known = names(known);
    let mistake = if input.content.trim().is_empty() {
        Some("Write the text of the message.".to_owned())
    } else {
        too_long(&input.content).or_else(|| content_error(&input.content, &known))
    };
    errors.extend(mistake.map(|mistake| ("content".into(), mistake)));
    if let Some(subject) = &input.subject {
        let mistake = subject_error(subject).or_else(|| content_error(subject, &known));
        errors.extend(mistake.map(|mistake| ("subject".into(), mistake)));
    }
    if input.channel == Channel::Email && input.subject.is_none() {
        errors.insert("subject".into(), "An e-mail needs a subject.".into());
    }
    check_approved(&input, &known, &mut errors);
    if errors.is_empty() { Ok(input) } else { Err(Error::Invalid(errors)) }
}

/// Names that may stand alone: the tenant's own, and ours beside those the language knows.
pub(super) fn names(known: &[String]) -> Vec<&str> {
    known.iter().map(String::as_str).chain(super::context::OWN.iter().copied()).collect()
}

/// All mistakes of a template text in one string; `None` when it is fine.
fn content_error(content: &str, known: &[&str]) -> Option<String> {
    let problems = template::check(content, known);
    if problems.is_empty() {
        return None;
    }
    let told: Vec<String> = problems
        .iter()
        .take(5)
        .map(|problem| {
            format!("Line {}, column {}: {}", problem.line, problem.column, sentence(&problem.message))
        })
        .collect();
    Some(told.join(" "))
}

/// With the full stop that a sentence on a screen has.
pub(super) fn sentence(message: &str) -> String {
    if message.ends_with(['.', '?', '!']) { message.to_owned() } else { format!("{message}.") }
}

/// What is wrong with the approved template: its id, what its placeholders stand for (`{"1": "{{ first_name }}"}`), and
/// placeholders that stand for nothing.
fn check_approved(input: &NewTemplate, known: &[&str], errors: &mut FieldErrors) {
    if input.content_sid.as_deref().is_some_and(|sid| !placeholders::is_content_sid(sid)) {
        let wanted = "The id is HX and 32 digits and letters from a to f. Copy it from where the template was approved.";
        errors.insert("content_sid".into(), wanted.into());
    }
    let nothing = serde_json::Map::new();
    let variables = match &input.content_variables {
        None => &nothing,
        Some(Value::Object(map)) if map.len() <= 100 => map,
        Some(Value::Object(_)) => {
            errors.insert(
                "content_variables".into(),
                "An approved template has 100 placeholders at most.".into(),
            );
            return;
        }
        Some(_) => {
            let wanted = "Write an object of placeholders and texts, such as {\"1\": \"{{ first_name }}\"}.";
            errors.insert("content_variables".into(), wanted.into());
            return;
        }
    };
    for (placeholder, value) in variables {
        let mistake = match value.as_str() {
            None => Some("Write a text.".to_owned()),
            Some(text) if text.contains('\0') => {
                Some("This holds a character that cannot be sent (NUL).".to_owned())
            }
            Some(text) => content_error(text, known),
        };
        if let Some(mistake) = mistake {
            errors.insert(format!("content_variables.{placeholder}").into(), mistake);
        }
    }
    for number in placeholders::numbered(&input.content) {
        if input.channel != Channel::Whatsapp {
            let wanted = format!(
                "{{{{{number}}}}} means something in WhatsApp templates only. Put in a field, such as {{{{first_name}}}}."
            );
            errors.insert("content".into(), wanted);
        } else if !variables.contains_key(&number) {
            let wanted = format!("Say what stands for {{{{{number}}}}}: a field, or any text.");
            errors.insert(format!("content_variables.{number}").into(), wanted);
        }
    }
}

/// Without what stands for nothing.
fn without_blanks(variables: Value) -> Option<Value> {
    let Value::Object(mut map) = variables else { return (!variables.is_null()).then_some(variables) };
    map.retain(|_, value| value.as_str().is_none_or(|text| !text.trim().is_empty()));
    (!map.is_empty()).then_some(Value::Object(map))
}

/// A key made of a name: "New quote!" becomes `new_quote`.
pub(super) fn key_of(name: &str) -> String {
    let mut key = String::new();
    for character in name.chars().flat_map(char::to_lowercase) {
        if character.is_ascii_alphanumeric() {
            key.push(character);
        } else if !key.is_empty() && !key.ends_with('_') {
            key.push('_');
        }
    }
    let key: String = key.trim_matches('_').chars().take(50).collect();
    if key.starts_with(|first: char| first.is_ascii_lowercase()) {
        key.trim_end_matches('_').to_owned()
    } else {
        format!("template_{key}")
    }
}
