//! Identifiers and secrets. Ids are UUIDv7, so that the primary key is also the order of creation;
//! secrets are random bytes from the operating system, stored only as SHA-256.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use rand::Rng;
use sha2::{Digest, Sha256};
use uuid::{ContextV7, Timestamp, Uuid};

static ORDER: std::sync::LazyLock<std::sync::Mutex<ContextV7>> =
    std::sync::LazyLock::new(|| std::sync::Mutex::new(ContextV7::new()));

/// A UUIDv7 for the instant `now`; ids made by one process are strictly increasing for a clock that is.
pub fn new_id(now: DateTime<Utc>) -> Uuid {
    let order = ORDER.lock().expect("id lock");
    let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
    Uuid::new_v7(Timestamp::from_unix(&*order, seconds, now.timestamp_subsec_nanos()))
}

/// 256 random bits as base64url, with a prefix that says what it is.
pub fn new_secret(prefix: &str) -> String {
    let mut bytes = [0u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// What is stored of a secret. A plain hash is enough for 256 bits of entropy (OWASP ASVS 5.0, 6.5.2).
pub fn hash_secret(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}
