//! What the frame around every page needs: who is looking, for which tenant, what they may do,
//! where they are.
//!
//! Plain data for `templates/layout.html` and `templates/bare.html`. It promises nothing about
//! permissions: what a role may do is decided where the request is authorised; the flags here only
//! keep the page from offering what would be refused.

use askama::Template;

use super::parts::{Face, Tone};

/// The frame of a page for somebody who is signed in. Every page struct has a field `shell`.
#[derive(Debug, Clone)]
pub struct Shell {
    /// The page's own title, without the product's name.
    pub title: String,
    pub place: Place,
    pub tenant: TenantMark,
    /// The other tenants this person belongs to; empty hides the switcher's list.
    pub tenants: Vec<TenantMark>,
    /// Set by `PATCHBAY_SINGLE_TENANT`: the switcher is a plain name.
    pub single_tenant: bool,
    pub user: UserMark,
    pub role: Role,
    pub can_write: bool,
    pub can_manage: bool,
    pub counts: NavCounts,
    /// Path and query of this page, to come back to after switching tenant or signing in again.
    pub path: String,
    pub csrf: String,
    /// What the page is as new as; the stream of changes starts there.
    pub as_of: String,
    pub theme: Theme,
    /// Where assets are served from: `/assets`, or `/assets/<version>` when they may be cached for
    /// good. Scripts import one another by relative path, so one prefix versions them all.
    pub assets: String,
    /// Said once after a redirect (`POST`, then `GET`).
    pub notice: Option<Notice>,
    /// A line above everything while it holds: the kill switch, an unverified sender.
    pub banner: Option<Banner>,
}

impl Shell {
    /// The rooms in the navigation, in groups; a group may have a heading.
    pub fn groups(&self) -> Vec<(&'static str, Vec<Place>)> {
        vec![
            ("", vec![Place::Inbox, Place::Contacts, Place::Board, Place::Quotes]),
            ("Outreach", vec![Place::Campaigns, Place::Segments, Place::Templates, Place::Reports]),
        ]
    }

    /// The rooms at the foot of the navigation.
    pub fn foot(&self) -> Vec<Place> {
        vec![Place::Dashboard, Place::Settings]
    }

    /// The three rooms a thumb reaches; the rest is behind "More".
    pub fn thumb(&self) -> [Place; 3] {
        [Place::Inbox, Place::Contacts, Place::Quotes]
    }

    /// The rooms behind "More" on a phone.
    pub fn more(&self) -> [Place; 7] {
        use Place::{Board, Campaigns, Dashboard, Reports, Segments, Settings, Templates};
        [Board, Campaigns, Segments, Templates, Reports, Dashboard, Settings]
    }

    /// Whether this page is in that room.
    pub fn is_at(&self, place: &Place) -> bool {
        self.place == *place
    }

    /// What waits in a room, as text; empty for nothing.
    pub fn count(&self, place: &Place) -> String {
        let waiting = match place {
            Place::Inbox => self.counts.inbox,
            Place::Quotes => self.counts.quotes,
            Place::Settings => self.counts.parked,
            _ => 0,
        };
        match waiting {
            0 => String::new(),
            1..=999 => waiting.to_string(),
            _ => "999+".to_owned(),
        }
    }
}

/// A room of the house.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Inbox,
    Contacts,
    Board,
    Quotes,
    Campaigns,
    Segments,
    Templates,
    Reports,
    Dashboard,
    Settings,
    /// The person's own page; not in the navigation.
    Account,
}

impl Place {
    /// The room that a path belongs to; the inbox for those of none.
    pub fn of(path: &str) -> Self {
        use Place::{
            Account, Board, Campaigns, Contacts, Dashboard, Inbox, Quotes, Reports, Segments, Settings,
            Templates,
        };
        [Contacts, Board, Quotes, Campaigns, Segments, Templates, Reports, Dashboard, Settings, Account]
            .into_iter()
            .find(|place| path.starts_with(place.href()))
            .unwrap_or(Inbox)
    }

