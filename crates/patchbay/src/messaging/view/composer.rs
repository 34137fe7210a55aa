//! Where an answer is written: channels, templates, moments to send it, and what stands in the way.

use crate::web::parts::Tone;

use super::Channel;
use super::thread::Later;

#[derive(Debug, Clone)]
pub(crate) struct Composer {
    pub(crate) conversation_id: String,
    /// The person's first name, or the number.
    pub(crate) to: String,
    /// The channels there is an address for; exactly one is chosen. Empty when there is none.
    pub(crate) channels: Vec<ChannelChoice>,
    pub(crate) templates: Vec<TemplateChoice>,
    pub(crate) laters: Vec<Later>,
    /// The contact's zone in words: "Perth time, now 21:06".
    pub(crate) zone: String,
    /// Said before anything is typed: "0 / 160 · 1 segment · $0.008".
    pub(crate) estimate: String,
    /// Set when this person may not send at all; replaces the channels.
    pub(crate) barred: Option<Hurdle>,
    pub(crate) can_note: bool,
    /// What was typed, when a form without script came back with an error.
    pub(crate) body: String,
    pub(crate) subject: String,
    pub(crate) error: String,
    pub(crate) csrf: String,
}

#[derive(Debug, Clone)]
pub(crate) struct ChannelChoice {
    pub(crate) channel: Channel,
    /// Number or address, formatted.
    pub(crate) address: String,
    pub(crate) chosen: bool,
    /// Why nothing can be written here now; `None` when something can.
    pub(crate) hurdle: Option<Hurdle>,
}

/// What stands in the way, in a sentence, and the way round it if there is one.
#[derive(Debug, Clone)]
pub(crate) struct Hurdle {
    pub(crate) tone: Tone,
    pub(crate) icon: &'static str,
    /// "Tom unsubscribed from SMS".
    pub(crate) heading: String,
    /// "He wrote STOP on 12 November at 19:05. Only he can undo that, by writing START."
    pub(crate) text: String,
    /// Whether an approved template may still be sent (WhatsApp after its 24 hours).
    pub(crate) template_helps: bool,
    /// Label and path.
    pub(crate) action: Option<(String, String)>,
}

#[derive(Debug, Clone)]
pub(crate) struct TemplateChoice {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) channel: Channel,
    /// Rendered for this contact.
    pub(crate) body: String,
    /// Approved by WhatsApp: may be sent outside the 24 hours, and only unchanged.
    pub(crate) approved: bool,
}

impl Composer {
    /// What the empty field says for the chosen channel.
    pub(crate) fn placeholder(&self) -> String {
        match self.channels.iter().find(|choice| choice.chosen) {
            Some(choice) if choice.channel == Channel::Email => {
                format!("Write to {} at {}", self.to, choice.address)
            }
            Some(choice) => format!("Text {} at {}", self.to, choice.address),
            None => String::new(),
        }
    }
}
