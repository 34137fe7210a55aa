//! Configuration from the environment. `docs/CONFIGURATION.md` has the same table for people.

use std::{path::PathBuf, time::Duration};

/// Everything the environment decides. Read once at the start.
#[derive(Debug, Clone)]
pub struct Config {
    pub database_url: Option<String>,
    pub data_dir: PathBuf,
    pub pg_bin: Option<PathBuf>,
    pub db_connections: u32,
    /// Where daily backups go; `off` for nowhere. Without it, beside the private cluster if there is one.
    pub backup_dir: Option<String>,
    /// Where the web server listens: address and port.
    pub listen: String,
    /// Where any node also answers whether it lives and what it counts: address and port. For nodes that show no pages.
    pub probe_listen: Option<String>,
    /// Where the world reaches this server; webhook signatures and links are made of it. No trailing slash.
    pub public_url: String,
    /// Whether the address above is only what follows from `listen`.
    pub public_url_assumed: bool,
    /// Where short links lead, on a domain of their own.
    pub short_domain: Option<ShortDomain>,
    /// What short links are signed with, current one first; without any, keys made of the master keys.
    pub short_link_secrets: Vec<String>,
    pub enforce_roles: bool,
    pub single_tenant: bool,
    /// Current key first, then former ones that may still open old seals.
    pub master_keys: Vec<String>,
    pub smtp_url: Option<String>,
    pub mail_from: String,
    pub twilio: Option<SharedTwilio>,
    pub twilio_api_base: String,
    /// How long a claimed message may stay without an outcome before it counts as unknown.
    pub lease: Duration,
    /// How long an unknown outcome may wait for its callback before the provider is asked.
    pub reconcile_after: Duration,
    /// Provider calls under way at once, per node.
    pub send_concurrency: usize,
    /// The largest file that can be imported.
    pub import_max_bytes: u64,
    /// Whether the fake provider plays leads that answer.
    pub fake_replies: bool,
    /// What scrapers of `/metrics` must present; without it anybody may read the numbers.
    pub metrics_token: Option<String>,
    /// Which log lines are kept, such as `info,patchbay=debug`.
    pub log: Option<String>,
    pub log_format: LogFormat,
}

/// The domain of short links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShortDomain {
    /// Without trailing slash, such as `https://go.example.com`.
    pub base: String,
    /// As browsers name it in `Host`, such as `go.example.com` or `localhost:4000`.
    pub host: String,
}

/// What log lines look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// The Twilio account that tenants without one of their own share.
#[derive(Clone)]
pub struct SharedTwilio {
    pub account_sid: String,
    /// Several while a rotation is under way; the first is used for sending.
    pub auth_tokens: Vec<String>,
    pub api_key: Option<(String, String)>,
    pub messaging_service_sid: Option<String>,
    pub from_e164: Option<String>,
}

impl std::fmt::Debug for SharedTwilio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedTwilio").field("account_sid", &self.account_sid).finish_non_exhaustive()
    }
}

/// A variable whose value cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{name}: {problem}")]
pub struct ConfigError {
    name: &'static str,
    problem: String,
}

