//! What the carrier refuses, and the way to try again.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use patchbay_rules::phone;
use uuid::Uuid;

use super::done;
use crate::{
    app::App,
    auth::Caller,
    error::Result,
    providers::{
        accounts::Account,
        holds::{self, Hold},
        senders::Sender,
        view::HoldRow,
    },
    web::{extract::Path, moments::moment},
};

/// `POST /settings/holds/{id}/lift`.
pub(super) async fn lift(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    holds::lift(&app, &caller, id).await?;
    Ok(done(&app, "Trying again. What waited is on its way."))
}

pub(super) fn row(
    app: &App,
    caller: &Caller,
    hold: &Hold,
    senders: &[Sender],
    accounts: &[Account],
) -> HoldRow {
    let sender = hold.sender_id.and_then(|id| senders.iter().find(|sender| sender.id == id));
    let account = hold.account_id.and_then(|id| accounts.iter().find(|account| account.id == id));
    let towards = hold.to_prefix.as_deref().map(|prefix| format!(" to {prefix}")).unwrap_or_default();
    let what = match (sender, account.and_then(|account| account.account_sid.as_deref())) {
        (Some(sender), _) => {
            let address = phone::format_national_or_international(&sender.address, &caller.tenant.country);
            format!("Messages from {address}{towards} wait")
        }
        (None, Some(sid)) => format!("Messages through the account {sid}{towards} wait"),
        (None, None) if hold.provider == "smtp" => "E-mails wait".to_owned(),
        (None, None) => format!("Messages{towards} wait"),
    };
    HoldRow {
        id: hold.id.to_string(),
        what,
        reason: hold.reason.clone(),
        since: moment(hold.held_at, app.now(), caller.tenant.timezone),
    }
}
