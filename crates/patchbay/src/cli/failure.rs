//! Why a command failed, as one sentence.

use crate::{
    backup::BackupError, bench::BenchError, environment::EnvironmentError, error::Error, pilot::PilotError,
    secrets::SecretError, serve::ServeError, start::StartError,
};

/// One sentence.
#[derive(Debug)]
pub struct Failure(String);

impl Failure {
    /// Takes the sentence.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Some causes speak in several lines, and the system adds its numbers.
        let words: Vec<&str> = self.0.split_whitespace().collect();
        let sentence = words.join(" ");
        let mut rest = sentence.as_str();
        while let Some((before, after)) = rest.split_once(" (os error ") {
            f.write_str(before)?;
            rest = after.split_once(')').map_or("", |(_, after)| after);
        }
        f.write_str(rest)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match &error {
            // Whoever may run commands may know the cause.
            Error::Internal(cause) => Self(format!("It did not work: {cause}.")),
            Error::Invalid(fields) => Self(fields.values().cloned().collect::<Vec<_>>().join(" ")),
            other => Self(other.problem().detail),
        }
    }
}

macro_rules! spoken {
    ($($error:ty),+) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self(error.to_string())
            }
        })+
    };
}

spoken!(BackupError, BenchError, EnvironmentError, PilotError, StartError, ServeError, SecretError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_plain_sentence() {
        let failure = Failure::new("The file\n  cannot be read: No such file (os error 2).");
        assert_eq!(failure.to_string(), "The file cannot be read: No such file.");
    }
}
