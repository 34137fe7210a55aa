//! `doctor`: looks at the whole installation and says what to mend. Changes nothing, except that the private cluster
//! is started for as long as it looks.

mod checks;
mod database;

use std::process::ExitCode;

use serde::Serialize;
use serde_json::json;

use super::{failure::Failure, output::Output};
use crate::{config::Config, start};

/// How it stands with one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Good,
    /// Works, but not as it should in earnest.
    Doubtful,
    /// Does not work.
    Bad,
}

/// What was found about one thing.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    pub check: &'static str,
    pub verdict: Verdict,
    pub found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
}

impl Finding {
    fn good(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Good, found: found.into(), mend: None }
    }

    fn doubtful(check: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Doubtful, found: found.into(), mend: Some(mend.into()) }
    }

    fn bad(check: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Bad, found: found.into(), mend: Some(mend.into()) }
    }
}

/// Checks everything; the exit code is 1 if something does not work.
pub async fn run(config: Config, output: &Output) -> Result<ExitCode, Failure> {
    let mut findings = vec![checks::disk(&config), checks::mail(&config), checks::carrier(&config)];
    match start::open_as_is(config.clone()).await {
        Ok(program) => {
            findings.push(checks::key(&program.app).await);
            findings.push(checks::backups(&program.app.config, program.app.now()));
            findings.extend(database::all(&program.app).await);
            findings.push(checks::reach(&program.app.config).await);
            program.close().await;
        }
        Err(error) => {
            findings.push(Finding::bad("database", error.to_string(), "Nothing works without it."));
            findings.push(checks::reach(&config).await);
        }
    }
    report(&findings, output);
    let sound = findings.iter().all(|finding| finding.verdict != Verdict::Bad);
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn report(findings: &[Finding], output: &Output) {
    let mut lines = Vec::new();
    for finding in findings {
        let mark = match finding.verdict {
            Verdict::Good => "ok  ",
            Verdict::Doubtful => "note",
            Verdict::Bad => "BAD ",
        };
        lines.push(format!("{mark}  {:<12} {}", finding.check, finding.found));
        if let Some(mend) = &finding.mend {
            lines.push(format!("{:20}→ {mend}", ""));
        }
    }
    let bad = findings.iter().filter(|finding| finding.verdict == Verdict::Bad).count();
    lines.push(match bad {
        0 => "Nothing needs mending.".to_owned(),
        1 => "One thing needs mending.".to_owned(),
        bad => format!("{bad} things need mending."),
    });
    output.say(lines.join("\n"), &json!({ "sound": bad == 0, "findings": findings }));
}
