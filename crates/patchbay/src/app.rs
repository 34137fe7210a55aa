//! What every handler and worker is given: one plain struct, passed explicitly.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{auth::mail::Mailer, config::Config, db::Db, ids, providers::Providers, realtime::Realtime, secrets::Secrets, time::Clock};

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
}

impl App {
    /// The present instant.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// A new time-ordered id.
    pub fn new_id(&self) -> Uuid {
        ids::new_id(self.now())
    }
}
