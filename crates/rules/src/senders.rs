//! What may stand as the sender of a text, and where a name must be registered first.
//!
//! Does not: know who registered what; the business says so.

/// Beginnings of numbers whose networks replace names that nobody registered. Australia: SMS Sender ID Register
/// (Telecommunications Act 1997, Part 24B), since 1 July 2026; such a name is shown as "Unverified", in one thread with
/// everybody else's.
pub const REGISTERED_NAMES: &[&str] = &["+61"];

/// Whether a sender of texts is a name rather than a number.
pub fn is_name(address: &str) -> bool {
    address.bytes().any(|byte| byte.is_ascii_alphabetic()) && !address.contains('@')
}

/// Whether a name must be registered to be shown to this number in E.164.
pub fn wants_registered_name(e164: &str) -> bool {
    REGISTERED_NAMES.iter().any(|start| e164.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_numbers() {
        for (address, name) in
            [("Brightside", true), ("3M", true), ("+61412345678", false), ("19912", false), ("", false)]
        {
            assert_eq!(is_name(address), name, "{address}");
        }
        assert!(wants_registered_name("+61412345678") && !wants_registered_name("+64211234567"));
    }
}
