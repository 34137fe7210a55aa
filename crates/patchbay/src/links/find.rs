//! Web addresses in the words of a message.

use std::ops::Range;

/// Where an address stands in a text.
pub(super) type Place = Range<usize>;

/// Longer ones stay as they are.
const LONGEST: usize = 2000;

/// The `http` and `https` addresses in `text` that are wanted, without the punctuation that ends a sentence.
pub(super) fn urls(text: &str, wanted: impl Fn(&str) -> bool) -> Vec<Place> {
    let mut places = Vec::new();
    let mut from = 0;
    while let Some(start) = next_scheme(text, from) {
        let rest = &text[start..];
        let length = rest
            .find(|c: char| {
                c.is_whitespace()
                    || c.is_control()
                    || matches!(c, '<' | '>' | '"' | '\\' | '^' | '`' | '{' | '|' | '}')
            })
            .unwrap_or(rest.len());
        let url = trimmed(&rest[..length]);
        from = start + length.max(1);
        let has_host = url.split_once("://").is_some_and(|(_, host)| host.starts_with(char::is_alphanumeric));
        if has_host && url.is_ascii() && url.len() <= LONGEST && wanted(url) {
            places.push(start..start + url.len());
        }
    }
    places
}

/// The text with what stands at `places` exchanged.
pub(super) fn replace(text: &str, places: &[Place], by: impl Fn(&str) -> Option<String>) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut from = 0;
    for place in places {
        let url = &text[place.clone()];
        replaced.push_str(&text[from..place.start]);
        replaced.push_str(&by(url).unwrap_or_else(|| url.to_owned()));
        from = place.end;
    }
    replaced.push_str(&text[from..]);
    replaced
}

/// The stored address must begin in lower case, which is how nearly everybody writes it.
fn next_scheme(text: &str, from: usize) -> Option<usize> {
    let next = |scheme| text[from..].find(scheme).map(|at| at + from);
    [next("http://"), next("https://")].into_iter().flatten().min()
}

/// A bracket belongs to the address only if it was opened there.
fn trimmed(mut url: &str) -> &str {
    while let Some(last) = url.chars().next_back() {
        let count = |wanted: char| url.chars().filter(|c| *c == wanted).count();
        let loose = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | '~' => true,
            ')' => count(')') > count('('),
            ']' => count(']') > count('['),
            _ => !last.is_ascii(),
        };
        if !loose {
            break;
        }
        url = &url[..url.len() - last.len_utf8()];
    }
    url
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_are_found_without_their_sentence() {
        for (text, found) in [
            ("See https://acme.com.au/spring?x=1&y=2#top.", &["https://acme.com.au/spring?x=1&y=2#top"][..]),
            ("(http://a.example/b) and http://c.example!", &["http://a.example/b", "http://c.example"]),
            ("https://en.wikipedia.org/wiki/Perth_(WA)", &["https://en.wikipedia.org/wiki/Perth_(WA)"]),
            ("https://a.example,https://b.example", &["https://a.example,https://b.example"]),
            ("first\nhttps://a.example/\nlast", &["https://a.example/"]),
            ("tap “https://a.example/x”", &["https://a.example/x"]),
            ("https:// http://. ftp://a.example www.example.com", &[]),
            ("", &[]),
        ] {
            let urls: Vec<&str> = urls(text, |_| true).into_iter().map(|place| &text[place]).collect();
            assert_eq!(urls, found, "{text}");
        }
    }

    proptest! {
        #[test]
        fn replacing_by_the_same_changes_nothing(text in "(https?://|[ -~é€\n]){0,60}") {
            let places = urls(&text, |_| true);
            prop_assert_eq!(replace(&text, &places, |_| None), text.clone());
            prop_assert!(places.is_sorted_by(|a, b| a.end <= b.start));
        }
    }
}
