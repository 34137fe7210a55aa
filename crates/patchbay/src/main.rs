//! The program; see [`patchbay::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    patchbay::cli::main()
}
