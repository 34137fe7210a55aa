//! The SQL of campaigns.

mod audience;
mod campaigns;
mod counts;
mod progress;

pub(super) use audience::*;
pub(super) use campaigns::*;
pub(super) use counts::*;
pub(super) use progress::*;
