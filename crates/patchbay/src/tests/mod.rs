//! The test harness: the whole program on a database of its own, with the clock and the carrier in the
//! test's hand. The end of a [`TestApp`] works through what the test left and fails it if something cannot be finished.

mod browser;
mod contract;
mod crash;
mod doors;
mod harness;
mod isolation;
mod leftovers;
mod node;
mod office;
mod outbox;
mod roles;
mod server;

pub use browser::Browser;
pub use harness::{Reply, Tenancy, TestApp};
pub use node::Node;
pub use office::Office;
