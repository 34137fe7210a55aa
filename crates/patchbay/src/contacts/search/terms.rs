//! What somebody typed into the search box, as patterns over `contacts.search_text`.
//!
//! All terms must match. A term of three letters or more is found anywhere in a word, which trigrams answer; one
//! or two letters are found where a word begins, which the trigrams of blanks and letters answer. Digits are
//! found in phone numbers however either side writes them.

/// More words than that narrow nothing any more.
const MOST_TERMS: usize = 8;
/// Longer words than that nobody types.
const LONGEST: usize = 64;

/// One thing to look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Term {
    /// Letters, not folded yet.
    Word(String),
    /// Digits of a phone number, without what is written in front of it nationally.
    Digits(String),
}

/// Takes a query apart.
pub(super) fn terms(typed: &str) -> Vec<Term> {
    let mut terms = Vec::new();
    let mut number = String::new();
    for word in typed.split_whitespace() {
        if is_number(word) {
            number.push_str(word);
            number.push(' ');
            continue;
        }
        close(&mut number, &mut terms);
        let word: String = word.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
        if word.chars().any(char::is_alphanumeric) {
            terms.push(Term::Word(word));
        }
    }
    close(&mut number, &mut terms);
    terms.truncate(MOST_TERMS);
    terms
}

fn is_number(word: &str) -> bool {
    word.chars().any(|c| c.is_ascii_digit())
        && word.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '-' | '(' | ')' | '.' | '/'))
}

/// A run of digit groups long enough to be one number is one; shorter groups stand for themselves.
fn close(number: &mut String, terms: &mut Vec<Term>) {
    let written = std::mem::take(number).replace("(0)", "");
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).take(LONGEST).collect::<String>();
    let whole = digits(&written);
    if whole.len() >= 6 {
        let stripped = whole.trim_start_matches('0');
        if !stripped.is_empty() {
            terms.push(Term::Digits(stripped.to_owned()));
        }
        return;
    }
    for group in written.split_whitespace() {
        let group = digits(group);
        // One zero in front is how a number begins within its country; several are the middle of one.
        let kept = group
            .strip_prefix('0')
            .filter(|rest| !rest.is_empty() && !rest.starts_with('0'))
            .unwrap_or(&group);
        if !kept.is_empty() {
            terms.push(Term::Digits(kept.to_owned()));
        }
    }
}

/// The pattern for `like`, of a term whose letters have been folded.
pub(super) fn pattern(term: &Term, folded: &str) -> String {
    match term {
        Term::Digits(digits) => format!("%{digits}%"),
        Term::Word(_) => {
            let mut escaped = String::with_capacity(folded.len());
            for c in folded.chars() {
                if matches!(c, '%' | '_' | '\\') {
                    escaped.push('\\');
                }
                escaped.push(c);
            }
            if folded.chars().filter(|c| c.is_alphanumeric()).count() < 3 {
                format!("% {escaped}%")
            } else {
                format!("%{escaped}%")
            }
        }
    }
}

/// The part of a pattern that is worth asking the index for, if that is less than the whole: of what is written in one
/// with digits, the digits. Trigrams of words that everybody has in common (the domain of an e-mail address, the first half of a
/// policy's number) would each be looked up for every candidate, and exclude none.
pub(super) fn telling_part(pattern: &str) -> Option<String> {
    if pattern.contains('\\') {
        return None;
    }
    let pieces = pattern.split(|c: char| !c.is_alphanumeric()).filter(|piece| !piece.is_empty());
    let part = pieces
        .clone()
        .filter(|piece| piece.chars().count() >= 4 && piece.chars().any(|c| c.is_ascii_digit()))
        .max_by_key(|piece| piece.chars().count())?;
    (pieces.count() > 1).then(|| format!("%{part}%"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn word(text: &str) -> Term {
        Term::Word(text.to_owned())
    }

    fn digits(text: &str) -> Term {
        Term::Digits(text.to_owned())
    }

    #[test]
    fn queries_come_apart() {
        for (typed, found) in [
            ("dana whit", vec![word("dana"), word("whit")]),
            ("0412 345 678", vec![digits("412345678")]),
            ("+61 (0)412-345-678", vec![digits("61412345678")]),
            ("dana 0412", vec![word("dana"), digits("412")]),
            ("010-4477", vec![digits("104477")]),
            ("(02) 93", vec![digits("2"), digits("93")]),
            ("000", vec![digits("000")]),
            ("0006", vec![digits("0006")]),
            ("0061 491", vec![digits("61491")]),
            ("Gregor & Sons", vec![word("Gregor"), word("Sons")]),
            ("dana@example.com", vec![word("dana@example.com")]),
            ("12b", vec![word("12b")]),
            ("  \0 ", vec![]),
            ("+ - ()", vec![]),
        ] {
            assert_eq!(terms(typed), found, "{typed}");
        }
    }

    #[test]
    fn patterns_mean_what_was_typed() {
        assert_eq!(pattern(&word("Wh"), "wh"), "% wh%");
        assert_eq!(pattern(&word("whi"), "whi"), "%whi%");
        assert_eq!(pattern(&word("100%_\\"), "100%_\\"), "%100\\%\\_\\\\%");
    }

    #[test]
    fn of_a_long_pattern_the_digits_tell() {
        for (pattern, part) in [
            ("%person-104736@example.com%", Some("%104736%")),
            ("%policy-104736%", Some("%104736%")),
            ("%dana.whit@example.com%", None),
            ("%a-12@example.com%", None),
            ("%104736%", None),
            ("%100\\%-1047%", None),
        ] {
            assert_eq!(telling_part(pattern).as_deref(), part, "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn nothing_typed_is_too_much(typed in any::<String>()) {
            let terms = terms(&typed);
            prop_assert!(terms.len() <= MOST_TERMS);
            for term in terms {
                let (Term::Word(text) | Term::Digits(text)) = &term;
                prop_assert!(!text.is_empty() && text.chars().count() <= LONGEST && !text.contains('\0'));
            }
        }
    }
}
