//! The pages of quotes for the people of the business.

pub(super) mod edit;
pub(super) mod list;
pub(super) mod show;

use std::fmt::Write as _;

/// A path with the parameters that have a value.
fn path_with(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut whole = path.to_owned();
    for (name, value) in parameters.iter().filter(|(_, value)| !value.is_empty()) {
        let encoded: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
        let sign = if whole.contains('?') { '&' } else { '?' };
        let _ = write!(whole, "{sign}{name}={encoded}");
    }
    whole
}
