//! Asking the carrier for what it did not tell: receipts that never came, and what messages cost.
//!
//! Promises: a message is asked about once, an hour after it was made at the earliest, when carriers know their price;
//! receipts count as if they had come by themselves. Does not: ask about everything at once ([`AT_ONCE`] an hour and
//! tenant, oldest first); beyond that, of days with many messages, estimates stay.

use chrono::TimeDelta;
use futures::{StreamExt, stream};
use patchbay_providers::{Found, ProviderError, ProviderStatus};
use patchbay_rules::message::Channel;
use uuid::Uuid;

use crate::{
    app::App,
    dashboard::days::id_at,
    error::{Error, Result},
    messaging::{
        reports::{self, Report},
        sql::{
            dispatch as senders,
            reports::{self as sql, OwedRow, Prices},
        },
    },
    providers,
};

/// Messages asked about in one go.
const AT_ONCE: i64 = 500;
/// Calls under way at once.
const SIDE_BY_SIDE: usize = 8;
/// Before, a receipt may still come and the price is not known.
const NOT_BEFORE: TimeDelta = TimeDelta::hours(1);
/// Older ones are history.
const NOT_AFTER: TimeDelta = TimeDelta::days(3);

/// What asking came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Receipts {
    /// Messages without a receipt or a price that the carrier was asked about.
    pub asked: usize,
    /// Receipts that had been lost.
    pub arrived: usize,
    /// Prices that are known now.
    pub priced: usize,
}

/// Asks about the messages of one tenant that lack a receipt or a price.
pub async fn look_after(app: &App, tenant: Uuid) -> Result<Receipts> {
    let now = app.now();
    let mut tx = app.db.tenant(tenant).await?;
    let (first, before) = (id_at(now - NOT_AFTER), id_at(now - NOT_BEFORE));
    let owed = sql::claim_owed(&mut tx, first, before, now, AT_ONCE).await?;
    if owed.is_empty() {
        return Ok(Receipts::default());
    }
    let senders = senders::senders(&mut tx, now.date_naive()).await?;
    let routes = providers::Routes::load(app, &mut tx, &senders).await?;
    tx.commit().await?;
    let asked = owed.len();
    let answers: Vec<(OwedRow, Result<Option<Found>>)> = stream::iter(owed)
        .map(async |row| {
            let answer = fetch(&routes, &row).await;
            (row, answer)
        })
        .buffer_unordered(SIDE_BY_SIDE)
        .collect()
        .await;
    let (mut news, mut prices, mut unanswered) = (Vec::new(), Prices::default(), Vec::new());
    for (row, answer) in answers {
        match answer {
            Ok(Some(found)) if is_news(&row, found.status) => news.push(report(&row, found)),
            Ok(found) => {
                if let Some(price) = found.and_then(|found| found.price) {
                    prices.put(row.id, &price);
                }
            }
            Err(error) => {
                tracing::debug!(%error, "a carrier did not answer about a message");
                unanswered.push(row.id);
            }
        }
    }
    let arrived = news.len();
    let priced = prices.ids.len() + news.iter().filter(|report| report.price.is_some()).count();
    let mut tx = app.db.tenant(tenant).await?;
    reports::write(&mut tx, news, now).await?;
    sql::settle_prices(&mut tx, &prices).await?;
    sql::owe_again(&mut tx, &unanswered).await?;
    tx.commit().await?;
    Ok(Receipts { asked: asked - unanswered.len(), arrived, priced })
}

async fn fetch(routes: &providers::Routes, row: &OwedRow) -> Result<Option<Found>> {
    let channel: Channel = row.channel.parse().map_err(Error::internal)?;
    let route =
        routes.choose(channel, row.sender_id, row.from_address.as_deref()).map_err(Error::internal)?;
    match route.provider.fetch(&row.provider_message_id).await {
        Ok(found) => Ok(found),
        Err(ProviderError::Unsupported(_)) => Ok(None),
        Err(error) => Err(Error::internal(error)),
    }
}

/// Whether the carrier's word says more than the ledger's.
fn is_news(row: &OwedRow, status: ProviderStatus) -> bool {
    row.status == "sent" && status.is_final()
}

fn report(row: &OwedRow, found: Found) -> Report {
    Report {
        message_id: Some(row.id),
        attempt: Some(row.attempt),
        provider_message_id: found.provider_message_id,
        status: found.status,
        code: found.error_code,
        detail: Some("The receipt was lost; the carrier was asked.".to_owned()),
        price: found.price,
    }
}
