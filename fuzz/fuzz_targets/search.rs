//! What is typed into the search box.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| patchbay::fuzzing::search(text));
