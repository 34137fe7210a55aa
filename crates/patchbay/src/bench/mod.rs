//! `patchbay bench`: how fast and how small the program is, measured on a database of its own with the real program as
//! separate processes: the server, the carrier's simulator, PostgreSQL.
//!
//! It promises to measure what a user would get (signed callbacks over HTTP, row-level security on, every commit on
//! disk) and to say what it measured; every run is bounded. It asserts nothing: a table is for people to compare.
//! Beside rates it tells the processor time spent per message by each part, which other programs on the machine
//! hardly change, so that two runs can be compared where the clock cannot.

mod api;
mod campaign;
mod dispatch;
mod import;
mod lists;
mod outbox;
mod page;
mod process;
mod report;
mod seed;
mod stage;
mod start;

use std::path::PathBuf;

use patchbay_providers::http;

use report::Measure;
pub use report::Report;
use stage::Stage;

/// What to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum What {
    /// Messages through the gates to the carrier, without and with callbacks; memory meanwhile
    Dispatch,
    /// Events that need nothing done
    Outbox,
    /// Search and filters over a million contacts
    Contacts,
    /// The inbox over a million messages
    Inbox,
    /// A campaign to a million people
    Campaign,
    /// A CSV of new contacts
    Import,
    /// From the command to the first answer
    Start,
    /// Bytes that a browser loads for the inbox
    Page,
}

/// How much of what.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// What to measure [default: everything]
    #[arg(value_enum)]
    pub what: Vec<What>,
    /// Messages to dispatch, each time
    #[arg(long, default_value_t = 60_000, value_name = "N")]
    pub messages: u32,
    /// Events to handle
    #[arg(long, default_value_t = 300_000, value_name = "N")]
    pub jobs: u32,
    /// Rows of the CSV to import
    #[arg(long, default_value_t = 300_000, value_name = "N")]
    pub imported: u32,
    /// Contacts, and messages in the inbox, to search among
    #[arg(long, default_value_t = 1_000_000, value_name = "N")]
    pub rows: u32,
    /// Requests per kind of query
    #[arg(long, default_value_t = 100, value_name = "N")]
    pub requests: u32,
    /// Provider calls under way at once
    #[arg(long, default_value_t = 64, value_name = "N")]
    pub concurrency: u32,
    /// Keep the searched database in this folder and use it again: a million rows take minutes to make
    #[arg(long, value_name = "FOLDER")]
    pub keep: Option<PathBuf>,
    /// A result saved before with --json, to set beside this one
    #[arg(long, value_name = "FILE")]
    pub compare: Option<PathBuf>,
}

/// Why nothing could be measured, in one sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BenchError(String);

type Result<T, E = BenchError> = std::result::Result<T, E>;

/// Turns any cause into a sentence that says what was being done.
fn failed<E: std::fmt::Display>(doing: &'static str) -> impl FnOnce(E) -> BenchError {
    move |cause| BenchError(format!("{doing}: {cause}"))
}

fn client() -> Result<reqwest::Client> {
    http::client().build().map_err(failed("No connection can be made"))
}

/// Measures what `options` ask for.
///
/// # Errors
/// What stood in the way.
pub async fn run(options: &Options) -> Result<Report> {
    let wanted = |what: What| options.what.is_empty() || options.what.contains(&what);
    let former = match &options.compare {
        Some(file) => Some(Report::read(file)?),
        None => None,
    };
    let mut report = Report::new(former);
    if wanted(What::Start) {
        report.add(start::measure().await?);
    }
    if wanted(What::Dispatch) {
        let mut stage = Stage::open("dispatch", None).await?;
        report.add(dispatch::measure(&mut stage, options, false).await?);
        report.add(dispatch::measure(&mut stage, options, true).await?);
        stage.close().await;
    }
    if wanted(What::Outbox) {
        let mut stage = Stage::open("outbox", None).await?;
        report.add(outbox::measure(&mut stage, options).await?);
        stage.close().await;
    }
    if wanted(What::Import) {
        let mut stage = Stage::open("import", None).await?;
        report.add(import::measure(&mut stage, options).await?);
        stage.close().await;
    }
    if [What::Contacts, What::Inbox, What::Page, What::Campaign].into_iter().any(wanted) {
        let mut stage = Stage::open("lists", options.keep.as_deref()).await?;
        let office = seed::office(&mut stage, options).await?;
        if wanted(What::Contacts) {
            report.add(lists::contacts(&mut stage, &office, options).await?);
        }
        if wanted(What::Inbox) {
            report.add(lists::inbox(&mut stage, &office, options).await?);
        }
        if wanted(What::Page) {
            report.add(page::measure(&mut stage, &office).await?);
        }
        // Last: it leaves a million messages behind.
        if wanted(What::Campaign) {
            report.add(campaign::measure(&mut stage, &office, options).await?);
        }
        stage.close().await;
    }
    Ok(report)
}
