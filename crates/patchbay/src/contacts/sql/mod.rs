//! All SQL of contacts. Every query names the tenant, beside what row-level security adds.

mod advance;
mod board;
mod bulk;
mod contacts;
mod duplicates;
mod identity;
mod merge;
mod pipeline;
mod search;
mod timeline;

pub(super) use advance::*;
pub(super) use board::*;
pub(super) use bulk::*;
pub(super) use contacts::*;
pub(super) use duplicates::*;
pub(super) use identity::*;
pub(super) use merge::*;
pub(super) use pipeline::*;
pub(super) use search::*;
pub(super) use timeline::*;
