//! All SQL of contacts. Every query names the tenant, beside what row-level security adds.

mod advance;
mod contacts;
mod identity;
mod pipeline;
mod search;
mod timeline;

pub(super) use advance::*;
pub(super) use contacts::*;
pub(super) use identity::*;
pub(super) use pipeline::*;
pub(super) use search::*;
pub(super) use timeline::*;
