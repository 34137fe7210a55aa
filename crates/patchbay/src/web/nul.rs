//! NUL never comes in: PostgreSQL cannot store U+0000, in text or in JSON, and one in a batch would be refused with
//! everything beside it. It means nothing to anybody, so it is left out rather than refused.
//!
//! Whatever reads a request goes through here before it decodes ([`super::extract`], webhooks after their signature
//! was checked), so that nothing behind it has to think of it.

use std::borrow::Cow;

/// A JSON text without the escapes that stand for NUL. A bare one is no JSON and is left for the parser to refuse.
pub fn json(bytes: &[u8]) -> Cow<'_, [u8]> {
    const ESCAPE: &[u8] = b"\\u0000";
    if !bytes.windows(ESCAPE.len()).any(|window| window == ESCAPE) {
        return Cow::Borrowed(bytes);
    }
    let mut clean = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    // From escape to escape: `\\u0000` is a backslash and five letters.
    while let Some(start) = rest.iter().position(|byte| *byte == b'\\') {
        let (before, escape) = rest.split_at(start);
        clean.extend_from_slice(before);
        let dropped = if escape.starts_with(ESCAPE) { ESCAPE.len() } else { 0 };
        let kept = if dropped == 0 { escape.len().min(2) } else { 0 };
        clean.extend_from_slice(&escape[..kept]);
        rest = &escape[dropped + kept..];
    }
    clean.extend_from_slice(rest);
    Cow::Owned(clean)
}

/// A URL-encoded form or query without NUL, bare or encoded.
pub fn form(bytes: &[u8]) -> Cow<'_, [u8]> {
    const ENCODED: &[u8] = b"%00";
    if !bytes.contains(&0) && !bytes.windows(ENCODED.len()).any(|window| window == ENCODED) {
        return Cow::Borrowed(bytes);
    }
    let mut clean = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        rest = match first {
            0 => after,
            b'%' if rest.starts_with(ENCODED) => &rest[ENCODED.len()..],
            _ => {
                clean.push(*first);
                after
            }
        };
    }
    Cow::Owned(clean)
}

/// Decoded pairs.
pub fn pairs(pairs: &mut [(String, String)]) {
    for text in pairs.iter_mut().flat_map(|(name, value)| [name, value]) {
        if text.contains('\0') {
            text.retain(|character| character != '\0');
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn only_nul_goes() {
        for (sent, kept) in [
            (r#"{"a\u0000": "x\u0000\u0000y"}"#, json!({"a": "xy"})),
            (r#"["\\u0000", "\\\u0000", "\u00000"]"#, json!(["\\u0000", "\\", "0"])),
            (r#"["\u0001\n\"\u0000\""]"#, json!(["\u{1}\n\"\""])),
        ] {
            assert_eq!(serde_json::from_slice::<Value>(&json(sent.as_bytes())).unwrap(), kept, "{sent}");
        }
        for (sent, kept) in
            [("a%00=b%00c", "a=bc"), ("a=%2500", "a=%2500"), ("a=\0%0%00", "a=%0"), ("a=%%00", "a=%")]
        {
            assert_eq!(&*form(sent.as_bytes()), kept.as_bytes(), "{sent:?}");
        }
        assert!(matches!(json(b"{}"), Cow::Borrowed(_)));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_without_it(text in "[\\x00a\\\\\"u0é]{0,12}") {
            let written = serde_json::to_vec(&text).unwrap();
            let read: String = serde_json::from_slice(&json(&written)).unwrap();
            prop_assert_eq!(read, text.replace('\0', ""));
            let encoded: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
            let decoded: Vec<(String, String)> =
                form_urlencoded::parse(&[b"a=", &*form(encoded.as_bytes())].concat()).into_owned().collect();
            prop_assert_eq!(&decoded[0].1, &text.replace('\0', ""));
        }
    }
}
