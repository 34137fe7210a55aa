//! Cursors that come back in `?cursor=`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| patchbay::fuzzing::cursor(text));
