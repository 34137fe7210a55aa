//! The program; see [`patchbay::cli`].

use std::process::ExitCode;

/// Gives memory back sooner and wastes less of it between many short-lived buffers than the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    patchbay::cli::main()
}
