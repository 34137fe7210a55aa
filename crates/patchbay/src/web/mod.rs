//! The web server's own rooms: which routes exist and who may call them, how pages are framed, how lists page.

pub mod charts;
pub mod fields;
pub mod layout;
pub mod paging;
pub mod parts;
pub mod router;
pub mod routes;
