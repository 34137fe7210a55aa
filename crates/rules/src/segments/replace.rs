//! Replacing what word processors and phones make of plain punctuation.
//!
//! Promises: links stay as they are, and a text is changed only if that makes it fit the GSM alphabet,
//! where a segment holds more than twice as much. Anything else is left to its author.

use super::{Encoding, encode, is_gsm7};
use std::borrow::Cow;
use std::ops::Range;

/// Swaps look-alikes for characters of the GSM alphabet if the whole text then fits it.
pub fn smart_replace(text: &str) -> Cow<'_, str> {
    if encode(text) == Encoding::Gsm7 {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    for word in text.split_inclusive(char::is_whitespace) {
        let link = link_range(word);
        for (position, character) in word.char_indices() {
            match look_alike(character).filter(|_| !link.contains(&position)) {
                Some(replacement) => plain.push_str(replacement),
                None => plain.push(character),
            }
        }
    }
    if plain.chars().all(is_gsm7) { Cow::Owned(plain) } else { Cow::Borrowed(text) }
}

/// The bytes of a word that are a link: from its scheme or `www.` to the end, or the whole of
/// `domain.tld/path`, without the quotes and dots of the sentence around it.
fn link_range(word: &str) -> Range<usize> {
    let around = |mark: char| mark.is_whitespace() || "“”‘’«»…".contains(mark);
    let end = word.trim_end_matches(around).len();
    let start = ["http://", "https://", "www."].iter().filter_map(|scheme| word.find(scheme)).min();
    let bare_domain = || {
        let start = word.len() - word.trim_start_matches(around).len();
        let domain = word.get(start..word.find('/')?)?;
        let (name, tld) = domain.rsplit_once('.')?;
        let is_domain =
            !name.is_empty() && tld.len() >= 2 && tld.bytes().all(|byte| byte.is_ascii_alphabetic());
        is_domain.then_some(start)
    };
    start.or_else(bare_domain).map_or(0..0, |start| start..end)
}

/// The plain form of a character that is outside the GSM alphabet only by its shape.
fn look_alike(character: char) -> Option<&'static str> {
    /// The printable characters of ASCII after the space: the order of their full-width forms.
    const ASCII: &str =
        "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_'abcdefghijklmnopqrstuvwxyz{|}~";
    Some(match character {
        '“' | '”' | '„' | '‟' | '«' | '»' | '″' => "\"",
        '‘' | '’' | '‚' | '‛' | '′' | '´' | 'ˋ' | '`' => "'",
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' => "-",
        '…' => "...",
        '•' => "*",
        '·' => "-",
        '\t' | '\u{A0}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{205F}' | '\u{3000}' => " ",
        '⁄' | '∕' => "/",
        '½' => "1/2",
        '¼' => "1/4",
        '¾' => "3/4",
        '™' => "(TM)",
        '\u{200B}'..='\u{200D}' | '\u{2060}' | '\u{FEFF}' => "",
        '\u{FF01}'..='\u{FF5E}' => {
            let index = character as usize - 0xFF01;
            return ASCII.get(index..=index);
        }
        _ => return None,
    })
}
