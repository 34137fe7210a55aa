//! How many SMS segments a text takes (3GPP TS 23.038 and TS 23.040): what a carrier would count and bill.
//!
//! The fake and the simulator count for themselves here, independently of the application's own counter, so that
//! the two can be held against each other.

/// The extension table: two septets each.
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

/// The characters of the default alphabet outside ASCII.
const BASIC_BEYOND_ASCII: &str = "£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà";

/// Septets of one character in the default alphabet; `None` when it has no place there.
fn septets(character: char) -> Option<usize> {
    match character {
        '\n' | '\r' | ' '..='Z' | '_' | 'a'..='z' => Some(1),
        _ if EXTENSION.contains(character) => Some(2),
        _ if BASIC_BEYOND_ASCII.contains(character) => Some(1),
        _ => None,
    }
}

/// Segments of a text; an empty text takes one.
pub(crate) fn count(text: &str) -> u32 {
    match text.chars().map(septets).sum::<Option<usize>>() {
        Some(total) => pack(total, 160, 153, text.chars().filter_map(septets)),
        None => pack(text.encode_utf16().count(), 70, 67, text.chars().map(char::len_utf16)),
    }
}

/// Packs characters greedily; a pair is never split, so that a unit may stay unused at the end of a segment.
fn pack(total: usize, single: usize, multiple: usize, sizes: impl Iterator<Item = usize>) -> u32 {
    if total <= single {
        return 1;
    }
    let (mut segments, mut used) = (1, 0);
    for size in sizes {
        if used + size > multiple {
            segments += 1;
            used = 0;
        }
        used += size;
    }
    segments
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn segments_of_known_texts() {
        let cases: &[(String, u32)] = &[
            (String::new(), 1),
            ("a".repeat(160), 1),
            ("a".repeat(161), 2),
            ("a".repeat(306), 2),
            ("a".repeat(307), 3),
            ("a".repeat(1600), 11),
            ("’".repeat(1600), 24),
            ("€".repeat(80), 1),
            ("€".repeat(81), 2),
            // 152 + ESC pair does not fit 153: the pair moves on.
            (format!("{}€{}", "a".repeat(152), "a".repeat(152)), 3),
            ("é".repeat(160), 1),
            ("ë".repeat(70), 1),
            ("ë".repeat(71), 2),
            ("😀".repeat(35), 1),
            ("😀".repeat(36), 2),
            // 33 emoji fill 66 of 67 units: one unit is wasted per segment.
            ("😀".repeat(67), 3),
            ("`".to_owned() + &"a".repeat(69), 1),
            ("`".to_owned() + &"a".repeat(70), 2),
        ];
        for (text, expected) in cases {
            assert_eq!(count(text), *expected, "{} characters", text.chars().count());
        }
    }
}
