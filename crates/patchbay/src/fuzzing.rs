//! Doors for the fuzz targets (`fuzz/`), which see a crate only from outside: built with `--cfg fuzzing` alone.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{contacts, web::paging::PageQuery};

/// Reads a cursor as every kind of list does.
pub fn cursor(text: &str) {
    let query = PageQuery { limit: None, cursor: Some(text.to_owned()) };
    let _ = query.after::<Uuid>();
    let _ = query.after::<(DateTime<Utc>, Uuid)>();
    let _ = query.after::<i64>();
    let _ = query.after::<String>();
}

/// Takes a search apart.
pub fn search(text: &str) {
    contacts::search::fuzz(text);
}
