//! What people mean when they reply to a business: stop, start, help, or something to read.
//!
//! Promises: [`classify`] follows the lists and the reasoning of 47 CFR 64.1200(a)(10), the CTIA
//! messaging principles and the carriers' own filters. A message that is nothing but a keyword, however
//! it is dressed up, opts out at once; other words for the same wish suspend marketing and call a human;
//! a keyword within an ordinary sentence does nothing but call a human.
//! Does not: change anybody's consent, know what an opt-in may override (never a do-not-contact entry),
//! or understand languages beyond the words in its tables.

mod basis;
mod reading;
mod tables;
mod texts;

pub use basis::{Basis, Term};
pub use texts::{confirmation_text, help_text, opt_in_text, opt_out_line, says_how_to_opt_out};

use reading::Reading;

/// What is known of the sender of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ctx {
    /// They have opted out of messages from this number.
    pub opted_out: bool,
    /// They have been asked to confirm an opt-in and have not yet.
    pub double_opt_in_pending: bool,
}

/// What a reply means for consent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Class {
    /// Opt out now, of everything.
    HardOptOut {
        /// The keyword, in its plain spelling.
        keyword: &'static str,
    },
    /// Treat as opted out until a human has read it.
    SoftOptOut {
        /// The words that say so, in plain spelling.
        phrase: String,
    },
    /// Change nothing, but let a human read it.
    Review {
        /// What for.
        why: String,
    },
    /// Opt in.
    OptIn {
        /// The keyword, in its plain spelling.
        keyword: &'static str,
    },
    /// Send the help text.
    Help {
        /// The keyword, in its plain spelling.
        keyword: &'static str,
    },
    /// An ordinary message.
    None,
}

impl Class {
    /// Whether the change is new, so that it is confirmed once and not again for every repetition.
    pub const fn wants_confirmation(&self, ctx: Ctx) -> bool {
        match self {
            Self::HardOptOut { .. } => !ctx.opted_out,
            Self::OptIn { .. } => ctx.opted_out || ctx.double_opt_in_pending,
            _ => false,
        }
    }
}

/// Classifies a reply, or the payload of a button.
///
/// ```
/// use patchbay_rules::consent::{Class, Ctx, classify};
/// let ctx = Ctx::default();
/// assert_eq!(classify("🛑 STOP!", ctx), Class::HardOptOut { keyword: "stop" });
/// assert_eq!(classify("yes", ctx), Class::None);
/// assert_eq!(classify("yes", Ctx { opted_out: true, ..ctx }), Class::OptIn { keyword: "yes" });
/// ```
pub fn classify(text: &str, ctx: Ctx) -> Class {
    let reading = Reading::new(text);
    if let Some(keyword) = reading.keyword(tables::OPT_OUT) {
        return Class::HardOptOut { keyword };
    }
    if let Some(keyword) = reading.keyword(tables::HELP) {
        return Class::Help { keyword };
    }
    if let Some(keyword) = reading.keyword(tables::OPT_IN) {
        return Class::OptIn { keyword };
    }
    let asked = ctx.opted_out || ctx.double_opt_in_pending;
    if let Some(keyword) = reading.keyword(tables::OPT_IN_IF_ASKED).filter(|_| asked) {
        return Class::OptIn { keyword };
    }
    if let Some(keyword) = reading.without_courtesies().keyword(tables::OPT_OUT) {
        return Class::HardOptOut { keyword };
    }
    if let Some(phrase) = reading.phrase().or_else(|| reading.nearly_keyword()) {
        return Class::SoftOptOut { phrase };
    }
    match reading.mentioned_keyword() {
        Some(keyword) => Class::Review { why: format!("Mentions \"{keyword}\" in a sentence") },
        None => Class::None,
    }
}

#[cfg(test)]
mod tests;
