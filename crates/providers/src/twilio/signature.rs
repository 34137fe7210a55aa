//! `X-Twilio-Signature`: proof that a webhook comes from Twilio (Twilio Docs: Webhooks security).
//!
//! The signature is the Base64 of an HMAC-SHA1, keyed with the account's primary auth token, over the URL as
//! Twilio requested it and the decoded form parameters sorted by name. Twilio itself is inconsistent about the
//! port and about how the query is written, so each spelling that its own libraries accept is tried here too;
//! the URL as given comes first, because it is nearly always the right one.
//!
//! The caller gives the *public* URL, from configuration and the raw request target, never from a `Host` header.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Url;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// What was posted.
#[derive(Debug, Clone, Copy)]
pub enum Body<'a> {
    /// The decoded pairs of a form body, all of them, nothing trimmed. Empty for a GET.
    Form(&'a [(String, String)]),
    /// Any other body, byte for byte; the URL must carry its `bodySHA256`.
    Raw(&'a [u8]),
}

const SIGNATURE_BYTES: usize = 20;

/// Base64 of [`SIGNATURE_BYTES`].
const HEADER_CHARACTERS: usize = 28;

/// Whether `header` was made with one of `tokens` for this URL and body.
///
/// Several tokens serve a rotation: the old and the new one are both good for a while. Comparisons take the same
/// time whatever differs.
pub fn validate(tokens: &[&str], header: &str, url: &str, body: Body<'_>) -> bool {
    let Some(expected) = decode(header) else { return false };
    let pairs = match body {
        Body::Form(pairs) => sorted(pairs),
        Body::Raw(bytes) if hash_matches(url, bytes) => Vec::new(),
        Body::Raw(_) => return false,
    };
    // An empty key is a configuration mistake that anybody could sign for.
    let keys: Vec<_> = tokens.iter().filter(|token| !token.is_empty()).map(|token| keyed(token)).collect();
    let url = url.split_once('#').map_or(url, |(before, _)| before);
    let matches = |spelling: &str| {
        keys.iter().any(|key| bool::from(digest(key.clone(), spelling, &pairs).as_slice().ct_eq(&expected)))
    };
    matches(url) || spellings(url).iter().any(|spelling| spelling != url && matches(spelling))
}

/// Signs as Twilio does: what the simulator and tests put into the header.
pub fn sign(token: &str, url: &str, params: &[(String, String)]) -> String {
    STANDARD.encode(digest(keyed(token), url, &sorted(params)))
}

fn keyed(token: &str) -> Hmac<Sha1> {
    Hmac::new_from_slice(token.as_bytes()).expect("an HMAC takes a key of any length")
}

fn digest(mut mac: Hmac<Sha1>, url: &str, pairs: &[(&str, &str)]) -> [u8; SIGNATURE_BYTES] {
    mac.update(url.as_bytes());
    for (name, value) in pairs {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    mac.finalize().into_bytes().into()
}

/// The pairs in signing order: by name, then by value, both by bytes; a pair that repeats counts once.
fn sorted(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
    let mut pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

fn decode(header: &str) -> Option<[u8; SIGNATURE_BYTES]> {
    if header.len() != HEADER_CHARACTERS {
        return None;
    }
    // The decoder estimates its room in whole groups of three bytes.
    let mut buffer = [0; 21];
    let length = STANDARD.decode_slice(header, &mut buffer).ok()?;
    buffer.get(..length)?.try_into().ok()
}

/// Whether the URL carries the right `bodySHA256` for a raw body. A missing one proves nothing about the body.
fn hash_matches(url: &str, bytes: &[u8]) -> bool {
    let Some((_, query)) = url.split_once('?') else { return false };
    let claimed = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "bodySHA256");
    let Some((_, claimed)) = claimed else { return false };
    let actual = Sha256::digest(bytes);
    let mut hex = [0; 64];
    for (pair, byte) in hex.chunks_exact_mut(2).zip(actual.iter()) {
        pair[0] = b"0123456789abcdef"[usize::from(byte >> 4)];
        pair[1] = b"0123456789abcdef"[usize::from(byte & 15)];
    }
    claimed.as_bytes().ct_eq(&hex).into()
}

/// Every way Twilio may have written the URL: as received, as a URL library writes it, and with the query encoded
/// anew; each without and with its port.
fn spellings(url: &str) -> Vec<String> {
    let parsed = Url::parse(url).ok().map(String::from);
    let mut texts: Vec<Cow<'_, str>> = vec![Cow::Borrowed(url)];
    texts.extend(parsed.as_deref().map(Cow::Borrowed));
    texts.extend(parsed.as_deref().and_then(reencode_query).map(Cow::Owned));
    let mut spellings: Vec<String> = Vec::with_capacity(2 * texts.len());
    for text in &texts {
        for spelling in ports(text).into_iter().flatten() {
            if !spellings.contains(&spelling) {
                spellings.push(spelling);
            }
        }
    }
    spellings
}

/// The URL without its port, and with one: its own, or the scheme's default.
fn ports(url: &str) -> [Option<String>; 2] {
    let Some((scheme, rest)) = url.split_once("://") else { return [None, None] };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let host_start = authority.rfind('@').map_or(0, |at| at + 1);
    let host = &authority[host_start..];
    // The colons inside an IPv6 literal's brackets do not start a port.
    let colon = host.rfind(':').filter(|at| host.rfind(']').is_none_or(|bracket| bracket < *at));
    let default = match scheme {
        "https" => Some("443"),
        "http" => Some("80"),
        _ => None,
    };
    let (bare, port) = match colon {
        Some(at) => (&authority[..host_start + at], Some(&host[at + 1..])),
        None => (authority, default),
    };
    [Some(format!("{scheme}://{bare}{tail}")), port.map(|port| format!("{scheme}://{bare}:{port}{tail}"))]
}

/// The URL with its query decoded into pairs and encoded again, the way Node's `querystring` does, which
/// Twilio's signing once used: pairs of one name together, a space as `%20`, and `'` left alone.
fn reencode_query(url: &str) -> Option<String> {
    let (before, query) = url.split_once('?')?;
    let mut pairs: Vec<(Cow<'_, str>, Vec<Cow<'_, str>>)> = Vec::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match pairs.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(value),
            None => pairs.push((name, vec![value])),
        }
    }
    let mut text = format!("{before}?");
    for (name, values) in &pairs {
        for value in values {
            if !text.ends_with('?') {
                text.push('&');
            }
            escape(&mut text, name);
            text.push('=');
            escape(&mut text, value);
        }
    }
    Some(text)
}

/// Percent-encodes all but letters, digits and `-_.!~*'()` (ECMAScript: `encodeURIComponent`).
fn escape(text: &mut String, part: &str) {
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push('%');
            text.push(char::from(b"0123456789ABCDEF"[usize::from(byte >> 4)]));
            text.push(char::from(b"0123456789ABCDEF"[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests;
