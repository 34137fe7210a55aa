//! Letters without their marks, for names in addresses.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// `ünïcode` becomes `unicode`; letters that are more than a mark away are written out. What has no plain letters
/// stays what it is.
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.nfd().filter(|letter| !is_combining_mark(*letter)) {
        match letter {
            'ß' => plain.push_str("ss"),
            'æ' => plain.push_str("ae"),
            'œ' => plain.push_str("oe"),
            'þ' => plain.push_str("th"),
            'ø' => plain.push('o'),
            'đ' | 'ð' => plain.push('d'),
            'ł' => plain.push('l'),
            'ı' => plain.push('i'),
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    #[test]
    fn marks_go_and_letters_stay() {
        for (text, plain) in
            [("ünïcode", "unicode"), ("søren łódź", "soren lodz"), ("straße", "strasse"), ("日本", "日本")]
        {
            assert_eq!(super::plain(text), plain);
        }
    }
}
