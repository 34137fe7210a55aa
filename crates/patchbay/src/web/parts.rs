//! The small things every page is made of, as plain data for `templates/macros.html`.
//!
//! Text arrives formatted; a macro only draws. Nothing here reads a clock or knows a locale.

use uuid::Uuid;

/// The four states and the absence of one. A tone never stands alone: a word and a shape go with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    #[default]
    Plain,
    Good,
    Wait,
    Stop,
    Calm,
}

impl Tone {
    /// The class that carries the tone; empty for plain.
    pub fn class(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Good => "good",
            Self::Wait => "wait",
            Self::Stop => "stop",
            Self::Calm => "calm",
        }
    }
}

/// A state or a label: `icon` is empty or the name of an icon.
#[derive(Debug, Clone)]
pub struct Tag {
    pub tone: Tone,
    pub icon: &'static str,
    pub word: String,
}

impl Tag {
    pub fn new(tone: Tone, icon: &'static str, word: impl Into<String>) -> Self {
        Self { tone, icon, word: word.into() }
    }

    pub fn plain(word: impl Into<String>) -> Self {
        Self::new(Tone::Plain, "", word)
    }
}

/// Initials on one of twelve hues.
#[derive(Debug, Clone)]
pub struct Face {
    pub initials: String,
    /// 0 to 11.
    pub hue: u8,
}

impl Face {
    /// The face of a person or business: two initials of the name, or `?` when the name is a
    /// number or missing. The hue follows the id, so it stays when the name changes.
    pub fn of(id: Uuid, name: &str) -> Self {
        let words: Vec<char> =
            name.split_whitespace().filter_map(|w| w.chars().find(|c| c.is_alphabetic())).collect();
        let initials: String = match words.as_slice() {
            [] => "?".to_owned(),
            [only] => only.to_uppercase().collect(),
            [first, .., last] => first.to_uppercase().chain(last.to_uppercase()).collect(),
        };
        // The last bytes of a version 7 id are random; the first are a clock and would give
        // everybody who was imported together the same hue.
        let hue = id.as_bytes()[15] % 12;
        Self { initials, hue }
    }
}

/// A point in time, formatted for its reader. `text` is short ("20:41", "Thu"), `title` complete.
#[derive(Debug, Clone)]
pub struct Moment {
    /// RFC 3339.
    pub iso: String,
    pub text: String,
    pub title: String,
}

/// A tab or an entry of a side navigation: a link to a view with an address.
#[derive(Debug, Clone)]
pub struct Tab {
    pub label: String,
    pub href: String,
    /// Formatted count; empty for none.
    pub count: String,
    pub current: bool,
}

impl Tab {
    pub fn new(label: impl Into<String>, href: impl Into<String>, current: bool) -> Self {
        Self { label: label.into(), href: href.into(), count: String::new(), current }
    }

    pub fn counted(mut self, count: u64) -> Self {
        if count > 0 {
            self.count = count.to_string();
        }
        self
    }
}

/// Where the pages before and after this one are; `note` says what is shown ("1–50 of 1,204").
#[derive(Debug, Clone, Default)]
pub struct Pager {
    pub previous: Option<String>,
    pub next: Option<String>,
    pub note: String,
}

/// The head of a column; where a list can be ordered by it, a link that does so.
#[derive(Debug, Clone)]
pub struct Head {
    pub label: &'static str,
    pub href: Option<String>,
    /// Whether the list is in its order now, and whether rising.
    pub rising: Option<bool>,
}

impl Head {
    pub fn plain(label: &'static str) -> Self {
        Self { label, href: None, rising: None }
    }

    pub fn sorting(label: &'static str, href: String, rising: Option<bool>) -> Self {
        Self { label, href: Some(href), rising }
    }
}

/// Nothing to show, and what to do about it.
#[derive(Debug, Clone)]
pub struct Empty {
    pub icon: &'static str,
    pub heading: String,
    pub text: String,
    /// Label and path; the first is the primary one.
    pub actions: Vec<(String, String)>,
}
