//! `reseal`: stored credentials under the current master key, so that former keys can be forgotten.

use std::process::ExitCode;

use serde_json::json;

use super::{failure::Failure, output::Output};
use crate::{
    config::Config,
    db::embedded::{Claim, data_folder},
    providers,
    secrets::Secrets,
    start::{self, KEY_FILE, StartError},
};

/// Seals everything anew; with `new_key`, under a key made now.
pub async fn run(config: Config, new_key: bool, output: &Output) -> Result<ExitCode, Failure> {
    let data = data_folder(&config.data_dir).map_err(StartError::from)?;
    let file = data.join(KEY_FILE);
    if new_key && !config.master_keys.is_empty() {
        return Err(Failure::new(
            "The master key comes from PATCHBAY_MASTER_KEY: put a new one there, the old one into PATCHBAY_MASTER_KEY_PREVIOUS, and run reseal.",
        ));
    }
    let from_file = config.master_keys.is_empty();
    // A server that runs would not know the new key.
    let _claim = if new_key {
        let claim = Claim::take(&data, "serve.lock").map_err(StartError::from)?;
        Some(claim.ok_or_else(|| {
            Failure::new("Stop `patchbay serve` first: a running server would not know the new key.")
        })?)
    } else {
        None
    };
    let mut program = start::open(config.clone()).await?;
    if new_key {
        let mut keys = vec![Secrets::new_key()];
        keys.extend(program.app.config.master_keys.iter().cloned());
        // Both keys are in the file until everything is sealed anew: a crash in between loses nothing.
        let written = start::write_keys(&file, &keys, false);
        program.close().await;
        written.map_err(|cause| Failure::new(format!("{} cannot be written: {cause}.", file.display())))?;
        program = start::open(config).await?;
    }
    let resealed = providers::reseal(&program.app).await;
    let current = program.app.config.master_keys.first().cloned();
    program.close().await;
    let count = resealed?;
    if let (true, Some(current)) = (from_file, current) {
        start::write_keys(&file, &[current], false)
            .map_err(|cause| Failure::new(format!("{} cannot be written: {cause}.", file.display())))?;
    }
    let sentence = match count {
        0 => "All credentials were sealed with the current master key already.".to_owned(),
        1 => "1 credential was sealed anew.".to_owned(),
        count => format!("{count} credentials were sealed anew."),
    };
    output.say(sentence, &json!({ "resealed": count }));
    Ok(ExitCode::SUCCESS)
}
