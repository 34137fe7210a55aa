//! How PostgreSQL's own tools reach the database. The password travels in the environment: everybody on the machine
//! can read command lines.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use reqwest::Url;

use super::{BackupError, failed};

/// A database, as libpq takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    url: String,
    password: Option<String>,
}

impl Target {
    /// Takes the password out, and what only our own client understands.
    pub fn new(url: &str) -> Result<Self, BackupError> {
        let mut parsed =
            Url::parse(url).map_err(|cause| failed(format!("DATABASE_URL cannot be read: {cause}.")))?;
        let password = parsed.password().map(decode);
        // Refused only for addresses without a host, which have no password either.
        let _ = parsed.set_password(None);
        let options: Vec<(String, String)> = parsed
            .query_pairs()
            .filter_map(|(name, value)| Some((known(&name)?.to_owned(), value.into_owned())))
            .collect();
        parsed.set_query(None);
        let mut url = parsed.to_string();
        for (index, (name, value)) in options.iter().enumerate() {
            url.push_str(if index == 0 { "?" } else { "&" });
            url.push_str(name);
            url.push('=');
            // libpq knows no plus sign for a blank.
            url.extend(
                form_urlencoded::byte_serialize(value.as_bytes()).map(|part| part.replace('+', "%20")),
            );
        }
        Ok(Self { url, password })
    }

    /// A command of one of the tools on this database.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.stdin(Stdio::null()).arg(format!("--dbname={}", self.url)).arg("--no-password");
        if let Some(password) = &self.password {
            command.env("PGPASSWORD", password);
        }
        command
    }
}

/// The name that libpq has for an option of ours.
fn known(name: &str) -> Option<&str> {
    Some(match name {
        "ssl-mode" => "sslmode",
        "ssl-root-cert" | "ssl-ca" => "sslrootcert",
        "ssl-cert" => "sslcert",
        "ssl-key" => "sslkey",
        "user" | "password" | "statement-cache-capacity" => return None,
        name if name.starts_with("options[") => return None,
        name => name,
    })
}

fn decode(text: &str) -> String {
    let (bytes, mut decoded, mut at) = (text.as_bytes(), Vec::new(), 0);
    while let Some(&byte) = bytes.get(at) {
        let code = (byte == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(code) => {
                decoded.push(code);
                at += 3;
            }
            None => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_leave_the_address() {
        for (url, expected, password) in [
            (
                "postgres://u:p%40ss%2F1@db.example.com:6432/crm",
                "postgres://u@db.example.com:6432/crm",
                Some("p@ss/1"),
            ),
            (
                "postgresql://patchbay@localhost:5432/patchbay?host=/data/a%20b/socket",
                "postgresql://patchbay@localhost:5432/patchbay?host=%2Fdata%2Fa%20b%2Fsocket",
                None,
            ),
            (
                "postgres://u:p@h/d?ssl-mode=require&statement-cache-capacity=5&connect_timeout=3",
                "postgres://u@h/d?sslmode=require&connect_timeout=3",
                Some("p"),
            ),
        ] {
            let target = Target::new(url).unwrap();
            assert_eq!((target.url.as_str(), target.password.as_deref()), (expected, password));
        }
        assert!(Target::new("not a url").is_err());
    }
}
