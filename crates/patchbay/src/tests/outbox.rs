//! The outbox engine on the real schema: claims, leases, retries, parking, workers side by side. (The crate itself does
//! not know where its table lives.)

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use patchbay_outbox::{Engine, Failure, Handler, Job, Options, back_off, enqueue};
use serde_json::json;
use sqlx::Row;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::TestApp;
use crate::time::Clock;

/// What a handler does, and what it was asked to.
#[derive(Clone, Default)]
struct Work(Arc<Inner>);

#[derive(Default)]
struct Inner {
    seen: Mutex<Vec<(i64, i32)>>,
    /// Jobs wait here while there is one, and say so.
    gate: Option<(Semaphore, Semaphore)>,
    fate: Fate,
}

#[derive(Default, Clone, Copy)]
enum Fate {
    #[default]
    Done,
    Retry,
    Park,
}

impl Work {
    fn that(fate: Fate) -> Self {
        Self(Arc::new(Inner { fate, ..Inner::default() }))
    }

    /// Holds every job until [`Self::go`].
    fn waiting(fate: Fate) -> Self {
        let gate = Some((Semaphore::new(0), Semaphore::new(0)));
        Self(Arc::new(Inner { fate, gate, ..Inner::default() }))
    }

    async fn begun(&self) {
        self.0.gate.as_ref().unwrap().0.acquire().await.unwrap().forget();
    }

    fn go(&self) {
        self.0.gate.as_ref().unwrap().1.add_permits(1);
    }

    fn seen(&self) -> Vec<(i64, i32)> {
        self.0.seen.lock().unwrap().clone()
    }
}

impl Handler for Work {
    async fn handle(&self, job: &Job) -> Result<(), Failure> {
        self.0.seen.lock().unwrap().push((job.id, job.attempt));
        if let Some((begun, go)) = &self.0.gate {
            begun.add_permits(1);
            go.acquire().await.unwrap().forget();
        }
        match self.0.fate {
            Fate::Done => Ok(()),
            Fate::Retry => Err(Failure::Retry("the network is away".to_owned())),
            Fate::Park => Err(Failure::Park("this makes no sense".to_owned())),
        }
    }
}

fn engine(t: &TestApp, work: &Work, options: Options) -> Engine<Work> {
    let clock = t.clock.clone();
    Engine::new(t.app.db.outbox_pool(), work.clone(), options, Arc::new(move || clock.now()), || 0.5)
}

async fn once(engine: &Engine<Work>) -> usize {
    engine.run_once(&CancellationToken::new()).await.unwrap()
}

/// A tenant with `count` jobs that are due.
async fn jobs(t: &TestApp, count: usize) -> Uuid {
    let tenant = t.tenancy("Brightside").await.id;
    for n in 0..count {
        enqueue(&mut t.sql().await, tenant, "test.event", &json!({ "n": n }), t.clock.now()).await.unwrap();
    }
    tenant
}

