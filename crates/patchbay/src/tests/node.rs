//! Further nodes on a test's database, each in a runtime of its own, so that one can be killed: its tasks end where
//! they stand and its connections break, while the database, the carrier and the other nodes live on.

use std::sync::Arc;

use axum::Router;
use patchbay_outbox::Options;
use tokio::{runtime::Runtime, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::harness::{TestApp, assemble};
use crate::{
    app::App,
    campaigns,
    crash::{Action, Plan},
    messaging::dispatcher,
    time::TestClock,
    web::router,
    workers,
};

/// A node that may be killed.
pub struct Node {
    pub app: Arc<App>,
    pub router: Router,
    pub plan: Option<Arc<Plan>>,
    clock: Arc<TestClock>,
    runtime: Option<Runtime>,
}

impl TestApp {
    /// Another node, without a plan of its death.
    pub async fn node(&self) -> Node {
        self.start_node(None).await
    }

    /// Another node, which stops at `point` after `after` passages.
    pub async fn doomed_node(&self, point: &'static str, after: usize, action: Action) -> Node {
        self.start_node(Some(Plan::new(point, after, action))).await
    }

    async fn start_node(&self, plan: Option<Arc<Plan>>) -> Node {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(2).enable_all();
        if let Some(plan) = plan.clone() {
            builder.on_thread_start(move || plan.clone().adopt());
        }
        let runtime = builder.build().expect("runtime");
        let (url, config, fake, clock) =
            (self.url.clone(), self.app.config.clone(), self.app.providers.fake.clone(), self.clock.clone());
        let app =
            runtime.spawn(async move { assemble(&url, config, fake, clock).await }).await.expect("node");
        let (router, _) = router::build(app.clone());
        Node { app, router, plan, clock: self.clock.clone(), runtime: Some(runtime) }
    }
}

impl Node {
    /// Does `work` on the node.
    pub fn start<F>(&self, work: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.runtime.as_ref().expect("alive").spawn(work)
    }

    /// Works as nodes do, round after round, time passing in between, until it is killed.
    pub fn work(&self, pause: chrono::TimeDelta) -> JoinHandle<()> {
        let (app, clock) = (self.app.clone(), self.clock.clone());
        self.start(async move {
            let engine = workers::engine(&app, Options::default());
            loop {
                // A database that refuses a round is asked again, as in life.
                let _ = campaigns::jobs::once(&app).await;
                let _ = dispatcher::run_once(&app).await;
                let _ = engine.run_once(&CancellationToken::new()).await;
                clock.advance(pause);
                tokio::task::yield_now().await;
            }
        })
    }

    /// Returns once the node has come to its point.
    pub async fn reached(&self) {
        self.plan.as_ref().expect("a plan").reached().await;
    }

    /// Ends everything it does, where it stands.
    pub fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.end();
    }
}
