//! Holds: an account or a sender that the carrier refuses for a reason that a person must put right.
//!
//! Promises: a hold is written with the outcome that brought it, once, and told to whoever looks after the business;
//! while it is there the dispatcher lets nothing through that way, and what waits says why. It ends when the account is
//! saved again, its sender is removed, or somebody says so. Does not: choose another way out for what waits (a person chose the number).

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use patchbay_providers::{Refusal, errors};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Route, sql::holds as rows};
use crate::{
    app::App,
    audit,
    auth::{Actor, Caller},
    db::TenantTx,
    error::{Error, Result},
    ids, messaging,
};

/// The event of a new hold.
pub const HELD: &str = "sending.held";

/// What a message is held by in the ledger.
pub const GATE: &str = "carrier";

/// Messages asked again at once when a hold is lifted; where more wait, the rest keeps its time.
const WOKEN: i64 = 50_000;

/// Something that the carrier refuses until a person puts it right.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = SendingHold)]
pub struct Hold {
    pub id: Uuid,
    /// twilio, smtp or fake
    pub provider: String,
    /// The account; null for the shared one, or the mail server.
    pub account_id: Option<Uuid>,
    /// The sender; null if everything of the account waits.
    pub sender_id: Option<Uuid>,
    /// Set if only messages to numbers that begin so wait.
    pub to_prefix: Option<String>,
    /// The carrier's own code.
    pub code: Option<i32>,
    /// In plain words.
    pub reason: String,
    pub held_at: DateTime<Utc>,
}

impl Hold {
    fn binds(&self, route: &Route, to: &str) -> bool {
        self.provider == route.provider.name()
            && self.account_id == route.account_id
            && self.sender_id.is_none_or(|sender| route.sender_id == Some(sender))
            && self.to_prefix.as_deref().is_none_or(|prefix| to.starts_with(prefix))
    }

    /// What a message that waits for it says.
    pub fn explained(&self) -> Value {
        let detail = format!("{} An admin can mend it in Settings, Sending.", self.reason.trim_end());
        json!({ "code": GATE, "detail": detail })
    }
}

/// All holds of a tenant.
pub struct Holds(Vec<Hold>);

impl Holds {
    pub async fn load(tx: &mut TenantTx) -> Result<Self> {
        Ok(Self(rows::list(tx).await?))
    }

    /// What holds a message to `to` on this way.
    pub fn on(&self, route: &Route, to: &str) -> Option<&Hold> {
        self.0.iter().find(|hold| hold.binds(route, to))
    }
}

/// A refusal that holds more than the message that met it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Refused {
    provider: String,
    account_id: Option<Uuid>,
    sender_id: Option<Uuid>,
    /// That of the account that was used.
    version: Option<DateTime<Utc>>,
    towards: Option<&'static str>,
    code: Option<u32>,
    reason: String,
}

/// The part of the world that a code speaks of; all of it where the message that met it went elsewhere.
fn towards(code: Option<u32>, to: &str) -> Option<&'static str> {
    errors::held_towards(code).filter(|prefix| to.starts_with(prefix))
}

impl Refused {
    /// By the answer to a call over `route`; `None` if nothing but its message is concerned.
    pub fn on(route: &Route, to: &str, refusal: &Refusal) -> Option<Self> {
        let (holds, code) = (refusal.holds()?, refusal.code);
        Some(Self {
            provider: route.provider.name().to_owned(),
            account_id: route.account_id,
            sender_id: route.sender_id.filter(|_| holds == errors::Hold::Sender),
            version: route.account_version,
            towards: towards(code, to),
            code,
            reason: refusal.detail.clone(),
        })
    }

    /// By reports about messages that left earlier: which, to whom, and what their codes say.
    pub async fn by_reports(
        tx: &mut TenantTx,
        reports: &[(Uuid, &str, &errors::ErrorEntry)],
    ) -> Result<Vec<Self>> {
        if reports.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<Uuid> = reports.iter().map(|(id, ..)| *id).collect();
        let ways: HashMap<Uuid, rows::WayRow> =
            rows::ways_of(tx, &ids).await?.into_iter().map(|way| (way.message_id, way)).collect();
        let refused = reports.iter().filter_map(|(id, to, entry)| {
            let (way, holds) = (ways.get(id)?, errors::Hold::of(entry.class, entry.field)?);
            Some(Self {
                provider: way.provider.clone(),
                account_id: way.account_id,
                sender_id: way.sender_id.filter(|_| holds == errors::Hold::Sender),
                version: None,
                towards: towards(Some(entry.code), to),
                code: Some(entry.code),
                reason: entry.words.to_owned(),
            })
        });
        Ok(refused.collect())
    }
}

/// Holds what was refused, in the transaction that writes the refusals' outcomes.
pub async fn hold(tx: &mut TenantTx, mut refused: Vec<Refused>, now: DateTime<Utc>) -> Result<()> {
    // One order for everybody: two nodes that meet the same refusals do not wait for each other in a circle.
    refused.sort_unstable();
    refused.dedup_by(|one, other| {
        (&one.provider, one.account_id, one.sender_id, one.towards)
            == (&other.provider, other.account_id, other.sender_id, other.towards)
    });
    for refused in refused {
        let hold = Hold {
            id: ids::new_id(now),
            to_prefix: refused.towards.map(str::to_owned),
            provider: refused.provider,
            account_id: refused.account_id,
            sender_id: refused.sender_id,
            code: refused.code.and_then(|code| i32::try_from(code).ok()),
            reason: refused.reason,
            held_at: now,
        };
        if !rows::insert(tx, &hold, refused.version).await? {
            continue;
        }
        tracing::warn!(hold = %hold.id, code = ?hold.code, "the carrier refuses an account or a sender: its messages wait");
        let changes = json!({ "reason": [null, hold.reason] });
        record(tx, &Actor::system(), HELD, hold.id, &changes).await?;
        let tenant = tx.tenant();
        patchbay_outbox::enqueue(tx.conn(), tenant, HELD, &json!({ "hold_id": hold.id }), now).await?;
    }
    Ok(())
}

/// The holds there are, oldest first.
pub async fn list(app: &App, caller: &Caller) -> Result<Vec<Hold>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    rows::list(&mut tx).await
}

/// Lets what waits for a hold try again.
pub async fn lift(app: &App, caller: &Caller, id: Uuid) -> Result<Hold> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let hold = rows::delete(&mut tx, id).await?.ok_or(Error::NotFound("hold"))?;
    record(&mut tx, &caller.actor, "sending.tried_again", id, &json!({ "reason": [hold.reason, null] }))
        .await?;
    wake(&mut tx, app.now()).await?;
    tx.commit().await?;
    Ok(hold)
}

/// The account has new credentials.
pub(super) async fn lift_of_account(
    tx: &mut TenantTx,
    provider: &str,
    account: Uuid,
    now: DateTime<Utc>,
) -> Result<()> {
    if rows::delete_of_account(tx, provider, account).await? > 0 {
        wake(tx, now).await?;
    }
    Ok(())
}

async fn wake(tx: &mut TenantTx, now: DateTime<Utc>) -> Result<()> {
    messaging::wake_held(tx, &[GATE], None, now, WOKEN).await.map(drop)
}

async fn record(
    tx: &mut TenantTx,
    actor: &Actor,
    action: &'static str,
    id: Uuid,
    changes: &Value,
) -> Result<()> {
    let entry =
        audit::Entry { action, kind: audit::Kind::SendingHold, entity_id: Some(id.to_string()), changes };
    audit::record(tx, actor, entry).await
}
