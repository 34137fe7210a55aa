//! What the people behind the numbers answer: plausible, seeded, and never an opt-out.
//!
//! An answer depends on the text only, and each person answers a few times and then falls silent, so that an
//! automatic reply on our side and this one cannot talk to each other for ever.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use crate::faults::mix;

/// Answers one person gives before falling silent.
const MAXIMUM_PER_PERSON: u64 = 5;

/// People remembered; at the limit all are forgotten together, which costs at most a few more answers.
const MAXIMUM_PEOPLE: usize = 20_000;

pub(super) struct Replies {
    seed: u64,
    given: Mutex<HashMap<String, u64>>,
}

impl Replies {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, given: Mutex::default() }
    }

    /// What `person` says to `text`; `None` when they do not answer.
    pub(super) fn answer(&self, person: &str, text: &str) -> Option<&'static str> {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        if given.len() >= MAXIMUM_PEOPLE && !given.contains_key(person) {
            given.clear();
        }
        let count = given.entry(person.to_owned()).or_default();
        if *count >= MAXIMUM_PER_PERSON {
            return None;
        }
        let random = person.bytes().fold(mix(self.seed ^ *count), |state, byte| mix(state ^ u64::from(byte)));
        let answer = choose(text, random)?;
        *count += 1;
        Some(answer)
    }
}

const CONFIRMATIONS: &[&str] = &["Yes", "YES", "Yes please"];
const QUOTE: &[&str] = &[
    "Looks good, thanks!",
    "Thanks, that works for me. When can you start?",
    "Great, happy to go ahead.",
    "Thanks for the quote. Does that include GST?",
];
const TIME: &[&str] =
    &["Tomorrow morning works", "Thursday after 3 would be best", "Any time on Friday is fine"];
const QUESTION: &[&str] =
    &["Yes, that's right", "Sure, sounds good", "Not yet, I'll let you know", "Yes please"];
const THANKS: &[&str] = &["Thanks!", "Great, thank you", "Got it, cheers"];
const INVOICE: &[&str] = &["Paid just now, thanks", "Thanks, will pay tonight"];

fn choose(text: &str, random: u64) -> Option<&'static str> {
    let text = text.to_lowercase();
    let mentions = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let answers = if mentions(&["reply yes", "text yes"]) {
        CONFIRMATIONS
    } else if mentions(&["quote", "estimate"]) {
        QUOTE
    } else if mentions(&["invoice", "payment"]) {
        INVOICE
    } else if text.contains('?') {
        if mentions(&["when", "what time", "which day"]) { TIME } else { QUESTION }
    } else if random.is_multiple_of(3) {
        THANKS
    } else {
        return None;
    };
    Some(answers[(mix(random) % answers.len() as u64) as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_suit_the_text() {
        let cases = [
            ("Hi Sam, your quote is ready: https://example.com/q/1", QUOTE),
            ("When would suit you?", TIME),
            ("Is the tap still leaking?", QUESTION),
            ("Reply YES to get texts from Ace Plumbing. Reply STOP to opt out.", CONFIRMATIONS),
            ("Your invoice for $120 is attached", INVOICE),
        ];
        for (text, answers) in cases {
            let answer = Replies::new(1).answer("+61412345678", text);
            assert!(answer.is_some_and(|answer| answers.contains(&answer)), "{text}");
        }
    }

    #[test]
    fn a_person_falls_silent_and_another_does_not() {
        let replies = Replies::new(1);
        let answered = (0..20).filter(|_| replies.answer("+61412345678", "ready?").is_some()).count();
        assert_eq!(answered as u64, MAXIMUM_PER_PERSON);
        assert!(replies.answer("+61412345679", "ready?").is_some());
    }

    #[test]
    fn nobody_opts_out_by_themselves() {
        let opt_outs = ["stop", "unsubscribe", "end", "quit", "stopall", "revoke", "optout", "cancel"];
        for answer in [CONFIRMATIONS, QUOTE, TIME, QUESTION, THANKS, INVOICE].concat() {
            assert!(!opt_outs.contains(&answer.to_lowercase().as_str()));
        }
    }
}
