//! What people answer: an opt-out must be seen whatever stands around it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use patchbay_rules::consent::{Class, Ctx, classify};

fuzz_target!(|text: &str| {
    let plain = classify(text, Ctx::default());
    for (opted_out, double_opt_in_pending) in [(true, false), (false, true), (true, true)] {
        let other = classify(text, Ctx { opted_out, double_opt_in_pending });
        // Whoever says stop is heard, whatever they said before.
        assert_eq!(matches!(plain, Class::HardOptOut { .. }), matches!(other, Class::HardOptOut { .. }));
        assert_eq!(matches!(plain, Class::Help { .. }), matches!(other, Class::Help { .. }));
    }
    assert_eq!(classify(&format!("  {text}\n"), Ctx::default()), plain);
    if text.is_ascii() {
        assert_eq!(
            classify(&text.to_ascii_uppercase(), Ctx::default()),
            classify(&text.to_ascii_lowercase(), Ctx::default())
        );
    }
});
