//! What commands say.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use serde_json::{Value, json};

use super::failure::Failure;

/// The way to speak: sentences, or JSON.
pub struct Output {
    pub json: bool,
}

impl Output {
    /// Says the result of a command, on standard output.
    pub fn say(&self, sentence: impl AsRef<str>, value: &Value) {
        let mut out = io::stdout().lock();
        // A reader that has gone away needs no answer.
        let _ = if self.json { writeln!(out, "{value}") } else { writeln!(out, "{}", sentence.as_ref()) };
        let _ = out.flush();
    }

    /// Says something beside the result, on standard error, to people only.
    pub fn note(&self, sentence: impl AsRef<str>) {
        if !self.json {
            let _ = writeln!(io::stderr(), "{}", sentence.as_ref());
        }
    }

    /// Says why a command failed, and answers its exit code.
    pub fn failed(&self, failure: &Failure) -> ExitCode {
        let mut err = io::stderr().lock();
        let _ = if self.json {
            writeln!(err, "{}", json!({ "error": failure.to_string() }))
        } else {
            writeln!(err, "{failure}")
        };
        ExitCode::FAILURE
    }
}
