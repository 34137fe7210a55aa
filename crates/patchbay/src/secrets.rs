//! Seals for credentials at rest: XChaCha20-Poly1305 under a master key that the database never sees.
//!
//! A seal carries a fingerprint of its key, so that keys rotate: the first key seals, all of them open.
//! The tenant's id is authenticated along, so that a seal moved to another tenant does not open.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use rand::Rng;
use sha2::{Digest, Sha256};
use uuid::Uuid;

const VERSION: u8 = 1;
const FINGERPRINT: usize = 4;
const NONCE: usize = 24;

/// The keys, current one first.
pub struct Secrets {
    keys: Vec<([u8; FINGERPRINT], XChaCha20Poly1305)>,
}

/// Why a key or a seal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("a master key is 32 bytes in base64; make one with: openssl rand -base64 32")]
    BadKey,
    #[error("no master key is configured")]
    NoKey,
    #[error("sealed with a key that is not configured (PATCHBAY_MASTER_KEY_PREVIOUS)")]
    UnknownKey,
    #[error("a sealed value is damaged or belongs to another tenant")]
    Broken,
}

impl Secrets {
    /// Takes base64 keys, the current one first.
    pub fn new(keys: &[String]) -> Result<Self, SecretError> {
        let keys = keys
            .iter()
            .map(|key| {
                let bytes = STANDARD
                    .decode(key)
                    .or_else(|_| URL_SAFE_NO_PAD.decode(key))
                    .map_err(|_| SecretError::BadKey)?;
                let cipher = XChaCha20Poly1305::new_from_slice(&bytes).map_err(|_| SecretError::BadKey)?;
                let mut fingerprint = [0; FINGERPRINT];
                fingerprint.copy_from_slice(&Sha256::digest(&bytes)[..FINGERPRINT]);
                Ok((fingerprint, cipher))
            })
            .collect::<Result<Vec<_>, SecretError>>()?;
        if keys.is_empty() { Err(SecretError::NoKey) } else { Ok(Self { keys }) }
    }

    /// A new random key in base64.
    pub fn new_key() -> String {
        let mut bytes = [0u8; 32];
        rand::rng().fill_bytes(&mut bytes);
        STANDARD.encode(bytes)
    }

    /// Seals `plain` for `tenant` with the current key.
    pub fn seal(&self, tenant: Uuid, plain: &[u8]) -> Result<Vec<u8>, SecretError> {
        let (fingerprint, cipher) = self.keys.first().ok_or(SecretError::NoKey)?;
        let mut nonce = [0u8; NONCE];
        rand::rng().fill_bytes(&mut nonce);
        let sealed = cipher
            .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: tenant.as_bytes() })
            .map_err(|_| SecretError::Broken)?;
        Ok([&[VERSION], fingerprint.as_slice(), &nonce, &sealed].concat())
    }

    /// Opens what [`Secrets::seal`] made, with whichever key it was made.
    pub fn open(&self, tenant: Uuid, sealed: &[u8]) -> Result<Vec<u8>, SecretError> {
        let (head, text) = sealed.split_at_checked(1 + FINGERPRINT + NONCE).ok_or(SecretError::Broken)?;
        if head[0] != VERSION {
            return Err(SecretError::Broken);
        }
        let (fingerprint, nonce) = head[1..].split_at(FINGERPRINT);
        let (_, cipher) =
            self.keys.iter().find(|(known, _)| known == fingerprint).ok_or(SecretError::UnknownKey)?;
        let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| SecretError::Broken)?;
        cipher
            .decrypt(&XNonce::from(nonce), Payload { msg: text, aad: tenant.as_bytes() })
            .map_err(|_| SecretError::Broken)
    }

    /// Whether `sealed` was made with the current key.
    pub fn is_current(&self, sealed: &[u8]) -> bool {
        self.keys
            .first()
            .is_some_and(|(fingerprint, _)| sealed.get(1..=FINGERPRINT) == Some(fingerprint.as_slice()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_rotate_and_seals_stay_with_their_tenant() {
        let (old, new) = (Secrets::new_key(), Secrets::new_key());
        let (tenant, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let before = Secrets::new(std::slice::from_ref(&old)).unwrap();
        let sealed = before.seal(tenant, b"token").unwrap();
        let after = Secrets::new(&[new.clone(), old]).unwrap();
        assert_eq!(after.open(tenant, &sealed).unwrap(), b"token");
        assert!(!after.is_current(&sealed));
        assert!(after.open(other, &sealed).is_err());
        let without = Secrets::new(&[new]).unwrap();
        assert!(matches!(without.open(tenant, &sealed), Err(SecretError::UnknownKey)));
        assert!(without.open(tenant, &sealed[..10]).is_err());
    }
}
