//! What is posted to the webhooks: forms, signatures, addresses, from anybody.
#![no_main]

use libfuzzer_sys::fuzz_target;
use patchbay_providers::twilio::{
    signature::{self, Body},
    webhook,
};

fuzz_target!(|input: (&[u8], &str, &str)| {
    let (body, header, query) = input;
    let pairs = webhook::parse_form(body);
    let _ = webhook::parse(&pairs);
    for url in [format!("https://text.example.com/webhooks/twilio?{query}"), query.to_owned()] {
        // Nobody guesses a signature.
        for form in [Body::Form(&pairs), Body::Raw(body)] {
            assert!(!signature::validate(&["a secret of ours", ""], header, &url, form));
        }
        let signed = signature::sign("a secret of ours", &url, &pairs);
        assert!(signature::validate(&["old", "a secret of ours"], &signed, &url, Body::Form(&pairs)));
        assert!(!signature::validate(&["another"], &signed, &url, Body::Form(&pairs)));
    }
});
