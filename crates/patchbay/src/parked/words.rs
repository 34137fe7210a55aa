//! Events and errors in the words of people who do not know what an outbox is.

use super::Event;

/// What happened, and what was to follow from it.
pub(super) fn event(event: &Event) -> (String, &'static str) {
    let who = &event.contact_name;
    let of =
        |text: &str, nobody: &str| if who.is_empty() { nobody.to_owned() } else { text.replace('%', who) };
    match event.event_type.as_str() {
        "lead.created" => {
            (of("New contact: %", "A new contact"), "Recognises the person and tells who wants to know.")
        }
        "contact.readdressed" => {
            (of("% has a new address", "A contact has a new address"), "Recognises the person.")
        }
        crate::contacts::duplicates::WANTED => {
            ("Duplicates were asked for".to_owned(), "Looks for contacts that may be one person.")
        }
        "quote.created" => (of("A quote for %", "A new quote"), "Texts the link to the contact."),
        "quote.send" => {
            (of("A quote for % is to go out", "A quote is to go out"), "Texts the link to the contact.")
        }
        "campaign.paused" => ("A campaign was paused".to_owned(), "Tells who wants to know."),
        "quote.viewed" => (
            of("% opened a quote", "A quote was opened"),
            "Notes it in the thread and tells who wants to know.",
        ),
        "quote.accepted" => (
            of("% accepted a quote", "A quote was accepted"),
            "Notes it in the thread and tells who wants to know.",
        ),
        "quote.rejected" => (
            of("% declined a quote", "A quote was declined"),
            "Notes it in the thread and tells who wants to know.",
        ),
        "quote.expired" => (
            of("A quote for % expired", "A quote expired"),
            "Notes it in the thread and tells who wants to know.",
        ),
        "message.received" => (of("% wrote", "A message came in"), "Tells who wants to know."),
        "webhook.inbound" => {
            ("A message from the carrier".to_owned(), "Brings it into the right conversation.")
        }
        "webhook.status" => {
            ("A delivery report from the carrier".to_owned(), "Moves the ticks of the message.")
        }
        other => (other.to_owned(), "Nothing follows from an event of this type."),
    }
}

/// What went wrong, and what may help. The exact words stand beside it.
pub(super) fn problem(error: &str) -> &'static str {
    let has = |words: &[&str]| words.iter().any(|word| error.contains(word));
    if has(&["Nothing here handles"]) {
        "A program wrote an event of a type that is not known here. Correct its name in that program; for a quote to be texted it is quote.send."
    } else if has(&["not found"]) {
        "What it was about is not there any more. Trying again will not bring it back."
    } else if has(&["pool timed out", "connection", "Connection", "closed", "unreachable", "terminating"]) {
        "The database or the network was not there for a while. Trying again will most likely do."
    } else if has(&["rate limited"]) {
        "It was too much at once. Trying again later will do."
    } else if has(&["invalid fields", "bad request"]) {
        "Something in it cannot be used as it is. Mend it (a template, a number, a setting), then try again."
    } else if has(&["conflict"]) {
        "Something else was done in the meantime. Look at the contact first; trying again may not be needed."
    } else if has(&["deadlock", "could not serialize", "lock"]) {
        "Two things got in each other's way. Trying again will do."
    } else {
        "Something failed on our side. Try again; if it comes back, the log names the cause."
    }
}
