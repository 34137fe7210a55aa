//! Which gates bind which kind of message: one table.

use super::{Gate, TenantFacts};
use crate::message::Kind;
use serde::{Deserialize, Serialize};

/// The consent a kind of message needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// None: it is owed to the recipient, or the recipient belongs to the business.
    None,
    /// The recipient has not opted out.
    NotOptedOut,
    /// The recipient has opted in.
    OptedIn,
}

/// What binds a kind of message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Policy {
    /// Whether each gate binds, in the order of [`Gate::ALL`].
    pub binds: [bool; 7],
    /// The consent it needs.
    pub needs_consent: Consent,
    /// Whether it is marketing: bound to the marketing hours of the recipient's country, and starting
    /// the recipient's suppression window.
    pub counts_as_marketing: bool,
}

/// The policy of a kind.
pub const fn policy(kind: Kind) -> Policy {
    const YES: bool = true;
    const NO: bool = false;
    //                    kill budget dnc  suppr quiet rate warm-up
    const MARKETING: Policy = row([YES, YES, YES, YES, YES, YES, YES], Consent::OptedIn, true);
    const AUTOMATIC: Policy = row([YES, YES, YES, NO, YES, YES, YES], Consent::NotOptedOut, false);
    const PERSONAL: Policy = row([YES, YES, YES, NO, NO, YES, NO], Consent::NotOptedOut, false);
    const INTERNAL: Policy = row([YES, YES, NO, NO, NO, YES, NO], Consent::None, false);
    const OWED: Policy = row([YES, NO, NO, NO, NO, YES, NO], Consent::None, false);
    match kind {
        Kind::Campaign | Kind::Sequence => MARKETING,
        Kind::Quote | Kind::Reminder | Kind::Invoice | Kind::AutoReply | Kind::Api => AUTOMATIC,
        Kind::Manual | Kind::Test => PERSONAL,
        Kind::Notification => INTERNAL,
        Kind::ConsentConfirmation | Kind::Help => OWED,
    }
}

const fn row(binds: [bool; 7], needs_consent: Consent, counts_as_marketing: bool) -> Policy {
    Policy { binds, needs_consent, counts_as_marketing }
}

/// Whether a gate binds a kind of message of this tenant: as in the table, save that a tenant may choose
/// that quiet hours hold what people type, too.
pub const fn binds(kind: Kind, gate: Gate, tenant: &TenantFacts) -> bool {
    let typed_at_night = tenant.quiet_hours_bind_people
        && matches!(gate, Gate::QuietHours)
        && matches!(kind, Kind::Manual | Kind::Test);
    policy(kind).binds[gate as usize] || typed_at_night
}
