use super::*;
use crate::segments::{Encoding, count};
use proptest::prelude::*;

const CTX: Ctx = Ctx { opted_out: false, double_opt_in_pending: false };

fn hard(text: &str) -> Option<&'static str> {
    match classify(text, CTX) {
        Class::HardOptOut { keyword } => Some(keyword),
        _ => None,
    }
}

#[test]
fn keywords_opt_out_whatever_they_wear() {
    let cases = [
        ("STOP", "stop"),
        ("stop", "stop"),
        ("Stop.", "stop"),
        ("\"STOP!\"", "stop"),
        ("*stop*", "stop"),
        ("🛑 stop", "stop"),
        ("stop 🙏🏽", "stop"),
        ("s t o p", "stop"),
        ("S.T.O.P", "stop"),
        (" \n stop\t", "stop"),
        ("S\u{200b}TO\u{feff}P", "stop"),
        ("ＳＴＯＰ", "stop"),
        ("𝐒𝐓𝐎𝐏", "stop"),
        ("‘stop’", "stop"),
        ("(stop)", "stop"),
        ("STOPALL", "stop all"),
        ("stop all", "stop all"),
        ("Stop-All", "stop all"),
        ("stop_all", "stop all"),
        ("unsubscribe", "unsubscribe"),
        ("UNSUB", "unsub"),
        ("cancel", "cancel"),
        ("End", "end"),
        ("quit", "quit"),
        ("revoke", "revoke"),
        ("optout", "opt out"),
        ("opt out", "opt out"),
        ("OPT-OUT", "opt out"),
        ("remove", "remove"),
        ("remove me", "remove me"),
        ("ARRET", "arret"),
        ("ARRÊT", "arret"),
        ("arrêté", "arrete"),
        ("Arrête !", "arrete"),
        ("TD", "td"),
        ("Stop promotions", "stop promotions"),
        ("STOP_PROMOTIONS", "stop promotions"),
        ("Stop marketing", "stop marketing"),
        // With a polite shell.
        ("please stop", "stop"),
        ("Stop please", "stop"),
        ("stop texting me", "stop"),
        ("stop sending me messages", "stop"),
        ("unsubscribe me thanks", "unsubscribe"),
        ("Stop, thank you!", "stop"),
        ("pls STOP now", "stop"),
        ("hi please cancel", "cancel"),
        ("stop all texts", "stop all"),
        ("opt me out please", "opt out"),
        ("STOP IMMEDIATELY", "stop"),
        ("stop this", "stop"),
        ("ok stop", "stop"),
        ("please remove me", "remove"),
        // With what a telephone adds.
        ("STOP\nSent from my iPhone", "stop"),
        ("Stop please\r\n\r\nSent from my Galaxy\n", "stop"),
        ("unsubscribe\n--\nGet Outlook for iOS", "unsubscribe"),
    ];
    for (text, keyword) in cases {
        assert_eq!(hard(text), Some(keyword), "{text}");
    }
}

#[test]
fn other_words_for_the_same_wish_suspend_and_call_a_human() {
    let cases = [
        ("do not text me", "do not text"),
        ("Don't contact me again", "dont contact"),
        ("Don’t message me anymore", "dont message"),
        ("dont msg me", "dont msg"),
        ("stop calling us", "stop calling"),
        ("stop messaging me", "stop messaging"),
        ("please quit sending these", "quit sending"),
        ("will you stop sending me all of these", "stop sending"),
        ("stop all these messages already", "stop all these messages"),
        ("take me off your list", "take me off"),
        ("remove my number from your system", "remove my number"),
        ("please remove me from your list", "remove me"),
        ("no more texts from you", "no more texts"),
        ("No more messages!", "no more messages"),
        ("leave me alone", "leave me alone"),
        ("Sorry, wrong number", "wrong number"),
        ("lose my number", "lose my number"),
        ("not interested, thanks", "not interested"),
        ("no más", "no mas"),
        ("NO MAS por favor", "no mas"),
        ("I would like to unsubscribe from this list", "unsubscribe"),
        ("please opt me out of these", "opt me out"),
        ("I want to opt out", "opt out"),
        // Nothing but the keyword and a slip.
        ("STOP IT", "stop it"),
        ("STOP1", "stop1"),
        ("Stop 2 already!", "stop 2 already"),
        ("please just stop it now", "please just stop it now"),
    ];
    for (text, phrase) in cases {
        assert_eq!(classify(text, CTX), Class::SoftOptOut { phrase: phrase.to_owned() }, "{text}");
    }
}

