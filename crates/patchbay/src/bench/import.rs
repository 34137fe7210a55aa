//! A CSV of strangers: read, understood, compared with the contacts there are, stored, every row accounted for.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use serde_json::json;

use super::{BenchError, Measure, Options, Result, Stage, api::Api, seed};

const LIMIT: Duration = Duration::from_secs(300);

/// Measures one run.
pub async fn measure(stage: &mut Stage, options: &Options) -> Result<Vec<Measure>> {
    let office = seed::office(stage, &Options { rows: 1000, ..options.clone() }).await?;
    let (mut server, address) = stage.server("all", "http://127.0.0.1:9", 1).await?;
    let api = Api::new(&address, &office.key)?;
    let mapping = json!({
        "columns": { "Mobile": "phone", "First": "first_name", "Last": "last_name", "E-mail": "email",
          "Suburb": "properties.suburb", "Opted in": "consent.sms" },
        "consent": { "channel": "sms", "source": "Trade fair", "wording": "I agree to receive texts." },
        "on_match": "update",
    });
    let fields = [("mapping", mapping.to_string()), ("dry_run", "false".to_owned())];
    let file = people(options.imported);
    let before = (server.cpu(), stage.database_cpu());
    let began = Instant::now();
    let import = api.upload("/api/imports", &file, &fields).await?;
    let uploaded = began.elapsed().as_secs_f64();
    drop(file);
    let path = format!("/api/imports/{}", import["id"].as_str().unwrap_or_default());
    let mut memory = 0.0_f64;
    let finished = loop {
        let import = api.get(&path).await?;
        match import["status"].as_str().unwrap_or_default() {
            "finished" => break import,
            "queued" | "running" | "draft" if began.elapsed() < LIMIT && server.is_alive() => {}
            _ => return Err(BenchError(format!("The import did not end well: {import}"))),
        }
        memory = memory.max(server.memory().0);
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let used = (server.cpu() - before.0, stage.database_cpu() - before.1);
    let id = finished["id"].as_str().unwrap_or_default();
    let seconds = stage
        .number(&format!(
            "select extract(epoch from finished_at - started_at) from patchbay.imports where id = '{id}'"
        ))
        .await?;
    server.stop().await;
    let rows = finished["counts"]["rows"].as_f64().unwrap_or_default();
    Ok(vec![
        Measure::new("import of a CSV", rows / seconds.max(0.001), "rows/s").at_least(45_000.0),
        Measure::new("import: server, processor per 1,000", used.0 * 1e6 / rows, "ms"),
        Measure::new("import: database, processor per 1,000", used.1 * 1e6 / rows, "ms"),
        Measure::new("import: resident memory of the server, most", memory, "MB"),
        Measure::new("import: upload", uploaded, "s"),
    ])
}

/// Rows as people have them: most are right, some are there twice, some have a number that is none.
fn people(rows: u32) -> String {
    let mut file = String::with_capacity(rows as usize * 80);
    file.push_str("Mobile,First,Last,E-mail,Suburb,Opted in\n");
    for n in 0..rows {
        let (first, last) = seed::name(n);
        let number = 2_000_000 + 4_000_000 + if n % 50 == 49 { n - 1 } else { n };
        let suburb = ["Fremont", "Hayward", "Oakland", "\"Alameda, East\""][n as usize % 4];
        let phone = match n % 100 {
            7 => format!("12-{}", n % 1000),
            n if n % 3 == 0 => format!("(415) {}-{:04}", number / 10_000, number % 10_000),
            _ => format!("+1415{number}"),
        };
        let _ = writeln!(file, "{phone},{first},{last},new-{n}@example.com,{suburb},yes");
    }
    file
}
