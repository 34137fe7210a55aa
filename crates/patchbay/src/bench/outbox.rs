//! Events that nobody handles: claimed, looked at, settled. What the engine itself costs.

use std::time::{Duration, Instant};

use super::{BenchError, Measure, Options, Result, Stage};

const LIMIT: Duration = Duration::from_secs(300);

/// Measures one run.
pub async fn measure(stage: &mut Stage, options: &Options) -> Result<Vec<Measure>> {
    super::seed::tenants(stage).await?;
    stage
        .execute(&format!(
            "delete from patchbay.outbox;
             insert into patchbay.outbox (tenant_id, event_type, payload)
             select id, 'bench.nothing', '{{\"n\": 1}}' from patchbay.tenants, generate_series(1, {} / 4)",
            options.jobs
        ))
        .await?;
    stage.vacuum().await?;
    let (carrier, carrier_url) = stage.carrier(false).await?;
    let (mut server, _) = stage.server("all", &carrier_url, options.concurrency).await?;
    let before = (server.cpu(), stage.database_cpu());
    let began = Instant::now();
    while stage.number("select exists (select from patchbay.outbox where processed_at is null)::int").await?
        != 0.0
    {
        tokio::time::sleep(Duration::from_millis(200)).await;
        if !server.is_alive() || began.elapsed() > LIMIT {
            return Err(BenchError("The events were not handled; the server's log says why.".to_owned()));
        }
    }
    let used = (server.cpu() - before.0, stage.database_cpu() - before.1);
    server.stop().await;
    carrier.stop().await;
    // The first batch ends when measuring begins.
    let rate = stage
        .number(
            "select (count(*) filter (where processed_at > first)) / nullif(extract(epoch from max(processed_at) - min(processed_at)), 0)
             from patchbay.outbox, (select min(processed_at) as first from patchbay.outbox) f",
        )
        .await?;
    let done = f64::from(options.jobs);
    Ok(vec![
        Measure::new("outbox", rate, "jobs/s").at_least(35_000.0),
        Measure::new("outbox: server, processor per 1,000", used.0 * 1000.0 / done * 1000.0, "ms"),
        Measure::new("outbox: database, processor per 1,000", used.1 * 1000.0 / done * 1000.0, "ms"),
    ])
}
