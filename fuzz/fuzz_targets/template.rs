//! Templates that tenants write, filled with what strangers typed into a form.
#![no_main]

use libfuzzer_sys::fuzz_target;
use patchbay_rules::template::{self, MAX_CHARACTERS};
use serde_json::json;

fuzz_target!(|input: (&str, &str)| {
    let (source, value) = input;
    let _ = template::tokens(source);
    for problem in template::check(source, &["suburb", "policy"]) {
        assert!(problem.line > 0 && problem.column > 0 && !problem.message.is_empty());
    }
    let Ok(compiled) = template::compile(source) else { return };
    let context = json!({
        "first_name": value,
        "total": "1,284.00",
        "lead": { "properties": { "suburb": value, "list": [1, value, null] } },
        "quote": { "data": { "deep": { "deeper": value } } },
    });
    if let Ok(rendered) = compiled.render(&context) {
        assert!(!rendered.text.is_empty() && rendered.text.chars().count() <= MAX_CHARACTERS);
        assert_eq!(compiled.render(&context).expect("the same again"), rendered);
    }
});
