//! What every handler and worker is given: one plain struct, passed explicitly.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::{
    auth::mail::Mailer, config::Config, db::Db, ids, links, messaging, providers::Providers,
    realtime::Realtime, secrets::Secrets, time::Clock,
};

/// The application. Handlers take it as `State<Arc<App>>`, operations as `&App`.
pub struct App {
    pub config: Config,
    pub db: Db,
    pub clock: Arc<dyn Clock>,
    pub providers: Providers,
    /// For sign-in links, invitations and warnings; messages to contacts go through the ledger.
    pub mailer: Mailer,
    pub secrets: Secrets,
    pub realtime: Realtime,
    pub webhooks: messaging::webhooks::Mailroom,
    /// Signs short links, and knows its own.
    pub links: links::Signer,
    /// Hits on short links, on their way to the database.
    pub clicks: links::Clicks,
}

impl App {
    /// The present instant.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// The longest that a call to a provider may take; with less left of a lease nothing is handed over.
    /// Half the lease at most, so that short leases (tests) still work.
    pub fn call_time(&self) -> TimeDelta {
        TimeDelta::from_std(self.config.lease / 2).unwrap_or_default().min(TimeDelta::seconds(30))
    }

    /// A new time-ordered id.
    pub fn new_id(&self) -> Uuid {
        ids::new_id(self.now())
    }
}
