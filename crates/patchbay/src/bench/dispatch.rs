//! Queued messages through the seven gates, over HTTP to the carrier's simulator, and settled; with or without the
//! two signed callbacks per message, stored and applied.

use std::time::{Duration, Instant};

use super::{BenchError, Measure, Options, Result, Stage, seed};

/// The longest that one run may take.
const LIMIT: Duration = Duration::from_secs(600);

/// Measures one run over the same tenants and contacts.
pub async fn measure(stage: &mut Stage, options: &Options, callbacks: bool) -> Result<Vec<Measure>> {
    seed::campaign(stage, options.messages).await?;
    let (carrier, carrier_url) = stage.carrier(callbacks).await?;
    let (mut server, _) = stage.server("all", &carrier_url, options.concurrency).await?;
    let before = (server.cpu(), carrier.cpu(), stage.database_cpu());
    let mut memory = 0.0_f64;
    let began = Instant::now();
    let unfinished =
        if callbacks { "'queued', 'sending', 'sent', 'unknown'" } else { "'queued', 'sending', 'unknown'" };
    let question =
        format!("select exists (select from patchbay.messages where status in ({unfinished}))::int");
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        memory = memory.max(server.memory().0);
        if stage.number(&question).await? == 0.0 {
            break;
        }
        if !server.is_alive() || began.elapsed() > LIMIT {
            return Err(BenchError("The messages were not sent; the server's log says why.".to_owned()));
        }
    }
    let (server_cpu, carrier_cpu, database_cpu) = (server.cpu(), carrier.cpu(), stage.database_cpu());
    let peak = server.memory().1;
    server.stop().await;
    carrier.stop().await;
    let last = if callbacks { "delivered_at" } else { "sent_at" };
    let seconds = stage
        .number(&format!("select extract(epoch from max({last}) - min(claimed_at)) from patchbay.messages"))
        .await?;
    let done =
        stage.number(&format!("select count(*) from patchbay.messages where {last} is not null")).await?;
    if done < f64::from(options.messages) {
        return Err(BenchError(format!("Only {done} of {} messages were sent.", options.messages)));
    }
    let (name, bar) = if callbacks { ("dispatch with both callbacks", 3000.0) } else { ("dispatch", 6000.0) };
    let each = |part: &str, seconds: f64| {
        Measure::new(format!("{name}: {part}, processor per 1,000"), seconds * 1000.0 / done * 1000.0, "ms")
    };
    Ok(vec![
        Measure::new(name, done / seconds.max(0.001), "messages/s").at_least(bar),
        each("server", server_cpu - before.0),
        each("database", database_cpu - before.2),
        each("carrier", carrier_cpu - before.1),
        Measure::new(format!("{name}: resident memory of the server"), memory, "MB").below(57.0),
        Measure::new(format!("{name}: most there was of it"), peak, "MB"),
    ])
}
