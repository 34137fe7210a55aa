//! Tokens as people read them: "First name, or there" rather than braces and filters.

/// What a token is called: `quote.expires_on` is "Quote expires on".
pub(super) fn name(token: &str) -> String {
    let text = match token {
        "total" | "quote.total" => "Quote total, without sign".to_owned(),
        "total_formatted" => "Quote total".to_owned(),
        "short_url" => "Link to the quote".to_owned(),
        "quote.expires_on" => "Quote good until".to_owned(),
        "business_name" => "Your business".to_owned(),
        "owner_name" => "Whose contact it is".to_owned(),
        "full_name" => "Whole name".to_owned(),
        "email" => "E-mail".to_owned(),
        other => other.replace(['_', '.'], " "),
    };
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// What a press of a token puts into the text: a name that is often missing comes with what stands there instead.
pub(super) fn insert(token: &str) -> String {
    if token == "first_name" {
        "{{ first_name | default(\"there\") }}".to_owned()
    } else {
        format!("{{{{{token}}}}}")
    }
}

/// The label of a token's button.
pub(super) fn label(token: &str) -> String {
    if token == "first_name" { "First name, or there".to_owned() } else { name(token) }
}

/// A template's text with its tokens as words in brackets, for lists. What is not understood stays as it is written.
pub(super) fn readable(content: &str) -> String {
    let mut text = String::with_capacity(content.len());
    let mut rest = content;
    while let Some((before, after)) = rest.split_once("{{") {
        text.push_str(before);
        match after.split_once("}}") {
            Some((token, after)) => {
                text.push_str(&said(token));
                rest = after;
            }
            None => {
                text.push_str("{{");
                rest = after;
            }
        }
    }
    text + rest
}

fn said(token: &str) -> String {
    let (field, filter) = token.split_once('|').unwrap_or((token, ""));
    let other = filter
        .trim()
        .strip_prefix("default(")
        .and_then(|rest| rest.strip_suffix(')'))
        .map(|value| value.trim_matches(['"', '\'']));
    match other {
        Some(other) if !other.is_empty() => format!("[{}, or {other}]", name(field.trim())),
        _ => format!("[{}]", name(field.trim())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_read_as_words() {
        for (written, read) in [
            ("Hi {{ first_name | default(\"there\") }}, ok?", "Hi [First name, or there], ok?"),
            ("{{quote.number}}: {{total_formatted}}", "[Quote number]: [Quote total]"),
            ("${{total}} {{ open", "$[Quote total, without sign] {{ open"),
            ("plain", "plain"),
        ] {
            assert_eq!(readable(written), read);
        }
        assert_eq!(readable(&insert("first_name")), "[First name, or there]");
    }
}
