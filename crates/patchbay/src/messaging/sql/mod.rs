//! All SQL of the ledger, a file per room.

pub mod conversations;
pub mod dispatch;
pub mod inbox;
pub mod ledger;
pub mod reports;
pub mod search;
pub mod thread;
pub mod unreachable;
pub mod webhooks;
