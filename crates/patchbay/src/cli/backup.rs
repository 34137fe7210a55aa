//! `backup` and `restore`.

use std::{path::Path, process::ExitCode};

use serde_json::json;

use super::{failure::Failure, output::Output};
use crate::{
    backup,
    config::Config,
    fence::{self, Why},
    start::{self, KEY_FILE},
};

/// Writes the backup.
pub async fn backup(config: Config, file: &Path, output: &Output) -> Result<ExitCode, Failure> {
    let program = start::open_as_is(config).await?;
    let done = backup::write(&program.app, &program.url, file).await;
    let key_file = program.app.config.data_dir.join(KEY_FILE);
    program.close().await;
    let written = done?;
    let sentence = format!(
        "{} holds everything as of now ({} KB), and was read back.",
        file.display(),
        written.bytes.div_ceil(1024)
    );
    output.say(sentence, &json!({ "file": file, "bytes": written.bytes, "sha256": written.sha256 }));
    if key_file.exists() {
        output.note(format!(
            "Keep {} somewhere else: credentials in the backup open only with it.",
            key_file.display()
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads a backup back. What it holds does not send until an owner, or `sending release`, says so.
pub async fn restore(config: Config, file: &Path, force: bool, output: &Output) -> Result<ExitCode, Failure> {
    if !file.is_file() {
        return Err(Failure::new(format!("{} is not there.", file.display())));
    }
    let again = config.clone();
    let program = start::open_as_is(config).await?;
    let done = async {
        if !force && program.app.db.tenant_count().await? > 0 {
            return Err(Failure::new("There is data in this database already; --force replaces it."));
        }
        Ok(backup::read(&program.app, &program.url, file).await?)
    }
    .await;
    let checked = match done {
        Ok(checked) => checked,
        Err(failure) => {
            program.close().await;
            return Err(failure);
        }
    };
    // A backup of an older version is brought up to date at once, while the cluster still runs.
    let upgraded = start::open(again).await;
    program.close().await;
    let upgraded = upgraded?;
    let held = fence::hold(&upgraded.app, None, Why::Restored).await;
    let tenants = upgraded.app.db.tenant_count().await;
    upgraded.close().await;
    held?;
    let tenants = tenants?;
    let sentence = format!(
        "{} was restored: {tenants} {}.",
        file.display(),
        if tenants == 1 { "tenant" } else { "tenants" }
    );
    output.say(
        sentence,
        &json!({ "file": file, "tenants": tenants, "checksum_verified": checked, "sending": "held" }),
    );
    if !checked {
        output.note("There was no checksum file beside it, so its contents could not be compared with what was written.");
    }
    if tenants > 0 {
        output.note(
            "Sending is held, since the original may have sent what waits in the backup. Each owner decides in \
             Settings; or run: patchbay sending release --all --waiting cancel",
        );
    }
    Ok(ExitCode::SUCCESS)
}
