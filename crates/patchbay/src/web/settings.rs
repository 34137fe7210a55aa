//! The rooms of the settings, and the navigation beside them. What a role may not see is not listed.

use super::parts::Tab;
use crate::auth::Role;

/// A page of the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Business,
    Sending,
    Members,
    Stages,
    Labels,
    CustomFields,
    Notifications,
    ApiKeys,
    Events,
    Audit,
}

impl Section {
    const ALL: [Self; 10] = [
        Self::Business,
        Self::Sending,
        Self::Members,
        Self::Stages,
        Self::Labels,
        Self::CustomFields,
        Self::Notifications,
        Self::ApiKeys,
        Self::Events,
        Self::Audit,
    ];

    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Business => "Business",
            Self::Sending => "Sending",
            Self::Members => "Members",
            Self::Stages => "Stages",
            Self::Labels => "Labels",
            Self::CustomFields => "Custom fields",
            Self::Notifications => "Notifications",
            Self::ApiKeys => "API keys",
            Self::Events => "Events",
            Self::Audit => "Audit log",
        }
    }

    pub(crate) fn href(self) -> &'static str {
        match self {
            Self::Business => "/settings/business",
            Self::Sending => "/settings/sending",
            Self::Members => "/settings/members",
            Self::Stages => "/settings/stages",
            Self::Labels => "/settings/labels",
            Self::CustomFields => "/settings/custom-fields",
            Self::Notifications => "/settings/notifications",
            Self::ApiKeys => "/settings/api-keys",
            Self::Events => "/settings/events",
            Self::Audit => "/settings/audit",
        }
    }

    /// The least role that may open the page; its form may ask for more.
    pub(crate) fn role(self) -> Role {
        match self {
            Self::Business | Self::Sending | Self::Members => Role::Viewer,
            Self::Stages | Self::Labels | Self::CustomFields | Self::Notifications => Role::Admin,
            Self::ApiKeys | Self::Events | Self::Audit => Role::Admin,
        }
    }
}

/// The navigation, for `ui::side_tabs(tabs, "Settings")`.
pub(crate) fn tabs(current: Section, role: Role) -> Vec<Tab> {
    Section::ALL
        .into_iter()
        .filter(|section| role >= section.role())
        .map(|section| Tab::new(section.label(), section.href(), section == current))
        .collect()
}
