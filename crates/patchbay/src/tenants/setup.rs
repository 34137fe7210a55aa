//! The first steps of a new business: a number, people, colleagues. Shown until there is something else to show.

use super::sql::members as sql;
use crate::{auth::Caller, db::TenantTx, error::Result};

/// One step, and where it is taken.
#[derive(Debug, Clone)]
pub struct Step {
    pub name: &'static str,
    pub text: &'static str,
    pub href: &'static str,
    pub done: bool,
}

/// The steps that this person may take, with those that are done; empty where there are none left.
pub async fn steps(tx: &mut TenantTx, caller: &Caller) -> Result<Vec<Step>> {
    let done = sql::setup_done(tx).await?;
    let (writes, manages) = (caller.role.can_write(), caller.role.can_manage());
    let steps = [
        (
            manages,
            Step {
                name: "Connect a number",
                text: "So that texts leave, and answers arrive in this inbox.",
                href: "/settings/sending",
                done: done.sender,
            },
        ),
        (
            writes,
            Step {
                name: "Import your people",
                text: "A spreadsheet will do. Leads from your website arrive by themselves.",
                href: "/contacts/import",
                done: done.contact,
            },
        ),
        (
            manages,
            Step {
                name: "Invite your colleagues",
                text: "Everybody works in the same inbox, with a role of their own.",
                href: "/settings/members",
                done: done.colleague,
            },
        ),
    ];
    let steps: Vec<Step> = steps.into_iter().filter(|(may, _)| *may).map(|(_, step)| step).collect();
    Ok(if steps.iter().all(|step| step.done) { Vec::new() } else { steps })
}
