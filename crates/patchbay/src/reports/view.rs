//! What the pages of the reports show.

use askama::Template;

use crate::web::{
    charts::{Breakdown, Columns, Lines, Mark},
    layout::Shell,
    parts::{Empty, Pager, Tab, Tag},
};

/// A number with its words.
pub(super) struct Figure {
    pub(super) label: &'static str,
    pub(super) amount: String,
    pub(super) note: String,
}

/// A campaign in the list.
pub(super) struct CampaignLine {
    pub(super) href: String,
    pub(super) name: String,
    pub(super) tag: Tag,
    pub(super) launched: String,
    pub(super) recipients: String,
    /// Empty until the report was opened once.
    pub(super) delivered: String,
    pub(super) clicked: String,
    pub(super) opted_out: String,
}

#[derive(Template)]
#[template(path = "reports/index.html")]
pub(super) struct IndexPage {
    pub(super) shell: Shell,
    pub(super) tabs: Vec<Tab>,
    pub(super) rows: Vec<CampaignLine>,
    pub(super) pager: Pager,
    pub(super) empty: Option<Empty>,
}

/// One step of the funnel.
pub(super) struct Step {
    pub(super) label: &'static str,
    pub(super) amount: String,
    /// Of the step that it is measured by: "96.2 % of those sent".
    pub(super) share: String,
    /// In percent of the first step, for an SVG attribute.
    pub(super) width: String,
    pub(super) mark: Mark,
}

/// Messages with one reason.
pub(super) struct ReasonLine {
    pub(super) word: String,
    pub(super) reason: String,
    pub(super) amount: String,
    pub(super) share: String,
}

/// One template.
pub(super) struct TemplateLine {
    pub(super) name: String,
    pub(super) href: String,
    pub(super) sent: String,
    pub(super) delivered: String,
    pub(super) clicked: String,
    /// "3.9 to 4.5 %".
    pub(super) interval: String,
    pub(super) replied: String,
    pub(super) opted_out: String,
}

/// One stretch of time.
pub(super) struct TimeLine {
    pub(super) when: String,
    pub(super) sent: String,
    pub(super) delivered: String,
    pub(super) clicks: String,
    pub(super) hits: String,
}

#[derive(Template)]
#[template(path = "reports/campaign.html")]
pub(super) struct CampaignPage {
    pub(super) shell: Shell,
    pub(super) name: String,
    pub(super) href: String,
    pub(super) tag: Tag,
    pub(super) counted: String,
    pub(super) figures: Vec<Figure>,
    pub(super) steps: Vec<Step>,
    pub(super) outcomes: Option<Breakdown>,
    pub(super) reasons: Vec<ReasonLine>,
    pub(super) sending: Lines,
    pub(super) clicking: Lines,
    pub(super) times: Vec<TimeLine>,
    pub(super) templates: Vec<TemplateLine>,
    pub(super) comparison: String,
    /// Before the launch there is nothing to tell.
    pub(super) empty: Option<Empty>,
}

/// One sender.
pub(super) struct SenderLine {
    pub(super) address: String,
    pub(super) label: String,
    pub(super) channel: String,
    pub(super) sent: String,
    pub(super) delivered: String,
    pub(super) failed: String,
    pub(super) filtered: String,
    pub(super) opted_out: String,
    /// "Day 3: 120 of 200 today".
    pub(super) today: String,
    /// What to worry about, in a word; empty for nothing.
    pub(super) worry: Option<Tag>,
}

#[derive(Template)]
#[template(path = "reports/senders.html")]
pub(super) struct SendersPage {
    pub(super) shell: Shell,
    pub(super) tabs: Vec<Tab>,
    pub(super) rows: Vec<SenderLine>,
    pub(super) empty: Option<Empty>,
}

/// Spending against a cap.
pub(super) struct Gauge {
    pub(super) label: &'static str,
    pub(super) amount: String,
    /// "of $50.00", or that there is no cap.
    pub(super) cap: String,
    /// In percent, for an SVG attribute; empty without a cap.
    pub(super) width: String,
    pub(super) mark: Mark,
}

/// One day.
pub(super) struct DayLine {
    pub(super) day: String,
    pub(super) messages: String,
    pub(super) cost: String,
}

/// A channel to a country.
pub(super) struct PlaceLine {
    /// "SMS to Australia"
    pub(super) place: String,
    pub(super) messages: String,
    pub(super) segments: String,
    pub(super) cost: String,
    /// Of one segment.
    pub(super) each: String,
}

#[derive(Template)]
#[template(path = "reports/spend.html")]
pub(super) struct SpendPage {
    pub(super) shell: Shell,
    pub(super) tabs: Vec<Tab>,
    pub(super) gauges: Vec<Gauge>,
    pub(super) columns: Columns,
    pub(super) days: Vec<DayLine>,
    pub(super) places: Vec<PlaceLine>,
    pub(super) nothing: bool,
}
