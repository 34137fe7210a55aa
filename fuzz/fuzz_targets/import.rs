//! Files of contacts: text in any encoding, and workbooks.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| patchbay::fuzzing::import(bytes));
