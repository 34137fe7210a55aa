//! Logs and numbers about the program itself.
//!
//! Logs go to standard error, for people or as JSON. They never hold bodies, tokens or whole phone numbers: what is
//! logged are ids. The numbers are process-wide, as the `metrics` crate has them.

use std::{io::IsTerminal, sync::OnceLock};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::config::{Config, LogFormat};

static NUMBERS: OnceLock<PrometheusHandle> = OnceLock::new();

/// Bounds in seconds, from a page out of memory to a provider that takes its time.
const BUCKETS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// Begins logging. `usual` is the level when nothing is configured.
pub fn start_logging(config: &Config, usual: &str) {
    // The pool tells of every connection it replaces; what matters about the database is logged elsewhere.
    let usual = format!("{usual},sqlx=warn");
    let chosen = config.log.as_deref().unwrap_or(&usual);
    let filter = EnvFilter::try_new(chosen).unwrap_or_else(|_| EnvFilter::new(&usual));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // Logging may have begun already, in tests.
    let _ = match config.log_format {
        LogFormat::Text => lines.with_target(false).try_init(),
        LogFormat::Json => {
            lines.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init()
        }
    };
}

/// Begins counting; without it everything is counted into the void.
pub fn start_metrics() {
    NUMBERS.get_or_init(|| {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)
            .expect("there are buckets")
            .build_recorder();
        let handle = recorder.handle();
        let _ = metrics::set_global_recorder(recorder);
        metrics::gauge!("patchbay_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        handle
    });
}

/// The numbers in Prometheus's text format.
pub fn render() -> String {
    NUMBERS.get().map(PrometheusHandle::render).unwrap_or_default()
}

/// Folds what histograms have gathered; to be called every few seconds.
pub fn tidy() {
    if let Some(numbers) = NUMBERS.get() {
        numbers.run_upkeep();
    }
}
