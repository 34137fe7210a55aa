//! The program; see [`patchbay::cli`].

use std::process::ExitCode;

/// For many short-lived buffers of many tasks.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    patchbay::cli::main()
}
