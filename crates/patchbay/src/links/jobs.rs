//! Verdicts on hits: a first one as they are written, the final one when their neighbours are known, another one when
//! the rules have changed. Judging twice gives the same, so any number of nodes may do it.

use chrono::{DateTime, TimeDelta, Utc};
use patchbay_rules::{
    clicks::{self, Facts},
    message::Channel,
    phone,
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::sql::{self, Known, Verdicts};
use crate::{app::App, error::Result};

/// After this, no hit can come in that changes the verdict, except one that was long in the queue.
const SETTLED: TimeDelta = TimeDelta::seconds(65);
/// Hits per transaction.
const BATCH: i64 = 1000;
/// Batches per round; the rest has time until the next.
const ROUNDS: usize = 50;

/// Gives hits their final verdict; answers how many.
pub async fn score_due(app: &App) -> Result<usize> {
    let mut scored = 0;
    for _ in 0..ROUNDS {
        let mut tx = app.db.system().await?;
        let now = app.now();
        let (tenants, ids) = sql::claim_due(tx.conn(), clicks::VERSION, now - SETTLED, BATCH).await?;
        judge(tx.conn(), &tenants, &ids, now).await?;
        tx.commit().await?;
        scored += ids.len();
        if ids.len() < BATCH as usize {
            break;
        }
    }
    Ok(scored)
}

/// Judges everything anew; answers how many verdicts there were.
pub async fn rescore(app: &App) -> Result<u64> {
    let mut conn = app.db.system_conn().await?;
    let forgotten = sql::forget_verdicts(&mut conn).await?;
    drop(conn);
    while score_due(app).await? > 0 {}
    Ok(forgotten)
}

/// Judges these hits by what is known at `now`. Their verdict is final once their neighbours must be there.
pub(super) async fn judge(
    conn: &mut PgConnection,
    tenants: &[Uuid],
    ids: &[Uuid],
    now: DateTime<Utc>,
) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let (burst, crowd) = (clicks::BURST.as_seconds_f64(), clicks::CROWD.as_seconds_f64());
    let mut verdicts = Verdicts::default();
    for known in sql::known(conn, tenants, ids, burst, crowd).await? {
        let verdict = clicks::judge(&facts(&known));
        let reasons: Vec<&str> = verdict.reasons.iter().map(|reason| reason.as_str()).collect();
        verdicts.tenants.push(known.tenant_id);
        verdicts.ids.push(known.id);
        verdicts.bots.push(verdict.is_bot());
        verdicts.scores.push(verdict.score);
        verdicts.reasons.push(reasons.join(" "));
        verdicts.classifiers.push(if known.at < now - SETTLED { clicks::VERSION } else { 0 });
    }
    sql::mark_judged(conn, &verdicts).await
}

fn facts(known: &Known) -> Facts<'_> {
    let header = |name: &str| known.headers.get(name).and_then(|value| value.as_str());
    let count = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
    let mut names = known.headers.as_object().into_iter().flatten();
    Facts {
        at: known.at,
        channel: known.channel.as_deref().and_then(|word| word.parse().ok()).unwrap_or(Channel::Sms),
        method: &known.method,
        user_agent: &known.user_agent,
        prefetch: names.any(|(name, value)| clicks::is_prefetch(name, value.as_str().unwrap_or_default())),
        names_language: header("accept-language").is_some(),
        names_fetch: ["sec-fetch-mode", "sec-fetch-site", "sec-fetch-dest"]
            .iter()
            .any(|name| header(name).is_some()),
        address: known.network.as_deref().and_then(|network| network.parse().ok()),
        sent_at: known.sent_at,
        delivered_at: known.delivered_at,
        links_nearby: count(known.links_nearby),
        hits_nearby: count(known.hits_nearby),
        recipients_nearby: count(known.recipients_nearby),
        // Text messages cannot hide a link.
        trapped: false,
        abroad: is_abroad(header("cf-ipcountry"), known.phone.as_deref()),
        confirmed: known.confirmed,
    }
}

/// Known where a proxy in front says from which country it was asked; `XX` and `T1` are no countries.
fn is_abroad(country: Option<&str>, phone: Option<&str>) -> bool {
    let Some(country) = country.filter(|code| code.len() == 2 && *code != "XX" && *code != "T1") else {
        return false;
    };
    let region = phone.and_then(|phone| phone::parse(phone, None).ok()).and_then(|phone| phone.region);
    region.is_some_and(|region| !region.eq_ignore_ascii_case(country))
}
