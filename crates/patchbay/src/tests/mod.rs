//! The test harness: the whole program on a database of its own, with the clock and the carrier in the
//! test's hand. Dropping a [`TestApp`] fails the test if work was left over.

mod browser;
mod crash;
mod harness;
mod isolation;
mod links;
mod node;
mod office;
mod roles;
mod server;

pub use browser::Browser;
pub use harness::{Reply, Tenancy, TestApp};
pub use office::Office;
