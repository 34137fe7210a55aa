//! Clients for HTTP. TLS is the program's one kind: rustls upon ring, which the database and mail use as well.

/// The beginning of every client: certificates of the system, ring for the cryptography.
pub fn client() -> reqwest::ClientBuilder {
    // An error says that it was chosen before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
}