impl Config {
    /// Reads the environment through `get`, so that tests need not touch the process's own.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let text =
            |name: &str| get(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let list = |name: &str| -> Vec<String> {
            text(name)
                .map(|value| value.split(',').map(|item| item.trim().to_owned()).collect())
                .unwrap_or_default()
        };
        let listen = text("PATCHBAY_LISTEN").unwrap_or_else(|| "127.0.0.1:3000".to_owned());
        let given = text("PATCHBAY_PUBLIC_URL");
        let public_url_assumed = given.is_none();
        let public_url = given.unwrap_or_else(|| local_url(&listen));
        if !public_url.starts_with("http://") && !public_url.starts_with("https://") {
            return Err(ConfigError {
                name: "PATCHBAY_PUBLIC_URL",
                problem: format!("{public_url:?} is not a web address such as https://crm.example.com"),
            });
        }
        let short_domain = text("PATCHBAY_SHORT_DOMAIN").or_else(|| text("SHORT_DOMAIN"));
        let short_domain = short_domain.map(|value| short_domain_of(&value, &public_url)).transpose()?;
        let log_format = match text("PATCHBAY_LOG_FORMAT").as_deref() {
            None | Some("text") => LogFormat::Text,
            Some("json") => LogFormat::Json,
            Some(other) => {
                return Err(ConfigError {
                    name: "PATCHBAY_LOG_FORMAT",
                    problem: format!("{other:?} is neither text nor json"),
                });
            }
        };
        let mut auth_tokens = list("TWILIO_AUTH_TOKEN");
        auth_tokens.retain(|token| !token.is_empty());
        let twilio =
            text("TWILIO_ACCOUNT_SID").filter(|_| !auth_tokens.is_empty()).map(|account_sid| SharedTwilio {
                account_sid,
                auth_tokens,
                api_key: text("TWILIO_API_KEY_SID").zip(text("TWILIO_API_KEY_SECRET")),
                messaging_service_sid: text("TWILIO_MESSAGING_SERVICE_SID"),
                from_e164: text("TWILIO_FROM_E164"),
            });
        let mut master_keys = list("PATCHBAY_MASTER_KEY");
        master_keys.extend(list("PATCHBAY_MASTER_KEY_PREVIOUS"));
        Ok(Self {
            database_url: text("DATABASE_URL"),
            data_dir: text("PATCHBAY_DATA_DIR").map_or_else(|| PathBuf::from("data"), PathBuf::from),
            pg_bin: text("PATCHBAY_PG_BIN").map(PathBuf::from),
            db_connections: number(&get, "PATCHBAY_DB_CONNECTIONS", 24)?,
            backup_dir: text("PATCHBAY_BACKUP_DIR"),
            listen,
            probe_listen: text("PATCHBAY_PROBE_LISTEN"),
            public_url_assumed,
            public_url: public_url.trim_end_matches('/').to_owned(),
            short_domain,
            short_link_secrets: list("SHORT_LINK_SECRET"),
            enforce_roles: flag(&get, "PATCHBAY_ENFORCE_ROLES", true)?,
            single_tenant: flag(
                &get,
                "PATCHBAY_SINGLE_TENANT",
                flag(&get, "NEXT_PUBLIC_SINGLE_TENANT", false)?,
            )?,
            master_keys,
            smtp_url: text("PATCHBAY_SMTP_URL"),
            mail_from: text("PATCHBAY_MAIL_FROM")
                .unwrap_or_else(|| "Patchbay <patchbay@localhost>".to_owned()),
            twilio,
            twilio_api_base: text("TWILIO_API_BASE").unwrap_or_else(|| "https://api.twilio.com".to_owned()),
            lease: Duration::from_secs(number(&get, "PATCHBAY_LEASE_SECONDS", 60)?),
            reconcile_after: Duration::from_secs(number(&get, "PATCHBAY_RECONCILE_AFTER_SECONDS", 120)?),
            send_concurrency: number(&get, "PATCHBAY_SEND_CONCURRENCY", 64)?,
            import_max_bytes: number(&get, "PATCHBAY_IMPORT_MAX_BYTES", 200 << 20)?,
            fake_replies: flag(&get, "PATCHBAY_FAKE_REPLIES", false)?,
            metrics_token: text("PATCHBAY_METRICS_TOKEN"),
            log: text("PATCHBAY_LOG"),
            log_format,
        })
    }
}

/// How a browser on this machine reaches a server that listens there.
pub fn local_url(listen: &str) -> String {
    let listen = listen.replace("0.0.0.0:", "127.0.0.1:").replace("[::]:", "[::1]:");
    format!("http://{listen}")
}

/// A domain, or a whole address where it is not reached by HTTPS. It cannot be the one of the pages: each address there
/// would be taken for a short link.
fn short_domain_of(value: &str, public_url: &str) -> Result<ShortDomain, ConfigError> {
    let refused = |problem: String| ConfigError { name: "PATCHBAY_SHORT_DOMAIN", problem };
    let base = if value.contains("://") { value.to_owned() } else { format!("https://{value}") };
    let base = base.trim_end_matches('/').to_lowercase();
    let host = base.strip_prefix("https://").or_else(|| base.strip_prefix("http://")).unwrap_or_default();
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    if host.is_empty() || !host.chars().all(fits) {
        return Err(refused(format!("{value:?} is not a domain such as go.example.com")));
    }
    if public_url.split_once("://").is_some_and(|(_, rest)| rest.split('/').next() == Some(host)) {
        return Err(refused(format!(
            "{host} is where the pages are; short links need a domain of their own"
        )));
    }
    Ok(ShortDomain { host: host.to_owned(), base })
}

