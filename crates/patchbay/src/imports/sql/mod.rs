mod batch;
mod imports;
mod lookup;
mod undo;

pub(super) use batch::*;
pub(super) use imports::*;
pub(super) use lookup::*;
pub(super) use undo::*;
