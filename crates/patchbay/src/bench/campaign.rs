//! A campaign to a million people: how fast its recipients are written down, how fast it goes out, in how much memory,
//! and whether a message of it costs more than one of a small campaign.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{BenchError, Measure, Options, Result, Stage, api::Api, process::Process, seed, seed::Office};

/// How long the large campaign is watched: memory and rate have settled long before.
const WATCHED: Duration = Duration::from_secs(60);
/// How long the small one may take.
const LIMIT: Duration = Duration::from_secs(120);
const TEXT: &str = "Hi {{first_name | default('there')}}, our autumn check-up days are here. Book yours this week and save 10%. Reply STOP to opt out.";

/// Measures a small campaign, then one to everybody.
pub async fn measure(stage: &mut Stage, office: &Office, options: &Options) -> Result<Vec<Measure>> {
    seed::ready_for_campaigns(stage).await?;
    let (carrier, carrier_url) = stage.carrier(false).await?;
    let (mut server, address) = stage.server("all", &carrier_url, options.concurrency).await?;
    let api = Api::new(&address, &office.key)?;
    let template = api.post("/api/templates", &json!({ "name": unique("Bench"), "content": TEXT })).await?;
    let segment = json!({ "name": unique("Bench"), "filter": { "all": [{ "field": "label", "op": "is", "value": "VIP" }] } });
    let segment = api.post("/api/segments", &segment).await?;

    let mut small = Campaign::launch(&api, &template, Some(&segment), stage, &server).await?;
    small.watch(stage, &mut server, LIMIT).await?;
    let mut large = Campaign::launch(&api, &template, None, stage, &server).await?;
    large.watch(stage, &mut server, WATCHED).await?;
    api.post(&format!("/api/campaigns/{}/cancel", large.id), &json!({})).await?;
    server.stop().await;
    carrier.stop().await;

    let per = |campaign: &Campaign, seconds: f64| seconds * 1e6 / campaign.done.max(1.0);
    let name = |campaign: &Campaign| format!("campaign of {}", campaign.recipients);
    Ok(vec![
        Measure::new(
            format!("{}: recipients written down", name(&large)),
            large.recipients / large.snapshot,
            "recipients/s",
        )
        .at_least(50_000.0),
        Measure::new(format!("{}: sent", name(&large)), large.done / large.seconds, "messages/s"),
        Measure::new(format!("{}: resident memory of the server, most", name(&large)), large.memory, "MB")
            .below(57.0),
        Measure::new(
            format!("{}: server, processor per 1,000", name(&small)),
            per(&small, small.server),
            "ms",
        ),
        Measure::new(
            format!("{}: server, processor per 1,000", name(&large)),
            per(&large, large.server),
            "ms",
        ),
        Measure::new(
            format!("{}: database, processor per 1,000", name(&small)),
            per(&small, small.database),
            "ms",
        ),
        Measure::new(
            format!("{}: database, processor per 1,000", name(&large)),
            per(&large, large.database),
            "ms",
        ),
    ])
}

/// A campaign under way, and what it took.
struct Campaign {
    id: String,
    recipients: f64,
    /// Seconds that writing the recipients down took.
    snapshot: f64,
    began: Instant,
    server: f64,
    database: f64,
    /// Messages that left, and the seconds that took.
    done: f64,
    seconds: f64,
    memory: f64,
}

impl Campaign {
    async fn launch(
        api: &Api,
        template: &Value,
        segment: Option<&Value>,
        stage: &mut Stage,
        server: &Process,
    ) -> Result<Self> {
        let draft = json!({
            "name": unique("Bench"), "channel": "sms", "template_ids": [template["id"]],
            "segment_id": segment.map(|segment| segment["id"].clone()),
        });
        let draft = api.post("/api/campaigns", &draft).await?;
        let id = draft["id"].as_str().unwrap_or_default().to_owned();
        let began = Instant::now();
        let written = format!(
            "select recipients from patchbay.campaigns where id = '{id}' and snapshot_at is not null"
        );
        api.post(&format!("/api/campaigns/{id}/launch"), &json!({})).await?;
        while stage.number(&written).await? == 0.0 {
            if began.elapsed() > LIMIT {
                return Err(BenchError("The campaign's recipients were not written down.".to_owned()));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let snapshot = began.elapsed().as_secs_f64();
        Ok(Self {
            recipients: stage.number(&written).await?,
            id,
            snapshot,
            began: Instant::now(),
            server: -server.cpu(),
            database: -stage.database_cpu(),
            done: 0.0,
            seconds: 0.0,
            memory: 0.0,
        })
    }

    /// Watches until it is through, or for `most`.
    async fn watch(&mut self, stage: &mut Stage, server: &mut Process, most: Duration) -> Result<()> {
        let finished = format!(
            "select count(*) from patchbay.campaigns where id = '{}' and status = 'finished'",
            self.id
        );
        while self.began.elapsed() < most && stage.number(&finished).await? == 0.0 {
            if !server.is_alive() {
                return Err(BenchError("The server ended; its log says why.".to_owned()));
            }
            self.memory = self.memory.max(server.memory().0);
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        self.server += server.cpu();
        self.database += stage.database_cpu();
        let sent =
            format!("from patchbay.messages where campaign_id = '{}' and sent_at is not null", self.id);
        self.done = stage.number(&format!("select count(*) {sent}")).await?;
        self.seconds = stage
            .number(&format!("select extract(epoch from max(sent_at) - min(claimed_at)) {sent}"))
            .await?
            .max(0.001);
        Ok(())
    }
}

/// A name that was not used before: a kept database may have seen this already.
fn unique(name: &str) -> String {
    format!("{name} {}", rand::random::<u32>())
}