#[test]
fn a_keyword_in_an_ordinary_sentence_only_calls_a_human() {
    let cases = [
        ("stop by at 5?", "stop"),
        ("can you stop at the shop", "stop"),
        ("don't stop", "stop"),
        ("how do I cancel my order", "cancel"),
        ("the end", "end"),
        ("can you stop by at 5?", "stop"),
        ("Can you stop it by 5 or so", "stop"),
        ("Cancel 2 of them", "cancel"),
        ("don't stop it", "stop"),
        ("Where do I stop\nSent from my iPhone", "stop"),
        ("Don't stop texting me!", "stop"),
        ("do not unsubscribe me", "unsubscribe"),
        ("We can quit early on Friday", "quit"),
        ("please remove the old tiles", "remove"),
        ("at the end of the day", "end"),
        ("could you cancel tomorrow's visit", "cancel"),
    ];
    for (text, keyword) in cases {
        let why = format!("Mentions \"{keyword}\" in a sentence");
        assert_eq!(classify(text, CTX), Class::Review { why }, "{text}");
    }
}

#[test]
fn ordinary_messages_stay_ordinary() {
    for text in [
        "",
        "  ",
        "🛑",
        "👍",
        "Thanks!",
        "ok thanks",
        "hi",
        "me",
        "Sounds good, see you at 5",
        "yes",
        "Yes please",
        "no",
        "I need help with the gate",
        "start at nine?",
        "more info please",
        "weekend",
        "The cancellation policy",
        "nonstop",
        "Your friend sent me",
        "مرحبا، شكرا",
        "توقف",
        "你好",
        "Ça va?",
        "Call me tomorrow",
        "text me the address",
        "please send the quote",
        "I am interested",
        "number 5 is wrong",
        "123",
    ] {
        assert_eq!(classify(text, CTX), Class::None, "{text}");
    }
}

#[test]
fn help_and_opt_in() {
    for (text, keyword) in
        [("HELP", "help"), ("Help!", "help"), ("info?", "info"), ("aide", "aide"), ("h e l p", "help")]
    {
        assert_eq!(classify(text, CTX), Class::Help { keyword }, "{text}");
    }
    for (text, keyword) in [("START", "start"), ("unstop", "unstop"), ("Start 😀", "start")] {
        assert_eq!(classify(text, CTX), Class::OptIn { keyword }, "{text}");
    }
    let opted_out = Ctx { opted_out: true, ..CTX };
    let pending = Ctx { double_opt_in_pending: true, ..CTX };
    assert_eq!(classify("YES", CTX), Class::None);
    assert_eq!(classify("Yes!", opted_out), Class::OptIn { keyword: "yes" });
    assert_eq!(classify("yes", pending), Class::OptIn { keyword: "yes" });
    assert_eq!(classify("yes please come", pending), Class::None);
    assert_eq!(classify("stop", pending), Class::HardOptOut { keyword: "stop" });
}

#[test]
fn a_second_stop_is_not_confirmed_again() {
    let opted_out = Ctx { opted_out: true, ..CTX };
    let stop = classify("stop", opted_out);
    assert_eq!(stop, classify("stop", CTX));
    assert!(stop.wants_confirmation(CTX) && !stop.wants_confirmation(opted_out));
    let start = classify("start", CTX);
    assert!(start.wants_confirmation(opted_out) && !start.wants_confirmation(CTX));
    assert!(!classify("not interested", CTX).wants_confirmation(CTX));
}

