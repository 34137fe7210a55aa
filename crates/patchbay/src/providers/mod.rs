//! Carriers: which accounts and senders a tenant has, and the adapter behind each of them.

mod registry;
mod sql;

pub use registry::{Credentials, Providers, Route, Routes, channel, open_credentials, rules_channel};
