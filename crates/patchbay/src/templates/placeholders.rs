//! Numbered placeholders: how a text that WhatsApp has approved names what differs from person to person.
//!
//! A template may be written as it was approved, with `{{1}}` and `{{2}}`, each of which stands for a text of ours that is
//! kept beside it. Promises: what the ledger then shows is what the recipient reads. Values are one line, because WhatsApp
//! refuses others: no line breaks, tabs or runs of blanks (Meta, WhatsApp Cloud API: message templates, parameters).

use std::{fmt::Write as _, ops::Range};

use serde_json::Value;

/// Whether this is the id of approved content: `HX` and 32 hexadecimal digits (Twilio Docs: Content API).
pub(super) fn is_content_sid(sid: &str) -> bool {
    sid.strip_prefix("HX").is_some_and(|rest| rest.len() == 32 && rest.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// The numbers in `content`, each once, ascending.
pub(super) fn numbered(content: &str) -> Vec<String> {
    let mut numbers: Vec<&str> = places(content).into_iter().map(|(_, number)| number).collect();
    sort(&mut numbers);
    numbers.dedup();
    numbers.into_iter().map(str::to_owned).collect()
}

/// Numbers by their value, then names.
pub(super) fn sort<T: AsRef<str>>(placeholders: &mut [T]) {
    placeholders.sort_by_key(|one| {
        let text = one.as_ref();
        (text.parse::<u32>().unwrap_or(u32::MAX), text.to_owned())
    });
}

/// `content` with what its placeholders stand for in their place; one of which nothing is known stays.
pub(super) fn fill(content: &str, variables: Option<&Value>) -> String {
    let mut text = String::with_capacity(content.len());
    let mut done = 0;
    for (place, number) in places(content) {
        if let Some(source) = variables.and_then(|all| all.get(number)).and_then(Value::as_str) {
            let _ = write!(text, "{}{source}", &content[done..place.start]);
            done = place.end;
        }
    }
    text.push_str(&content[done..]);
    text
}

/// A value as it may be sent.
pub(super) fn one_line(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn places(content: &str) -> Vec<(Range<usize>, &str)> {
    let place = |(at, _)| {
        let inside: &str = &content[at + 2..];
        let end = inside.find("}}")?;
        let name = inside[..end].trim();
        let is_number = (1..=3).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then_some((at..at + end + 4, name))
    };
    content.match_indices("{{").filter_map(place).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_found_and_filled() {
        let variables = json!({ "1": "{{ first_name }}", "2": "Dear {{1}}", "name": "x" });
        for (content, numbers, filled) in [
            ("Hi {{1}}, {{ 2 }}!", vec!["1", "2"], "Hi {{ first_name }}, Dear {{1}}!"),
            ("{{10}} {{2}} {{10}}", vec!["2", "10"], "{{10}} Dear {{1}} {{10}}"),
            ("{{ first_name }} {{1.5}} {{}} {{12345}}", vec![], "{{ first_name }} {{1.5}} {{}} {{12345}}"),
            ("ü {{1", vec![], "ü {{1"),
            ("{{1}}{{1}}ü", vec!["1"], "{{ first_name }}{{ first_name }}ü"),
        ] {
            assert_eq!(numbered(content), numbers, "{content}");
            assert_eq!(fill(content, Some(&variables)), filled, "{content}");
            assert_eq!(fill(content, None), content);
        }
    }

    #[test]
    fn ids_of_content_are_recognised() {
        assert!(is_content_sid("HX0f3d1c2b4a5968778695a4b3c2d1e0f9"));
        for other in
            ["", "HX", "HX123", "MG0f3d1c2b4a5968778695a4b3c2d1e0f9", "HX0f3d1c2b4a5968778695a4b3c2d1e0fg"]
        {
            assert!(!is_content_sid(other), "{other}");
        }
    }
}
