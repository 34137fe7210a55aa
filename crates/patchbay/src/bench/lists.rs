//! Lists and searches over HTTP, one request after the other, as one person's browser asks for them.

use std::time::Instant;

use reqwest::Client;

use super::{BenchError, Measure, Options, Result, Stage, client, failed, seed::Office};

/// The queries of people who look for contacts. Each is asked with other words every time, so that no page of the
/// database's is warm for it alone.
const CONTACTS: &[(&str, &str)] = &[
    ("first page", "?limit=50"),
    ("full name", "?q=NAME%20SURNAME"),
    ("rare surname", "?q=SURNAME"),
    ("common first name", "?q=NAME"),
    ("phone fragment", "?q=DIGITS"),
    ("e-mail", "?q=person-NUMBER%40example.com"),
    ("custom field", "?q=policy-NUMBER"),
    ("no match", "?q=zzyx-NUMBER"),
    ("status", "?status=active"),
    ("label", "?label=VIP"),
    ("source and status", "?source=Website&status=lead"),
    ("stage and consent", "?stage=Quoted&consent=subscribed"),
    ("name and status", "?q=NAME&status=inactive"),
    ("name, label and consent", "?q=NAME&label=VIP&consent=unsubscribed"),
];

/// Pages of the inbox.
const INBOX: &[(&str, &str)] = &[
    ("open", "/inbox"),
    ("unread", "/inbox?view=unread"),
    ("done", "/inbox?view=done"),
    ("conversation", "/conversations/CONTACT"),
    ("list for a live update", "/inbox/list"),
    ("counts", "/counts"),
    ("search across bodies, rare", "/inbox?q=reference%20NUMBER"),
    ("search across bodies, common", "/inbox?q=quote"),
];

/// Searches contacts.
pub async fn contacts(stage: &mut Stage, office: &Office, options: &Options) -> Result<Vec<Measure>> {
    let (server, address) = stage.server("web", "http://127.0.0.1:9", 1).await?;
    let asker =
        Asker { client: client()?, address, header: ("authorization", format!("Bearer {}", office.key)) };
    let mut all = Vec::new();
    let mut measures = Vec::new();
    for (name, query) in CONTACTS {
        let times = asker.ask(&format!("/api/contacts{query}"), office, options).await?;
        measures.push(
            Measure::new(format!("contacts, {name}: 95th percentile"), percentile(&times, 95.0), "ms")
                .below(30.0),
        );
        all.extend(times);
    }
    let deep = asker.walk(options).await?;
    measures.push(
        Measure::new("contacts, deep page: 95th percentile", percentile(&deep, 95.0), "ms").below(30.0),
    );
    all.extend(deep);
    server.stop().await;
    measures.insert(
        0,
        Measure::new("contacts, all queries: 95th percentile", percentile(&all, 95.0), "ms").below(30.0),
    );
    measures.insert(1, Measure::new("contacts, all queries: median", percentile(&all, 50.0), "ms"));
    measures.insert(2, Measure::new("contacts, all queries: 99th percentile", percentile(&all, 99.0), "ms"));
    Ok(measures)
}

/// Reads the inbox.
pub async fn inbox(stage: &mut Stage, office: &Office, options: &Options) -> Result<Vec<Measure>> {
    let (server, address) = stage.server("web", "http://127.0.0.1:9", 1).await?;
    let asker =
        Asker { client: client()?, address, header: ("cookie", format!("session={}", office.session)) };
    let mut all = Vec::new();
    let mut measures = Vec::new();
    for (name, path) in INBOX {
        let times = asker.ask(path, office, options).await?;
        measures.push(
            Measure::new(format!("inbox, {name}: 95th percentile"), percentile(&times, 95.0), "ms")
                .below(20.0),
        );
        all.extend(times);
    }
    server.stop().await;
    measures.insert(
        0,
        Measure::new("inbox, all pages: 95th percentile", percentile(&all, 95.0), "ms").below(20.0),
    );
    measures.insert(1, Measure::new("inbox, all pages: median", percentile(&all, 50.0), "ms"));
    measures.insert(2, Measure::new("inbox, all pages: 99th percentile", percentile(&all, 99.0), "ms"));
    Ok(measures)
}

struct Asker {
    client: Client,
    address: String,
    header: (&'static str, String),
}

impl Asker {
    /// Milliseconds of each request.
    async fn ask(&self, pattern: &str, office: &Office, options: &Options) -> Result<Vec<f64>> {
        let mut times = Vec::new();
        // One more than is counted: the first of a kind prepares its statement.
        for nth in 0..=options.requests {
            let path = office.fill(pattern, nth);
            let (time, _) = self.get(&path).await?;
            if nth > 0 {
                times.push(time);
            }
        }
        Ok(times)
    }

    /// Milliseconds of each page further down the list.
    async fn walk(&self, options: &Options) -> Result<Vec<f64>> {
        let mut times = Vec::new();
        let mut path = "/api/contacts?limit=200".to_owned();
        for _ in 0..options.requests {
            let (time, text) = self.get(&path).await?;
            times.push(time);
            let page: serde_json::Value = serde_json::from_str(&text).map_err(failed("Reading a page"))?;
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            path = format!("/api/contacts?limit=200&cursor={cursor}");
        }
        Ok(times)
    }

    async fn get(&self, path: &str) -> Result<(f64, String)> {
        let request =
            self.client.get(format!("http://{}{path}", self.address)).header(self.header.0, &self.header.1);
        let began = Instant::now();
        let answer = request.send().await.map_err(failed("Asking the server"))?;
        let status = answer.status();
        let text = answer.text().await.map_err(failed("Asking the server"))?;
        let time = began.elapsed().as_secs_f64() * 1000.0;
        if status.is_success() {
            Ok((time, text))
        } else {
            Err(BenchError(format!("{path} answered {status}.")))
        }
    }
}

/// The value that `share` percent of `times` stay at or below.
fn percentile(times: &[f64], share: f64) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share / 100.0 * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::percentile;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let times: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(
            (percentile(&times, 50.0), percentile(&times, 95.0), percentile(&times, 99.0)),
            (50.0, 95.0, 99.0)
        );
        assert_eq!((percentile(&[7.0], 95.0), percentile(&[], 95.0)), (7.0, 0.0));
    }
}