#[test]
fn required_texts_name_the_business_and_the_way_out() {
    assert_eq!(
        confirmation_text("Café Zoë"),
        "Café Zoe: You are unsubscribed and will receive no further messages. Reply START to resubscribe."
    );
    let help = help_text("Acme Plumbing", "+61 2 9374 4000");
    assert_eq!(
        help,
        "Acme Plumbing: For help contact +61 2 9374 4000. \
         Msg frequency varies. Msg & data rates may apply. Reply STOP to unsubscribe."
    );
    let long_contact = help_text("Acme Plumbing", &"x".repeat(80));
    assert!(long_contact.contains("For help reply to this message"), "{long_contact}");
    assert!(opt_in_text("Acme’s").starts_with("Acme's: You are subscribed"));
    assert!(confirmation_text("有限公司").starts_with("This business: "));
}

#[test]
fn texts_that_say_how_to_opt_out() {
    for text in
        ["Sale! Reply STOP to opt out", "To unsubscribe: https://x.y/u/1", "opt-out here", "Text stop to end"]
    {
        assert!(says_how_to_opt_out(text), "{text}");
    }
    for text in ["We never stop working", "Nonstop sale", "Stopping by?", ""] {
        assert!(!says_how_to_opt_out(text), "{text}");
    }
}

#[test]
fn opt_out_lines() {
    let url = Some("https://x.example/u/abc");
    let cases = [
        ("AU", true, None, Some("Reply STOP to opt out")),
        ("AU", true, url, Some("Reply STOP to opt out")),
        ("AU", false, url, Some("Opt out: https://x.example/u/abc")),
        ("AU", false, None, None),
        ("AU", false, Some("  "), None),
        ("US", true, None, Some("Reply STOP to unsubscribe")),
        ("US", false, url, Some("Unsubscribe: https://x.example/u/abc")),
    ];
    for (country, can_receive, url, line) in cases {
        assert_eq!(opt_out_line(country, can_receive, url).as_deref(), line);
    }
}

fn some_keyword() -> impl Strategy<Value = &'static str> {
    let words = [tables::OPT_OUT, tables::HELP, tables::OPT_IN, tables::OPT_IN_IF_ASKED].concat();
    prop::sample::select(words)
}

proptest! {
    #[test]
    fn anything_may_be_replied(text in any::<String>(), opted_out: bool, double_opt_in_pending: bool) {
        let ctx = Ctx { opted_out, double_opt_in_pending };
        prop_assert_eq!(classify(&text, ctx), classify(&text, ctx));
    }

    #[test]
    fn dress_makes_no_difference(
        keyword in some_keyword(), before in "[ \t\n\"'(*_🛑👍-]{0,4}", after in "[ \t\n.,!?\"')*_🙏\u{200b}\u{fe0f}-]{0,6}",
        upper: bool, opted_out: bool,
    ) {
        let ctx = Ctx { opted_out, ..CTX };
        let dressed = if upper { keyword.to_uppercase() } else { keyword.to_owned() };
        prop_assert_eq!(classify(&format!("{before}{dressed}{after}"), ctx), classify(keyword, ctx));
    }

    #[test]
    fn required_texts_fit_one_segment(business in any::<String>(), contact in any::<String>()) {
        for text in [confirmation_text(&business), help_text(&business, &contact), opt_in_text(&business)] {
            let found = count(&text);
            prop_assert_eq!((found.encoding, found.segments), (Encoding::Gsm7, 1), "{}", text);
        }
    }

    #[test]
    fn long_names_are_cut_and_stay(business in "[A-Za-z€ ]{1,300}") {
        let text = help_text(&business, "help@example.com.au");
        prop_assert!(count(&text).units <= 160 && text.contains("help@example.com.au"));
        prop_assert!(text.ends_with("Reply STOP to unsubscribe."));
    }
}
