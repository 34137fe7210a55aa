//! The domain rules of Patchbay, as pure functions of facts.
//!
//! Promises: the same arguments give the same answer, on every machine and at every hour. Time arrives
//! as a parameter, in UTC; nothing here reads a clock, draws a random number, opens a file or a socket,
//! or knows a database. Whatever strangers may have typed (numbers, replies, templates) is parsed
//! without panicking.
//!
//! Deliberately not here: who may see what, what is stored where, and how a message reaches a carrier.

#[macro_use]
mod words;

pub mod calendar;
pub mod clicks;
pub mod consent;
pub mod frequency;
pub mod gates;
pub mod holidays;
pub mod latin;

pub mod message;
pub mod money;
pub mod phone;
pub mod price;
pub mod proportions;
pub mod quiet_hours;
pub mod segments;
pub mod senders;
pub mod template;
pub mod warm_up;
pub mod zones;

pub use words::UnknownWord;
