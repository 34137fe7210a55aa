//! Texts of any script: what they cost must be right and never surprise.
#![no_main]

use libfuzzer_sys::fuzz_target;
use patchbay_rules::segments::{self, Encoding};

fuzz_target!(|text: &str| {
    let normal = segments::normalise(text);
    assert_eq!(segments::normalise(&normal), normal, "cleaning twice is cleaning once");
    let smart = segments::smart_replace(&normal);
    for text in [text, &normal, &smart] {
        let count = segments::count(text);
        assert_eq!(count.encoding, segments::encode(text));
        assert!(count.segments > 0);
        assert!(count.units <= count.segments * count.encoding.single());
        if count.segments > 1 {
            // Pairs that are not split waste at most one unit a segment.
            assert!(count.units > (count.segments - 1) * (count.encoding.multipart() - 1));
        }
        if count.encoding == Encoding::Ucs2 {
            assert_eq!(count.units as usize, text.encode_utf16().count());
        }
        let longer = segments::count(&format!("{text}x"));
        assert!(longer.segments >= count.segments);
    }
});
