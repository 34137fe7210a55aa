//! Tokens of short links: ten random characters and three that prove we made them.
//!
//! Base 62. The random part has 59 bits, which nobody guesses and no two links share; the proof, a truncated
//! HMAC-SHA256, spares the database all but one of 238,000 made-up ones.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::config::Config;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const RANDOM: usize = 10;
const PROOF: usize = 3;
/// As long as any token, and not one.
pub(super) const SAMPLE: &str = "xxxxxxxxxxxxx";

/// Makes tokens and knows its own.
pub struct Signer {
    /// The first signs, all verify.
    keys: Vec<Hmac<Sha256>>,
}

impl Signer {
    /// With the configured secrets, or keys made of the master keys.
    pub fn new(config: &Config) -> Self {
        let key =
            |secret: &str| Hmac::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
        let keys = if config.short_link_secrets.is_empty() {
            let made = |secret: &String| {
                let mut mac: Hmac<Sha256> = key(secret);
                mac.update(b"short links");
                Hmac::new_from_slice(&mac.finalize().into_bytes()).expect("HMAC takes keys of any length")
            };
            config.master_keys.iter().map(made).collect()
        } else {
            config.short_link_secrets.iter().map(|secret| key(secret)).collect()
        };
        Self { keys }
    }

    /// A new token.
    pub fn mint(&self) -> String {
        let mut token = String::with_capacity(RANDOM + PROOF);
        while token.len() < RANDOM {
            // Rejection keeps the characters equally likely.
            let byte = rand::random::<u8>();
            if byte < 248 {
                token.push(char::from(ALPHABET[usize::from(byte % 62)]));
            }
        }
        let proof = self.keys.first().map(|key| proof(key, &token)).unwrap_or_default();
        token.extend(proof.map(char::from));
        token
    }

    /// Whether we made it, with a key that we still have. Says nothing about whether it is still there.
    pub fn knows(&self, token: &str) -> bool {
        if !looks_right(token) {
            return false;
        }
        let (random, given) = token.split_at(RANDOM);
        self.keys.iter().any(|key| bool::from(proof(key, random).ct_eq(given.as_bytes())))
    }

    /// What tells a visitor's address from others without saying which it is.
    pub(super) fn visitor(&self, ip: &str) -> Vec<u8> {
        let Some(mut mac) = self.keys.first().cloned() else { return Vec::new() };
        mac.update(b"visitor ");
        mac.update(ip.as_bytes());
        mac.finalize().into_bytes()[..8].to_vec()
    }
}

/// Whether it could be a token, signed with whichever key.
pub(super) fn looks_right(token: &str) -> bool {
    token.len() == RANDOM + PROOF && token.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn proof(key: &Hmac<Sha256>, random: &str) -> [u8; PROOF] {
    let mut mac = key.clone();
    mac.update(b"token ");
    mac.update(random.as_bytes());
    let bytes = mac.finalize().into_bytes();
    let mut number = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    std::array::from_fn(|_| {
        let character = ALPHABET[(number % 62) as usize];
        number /= 62;
        character
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn signer(secrets: &str) -> Signer {
        let config = Config::read(|name| match name {
            "SHORT_LINK_SECRET" if !secrets.is_empty() => Some(secrets.to_owned()),
            "PATCHBAY_MASTER_KEY" => Some("a master key".to_owned()),
            _ => None,
        });
        Signer::new(&config.unwrap())
    }

    #[test]
    fn only_its_own_tokens_are_known_also_after_a_rotation() {
        let (old, new, master) = (signer("one"), signer("two,one"), signer(""));
        let tokens: HashSet<String> = (0..2000).map(|_| old.mint()).collect();
        assert_eq!(tokens.len(), 2000);
        assert!(
            tokens.iter().all(|token| token.len() == SAMPLE.len() && old.knows(token) && new.knows(token))
        );
        // Three characters let one of 238,000 through by chance.
        assert!(tokens.iter().filter(|token| master.knows(token)).count() <= 1);
        assert!(master.knows(&master.mint()) && signer("").knows(&master.mint()));
        assert!(!old.knows(&new.mint()));
        let token = old.mint();
        for made_up in [
            "",
            SAMPLE,
            &token[1..],
            &format!("{token}x"),
            "é23456789abcd",
            "../../../etc/p",
            "a\0aaaaaaaaaaa",
        ] {
            assert!(!old.knows(made_up), "{made_up}");
        }
    }
}
