//! What a test leaves behind. Events that are due are no fault: they are handled now, as a node would. What then still is
//! claimed, keeps failing or was given up, and a message that is under way although nobody is sending it, is.

use std::sync::Arc;

use patchbay_outbox::Options;
use patchbay_providers::Fake;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio_util::sync::CancellationToken;

use super::harness::assemble;
use crate::{
    config::Config,
    time::{Clock, SystemClock, TestClock},
    workers,
};

pub(super) struct Leftovers {
    pub(super) url: String,
    pub(super) config: Config,
    pub(super) fake: Arc<Fake>,
    pub(super) clock: Arc<TestClock>,
}

const OPEN: &str = "select 'an event ' || event_type || ': ' || coalesce(last_error, 'attempt ' || attempt) as what from patchbay.outbox where processed_at is null";

impl Leftovers {
    /// In words; nothing for nothing.
    pub(super) async fn find(self) -> String {
        // A test may have done away with its database, or with what is in it.
        let Ok(mut sql) = PgConnection::connect(&self.url).await else { return String::new() };
        let found = tell(&mut sql, OPEN).await;
        if !found.is_empty() {
            self.work().await;
        }
        // What is due later and was never begun may wait.
        let begun = format!(
            "{OPEN} and attempt > 0 union all select 'a message is being sent: ' || kind from patchbay.messages where status = 'sending'"
        );
        tell(&mut sql, &begun).await
    }

    async fn work(self) {
        let real = SystemClock.now();
        if real > self.clock.now() {
            self.clock.set(real);
        }
        let clock = self.clock.clone();
        let app = assemble(&self.url, self.config, self.fake, self.clock).await;
        let engine = workers::engine(&app, Options::default());
        // Twice: what a node had claimed that was killed at the end comes due again after its lease.
        for _ in 0..2 {
            while engine.run_once(&CancellationToken::new()).await.is_ok_and(|done| done > 0) {}
            clock.advance(Options::default().lease);
        }
    }
}

async fn tell(sql: &mut PgConnection, query: &str) -> String {
    let query = format!("select coalesce(string_agg(distinct what, '; '), '') from ({query}) open");
    sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(sql).await.unwrap_or_default()
}
