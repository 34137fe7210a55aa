//! Where variables come from: flags of the command line, then the process's environment, then `.env` in the working
//! folder. The process's own environment is never changed.

use std::{collections::HashMap, io, path::Path};

use crate::config::{Config, ConfigError};

/// Why the configuration cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum EnvironmentError {
    #[error(".env cannot be read: {0}.")]
    File(String),
    #[error("{0}.")]
    Variable(#[from] ConfigError),
}

/// Reads the configuration; `flags` are variables given on the command line.
pub fn read(flags: &[(&str, Option<String>)]) -> Result<Config, EnvironmentError> {
    let file = dotenv(Path::new(".env"))?;
    Ok(Config::read(|name| {
        let flag = flags.iter().find(|(known, _)| *known == name).and_then(|(_, value)| value.clone());
        flag.or_else(|| std::env::var(name).ok()).or_else(|| file.get(name).cloned())
    })?)
}

fn dotenv(path: &Path) -> Result<HashMap<String, String>, EnvironmentError> {
    let entries = match dotenvy::from_path_iter(path) {
        Ok(entries) => entries,
        Err(dotenvy::Error::Io(cause)) if cause.kind() == io::ErrorKind::NotFound => {
            return Ok(HashMap::new());
        }
        Err(error) => return Err(EnvironmentError::File(error.to_string())),
    };
    entries
        .map(|entry| {
            entry.map_err(|error| {
                EnvironmentError::File(match error {
                    // The line may hold a secret.
                    dotenvy::Error::LineParse(_, at) => {
                        format!("a line is not NAME=value (at its character {at})")
                    }
                    other => other.to_string(),
                })
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_and_a_broken_one_told_without_its_contents() {
        let path = std::env::temp_dir().join(format!("patchbay-dotenv-{}", std::process::id()));
        std::fs::write(&path, "# words\nPATCHBAY_A=1\nexport PATCHBAY_B='two words'\n\n").unwrap();
        let read = dotenv(&path).unwrap();
        assert_eq!((read["PATCHBAY_A"].as_str(), read["PATCHBAY_B"].as_str()), ("1", "two words"));
        std::fs::write(&path, "TWILIO_AUTH_TOKEN=secret word\n").unwrap();
        let error = dotenv(&path).unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
        std::fs::remove_file(&path).unwrap();
        assert!(dotenv(&path).unwrap().is_empty());
    }
}
