//! `links`: looking after short links.

use std::process::ExitCode;

use serde_json::json;

use super::{failure::Failure, output::Output};
use crate::{config::Config, links, start};

/// Judges all clicks anew.
pub async fn rescore(config: Config, output: &Output) -> Result<ExitCode, Failure> {
    let program = start::open(config).await?;
    let rescored = links::jobs::rescore(&program.app).await;
    program.close().await;
    let count = rescored?;
    let sentence = match count {
        0 => "There are no clicks to judge.".to_owned(),
        1 => "1 click was judged anew.".to_owned(),
        count => format!("{count} clicks were judged anew."),
    };
    output.say(sentence, &json!({ "rescored": count }));
    Ok(ExitCode::SUCCESS)
}
