//! Identifiers and secrets. Ids are UUIDv7, so that the primary key is also the order of creation;
//! secrets are random bytes from the operating system, stored only as SHA-256.

use std::sync::{
    LazyLock,
    atomic::{AtomicU64, Ordering},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use rand::Rng;
use sha2::{Digest, Sha256};
use uuid::{Timestamp, Uuid};

/// Orders the ids of one millisecond. It starts anywhere, so that two nodes do not count alike.
static COUNTER: LazyLock<AtomicU64> = LazyLock::new(|| AtomicU64::new(rand::random::<u64>() >> 24));
const COUNTER_BITS: u8 = 42;

/// A UUIDv7 for the instant `now`, in the past or future as well; ids made by one process for the same or later
/// instants are increasing.
pub fn new_id(now: DateTime<Utc>) -> Uuid {
    let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
    let count = COUNTER.fetch_add(1, Ordering::Relaxed) & ((1 << COUNTER_BITS) - 1);
    Uuid::new_v7(Timestamp::from_unix_time(
        seconds,
        now.timestamp_subsec_nanos(),
        u128::from(count),
        COUNTER_BITS,
    ))
}

/// The smallest UUIDv7 of the instant `now`: every id made before is smaller.
pub fn first_id(now: DateTime<Utc>) -> Uuid {
    let millis = u64::try_from(now.timestamp_millis()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid()
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

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn ids_are_in_the_order_of_their_instants() {
        let now = DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(20_000);
        let ids: Vec<Uuid> = (0..1000).map(|_| new_id(now)).collect();
        assert!(ids.is_sorted_by(|a, b| a < b));
        let past = new_id(now - TimeDelta::milliseconds(1));
        assert!(past < ids[0] && new_id(now + TimeDelta::milliseconds(1)) > ids[999]);
        assert_eq!(past.get_version_num(), 7);
    }
}
