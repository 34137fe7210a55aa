//! From the command to the first answer: on a folder that does not exist yet, and on one that does.

use std::time::Instant;

use super::{Measure, Result, process::Process, stage::free_address};

/// Later starts, of which the median counts.
const STARTS: usize = 5;

/// Measures starts with the embedded cluster.
pub async fn measure() -> Result<Vec<Measure>> {
    let folder = std::env::temp_dir().join(format!("patchbay-bench-{}-start", std::process::id()));
    let first = once(&folder).await?;
    let mut later = Vec::new();
    for _ in 0..STARTS {
        later.push(once(&folder).await?);
    }
    later.sort_by(f64::total_cmp);
    let _ = std::fs::remove_dir_all(&folder);
    Ok(vec![
        Measure::new("start, first ever", first, "s").below(3.0),
        Measure::new("start, later", later[STARTS / 2], "s").below(1.0),
    ])
}

async fn once(folder: &std::path::Path) -> Result<f64> {
    let address = free_address()?;
    let log = std::env::temp_dir().join(format!("patchbay-bench-{}-start.log", std::process::id()));
    let environment = [("PATCHBAY_DATA_DIR", folder.display().to_string()), ("RUST_LOG", "warn".to_owned())];
    let began = Instant::now();
    let mut server = Process::start(&["serve", "--listen", &address], &environment, &log)?;
    // Listening comes before the database; the first answer comes after it.
    server.answers(&address).await?;
    let client = super::client()?;
    loop {
        let answer = client.get(format!("http://{address}/health/ready")).send().await;
        if answer.is_ok_and(|answer| answer.status().is_success()) {
            break;
        }
        if began.elapsed().as_secs() > 60 || !server.is_alive() {
            return Err(super::BenchError(format!(
                "The server does not get ready; {} says why.",
                log.display()
            )));
        }
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    let seconds = began.elapsed().as_secs_f64();
    server.stop().await;
    let _ = std::fs::remove_file(&log);
    Ok(seconds)
}
