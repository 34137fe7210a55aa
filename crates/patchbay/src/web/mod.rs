//! The web server's own rooms: which routes exist and who may call them, how pages are framed, how lists page.

pub mod assets;
pub mod charts;
pub mod client;
pub mod cookies;
mod cors;
pub mod expected;
pub mod extract;
pub mod fields;
pub(crate) mod guesses;
pub mod idempotency;
pub mod layout;
pub mod moments;
pub mod notice;
pub mod nul;
pub mod pages;
pub mod paging;
pub mod parts;
pub mod patch;
pub mod rate;
pub mod router;
pub mod routes;
pub mod security;
pub mod settings;
pub mod shell;
mod sql;
#[cfg(test)]
mod tests;
