//! The dispatcher's statements: set-based, per tenant, in short transactions.

mod counters;
mod due;
mod hand_over;
mod mark;
mod tenant;
mod unknown;

pub use counters::*;
pub use due::*;
pub use hand_over::*;
pub use mark::*;
pub use tenant::*;
pub use unknown::*;
