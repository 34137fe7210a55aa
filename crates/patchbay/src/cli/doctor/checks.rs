//! What can be seen without asking the database about itself.

use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

use chrono::{DateTime, Utc};
use patchbay_providers::http;

use super::Finding;
use crate::{app::App, backup::schedule, config::Config, providers, start::KEY_FILE};

const MEGABYTE: u64 = 1 << 20;

/// Room for the data, and the right to write there.
pub fn disk(config: &Config) -> Finding {
    let folder = &config.data_dir;
    if let Err(cause) = fs::create_dir_all(folder) {
        return Finding::bad(
            "disk",
            format!("{} cannot be created: {cause}.", folder.display()),
            "Name another with --data-dir.",
        );
    }
    let probe = folder.join(format!(".probe-{}", std::process::id()));
    if let Err(cause) = fs::write(&probe, []).and_then(|()| fs::remove_file(&probe)) {
        return Finding::bad(
            "disk",
            format!("{} cannot be written to: {cause}.", folder.display()),
            "Give this user the right to write there.",
        );
    }
    let Ok(space) = rustix::fs::statvfs(folder) else {
        return Finding::good("disk", format!("{} can be written to.", folder.display()));
    };
    let free = space.f_bavail.saturating_mul(space.f_frsize) / MEGABYTE;
    let found = format!("{free} MB are free in {}.", folder.display());
    match free {
        0..256 => Finding::bad("disk", found, "Make room: PostgreSQL stops when the disk is full."),
        256..2048 => Finding::doubtful("disk", found, "Make room before it is needed."),
        _ => Finding::good("disk", found),
    }
}

/// Whether yesterday's data could be had back.
pub fn backups(config: &Config, now: DateTime<Utc>) -> Finding {
    let Some(folder) = schedule::folder(config) else {
        return Finding::doubtful(
            "backups",
            "This node makes none.",
            "Set PATCHBAY_BACKUP_DIR, unless the database server is backed up by other means.",
        );
    };
    match schedule::newest(&folder) {
        Some(at) if now - at < schedule::LATE => Finding::good(
            "backups",
            format!("The newest in {} is of {}.", folder.display(), at.format("%F %H:%M UTC")),
        ),
        Some(at) => Finding::bad(
            "backups",
            format!("The newest in {} is of {}.", folder.display(), at.format("%F %H:%M UTC")),
            "Is a worker running? The log says why the daily backup failed.",
        ),
        None => Finding::doubtful(
            "backups",
            format!("None yet in {}.", folder.display()),
            "The first is made when a worker has run for an hour; or run patchbay backup.",
        ),
    }
}

/// How people receive their sign-in links.
pub fn mail(config: &Config) -> Finding {
    match &config.smtp_url {
        Some(_) => {
            Finding::good("mail", format!("Goes through the configured server as {}.", config.mail_from))
        }
        None => Finding::doubtful(
            "mail",
            "No mail server is configured; sign-in links are printed by the server.",
            "Set PATCHBAY_SMTP_URL and PATCHBAY_MAIL_FROM.",
        ),
    }
}

/// Whether messages reach anybody.
pub fn carrier(config: &Config) -> Finding {
    let Some(twilio) = &config.twilio else {
        return Finding::good(
            "carrier",
            "No shared Twilio account; tenants without their own use the practice carrier.",
        );
    };
    if twilio.messaging_service_sid.is_none() && twilio.from_e164.is_none() {
        return Finding::bad(
            "carrier",
            "The shared Twilio account has nothing to send from.",
            "Set TWILIO_MESSAGING_SERVICE_SID or TWILIO_FROM_E164.",
        );
    }
    if !config.public_url.starts_with("https://") {
        return Finding::bad(
            "carrier",
            format!("Twilio cannot report back to {}.", config.public_url),
            "Set PATCHBAY_PUBLIC_URL to the https address under which the world reaches this server.",
        );
    }
    let account: String = twilio.account_sid.chars().take(6).collect();
    Finding::good("carrier", format!("The shared Twilio account {account}… is configured."))
}

/// Whether stored credentials can be read.
pub async fn key(app: &App) -> Finding {
    let file = app.config.data_dir.join(KEY_FILE);
    let open_to_others = fs::metadata(&file).is_ok_and(|found| found.permissions().mode() & 0o077 != 0);
    if open_to_others {
        return Finding::bad(
            "master key",
            format!("Others may read {}.", file.display()),
            format!("chmod 600 {}", file.display()),
        );
    }
    match providers::inspect_seals(app).await {
        Ok(seals) if seals.lost > 0 => Finding::bad(
            "master key",
            format!("{} stored credentials open with no configured key.", seals.lost),
            "Put the former key into PATCHBAY_MASTER_KEY_PREVIOUS, or enter those credentials again.",
        ),
        Ok(seals) if seals.former > 0 => Finding::doubtful(
            "master key",
            format!("{} credentials are sealed with a former key.", seals.former),
            "Run patchbay reseal, then forget the former key.",
        ),
        Ok(_) if app.config.database_url.is_some() && file.exists() => Finding::doubtful(
            "master key",
            format!("It lives in {}, on this machine only.", file.display()),
            "Nodes that share a database must share the key: set PATCHBAY_MASTER_KEY on all of them.",
        ),
        Ok(_) => Finding::good("master key", "Opens all stored credentials."),
        Err(_) => Finding::doubtful(
            "master key",
            "Stored credentials could not be read.",
            "See what is said about the database.",
        ),
    }
}

/// Whether the address that carriers and people are given leads here.
pub async fn reach(config: &Config) -> Finding {
    let address = format!("{}/health", config.public_url);
    let client = http::client().timeout(Duration::from_secs(10)).build();
    let answer = match client {
        Ok(client) => client.get(&address).send().await,
        Err(error) => Err(error),
    };
    let local = config.public_url_assumed || !config.public_url.starts_with("https://");
    let failed = |found: String, mend: &str| {
        if local { Finding::doubtful("webhooks", found, mend) } else { Finding::bad("webhooks", found, mend) }
    };
    match answer {
        Ok(answer) if answer.status().is_success() => match answer.json::<serde_json::Value>().await {
            Ok(body) if body["status"] == "ok" && local => Finding::doubtful(
                "webhooks",
                format!("{} answers, but only here.", config.public_url),
                "To receive messages, put it behind https and set PATCHBAY_PUBLIC_URL.",
            ),
            Ok(body) if body["status"] == "ok" => {
                Finding::good("webhooks", format!("{} leads here.", config.public_url))
            }
            _ => failed(
                format!("Something else answers at {}.", config.public_url),
                "Check PATCHBAY_PUBLIC_URL and the proxy.",
            ),
        },
        Ok(answer) => failed(
            format!("{address} answers {}.", answer.status().as_u16()),
            "Check PATCHBAY_PUBLIC_URL and that the proxy passes all paths on.",
        ),
        Err(_) => failed(
            format!("{address} does not answer."),
            "Start patchbay serve; check PATCHBAY_PUBLIC_URL, DNS and the proxy.",
        ),
    }
}
