//! Text as strangers type it, brought into the form that is stored. Nothing here fails on odd characters:
//! what cannot be stored is left out, what is too long or of the wrong shape is told in words.

use patchbay_rules::phone;

/// One line: no control characters, single blanks, nothing at the ends. `None` when nothing is left.
pub fn line(text: &str) -> Option<String> {
    let mut clean = String::with_capacity(text.len());
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !clean.is_empty() {
            clean.push(' ');
        }
        clean.extend(word.chars().filter(|c| !is_invisible(*c)));
    }
    Some(clean.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Several lines: line ends become `\n`, other control characters go. `None` when nothing is left.
pub fn text(text: &str) -> Option<String> {
    let clean: String = text
        .replace("\r\n", "\n")
        .replace('\r', "\n")
        .chars()
        .filter(|c| matches!(c, '\n' | '\t') || !c.is_control())
        .collect();
    Some(clean.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Marks that only steer how text is laid out and make two equal names differ. Joiners stay: several scripts
/// and emoji are written with them.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// A line of at most `most` characters.
pub fn line_within(text: &str, most: usize) -> Result<Option<String>, String> {
    let clean = line(text);
    match &clean {
        Some(text) if text.chars().count() > most => Err(format!("Use at most {most} characters.")),
        _ => Ok(clean),
    }
}

/// An e-mail address in lower case, as it is compared and stored. Only its shape is checked: whether somebody
/// reads it shows when it is written to.
pub fn email(text: &str) -> Result<Option<String>, String> {
    let Some(clean) = line(text) else { return Ok(None) };
    let address = clean.strip_prefix("mailto:").unwrap_or(&clean).to_lowercase();
    let shaped = address.rsplit_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && local.len() <= 64
            && !local.contains(['@', ' ', ',', ';', '<', '>', '(', ')'])
            && domain.contains('.')
            && domain.split('.').all(|part| !part.is_empty() && part.len() <= 63)
            && domain.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-'))
    });
    if !shaped {
        Err("Write an address such as dana@example.com.".to_owned())
    } else if address.chars().count() > 254 {
        Err("Use at most 254 characters.".to_owned())
    } else {
        Ok(Some(address))
    }
}

/// A number and its extension. `country`: where it is local to when it names no country itself.
pub fn phone(text: &str, country: &str) -> Result<Option<(String, Option<String>)>, String> {
    let Some(clean) = line(text) else { return Ok(None) };
    match phone::parse(&clean, Some(country)) {
        Ok(phone) => Ok(Some((phone.e164, phone.ext))),
        Err(error) => Err(format!("{error}.")),
    }
}

/// First and last name out of one: the last word is the last name.
pub fn split_name(name: &str) -> (Option<String>, Option<String>) {
    match line(name) {
        None => (None, None),
        Some(name) => match name.rsplit_once(' ') {
            Some((first, last)) => (Some(first.to_owned()), Some(last.to_owned())),
            None => (Some(name), None),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_keep_what_people_wrote() {
        for (typed, stored) in [
            ("  Dana \t Whitfield\n", Some("Dana Whitfield")),
            ("\0Da\0na", Some("Da na")),
            ("\u{200b}\u{202e}", None),
            ("محمد علي", Some("محمد علي")),
            ("👩‍🔧 Ana", Some("👩‍🔧 Ana")),
            ("   ", None),
        ] {
            assert_eq!(line(typed).as_deref(), stored, "{typed:?}");
        }
        assert_eq!(text("a\r\nb\u{7}\0").as_deref(), Some("a\nb"));
        assert!(line_within(&"x".repeat(121), 120).is_err());
        assert!(line_within(&"é".repeat(120), 120).is_ok());
    }

    #[test]
    fn emails_have_a_shape() {
        for good in ["Dana@Example.com", " dana+x@mail.example.co ", "mailto:a@b.cd", "ø@bücher.example"] {
            assert!(email(good).unwrap().is_some(), "{good}");
        }
        for bad in ["dana", "dana@", "@x.com", "a@b", "a b@c.de", "a@b..c", "a@b.c, d@e.f", "Dana <d@e.fg>"] {
            assert!(email(bad).is_err(), "{bad}");
        }
        assert_eq!(email("").unwrap(), None);
    }

    #[test]
    fn phones_are_told_in_words() {
        assert_eq!(phone("0491 570 006", "AU").unwrap(), Some(("+61491570006".to_owned(), None)));
        assert_eq!(phone(" ", "AU").unwrap(), None);
        let words = phone("0491 570 0", "AU").unwrap_err();
        assert!(words.ends_with('.') && words.contains("short"), "{words}");
    }

    #[test]
    fn names_split_at_the_last_blank() {
        assert_eq!(
            split_name(" Ana  María López "),
            (Some("Ana María".to_owned()), Some("López".to_owned()))
        );
        assert_eq!(split_name("Cher"), (Some("Cher".to_owned()), None));
        assert_eq!(split_name(" "), (None, None));
    }

    proptest! {
        #[test]
        fn cleaning_twice_changes_nothing(typed in any::<String>()) {
            if let Some(clean) = line(&typed) {
                let again = line(&clean);
                prop_assert_eq!(again.as_deref(), Some(clean.as_str()));
                prop_assert!(!clean.contains('\0'));
            }
            let _ = email(&typed);
            let _ = phone(&typed, "AU");
        }
    }
}
