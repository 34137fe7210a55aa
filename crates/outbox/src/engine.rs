//! Claim, handle, settle.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt, stream};
use sqlx::PgPool;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{Failure, Job, back_off, sql};

/// Does the work of one job. Called concurrently, and again for a job whose outcome was lost.
pub trait Handler: Send + Sync + 'static {
    /// Handles `job`.
    fn handle(&self, job: &Job) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// How an engine works.
#[derive(Debug, Clone)]
pub struct Options {
    /// Jobs per claim.
    pub batch: i64,
    /// Jobs under way at once.
    pub concurrency: usize,
    /// A job not settled by then belongs to whoever claims it next.
    pub lease: TimeDelta,
    /// Failures after which a job is parked.
    pub max_attempts: i32,
    /// How often to look without being woken.
    pub poll: Duration,
    /// How long done jobs stay visible.
    pub keep: TimeDelta,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            batch: 1000,
            concurrency: 16,
            lease: TimeDelta::minutes(2),
            max_attempts: 10,
            poll: Duration::from_millis(500),
            keep: TimeDelta::days(7),
        }
    }
}

/// What became of one batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Round {
    pub processed: usize,
    /// To be tried again later.
    pub postponed: usize,
    pub parked: usize,
}

impl Round {
    /// Jobs in the batch.
    pub fn taken(self) -> usize {
        self.processed + self.postponed + self.parked
    }
}

/// A worker over the outbox.
pub struct Engine<H> {
    pool: PgPool,
    handler: H,
    options: Options,
    now: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    jitter: fn() -> f64,
    wake: Arc<Notify>,
}

impl<H: Handler> Engine<H> {
    /// An engine that asks `now` for the time; `jitter` answers numbers in 0..1.
    pub fn new(
        pool: PgPool,
        handler: H,
        options: Options,
        now: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
        jitter: fn() -> f64,
    ) -> Self {
        Self { pool, handler, options, now, jitter, wake: Arc::new(Notify::new()) }
    }

    /// Notified when new jobs may be waiting. A hint: without it, polling finds them.
    pub fn waker(&self) -> Arc<Notify> {
        self.wake.clone()
    }

    /// Works until `stop`; finishes what it has claimed by then.
    pub async fn run(&self, stop: CancellationToken) {
        let mut swept = (self.now)();
        while !stop.is_cancelled() {
            match self.run_once(&stop).await {
                Ok(0) => {
                    tokio::select! {
                        () = stop.cancelled() => break,
                        () = self.wake.notified() => {}
                        () = tokio::time::sleep(self.options.poll) => {}
                    }
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "the outbox cannot be read");
                    tokio::time::sleep(self.options.poll).await;
                }
            }
            let now = (self.now)();
            if now - swept > TimeDelta::minutes(10) {
                swept = now;
                self.sweep(now).await;
            }
        }
    }

    /// One round over all tenants with due work; answers how many jobs were taken.
    ///
    /// # Errors
    /// What the database says; jobs claimed meanwhile come due again when their lease ends.
    pub async fn run_once(&self, stop: &CancellationToken) -> sqlx::Result<usize> {
        let tenants = sql::due_tenants(&mut *self.pool.acquire().await?, (self.now)()).await?;
        let mut handled = 0;
        for tenant in tenants {
            if stop.is_cancelled() {
                break;
            }
            handled += self.run_tenant(tenant).await?.taken();
        }
        Ok(handled)
    }

    /// One batch of one tenant.
    ///
    /// # Errors
    /// What the database says; jobs claimed meanwhile come due again when their lease ends.
    pub async fn run_tenant(&self, tenant: Uuid) -> sqlx::Result<Round> {
        let now = (self.now)();
        let jobs = sql::claim(
            &mut *self.pool.acquire().await?,
            tenant,
            now,
            now + self.options.lease,
            self.options.batch,
        )
        .await?;
        metrics::counter!("patchbay_outbox_claimed_total").increment(jobs.len() as u64);
        let outcomes: Vec<(Job, Result<(), Failure>)> = stream::iter(jobs)
            .map(async |job| {
                let outcome = self.handler.handle(&job).await;
                (job, outcome)
            })
            .buffer_unordered(self.options.concurrency)
            .collect()
            .await;
        self.settle(tenant, outcomes).await
    }

    async fn settle(&self, tenant: Uuid, outcomes: Vec<(Job, Result<(), Failure>)>) -> sqlx::Result<Round> {
        let mut round = Round::default();
        let now = (self.now)();
        let (mut ids, mut attempts, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for (job, outcome) in outcomes {
            match outcome {
                Ok(()) => {
                    round.processed += 1;
                    ids.push(job.id);
                    attempts.push(job.attempt);
                }
                Err(failure) => failed.push((job, failure)),
            }
        }
        let mut conn = self.pool.acquire().await?;
        if !ids.is_empty() {
            sql::mark_processed(&mut conn, tenant, &ids, &attempts, now).await?;
        }
        // Failures are rare, so one statement each is fine.
        for (job, failure) in failed {
            let next = match &failure {
                Failure::Retry(_) if job.attempt < self.options.max_attempts => {
                    Some(now + back_off(job.attempt, (self.jitter)()))
                }
                _ => None,
            };
            *(if next.is_some() { &mut round.postponed } else { &mut round.parked }) += 1;
            metrics::counter!("patchbay_outbox_failed_total", "event" => job.event_type.clone()).increment(1);
            tracing::warn!(event = job.event_type, job = job.id, attempt = job.attempt, parked = next.is_none(), error = %failure, "an event was not handled");
            sql::mark_failed(&mut conn, &job, &failure.to_string(), next, now).await?;
        }
        Ok(round)
    }

    async fn sweep(&self, now: DateTime<Utc>) {
        let result =
            async { sql::sweep(&mut *self.pool.acquire().await?, now - self.options.keep).await }.await;
        if let Err(error) = result {
            tracing::warn!(%error, "done events could not be cleared away");
        }
    }
}
