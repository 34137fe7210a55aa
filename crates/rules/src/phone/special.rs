//! Numbers that belong to nobody.

/// Whether a number is Twilio's for trying out outcomes: +1 500 555 0000 to 0009. Only a provider's test
/// mode knows them.
pub fn is_magic(e164: &str) -> bool {
    e164.len() == 12 && e164.starts_with("+1500555000")
}

/// Whether a number is set aside for fiction, so that no text to it can mean anybody: 555-0100 to 0199
/// under any North American area code, 0491 570 xxx in Australia, 07700 900 xxx in Britain.
pub fn is_fictional(e164: &str) -> bool {
    let north_american = e164.len() == 12
        && e164.starts_with("+1")
        && !is_magic(e164)
        && e164.get(5..).is_some_and(|number| number.starts_with("55501"));
    let australian = e164.len() == 12 && e164.starts_with("+61491570");
    let british = e164.len() == 13 && e164.starts_with("+447700900");
    north_american || australian || british
}
