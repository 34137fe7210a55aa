//! What a browser loads for the inbox: the page, and every style sheet, script, font and icon it names, as they travel.

use std::collections::BTreeSet;

use super::{Measure, Result, Stage, client, failed, seed::Office};

/// Measures the first visit.
pub async fn measure(stage: &mut Stage, office: &Office) -> Result<Vec<Measure>> {
    let (server, address) = stage.server("web", "http://127.0.0.1:9", 1).await?;
    let client = client()?;
    let load = async |path: &str| -> Result<(usize, String)> {
        let request = client
            .get(format!("http://{address}{path}"))
            .header("accept-encoding", "br")
            .header("cookie", format!("session={}", office.session));
        let answer = request
            .send()
            .await
            .map_err(failed("Loading a page"))?
            .error_for_status()
            .map_err(failed("Loading a page"))?;
        let bytes = answer.bytes().await.map_err(failed("Loading a page"))?;
        Ok((bytes.len(), path.to_owned()))
    };
    let plain =
        client.get(format!("http://{address}/inbox")).header("cookie", format!("session={}", office.session));
    let html = plain
        .send()
        .await
        .map_err(failed("Loading a page"))?
        .text()
        .await
        .map_err(failed("Loading a page"))?;
    let (page, _) = load("/inbox").await?;
    let mut bytes = page;
    let mut seen = BTreeSet::new();
    let mut waiting: Vec<String> = assets(&html);
    while let Some(path) = waiting.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let (size, _) = load(&path).await?;
        bytes += size;
        if path.ends_with(".css") || path.ends_with(".js") {
            let text = client
                .get(format!("http://{address}{path}"))
                .send()
                .await
                .map_err(failed("Loading an asset"))?
                .text()
                .await;
            waiting.extend(assets(&text.unwrap_or_default()));
        }
    }
    server.stop().await;
    Ok(vec![
        Measure::new("inbox page, everything it loads, compressed", bytes as f64 / 1000.0, "kB").below(100.0),
        Measure::new("inbox page: the document alone", page as f64 / 1000.0, "kB"),
        Measure::new("inbox page: files beside it", seen.len() as f64, "files"),
    ])
}

/// The assets that a document, style sheet or script names.
fn assets(text: &str) -> Vec<String> {
    text.split(['"', '\'', '(', ')', ' ', '\n'])
        .filter(|word| word.starts_with("/assets/") && word.len() > 8)
        .map(|word| word.split('#').next().unwrap_or(word).to_owned())
        .collect()
}
