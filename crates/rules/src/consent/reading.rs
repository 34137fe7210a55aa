//! A reply reduced to its words, and what can be found in them.
//!
//! Promises: case, width, accents, punctuation, emoji and invisible marks make no difference.

use super::tables::{
    CONTACTING, COURTESIES, DETERMINERS, FILLERS, MENTIONS, NEGATIONS, PHRASES, SIGNATURES, THANK_YOU,
    UNMISTAKABLE,
};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// The words of a reply in plain spelling.
pub(super) struct Reading {
    words: Vec<String>,
}

impl Reading {
    pub(super) fn new(text: &str) -> Self {
        let text = unsigned(text);
        let mut plain = String::with_capacity(text.len());
        // Compatibility decomposition makes full-width and styled letters plain and parts accents from
        // letters; what is neither letter nor digit then parts words.
        for character in text.nfkd().flat_map(char::to_lowercase).nfkd() {
            match character {
                _ if is_combining_mark(character) || is_invisible(character) => {}
                '\'' | '\u{2018}' | '\u{2019}' | '\u{2BC}' | '`' => {}
                _ if character.is_alphanumeric() => plain.push(character),
                _ => plain.push(' '),
            }
        }
        Self { words: plain.split_ascii_whitespace().map(str::to_owned).collect() }
    }

    /// The keyword that is the whole message, also spelt out (`s t o p`) or run together (`stopall`).
    pub(super) fn keyword(&self, keywords: &[&'static str]) -> Option<&'static str> {
        let letters = || self.words.iter().flat_map(|word| word.chars());
        keywords.iter().copied().find(|keyword| keyword.chars().filter(|&letter| letter != ' ').eq(letters()))
    }

    /// The keyword that the whole message comes to but for a slip of the thumb or an "it": `STOP1`, `Stop it`.
    pub(super) fn nearly_keyword(&self) -> Option<String> {
        let words = self.without_courtesies().words;
        let words = words.iter().map(|word| word.trim_matches(|sign: char| sign.is_ascii_digit()));
        let words = words.filter(|word| !word.is_empty() && !FILLERS.contains(word)).map(str::to_owned);
        let nearly = Self { words: words.collect() };
        nearly.keyword(UNMISTAKABLE).is_some().then(|| self.words.join(" "))
    }

    /// The same without the words that politeness or emphasis puts around a keyword.
    pub(super) fn without_courtesies(&self) -> Self {
        let mut words = Vec::new();
        let mut position = 0;
        while let Some(word) = self.words.get(position) {
            if self.has_at(position, &THANK_YOU) {
                position += THANK_YOU.len();
                continue;
            }
            if !COURTESIES.contains(&word.as_str()) {
                words.push(word.clone());
            }
            position += 1;
        }
        Self { words }
    }

    /// The first words that ask to be left alone, unless they are themselves negated.
    pub(super) fn phrase(&self) -> Option<String> {
        (0..self.words.len()).find_map(|position| {
            let length = self.refusal_at(position).or_else(|| {
                let found = PHRASES.iter().find(|phrase| self.has_at(position, phrase))?;
                Some(found.len())
            })?;
            let words = self.words.get(position..position + length)?;
            (!self.negated_before(position)).then(|| words.join(" "))
        })
    }

    /// The number of words of "stop texting", "do not send me", "quit all these messages" at a position.
    fn refusal_at(&self, position: usize) -> Option<usize> {
        let refusals = NEGATIONS[..2].iter().copied().chain([["stop"].as_slice(), ["quit"].as_slice()]);
        let verb = refusals.into_iter().find(|refusal| self.has_at(position, refusal))?.len();
        let rest = self.words.get(position + verb..)?;
        let between = rest.iter().take_while(|word| DETERMINERS.contains(&word.as_str())).count();
        let object = rest.get(between)?;
        CONTACTING.iter().any(|stem| object.starts_with(stem)).then_some(verb + between + 1)
    }

    fn negated_before(&self, position: usize) -> bool {
        NEGATIONS.iter().any(|negation| {
            position.checked_sub(negation.len()).is_some_and(|start| self.has_at(start, negation))
        })
    }

    /// A keyword that is one of the words.
    pub(super) fn mentioned_keyword(&self) -> Option<&'static str> {
        MENTIONS.iter().copied().find(|keyword| self.words.iter().any(|word| word == keyword))
    }

    fn has_at(&self, position: usize, phrase: &[&str]) -> bool {
        self.words.get(position..position + phrase.len()).is_some_and(|words| words == phrase)
    }
}

/// The text without the line that a telephone puts under every message.
fn unsigned(text: &str) -> &str {
    let body = text.trim_end();
    match body.rsplit_once('\n') {
        Some((above, last)) if !above.trim().is_empty() => {
            let last = last.trim().to_lowercase();
            if SIGNATURES.iter().any(|signature| last.starts_with(signature)) {
                unsigned(above)
            } else {
                body
            }
        }
        _ => body,
    }
}

/// Marks without a look of their own: joiners, directions, variation selectors, tags.
const fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{E0000}'..='\u{E01EF}'
    )
}
