//! Sender names that nobody registered. Networks that show registered names only would put somebody else's words in
//! their place, so that a campaign to such networks is not launched; the gate holds whoever joins later.

use patchbay_rules::{message::Channel, senders};
use uuid::Uuid;

use super::{Status, audience::Audience, sql};
use crate::{
    app::App,
    auth::Caller,
    error::{Error, Result},
};

/// # Errors
/// Invalid: the sender is such a name, and somebody in the audience has a number of such a network.
pub(super) async fn check(app: &App, caller: &Caller, id: Uuid) -> Result<()> {
    let tenant = caller.tenant.id;
    let mut tx = app.db.tenant(tenant).await?;
    let campaign = super::find(&mut tx, id).await?;
    if campaign.status != Status::Draft || campaign.channel != Channel::Sms {
        return Ok(());
    }
    let unregistered = sql::unregistered_sender(&mut tx, campaign.sender_id).await?;
    let Some(name) = unregistered.filter(|address| senders::is_name(address)) else { return Ok(()) };
    let audience = Audience::load(&mut tx, app, &campaign).await?;
    drop(tx);
    let mut conn = app.db.system_conn().await?;
    if !sql::reaches(&mut conn, tenant, &audience, senders::REGISTERED_NAMES).await? {
        return Ok(());
    }
    Err(Error::field(
        "sender_id",
        format!(
            "Australian networks show {name} as “Unverified” until it is registered. Register it with your carrier and say so under Settings → Sending, or send from a number."
        ),
    ))
}
