//! Places where a node may die, so that tests can make one die exactly there.
//!
//! Between any two steps of claim, call and settle, of storing a webhook and answering it, of handling an event
//! and marking it done, stands a [`point`]. Outside tests it is nothing at all. In tests a node runs in a
//! runtime of its own whose threads carry a [`Plan`]; at the plan's point the node stops for good, or waits until
//! it is let go on. What happens after a death is up to the rest of the program, which is what is tested.
//!
//! A process of a development build can be told to kill itself at a point: `PATCHBAY_CRASH_AT=settle.written:3` lets
//! three passages go by. The test of whole processes (`tests/crash.rs`) does so.

/// Does nothing: nobody plans deaths in a build that is used.
#[cfg(all(not(test), not(debug_assertions)))]
#[inline(always)]
pub async fn point(_: &'static str) {}

/// Kills the process, the way `kill -9` does, if the environment says so.
#[cfg(all(not(test), debug_assertions))]
pub async fn point(name: &'static str) {
    use std::sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    };
    static PLAN: OnceLock<Option<(String, usize)>> = OnceLock::new();
    static PASSED: AtomicUsize = AtomicUsize::new(0);
    let plan = PLAN.get_or_init(|| {
        let plan = std::env::var("PATCHBAY_CRASH_AT").ok()?;
        let (point, after) = plan.split_once(':').unwrap_or((&plan, "0"));
        Some((point.to_owned(), after.parse().unwrap_or_default()))
    });
    if let Some((point, after)) = plan
        && point == name
        && PASSED.fetch_add(1, Ordering::AcqRel) >= *after
    {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}

#[cfg(test)]
pub use planned::{Action, POINTS, Plan, point};

#[cfg(test)]
mod planned {
    use std::{
        cell::RefCell,
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
    };

    use tokio::sync::Semaphore;

    /// Every point there is. A test visits them all, so that a new one cannot be forgotten.
    pub const POINTS: &[&str] = &[
        "claim.locked",
        "claim.marked",
        "claim.committed",
        "hand_over.checked",
        "hand_over.called",
        "put_back.written",
        "settle.begun",
        "settle.written",
        "settle.committed",
        "reconcile.marked",
        "reconcile.found",
        "reconcile.written",
        "report.written",
        "event.handled",
        "launch.approved",
        "snapshot.written",
        "expand.written",
        "expand.committed",
        "webhook.stopped",
        "webhook.written",
        "webhook.committed",
        "import.written",
        "import.committed",
    ];

    /// What happens at the point.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Action {
        /// Whoever comes here goes no further.
        Die,
        /// Whoever comes here first waits to be released; everybody else passes.
        Wait,
    }

    /// Where a node stops, and after how many passages.
    pub struct Plan {
        point: &'static str,
        after: usize,
        action: Action,
        passed: AtomicUsize,
        reached: Semaphore,
        released: Semaphore,
    }

    thread_local! {
        static PLAN: RefCell<Option<Arc<Plan>>> = const { RefCell::new(None) };
    }

    impl Plan {
        /// Stops at the passage of `point` that follows `after` others.
        pub fn new(point: &'static str, after: usize, action: Action) -> Arc<Self> {
            assert!(POINTS.contains(&point), "{point} is not listed");
            let (passed, reached, released) = (AtomicUsize::new(0), Semaphore::new(0), Semaphore::new(0));
            Arc::new(Self { point, after, action, passed, reached, released })
        }

        /// Makes the plan that of the present thread.
        pub fn adopt(self: Arc<Self>) {
            PLAN.with(|plan| *plan.borrow_mut() = Some(self));
        }

        /// Returns once the node has stopped at the point.
        pub async fn reached(&self) {
            self.reached.acquire().await.expect("never closed").forget();
        }

        /// Lets whoever waits go on.
        pub fn release(&self) {
            self.released.add_permits(1);
        }
    }

    /// Stops here if the thread's plan says so.
    pub async fn point(name: &'static str) {
        let Some(plan) = PLAN.with(|plan| plan.borrow().clone()) else { return };
        if plan.point != name {
            return;
        }
        let passed = plan.passed.fetch_add(1, Ordering::AcqRel);
        match plan.action {
            Action::Die if passed >= plan.after => {
                plan.reached.add_permits(1);
                std::future::pending::<()>().await;
            }
            Action::Wait if passed == plan.after => {
                plan.reached.add_permits(1);
                plan.released.acquire().await.expect("never closed").forget();
            }
            Action::Die | Action::Wait => {}
        }
    }
}
