//! What is being talked about right now.

use patchbay_rules::message::Channel;

use super::{
    cast::Who::{Rosa, Sam},
    script::{
        Beat::{Happened, In, Lost, Note, Out, Quote, SoftStop, Stop},
        Scene,
    },
};

const HOUR: i64 = 60;
const DAY: i64 = 24 * HOUR;

/// The conversations of the inbox, by the place of their contact in the cast.
pub(super) const SCENES: &[Scene] = &[
    Scene {
        with: 0,
        channel: Channel::Sms,
        status: "open",
        assignee: Some(Rosa),
        unread: 0,
        beats: &[
            (
                DAY + 4 * HOUR + 32,
                In(
                    "Hi, our water heater is leaking from the bottom. Do you replace them? 40 gal gas, in the garage.",
                ),
            ),
            (
                DAY + 4 * HOUR + 30,
                Out(
                    Rosa,
                    "Hi Dana, this is Rosa at Brightside. We do, usually within two days. Could you send a photo of the label on the tank?",
                    "read",
                ),
            ),
            (DAY + 4 * HOUR + 24, In("Sure, here it is. It's a Rheem from 2009")),
            (
                DAY + 4 * HOUR + 13,
                Note(Rosa, "Flue looks undersized in the photo. Add the vent kit to the quote."),
            ),
            (31, Quote(1042)),
            (30, Happened("stage.moved", r#"{"from": "New", "to": "Quoted", "by_itself": true}"#)),
            (23, Happened("quote.viewed", r#"{"number": 1042}"#)),
            (20, In("Yes please. Can Thursday morning work?")),
            (9, Out(Rosa, "Thursday works. Between 8:00 and 10:00?", "delivered")),
        ],
    },
    Scene {
        with: 1,
        channel: Channel::Sms,
        status: "open",
        assignee: Some(Rosa),
        unread: 0,
        beats: &[
            (2 * DAY, In("Hello, my cousin Devon gave me your number. Our shower drips day and night.")),
            (
                2 * DAY - 9,
                Out(Rosa, "Hi Marcus, happy to help. Is it the head or the handle that drips?", "delivered"),
            ),
            (2 * DAY - 21, In("The handle. And the tile behind it looks wet.")),
            (
                2 * DAY - 40,
                Out(
                    Rosa,
                    "Then I'd open the wall to be safe. I'll send you a price with and without tile.",
                    "delivered",
                ),
            ),
            (DAY, Note(Sam, "Was there this morning: cartridge and two feet of copper. Tile can stay.")),
            (29, Quote(1043)),
        ],
    },
    Scene {
        with: 2,
        channel: Channel::Whatsapp,
        status: "open",
        assignee: None,
        unread: 2,
        beats: &[
            (DAY + 30, In("Buenas tardes, se nos tapó el fregadero")),
            (DAY + 22, Out(Sam, "Hola Lucía, podemos pasar mañana entre 2 y 4. ¿Le sirve?", "read")),
            (46, In("Sí, perfecto, gracias")),
            (43, In("¿Atienden también los sábados?")),
        ],
    },
    Scene {
        with: 3,
        channel: Channel::Sms,
        status: "open",
        assignee: None,
        unread: 1,
        beats: &[
            (56 * DAY, In("The pilot light keeps going out, can somebody have a look?")),
            (
                56 * DAY - 12,
                Out(Sam, "Hi Priya, I can be there tomorrow at 9. The diagnosis is $89.", "delivered"),
            ),
            (64, In("Thanks, the heater works great now")),
        ],
    },
    Scene {
        with: 4,
        channel: Channel::Sms,
        status: "open",
        assignee: None,
        unread: 1,
        beats: &[(81, In("Hi, saw your ad. Do you do gas lines?"))],
    },
    Scene {
        with: 5,
        channel: Channel::Sms,
        status: "open",
        assignee: None,
        unread: 0,
        beats: &[
            (20 * DAY, In("How much for a new faucet?")),
            (
                20 * DAY - 15,
                Out(Rosa, "Hi Tom, between $180 and $260 with the fitting. Want us to stop by?", "delivered"),
            ),
            (3 * HOUR, Out(Rosa, "Hi Tom, are you still looking for a plumber for the faucet?", "delivered")),
            (2 * HOUR - 4, Stop),
        ],
    },
    Scene {
        with: 6,
        channel: Channel::Whatsapp,
        status: "open",
        assignee: Some(Sam),
        unread: 0,
        beats: &[
            (2 * DAY + 5 * HOUR, In("Hi! The disposal hums but does not turn. Kitchen is flooded a little")),
            (
                2 * DAY + 5 * HOUR - 4,
                Out(
                    Sam,
                    "Switch it off at the wall please, and put a bucket under the trap. I am 40 minutes away.",
                    "read",
                ),
            ),
            (2 * DAY + 5 * HOUR - 6, In("Done. You are an angel")),
            (
                2 * DAY + HOUR,
                Happened("conversation.assigned", r#"{"assignee": "Sam Ortiz", "actor": "Sam Ortiz"}"#),
            ),
            (2 * DAY + HOUR - 3, Out(Sam, "We can be there between 2 and 4 pm with the new one.", "read")),
        ],
    },
    Scene {
        with: 7,
        channel: Channel::Email,
        status: "open",
        assignee: Some(Rosa),
        unread: 0,
        beats: &[
            (
                3 * DAY,
                Out(
                    Rosa,
                    "Dear Mr Lindqvist,\n\nattached is the invoice for the floor drains in the workshop.\n\nKind regards\nRosa Marín",
                    "delivered",
                ),
            ),
            (2 * DAY + 2 * HOUR, In("Invoice received, will pay on Friday.\n\nGregor")),
        ],
    },
    Scene {
        with: 8,
        channel: Channel::Sms,
        status: "open",
        assignee: None,
        unread: 0,
        beats: &[
            (3 * DAY, In("Kitchen drain is slow again. Same as last year.")),
            (
                3 * DAY - 18,
                Out(Sam, "Hi Ahmed, let us camera it this time. Does Monday suit you?", "delivered"),
            ),
            (3 * DAY - 26, In("Monday is fine, before noon")),
            (2 * DAY + 6 * HOUR, Out(Sam, "Your job is booked for Monday, 9:00 to 11:00.", "delivered")),
        ],
    },
    Scene {
        with: 9,
        channel: Channel::Sms,
        status: "open",
        assignee: Some(Sam),
        unread: 0,
        beats: &[
            (
                3 * DAY + 3 * HOUR,
                Out(
                    Sam,
                    "Hi Noor, the tiles are in. We finish the bathroom on Wednesday, 8:00?",
                    "delivered",
                ),
            ),
            (3 * DAY + 2 * HOUR, In("Perfect, see you then")),
        ],
    },
    Scene {
        with: 10,
        channel: Channel::Sms,
        status: "open",
        assignee: Some(Rosa),
        unread: 0,
        beats: &[
            (28 * DAY, In("Looking for a price to re-pipe a 1960s bungalow, 2 baths")),
            (
                28 * DAY - 33,
                Out(Rosa, "Hi Wes, we would have to see it. Is there a crawl space?", "delivered"),
            ),
            (27 * DAY, Quote(1031)),
            (
                3 * DAY + 8 * HOUR,
                Lost(
                    Rosa,
                    "Hi Wes, still interested in the re-pipe? The quote holds until the end of the month.",
                    "undelivered",
                    30003,
                    "The phone is switched off or out of reach.",
                ),
            ),
        ],
    },
    Scene {
        with: 11,
        channel: Channel::Sms,
        status: "open",
        assignee: None,
        unread: 0,
        beats: &[
            (6 * DAY, In("Need a quote for a tankless heater, 2 people household")),
            (5 * DAY, Quote(1038)),
            (4 * DAY + 2 * HOUR, Happened("quote.viewed", r#"{"number": 1038}"#)),
            (4 * DAY, Happened("quote.accepted", r#"{"number": 1038}"#)),
            (4 * DAY - 2, Happened("stage.moved", r#"{"from": "Quoted", "to": "Won", "by_itself": true}"#)),
            (4 * DAY - 5, In("Accepted! When can you start?")),
            (4 * DAY - 20, Out(Rosa, "Wonderful. Next Tuesday at 8:30, about five hours.", "delivered")),
        ],
    },
    Scene {
        with: 12,
        channel: Channel::Sms,
        status: "snoozed",
        assignee: Some(Rosa),
        unread: 0,
        beats: &[
            (5 * DAY, In("Sump pump runs all the time since the storm")),
            (
                5 * DAY - 11,
                Out(Rosa, "Hi Bea, that is usually the float. Can we come by on the weekend?", "delivered"),
            ),
            (4 * DAY + 3 * HOUR, In("👍 I ask my landlord first")),
        ],
    },
    Scene {
        with: 13,
        channel: Channel::Sms,
        status: "open",
        assignee: None,
        unread: 1,
        beats: &[
            (
                23 * DAY,
                Out(
                    Rosa,
                    "Hi Carl, nice to meet you at the home show. Here is the price list you asked for: https://brightside.example/prices",
                    "delivered",
                ),
            ),
            (
                5 * HOUR,
                SoftStop(
                    "Thanks but please take me off your list, we found somebody",
                    "take me off your list",
                ),
            ),
        ],
    },
    Scene {
        with: 14,
        channel: Channel::Sms,
        status: "done",
        assignee: Some(Sam),
        unread: 0,
        beats: &[
            (3 * DAY, In("Do you install gas stoves bought elsewhere?")),
            (3 * DAY - 8, Out(Sam, "Hi Olivia, yes, with a pressure test and certificate.", "delivered")),
            (2 * DAY + 9 * HOUR, Quote(1040)),
            (2 * DAY, In("Great, I will decide next week")),
            (2 * DAY - 15, Out(Sam, "Take your time. The quote holds for 30 days.", "read")),
            (2 * DAY - 16, Happened("conversation.done", r#"{"actor": "Sam Ortiz"}"#)),
        ],
    },
];
