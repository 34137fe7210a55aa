//! All SQL of contacts. Every query names the tenant, beside what row-level security adds.

mod advance;
mod contacts;
mod identity;

pub(super) use advance::*;
pub(super) use contacts::*;
pub(super) use identity::*;
