//! The texts that consent requires.
//!
//! Promises: each fits one segment of the GSM alphabet, whatever the business is called; names the
//! business; says how to stop or start again; and holds no marketing (CTIA messaging principles).

use crate::segments::{count, is_gsm7, septets, smart_replace};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Septets of one segment.
const SEGMENT: u32 = 160;

/// Confirms an opt-out. Sent once, and not where the network does it itself.
pub fn confirmation_text(business: &str) -> String {
    with_name(
        business,
        ": You are unsubscribed and will receive no further messages. Reply START to resubscribe.",
    )
}

/// Answers HELP. `contact` is a phone number, an e-mail address or a link.
pub fn help_text(business: &str, contact: &str) -> String {
    let how_to_stop = "Msg frequency varies. Msg & data rates may apply. Reply STOP to unsubscribe.";
    let contact = in_gsm(contact);
    let direct = format!(": For help contact {contact}. {how_to_stop}");
    // A contact is given in full or not at all.
    if contact.is_empty() || count(&direct).units > SEGMENT - NAME_AT_LEAST {
        with_name(business, &format!(": For help reply to this message. {how_to_stop}"))
    } else {
        with_name(business, &direct)
    }
}

/// Confirms an opt-in to recurring messages.
pub fn opt_in_text(business: &str) -> String {
    with_name(
        business,
        ": You are subscribed. Msg frequency varies. Msg & data rates may apply. Reply HELP for help, STOP to stop.",
    )
}

/// The line under a marketing text that says how to opt out. `None` if there is no way: a sender that
/// cannot be answered and no link, with which marketing must not be sent.
///
/// `country` is the recipient's; North American carriers look for the word *unsubscribe*, elsewhere the
/// shorter wording is usual. The Spam Act 2003, PECR and CASL want a way out in every marketing message.
pub fn opt_out_line(country: &str, sender_can_receive: bool, url: Option<&str>) -> Option<String> {
    let action = match country {
        "US" | "CA" | "PR" | "VI" | "GU" | "AS" | "MP" => "unsubscribe",
        _ => "opt out",
    };
    match url.map(str::trim).filter(|url| !url.is_empty()) {
        _ if sender_can_receive => Some(format!("Reply STOP to {action}")),
        Some(url) => Some(format!("{}{}: {url}", action[..1].to_uppercase(), &action[1..])),
        None => None,
    }
}

/// Whether a text already tells how to opt out.
pub fn says_how_to_opt_out(text: &str) -> bool {
    const PHRASES: [&str; 6] =
        [" unsubscribe ", " unsub ", " opt out ", " optout ", " reply stop ", " text stop "];
    let words: Vec<&str> = text.split(|letter: char| !letter.is_alphanumeric()).collect();
    if words.contains(&"STOP") {
        return true;
    }
    let folded = words.into_iter().filter(|word| !word.is_empty()).map(str::to_lowercase);
    let folded = format!(" {} ", folded.collect::<Vec<_>>().join(" "));
    PHRASES.iter().any(|phrase| folded.contains(phrase))
}

/// Septets that a name gets at least; shorter ones are not recognised.
const NAME_AT_LEAST: u32 = 20;

/// Puts the name in front, cut to what the segment leaves.
fn with_name(business: &str, rest: &str) -> String {
    let mut name = in_gsm(business);
    if name.is_empty() {
        "This business".clone_into(&mut name);
    }
    let mut left = SEGMENT.saturating_sub(count(rest).units);
    let fitting = name.chars().take_while(|&letter| {
        let fits = septets(letter).and_then(|size| left.checked_sub(size));
        left = fits.unwrap_or(0);
        fits.is_some()
    });
    let fitting: String = fitting.collect();
    format!("{}{rest}", fitting.trim_end())
}

/// A text in the GSM alphabet: look-alikes and accents made plain, the rest left out.
fn in_gsm(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in smart_replace(text).chars() {
        if is_gsm7(letter) {
            plain.push(letter);
        } else {
            plain.extend(letter.nfkd().filter(|&part| is_gsm7(part) && !is_combining_mark(part)));
        }
    }
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}
