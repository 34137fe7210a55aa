//! The templates a tenant is born with. They fit every currency and every name, known or not, and take one segment
//! for ordinary names. What the program looks for by key is found here when the tenant has put its own away.

use patchbay_rules::message::Channel;

/// Announces a quote by text message.
pub const QUOTE_SMS: &str = "quote_sms";
/// Announces a quote to who has an e-mail address and no number.
pub const QUOTE_EMAIL: &str = "quote_email";

/// A template as it is at birth.
#[derive(Debug, Clone, Copy)]
pub struct Default {
    pub key: &'static str,
    pub name: &'static str,
    pub channel: Channel,
    pub subject: Option<&'static str>,
    pub content: &'static str,
}

/// All of them, in the order in which they are offered.
pub fn defaults() -> &'static [Default] {
    &[
        Default {
            key: QUOTE_SMS,
            name: "New quote",
            channel: Channel::Sms,
            subject: None,
            content: "Hi {{ first_name | default(\"there\") }}, your quote from {{ business_name }} is {{ total_formatted }}: {{ short_url }}",
        },
        Default {
            key: QUOTE_EMAIL,
            name: "New quote by e-mail",
            channel: Channel::Email,
            subject: Some("Your quote from {{ business_name }}"),
            content: "Hi {{ first_name | default(\"there\") }},\n\nyour quote from {{ business_name }} comes to {{ total_formatted }}. \
                      See it and answer here:\n\n{{ short_url }}\n\nIs anything unclear? Just answer this message.\n\n{{ business_name }}",
        },
        Default {
            key: "quote_follow_up",
            name: "Quote: still interested?",
            channel: Channel::Sms,
            subject: None,
            content: "Hi {{ first_name | default(\"there\") }}, any questions about the quote from {{ business_name }}? It is here: {{ short_url }}",
        },
        Default {
            key: "first_reply",
            name: "Thanks for getting in touch",
            channel: Channel::Sms,
            subject: None,
            content: "Hi {{ first_name | default(\"there\") }}, thanks for getting in touch with {{ business_name }}. When is a good time to call you?",
        },
        Default {
            key: "missed_call",
            name: "Sorry we missed you",
            channel: Channel::Sms,
            subject: None,
            content: "Hi {{ first_name | default(\"there\") }}, sorry we missed your call. How can we help? {{ business_name }}",
        },
    ]
}
