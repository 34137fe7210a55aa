//! All SQL of contacts. Every query names the tenant, beside what row-level security adds.

mod contacts;
mod identity;

pub(super) use contacts::*;
pub(super) use identity::*;
