//! `pilot`: a trial flight before the first campaign.

use std::process::ExitCode;

use serde_json::json;

use super::{arguments::PilotArguments, failure::Failure, output::Output};
use crate::pilot::{self, Check, Live};

/// Flies it; the exit code is 1 if a criterion was not met.
pub async fn run(arguments: PilotArguments, output: &Output) -> Result<ExitCode, Failure> {
    let say = |step: &str| output.note(format!("{step} …"));
    let checks = match arguments.url.zip(arguments.key) {
        Some((url, key)) => pilot::live(&Live { url, key, numbers: arguments.to }, &say).await?,
        None => pilot::simulated(&say).await?,
    };
    let passed = checks.iter().all(|check| check.passed != Some(false));
    let mut lines: Vec<String> = checks.iter().map(line).collect();
    lines.push(if passed { "Ready for a campaign." } else { "Not ready yet." }.to_owned());
    output.say(lines.join("\n"), &json!({ "passed": passed, "checks": checks }));
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn line(check: &Check) -> String {
    let mark = match check.passed {
        Some(true) => "ok  ",
        Some(false) => "BAD ",
        None => "–   ",
    };
    format!("{mark}  {:<16} {}", check.name, check.found)
}
