//! What the log speaks of: the one list. Entries are made of these kinds, the page filters by them, and each says where its
//! things are; a kind that is not here cannot be recorded.

/// Where a thing is looked at.
enum Page {
    /// This path, then its id.
    Of(&'static str),
    /// All of them on one page.
    At(&'static str),
}

macro_rules! kinds {
    ($($kind:ident $word:literal $label:literal $page:expr;)*) => {
        /// A kind of thing that changes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Kind { $($kind),* }

        impl Kind {
            /// All of them, in the order of the page.
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            /// The word stored.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $word),* }
            }

            /// What people call them.
            pub fn label(self) -> &'static str {
                match self { $(Self::$kind => $label),* }
            }

            fn page(self) -> Page {
                use Page::{At, Of};
                match self { $(Self::$kind => $page),* }
            }
        }
    };
}

kinds! {
    Settings "settings" "Settings" At("/settings");
    Member "member" "Members" At("/settings/members");
    Invitation "invitation" "Invitations" At("/settings/members");
    ApiKey "api_key" "API keys" At("/settings/api-keys");
    ProviderAccount "provider_account" "Carrier accounts" At("/settings/sending");
    Sender "sender" "Numbers and addresses" At("/settings/sending");
    Template "template" "Templates" Of("/templates/");
    Contact "contact" "Contacts" Of("/contacts/");
    Note "note" "Notes" Of("/contacts/");
    Conversation "conversation" "Conversations" Of("/conversations/");
    Message "message" "Messages" At("/inbox");
    Stage "stage" "Stages" At("/settings/stages");
    Label "label" "Labels" At("/settings/labels");
    CustomField "custom_field" "Custom fields" At("/settings/custom-fields");
    Quote "quote" "Quotes" Of("/quotes/");
    Segment "segment" "Segments" Of("/segments/");
    Campaign "campaign" "Campaigns" Of("/campaigns/");
    Import "import" "Imports" Of("/contacts/import/");
    DoNotContact "do_not_contact" "Do not contact" At("/do-not-contact");
    NotificationRule "notification_rule" "Notifications" At("/settings/notifications");
    SendingHold "sending_hold" "What the carrier refuses" At("/settings/sending");
    Session "session" "Sign-ins" At("/settings/members");
    Event "event" "Events" At("/settings/events");
}

impl Kind {
    /// The kind of this stored word.
    pub fn read(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == word)
    }

    /// Where the thing with this id is looked at. What `action` did away with is nowhere.
    pub fn href(self, id: Option<&str>, action: &str) -> Option<String> {
        let is_gone = [".deleted", ".discarded", ".erased"].iter().any(|end| action.ends_with(end));
        match self.page() {
            Page::At(path) => Some(path.to_owned()),
            Page::Of(_) if is_gone => None,
            Page::Of(path) => Some(format!("{path}{}", id?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read_back_and_has_a_place() {
        for kind in Kind::ALL {
            assert_eq!(Kind::read(kind.as_str()), Some(*kind));
            assert!(kind.href(Some("x"), "x.updated").is_some_and(|path| path.starts_with('/')), "{kind:?}");
        }
        assert_eq!(Kind::Campaign.href(Some("1"), "campaign.launched").as_deref(), Some("/campaigns/1"));
        assert_eq!(Kind::Segment.href(Some("1"), "segment.deleted"), None);
        assert_eq!(Kind::Contact.href(None, "contacts.exported"), None);
        assert_eq!(Kind::read("x"), None);
    }
}
