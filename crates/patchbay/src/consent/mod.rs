//! Consent: the state per address, and the proof behind it.
