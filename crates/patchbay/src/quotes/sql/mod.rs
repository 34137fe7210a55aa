//! All SQL of quotes.

mod around;
mod read;
mod write;

pub(super) use around::*;
pub(super) use read::*;
pub(super) use write::*;
