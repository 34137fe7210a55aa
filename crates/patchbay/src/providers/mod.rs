//! Carriers: which accounts and senders a tenant has, and the adapter behind each of them.

use std::sync::Arc;

use patchbay_providers::Fake;

/// The adapters of this process.
pub struct Providers {
    pub fake: Arc<Fake>,
}