    pub fn href(self) -> &'static str {
        match self {
            Self::Inbox => "/inbox",
            Self::Contacts => "/contacts",
            Self::Board => "/board",
            Self::Quotes => "/quotes",
            Self::Campaigns => "/campaigns",
            Self::Segments => "/segments",
            Self::Templates => "/templates",
            Self::Reports => "/reports",
            Self::Dashboard => "/dashboard",
            Self::Settings => "/settings",
            Self::Account => "/account",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Inbox => "Inbox",
            Self::Contacts => "Contacts",
            Self::Board => "Board",
            Self::Quotes => "Quotes",
            Self::Campaigns => "Campaigns",
            Self::Segments => "Segments",
            Self::Templates => "Templates",
            Self::Reports => "Reports",
            Self::Dashboard => "Dashboard",
            Self::Settings => "Settings",
            Self::Account => "Account",
        }
    }

    pub fn icon(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Contacts => "users",
            Self::Board => "square-kanban",
            Self::Quotes => "file-text",
            Self::Campaigns => "megaphone",
            Self::Segments => "filter",
            Self::Templates => "text-quote",
            Self::Reports => "chart-spline",
            Self::Dashboard => "chart-column",
            Self::Settings => "settings",
            Self::Account => "circle-user",
        }
    }

    /// The name of its count in [`NavCounts`]; empty when nothing is counted there.
    pub fn count_name(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Quotes => "quotes",
            Self::Settings => "parked",
            _ => "",
        }
    }

    /// The letter that goes there after `g`.
    pub fn key(self) -> &'static str {
        match self {
            Self::Inbox => "i",
            Self::Contacts => "c",
            Self::Board => "b",
            Self::Quotes => "q",
            Self::Campaigns => "m",
            Self::Segments => "e",
            Self::Templates => "t",
            Self::Reports => "r",
            Self::Dashboard => "d",
            Self::Settings => "s",
            Self::Account => "a",
        }
    }
}

/// What waits, shown beside a room.
#[derive(Debug, Clone, Copy, Default)]
pub struct NavCounts {
    /// Open conversations with something unread.
    pub inbox: u64,
    /// Quotes viewed or answered since the viewer last looked.
    pub quotes: u64,
    /// Events that were parked after their last attempt.
    pub parked: u64,
}

/// `GET /counts`: what waits, again, when something changed.
#[derive(Debug, Template)]
#[template(path = "counts.html")]
pub struct CountsFragment {
    pub counts: NavCounts,
}

#[derive(Debug, Clone)]
pub struct TenantMark {
    pub id: String,
    pub name: String,
    pub face: Face,
}

#[derive(Debug, Clone)]
pub struct UserMark {
    pub name: String,
    pub email: String,
    pub face: Face,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Owner,
    Admin,
    Member,
    Viewer,
}

impl Role {
    pub fn word(self) -> &'static str {
        match self {
            Self::Owner => "Owner",
            Self::Admin => "Admin",
            Self::Member => "Member",
            Self::Viewer => "Viewer",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    System,
    Light,
    Dark,
}

impl Theme {
    pub fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// Something that was done, said in a toast; `undo` is a path to post to.
#[derive(Debug, Clone)]
pub struct Notice {
    pub text: String,
    pub undo: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Banner {
    pub tone: Tone,
    pub icon: &'static str,
    pub text: String,
    /// Where it can be mended: label and path.
    pub action: Option<(String, String)>,
}

/// The frame for pages without a signed-in person: sign-in, a lead's quote, an error.
#[derive(Debug, Clone)]
pub struct Bare {
    pub title: String,
    /// The language of the page, a BCP 47 tag.
    pub lang: String,
    pub csrf: String,
    pub theme: Theme,
    pub assets: String,
    /// Whether the product's mark stands on top; a tenant's own page leaves it out.
    pub branded: bool,
    pub wide: bool,
}
