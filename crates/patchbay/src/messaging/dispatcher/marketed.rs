//! Marketing that is leaving, by contact: what no contact's facts can tell yet. Of two campaigns that are due at the same
//! moment only one reaches anybody, and no claim forgets what an earlier one has handed over a moment ago.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use patchbay_rules::{
    gates::{self, RecipientFacts},
    message::{Channel, Kind},
};
use uuid::Uuid;

use crate::{
    db::TenantTx,
    error::Result,
    messaging::sql::dispatch::{self as sql, DueRow, UnderWayRow},
};

#[derive(Default)]
pub(super) struct Marketed(HashMap<Uuid, Vec<UnderWayRow>>);

impl Marketed {
    /// What earlier claims have under way.
    pub async fn load(tx: &mut TenantTx) -> Result<Self> {
        let mut marketed = Self::default();
        for row in sql::under_way(tx).await? {
            marketed.0.entry(row.contact_id).or_default().push(row);
        }
        Ok(marketed)
    }

    /// Adds to the facts of one message's recipient.
    pub fn complete(&self, recipient: &mut RecipientFacts, row: &DueRow) {
        let Some(others) = row.contact_id.and_then(|contact| self.0.get(&contact)) else { return };
        let elsewhere = others.iter().filter(|other| other.campaign_id != row.campaign_id);
        recipient.last_marketed_at =
            recipient.last_marketed_at.max(elsewhere.map(|other| other.claimed_at).max());
        let texts = others.iter().filter(|other| other.channel == Channel::Sms.as_str());
        recipient.texted_at.extend(texts.map(|text| text.claimed_at));
    }

    /// This message leaves now.
    pub fn note(&mut self, kind: Kind, row: &DueRow, now: DateTime<Utc>) {
        if let Some(contact_id) = row.contact_id.filter(|_| gates::policy(kind).counts_as_marketing) {
            let (campaign_id, channel) = (row.campaign_id, row.channel.clone());
            let leaving = UnderWayRow { contact_id, campaign_id, channel, claimed_at: now };
            self.0.entry(contact_id).or_default().push(leaving);
        }
    }
}
