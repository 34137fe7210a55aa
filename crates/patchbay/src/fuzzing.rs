//! Doors for the fuzz targets (`fuzz/`), which see a crate only from outside: built with `--cfg fuzzing` alone.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{contacts, imports, web::paging::PageQuery};

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

/// Reads a file of contacts: as what it looks like, and as a workbook.
pub fn import(bytes: &[u8]) {
    let _ = imports::read_all(bytes, None);
    let workbook = imports::Format { kind: imports::Kind::Xlsx, ..imports::Format::default() };
    let _ = imports::read_all(bytes, Some(&workbook));
}
