//! Where an answer is written: channels, templates, moments to send it, and what stands in the way.

use crate::web::parts::Tone;

use super::Channel;
use super::thread::Later;

#[derive(Debug, Clone)]
pub struct Composer {
    pub conversation_id: String,
    /// The person's first name, or the number.
    pub to: String,
    /// The channels there is an address for; exactly one is chosen. Empty when there is none.
    pub channels: Vec<ChannelChoice>,
    pub templates: Vec<TemplateChoice>,
    pub laters: Vec<Later>,
    /// The contact's zone in words: "Perth time, now 21:06".
    pub zone: String,
    /// Said before anything is typed: "0 / 160 · 1 segment · $0.008".
    pub estimate: String,
    /// Set when this person may not send at all; replaces the channels.
    pub barred: Option<Hurdle>,
    pub can_note: bool,
    /// What was typed, when a form without script came back with an error.
    pub body: String,
    pub subject: String,
    pub error: String,
    /// What to think of before sending, with a better moment: "It is 21:06 in Perth."
    pub caution: Option<Caution>,
    /// Makes the same form sent twice one message.
    pub nonce: String,
    pub csrf: String,
}

/// A sentence, and the moment that would be better.
#[derive(Debug, Clone)]
pub struct Caution {
    pub text: String,
    pub later: Later,
}

#[derive(Debug, Clone)]
pub struct ChannelChoice {
    pub channel: Channel,
    /// Number or address, formatted.
    pub address: String,
    pub chosen: bool,
    /// Why nothing can be written here now; `None` when something can.
    pub hurdle: Option<Hurdle>,
}

/// What stands in the way, in a sentence, and the way round it if there is one.
#[derive(Debug, Clone)]
pub struct Hurdle {
    pub tone: Tone,
    pub icon: &'static str,
    /// "Tom unsubscribed from SMS".
    pub heading: String,
    /// "He wrote STOP on 12 November at 19:05. Only he can undo that, by writing START."
    pub text: String,
    /// Whether an approved template may still be sent (WhatsApp after its 24 hours).
    pub template_helps: bool,
    /// Label and path.
    pub action: Option<(String, String)>,
    /// Whether it rests on words that somebody may say were no opt-out.
    pub misread: bool,
}

#[derive(Debug, Clone)]
pub struct TemplateChoice {
    pub id: String,
    pub name: String,
    pub channel: Channel,
    /// Rendered for this contact.
    pub body: String,
    /// Of an e-mail; empty otherwise.
    pub subject: String,
    /// Approved by WhatsApp: may be sent outside the 24 hours, and only unchanged.
    pub approved: bool,
}

impl Composer {
    /// What the empty field says for the chosen channel.
    pub fn placeholder(&self) -> String {
        match self.channels.iter().find(|choice| choice.chosen) {
            Some(choice) if choice.channel == Channel::Email => {
                format!("Write to {} at {}", self.to, choice.address)
            }
            Some(choice) => format!("Text {} at {}", self.to, choice.address),
            None => String::new(),
        }
    }
}
