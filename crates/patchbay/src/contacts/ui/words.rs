//! What contacts and their states are called on the screen.

use patchbay_rules::phone;

use crate::{
    auth::Caller,
    contacts::{ConsentState, Contact, Status},
    web::parts::{Tag, Tone},
};

/// A number as people write it where the business is.
pub(super) fn number(caller: &Caller, e164: &str) -> String {
    phone::format_national_or_international(e164, &caller.tenant.country)
}

/// The name, or else the best address, written as people write it.
pub(super) fn name(caller: &Caller, contact: &Contact) -> String {
    contact.called(&caller.tenant.country)
}

/// How somebody can be reached, if that is not what they are called already.
pub(super) fn reach(caller: &Caller, contact: &Contact) -> String {
    let number = contact.phone_e164.as_deref().map(|e164| number(caller, e164));
    let reach = number.or_else(|| contact.phone_raw.clone()).or_else(|| contact.email.clone());
    reach.filter(|reach| *reach != name(caller, contact)).unwrap_or_default()
}

/// Consent as a word and a shape.
pub(super) fn consent(state: ConsentState, lapsed: bool) -> Tag {
    match state {
        ConsentState::Subscribed if lapsed => Tag::new(Tone::Wait, "hourglass", "Ended"),
        ConsentState::Subscribed => Tag::new(Tone::Good, "check", "Subscribed"),
        ConsentState::Unsubscribed => Tag::new(Tone::Stop, "ban", "Unsubscribed"),
        ConsentState::Unknown => Tag::plain("Unknown"),
    }
}

/// What a contact is to the business.
pub(super) fn status(status: Status) -> &'static str {
    match status {
        Status::Lead => "Lead",
        Status::Active => "Customer",
        Status::Inactive => "Inactive",
    }
}

/// "1 contact", "1,204 contacts".
pub(super) fn contacts(count: usize) -> String {
    if count == 1 { "1 contact".to_owned() } else { format!("{} contacts", grouped(count)) }
}

fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_read_well() {
        for (count, text) in
            [(0, "0 contacts"), (1, "1 contact"), (999, "999 contacts"), (1_234_567, "1,234,567 contacts")]
        {
            assert_eq!(contacts(count), text);
        }
    }
}
