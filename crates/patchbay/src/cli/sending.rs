//! `sending`: holds the messages of tenants, and lets them go again.

use std::process::ExitCode;

use serde_json::json;

use super::{
    arguments::{SendingCommand, SendingTarget, WaitingName},
    failure::Failure,
    output::Output,
};
use crate::{
    app::App,
    config::Config,
    fence::{self, Waiting, Why},
    start, tenants,
};

/// Runs one of the commands.
pub async fn run(config: Config, command: SendingCommand, output: &Output) -> Result<ExitCode, Failure> {
    let program = start::open(config).await?;
    let done = act(&program.app, &command).await;
    program.close().await;
    let count = done?;
    let tenants = if count == 1 { "tenant" } else { "tenants" };
    let (sentence, key) = match command {
        SendingCommand::Hold(_) => (format!("Sending is held for {count} more {tenants}."), "held"),
        SendingCommand::Release { .. } => (format!("Sending goes on for {count} {tenants}."), "released"),
    };
    output.say(sentence, &json!({ key: count }));
    Ok(ExitCode::SUCCESS)
}

async fn act(app: &App, command: &SendingCommand) -> Result<u64, Failure> {
    match command {
        SendingCommand::Hold(target) => Ok(fence::hold(app, known(app, target).await?, Why::Operator).await?),
        SendingCommand::Release { target, waiting } => {
            let waiting = match waiting {
                WaitingName::Send => Waiting::Send,
                WaitingName::Cancel => Waiting::Cancel,
            };
            Ok(fence::release_by_operator(app, known(app, target).await?, waiting).await?)
        }
    }
}

/// The slug that was meant; `None` for all.
async fn known<'a>(app: &App, target: &'a SendingTarget) -> Result<Option<&'a str>, Failure> {
    let Some(slug) = target.tenant.as_deref() else { return Ok(None) };
    match tenants::find_by_slug(app, slug).await? {
        Some(_) => Ok(Some(slug)),
        None => Err(Failure::new(format!("There is no tenant {slug:?}."))),
    }
}
