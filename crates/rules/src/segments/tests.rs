use super::Encoding::{Gsm7, Ucs2};
use super::*;
use proptest::prelude::*;

#[test]
fn vectors() {
    let times = |text: &str, count: usize| text.repeat(count);
    let cases = [
        ("Hello world".to_owned(), Gsm7, 11, 1),
        (times("a", 160), Gsm7, 160, 1),
        (times("a", 161), Gsm7, 161, 2),
        (times("a", 306), Gsm7, 306, 2),
        (times("a", 307), Gsm7, 307, 3),
        (times("a", 459), Gsm7, 459, 3),
        (times("a", 460), Gsm7, 460, 4),
        (times("€", 80), Gsm7, 160, 1),
        (times("€", 81), Gsm7, 162, 2),
        (times("a", 159) + "€", Gsm7, 161, 2),
        (times("a", 158) + "€", Gsm7, 160, 1),
        (times("a", 152) + "€" + &times("a", 152), Gsm7, 306, 3),
        (times("a", 153) + "€" + &times("a", 151), Gsm7, 306, 2),
        (times("€", 153), Gsm7, 306, 3),
        (times("’", 70), Ucs2, 70, 1),
        (times("’", 71), Ucs2, 71, 2),
        (times("’", 134), Ucs2, 134, 2),
        (times("’", 135), Ucs2, 135, 3),
        (times("😀", 35), Ucs2, 70, 1),
        (times("😀", 36), Ucs2, 72, 2),
        (times("😀", 67), Ucs2, 134, 3),
        (times("a", 159) + "’", Ucs2, 160, 3),
        ("it’s".to_owned(), Ucs2, 4, 1),
        ("`".to_owned(), Ucs2, 1, 1),
        ("ç".to_owned(), Ucs2, 1, 1),
        ("á".to_owned(), Ucs2, 1, 1),
        ("a\tb".to_owned(), Ucs2, 3, 1),
        ("a\u{a0}b".to_owned(), Ucs2, 3, 1),
        ("e\u{301}".to_owned(), Ucs2, 2, 1),
        ("Ç".to_owned(), Gsm7, 1, 1),
        ("Éé".to_owned(), Gsm7, 2, 1),
        ("a\r\nb".to_owned(), Gsm7, 4, 1),
        ("[x]".to_owned(), Gsm7, 5, 1),
        ("{{name}}".to_owned(), Gsm7, 12, 1),
        ("🇦🇺".to_owned(), Ucs2, 4, 1),
        ("👨‍👩‍👧‍👦".to_owned(), Ucs2, 11, 1),
        (times("a", 1600), Gsm7, 1600, 11),
        (times("’", 1600), Ucs2, 1600, 24),
        (String::new(), Gsm7, 0, 1),
    ];
    for (text, encoding, units, segments) in cases {
        let found = count(&text);
        assert_eq!((found.encoding, found.units, found.segments), (encoding, units, segments), "{text}");
    }
    assert_eq!(count("Hello").per_segment_left, 155);
    assert_eq!(count(&times("a", 161)).per_segment_left, 145);
    assert_eq!(count("’").per_segment_left, 69);
}

#[test]
fn the_alphabet_is_complete() {
    let table = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡\
                 ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
    assert_eq!(table.chars().count(), 127);
    assert!(table.chars().all(|character| septets(character) == Some(1)));
    assert!("\u{c}^{}\\[~]|€".chars().all(|character| septets(character) == Some(2)));
    let size = ('\0'..=char::MAX).filter(|&character| is_gsm7(character)).count();
    assert_eq!(size, 137);
}

#[test]
fn normalising() {
    let cases = [
        ("Jose\u{301}", "José"),
        ("Jose\u{200b}\u{301}", "José"),
        ("a\r\nb\rc\n", "a\nb\nc\n"),
        ("S\u{200b}T\u{feff}O\u{2060}P\u{200d}!", "STOP!"),
        ("👨\u{200d}👩\u{200d}👧", "👨\u{200d}👩\u{200d}👧"),
        ("❤\u{fe0f}\u{200d}🔥", "❤\u{fe0f}\u{200d}🔥"),
        ("می\u{200c}خواهم", "می\u{200c}خواهم"),
        ("👍\u{200d} ok", "👍 ok"),
    ];
    for (text, clean) in cases {
        assert_eq!(normalise(text), clean);
    }
    assert_eq!(count(&normalise("Jose\u{301}")).encoding, Gsm7);
}

#[test]
fn look_alikes_give_way_where_that_helps() {
    let cases = [
        ("it’s “here” – now…", "it's \"here\" - now..."),
        ("½ price™ • 5\u{a0}kg", "1/2 price(TM) * 5 kg"),
        ("ＡＢＣ１２３！～", "ABC123!~"),
        ("it’s 😀", "it’s 😀"),
        ("Łukasz’s quote", "Łukasz’s quote"),
        ("See “https://x.example/a” – now", "See \"https://x.example/a\" - now"),
        ("it’s at https://x.example/caf–é", "it’s at https://x.example/caf–é"),
        ("x.example/a–b isn’t ours", "x.example/a–b isn’t ours"),
        ("and/or – isn’t a link", "and/or - isn't a link"),
        ("www.x.example – it’s", "www.x.example - it's"),
        ("plain", "plain"),
    ];
    for (text, plain) in cases {
        assert_eq!(smart_replace(text), plain);
    }
}

proptest! {
    #[test]
    fn anything_may_be_sent(text in any::<String>()) {
        let found = count(&text);
        let bound = found.encoding.single();
        prop_assert!(found.segments >= 1 && found.per_segment_left <= bound);
        prop_assert_eq!(found.segments == 1, found.units <= bound);
        let clean = normalise(&text);
        prop_assert_eq!(normalise(&clean), clean.clone());
        let replaced = smart_replace(&clean);
        prop_assert!(*replaced == clean || encode(&replaced) == Gsm7);
        prop_assert_eq!(smart_replace(&replaced), &*replaced);
    }

    #[test]
    fn packing_wastes_at_most_one_unit_per_segment(text in "[a€😀’]{0,400}") {
        let found = count(&text);
        prop_assert!(found.segments == 1 || found.units > (found.segments - 1) * (found.encoding.multipart() - 1));
        let longer = count(&format!("{text}a"));
        prop_assert!(longer.segments >= found.segments && longer.segments <= found.segments + 1);
    }
}