fn number<T: std::str::FromStr>(
    get: &impl Fn(&str) -> Option<String>,
    name: &'static str,
    default: T,
) -> Result<T, ConfigError> {
    match get(name).filter(|value| !value.trim().is_empty()) {
        None => Ok(default),
        Some(value) => value
            .trim()
            .parse()
            .map_err(|_| ConfigError { name, problem: format!("{value:?} is not a whole number") }),
    }
}

fn flag(
    get: &impl Fn(&str) -> Option<String>,
    name: &'static str,
    default: bool,
) -> Result<bool, ConfigError> {
    match get(name).map(|value| value.trim().to_lowercase()).as_deref() {
        None | Some("") => Ok(default),
        Some("true" | "1" | "yes" | "on") => Ok(true),
        Some("false" | "0" | "no" | "off") => Ok(false),
        Some(other) => Err(ConfigError { name, problem: format!("{other:?} is neither true nor false") }),
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, collections::BTreeSet};

    use super::*;

    #[test]
    fn the_documentation_names_every_variable_and_no_other() {
        let asked = RefCell::new(BTreeSet::new());
        let read = Config::read(|name| {
            asked.borrow_mut().insert(name.to_owned());
            // With these, the rest of its group is asked for.
            matches!(name, "TWILIO_ACCOUNT_SID" | "TWILIO_AUTH_TOKEN").then(|| "x".to_owned())
        });
        assert!(read.is_ok());
        let page = include_str!("../../../docs/CONFIGURATION.md");
        let documented: BTreeSet<String> = page
            .lines()
            .filter_map(|line| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned()))
            .collect();
        assert_eq!(documented, asked.into_inner());
    }

    #[test]
    fn what_cannot_be_used_is_told_by_name() {
        for (name, value, problem) in [
            ("PATCHBAY_DB_CONNECTIONS", "many", "not a whole number"),
            ("PATCHBAY_ENFORCE_ROLES", "perhaps", "neither true nor false"),
            ("PATCHBAY_PUBLIC_URL", "crm.example.com", "not a web address"),
            ("PATCHBAY_LOG_FORMAT", "xml", "neither text nor json"),
        ] {
            let said =
                Config::read(|asked| (asked == name).then(|| value.to_owned())).unwrap_err().to_string();
            assert!(said.starts_with(name) && said.contains(problem), "{said}");
        }
    }

    #[test]
    fn the_short_domain_is_one_of_its_own() {
        let read = |value: &str| {
            Config::read(|name| match name {
                "SHORT_DOMAIN" => Some(value.to_owned()),
                "PATCHBAY_PUBLIC_URL" => Some("https://crm.example.com".to_owned()),
                _ => None,
            })
            .map(|config| config.short_domain.unwrap())
        };
        for (value, base, host) in [
            ("go.example.com", "https://go.example.com", "go.example.com"),
            ("https://Go.Example.com/", "https://go.example.com", "go.example.com"),
            ("http://localhost:4000", "http://localhost:4000", "localhost:4000"),
        ] {
            assert_eq!(read(value).unwrap(), ShortDomain { base: base.to_owned(), host: host.to_owned() });
        }
        for value in ["crm.example.com", "https://", "go.example.com/path", "two words", "ftp://x.y"] {
            assert!(read(value).unwrap_err().to_string().starts_with("PATCHBAY_SHORT_DOMAIN"), "{value}");
        }
    }

    #[test]
    fn the_public_address_follows_from_the_listening_one_unless_it_is_given() {
        for (listen, url) in [
            ("127.0.0.1:3000", "http://127.0.0.1:3000"),
            ("0.0.0.0:8080", "http://127.0.0.1:8080"),
            ("[::]:80", "http://[::1]:80"),
        ] {
            let config = Config::read(|name| (name == "PATCHBAY_LISTEN").then(|| listen.to_owned())).unwrap();
            assert_eq!((config.public_url.as_str(), config.public_url_assumed), (url, true));
        }
        let config = Config::read(|name| {
            (name == "PATCHBAY_PUBLIC_URL").then(|| "https://crm.example.com/".to_owned())
        })
        .unwrap();
        assert_eq!(
            (config.public_url.as_str(), config.public_url_assumed),
            ("https://crm.example.com", false)
        );
    }
}
