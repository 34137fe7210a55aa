//! What the pages of campaigns show.

use askama::Template;

use crate::web::{
    charts::{Breakdown, Spark},
    fields::{Choice, Field},
    layout::Shell,
    parts::{Empty, Face, Moment, Pager, Tab, Tag},
};

/// A campaign in the list.
pub(super) struct CampaignRow {
    pub(super) href: String,
    pub(super) name: String,
    pub(super) channel: &'static str,
    pub(super) tag: Tag,
    /// "1,204 of 5,000 settled"; empty before the launch.
    pub(super) progress: String,
    pub(super) bar: Option<Breakdown>,
    /// When it started, will start, or was made.
    pub(super) at: Moment,
}

#[derive(Template)]
#[template(path = "campaigns/list.html")]
pub(super) struct ListPage {
    pub(super) shell: Shell,
    pub(super) tabs: Vec<Tab>,
    pub(super) live_src: String,
    pub(super) rows: Vec<CampaignRow>,
    pub(super) pager: Pager,
    pub(super) empty: Option<Empty>,
}

/// A template that a campaign may send.
pub(super) struct TemplateChoice {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) channel: &'static str,
    pub(super) content: String,
    pub(super) chosen: bool,
}

#[derive(Template)]
#[template(path = "campaigns/edit.html")]
pub(super) struct EditPage {
    pub(super) shell: Shell,
    pub(super) heading: String,
    pub(super) crumb: String,
    pub(super) crumb_href: String,
    pub(super) action: String,
    pub(super) back: String,
    /// What is wrong as a whole; empty for nothing.
    pub(super) error: String,
    pub(super) name: Field,
    pub(super) segment: Field,
    pub(super) channels: Vec<Choice>,
    pub(super) sender: Field,
    pub(super) templates: Vec<TemplateChoice>,
    pub(super) templates_error: String,
    pub(super) when: Vec<Choice>,
    pub(super) at: Field,
}

/// A text as it reads for somebody.
pub(super) struct LookRow {
    pub(super) name: String,
    pub(super) subject: String,
    pub(super) text: String,
    /// "2 segments · 184 characters".
    pub(super) size: String,
    pub(super) problem: String,
}

/// The texts of a campaign, for one contact.
#[derive(Template)]
#[template(path = "campaigns/looks.html")]
pub(super) struct Looks {
    pub(super) looks: Vec<LookRow>,
}

/// What a preflight found.
#[derive(Template)]
#[template(path = "campaigns/checks.html")]
pub(super) struct Checks {
    pub(super) id: String,
    pub(super) csrf: String,
    pub(super) breakdown: Option<Breakdown>,
    /// When the gates were asked.
    pub(super) checked: Option<Moment>,
    pub(super) cost: String,
    pub(super) segments: String,
    pub(super) finishes: String,
    /// What stands in the way; empty for nothing.
    pub(super) problem: String,
    pub(super) name: String,
    /// What launching means, in numbers; empty while it cannot be launched, or not by this person.
    pub(super) promise: Vec<String>,
    /// How many people the promise is about.
    pub(super) recipients: i64,
    /// Said in the dialog, which is open then: the audience is another one than was agreed to.
    pub(super) moved: String,
    pub(super) can_write: bool,
}

/// The numbers of a campaign under way, or over.
#[derive(Template)]
#[template(path = "campaigns/live.html")]
pub(super) struct Live {
    pub(super) id: String,
    pub(super) csrf: String,
    pub(super) name: String,
    pub(super) tag: Tag,
    pub(super) breakdown: Breakdown,
    /// In percent of the audience, for the progress bar's value.
    pub(super) settled: u64,
    pub(super) total: u64,
    pub(super) settled_text: String,
    /// While it runs.
    pub(super) pace: Option<PacePart>,
    /// Why it is paused; empty otherwise.
    pub(super) paused: String,
    pub(super) by_itself: bool,
    /// Nothing is sent for anybody: the business's own switch.
    pub(super) stopped: bool,
    pub(super) is_running: bool,
    pub(super) is_paused: bool,
    pub(super) can_write: bool,
    pub(super) can_manage: bool,
}

/// How fast it goes.
#[derive(Template)]
#[template(path = "campaigns/pace.html")]
pub(super) struct PacePart {
    /// "120 a minute".
    pub(super) speed: String,
    /// "3,400 in the last hour".
    pub(super) in_all: String,
    pub(super) chart: Option<Spark>,
    /// Who waits, and when it ends.
    pub(super) lines: Vec<String>,
}

/// How many a segment holds.
#[derive(Template)]
#[template(path = "campaigns/audience.html")]
pub(super) struct AudiencePart {
    /// "1,204 people"; empty when it cannot be told.
    pub(super) people: String,
    /// Otherwise it is an estimate.
    pub(super) is_exact: bool,
    pub(super) problem: String,
}

/// A name and what it is.
pub(super) struct Fact {
    pub(super) name: &'static str,
    pub(super) text: String,
    pub(super) href: String,
}

#[derive(Template)]
#[template(path = "campaigns/show.html")]
pub(super) struct ShowPage {
    pub(super) shell: Shell,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) tag: Tag,
    pub(super) facts: Vec<Fact>,
    pub(super) looks: Looks,
    /// Before the launch.
    pub(super) checks: Option<Checks>,
    /// From the launch on.
    pub(super) live: Option<Live>,
    pub(super) is_draft: bool,
    pub(super) is_scheduled: bool,
    /// "Thu 20 Nov 2026, 09:00", where it waits for its time.
    pub(super) starts: String,
    /// It starts at that time of day in every zone.
    pub(super) in_zones: bool,
    pub(super) test_to: Field,
}

/// Somebody behind a number.
pub(super) struct PersonRow {
    pub(super) href: String,
    pub(super) name: String,
    pub(super) address: String,
    pub(super) face: Face,
    pub(super) why: String,
}

#[derive(Template)]
#[template(path = "campaigns/people.html")]
pub(super) struct PeoplePage {
    pub(super) shell: Shell,
    pub(super) heading: String,
    pub(super) campaign: String,
    pub(super) campaign_href: String,
    pub(super) rows: Vec<PersonRow>,
    pub(super) pager: Pager,
}
