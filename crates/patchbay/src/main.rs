//! The program; see [`patchbay::cli`].

use std::process::ExitCode;

/// Chosen for many short-lived buffers; still to be measured against the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    patchbay::cli::main()
}