/// Attempt, when it is due, why it failed last, whether it is done, whether it was parked.
async fn only(t: &TestApp) -> (i32, DateTime<Utc>, Option<String>, bool, bool) {
    let query = "select attempt, next_attempt_at, last_error, processed_at is not null, parked_at is not null from patchbay.outbox";
    let row = sqlx::query(query).fetch_one(&mut t.sql().await).await.unwrap();
    (row.get(0), row.get(1), row.get(2), row.get(3), row.get(4))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_workers_do_every_job_once() {
    let t = TestApp::new().await;
    for _ in 0..3 {
        jobs(&t, 60).await;
    }
    let work = Work::default();
    let options = Options { batch: 7, ..Options::default() };
    let (one, other) = (engine(&t, &work, options.clone()), engine(&t, &work, options));
    let drain = async |engine: &Engine<Work>| while once(engine).await > 0 {};
    tokio::join!(drain(&one), drain(&other));
    // What one had locked the other passed over.
    drain(&one).await;
    let mut times: HashMap<i64, usize> = HashMap::new();
    for (id, attempt) in work.seen() {
        assert_eq!(attempt, 1);
        *times.entry(id).or_default() += 1;
    }
    assert_eq!((times.len(), times.values().max()), (180, Some(&1)));
    assert_eq!(
        t.scalar("select count(*) from patchbay.outbox where processed_at is null or attempt <> 1").await,
        0
    );
}

#[tokio::test]
async fn a_tenant_with_much_to_do_does_not_keep_the_others_waiting() {
    let t = TestApp::new().await;
    t.leaves_work();
    jobs(&t, 50).await;
    jobs(&t, 1).await;
    let work = Work::default();
    assert_eq!(once(&engine(&t, &work, Options { batch: 10, ..Options::default() })).await, 11);
}

#[tokio::test]
async fn what_was_rolled_back_or_is_not_due_is_not_there() {
    let t = TestApp::new().await;
    let tenant = jobs(&t, 0).await;
    let mut tx = t.app.db.tenant(tenant).await.unwrap();
    enqueue(tx.conn(), tenant, "test.event", &json!({}), t.clock.now()).await.unwrap();
    drop(tx);
    let due = t.clock.now() + TimeDelta::hours(1);
    enqueue(&mut t.sql().await, tenant, "test.event", &json!({}), due).await.unwrap();
    let work = Work::default();
    let engine = engine(&t, &work, Options::default());
    assert_eq!(once(&engine).await, 0);
    t.clock.set(due);
    assert_eq!((once(&engine).await, once(&engine).await), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_workers_job_comes_due_again_and_its_late_word_counts_for_nothing() {
    let t = TestApp::new().await;
    jobs(&t, 1).await;
    let lease = Options::default().lease;
    let slow = Work::waiting(Fate::Retry);
    let first = engine(&t, &slow, Options::default());
    let first = tokio::spawn(async move { once(&first).await });
    slow.begun().await;
    let work = Work::default();
    let second = engine(&t, &work, Options::default());
    assert_eq!(once(&second).await, 0, "it is leased");
    t.clock.advance(lease - TimeDelta::seconds(1));
    assert_eq!(once(&second).await, 0, "still");
    t.clock.advance(TimeDelta::seconds(1));
    assert_eq!(once(&second).await, 1);
    assert_eq!(work.seen()[0].1, 2, "the second attempt");
    // The first was not dead, only slow.
    slow.go();
    assert_eq!(first.await.unwrap(), 1);
    let (attempt, _, error, done, parked) = only(&t).await;
    assert_eq!((attempt, error, done, parked), (2, None, true, false));
    // One that dies settles nothing at all.
    let t = TestApp::new().await;
    jobs(&t, 1).await;
    let doomed = Work::waiting(Fate::Done);
    let engine_that_dies = engine(&t, &doomed, Options::default());
    let death = tokio::spawn(async move { once(&engine_that_dies).await });
    doomed.begun().await;
    death.abort();
    assert!(death.await.unwrap_err().is_cancelled());
    t.clock.advance(lease);
    let work = Work::default();
    assert_eq!(once(&engine(&t, &work, Options::default())).await, 1);
    assert!(only(&t).await.3);
}

#[tokio::test]
async fn failures_back_off_and_are_parked_in_the_end() {
    let t = TestApp::new().await;
    t.leaves_work();
    jobs(&t, 1).await;
    let work = Work::that(Fate::Retry);
    let engine = engine(&t, &work, Options { max_attempts: 4, ..Options::default() });
    for attempt in 1..4 {
        assert_eq!(once(&engine).await, 1);
        let (attempts, due, error, done, parked) = only(&t).await;
        assert_eq!((attempts, done, parked), (attempt, false, false));
        assert_eq!(error.as_deref(), Some("the network is away"));
        let pause = back_off(attempt, 0.5);
        assert_eq!(due.timestamp_millis(), (t.clock.now() + pause).timestamp_millis());
        t.clock.advance(pause - TimeDelta::milliseconds(5));
        assert_eq!(once(&engine).await, 0, "not before its time");
        t.clock.advance(TimeDelta::milliseconds(10));
    }
    assert_eq!(once(&engine).await, 1);
    let (attempt, _, error, done, parked) = only(&t).await;
    assert_eq!((attempt, error.is_some(), done, parked), (4, true, false, true));
    t.clock.advance(TimeDelta::days(30));
    assert_eq!(once(&engine).await, 0, "parked is parked");
    // Somebody has looked at it and lets it go on.
    t.execute("update patchbay.outbox set parked_at = null, attempt = 0, next_attempt_at = now()").await;
    let work = Work::default();
    assert_eq!(once(&self::engine(&t, &work, Options::default())).await, 1);
    assert_eq!((only(&t).await.2, only(&t).await.3), (None, true));
}

#[tokio::test]
async fn what_makes_no_sense_is_parked_at_once() {
    let t = TestApp::new().await;
    t.leaves_work();
    jobs(&t, 3).await;
    let work = Work::that(Fate::Park);
    assert_eq!(once(&engine(&t, &work, Options::default())).await, 3);
    assert_eq!(t.scalar("select count(*) from patchbay.outbox where parked_at is not null and attempt = 1 and last_error = 'this makes no sense'").await, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_is_told_to_stop_settles_what_it_has_claimed() {
    let t = TestApp::new().await;
    jobs(&t, 1).await;
    let work = Work::waiting(Fate::Done);
    let engine = engine(&t, &work, Options::default());
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    let run = tokio::spawn(async move { engine.run(stopping).await });
    work.begun().await;
    stop.cancel();
    work.go();
    run.await.unwrap();
    assert!(only(&t).await.3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn done_jobs_are_cleared_away_in_time() {
    let t = TestApp::new().await;
    jobs(&t, 2).await;
    let work = Work::default();
    let engine = engine(&t, &work, Options { poll: Duration::from_millis(5), ..Options::default() });
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    let run = tokio::spawn(async move { engine.run(stopping).await });
    while t.scalar("select count(*) from patchbay.outbox where processed_at is not null").await < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    t.clock.advance(TimeDelta::days(8));
    while t.scalar("select count(*) from patchbay.outbox").await > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stop.cancel();
    run.await.unwrap();
}
