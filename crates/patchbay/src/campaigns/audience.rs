//! Who is meant: a segment's filter as it was approved, or everybody.

use sqlx::{Postgres, QueryBuilder};

use super::Campaign;
use crate::{
    app::App,
    db::TenantTx,
    error::{Error, Result},
    segments::{self, Context, Filter},
};

/// An audience, ready to be matched.
pub(super) struct Audience(Option<(Filter, Context)>);

impl Audience {
    /// The audience of `campaign`: the approved one, else the segment's as it is now.
    ///
    /// # Errors
    /// Invalid: a segment that is gone, or names what is gone.
    pub async fn load(tx: &mut TenantTx, app: &App, campaign: &Campaign) -> Result<Self> {
        let Some(segment) = campaign.segment_id else { return Ok(Self(None)) };
        let filter = match &campaign.audience {
            Some(approved) => Filter::parse(approved)?,
            None => segment_of(tx, segment).await?.filter,
        };
        let context = Context::load(tx, app).await?;
        Ok(Self(Some((filter, context))))
    }

    /// Whether the segment exists.
    ///
    /// # Errors
    /// As of [`Audience::load`].
    pub async fn check(tx: &mut TenantTx, segment: uuid::Uuid) -> Result<()> {
        segment_of(tx, segment).await.map(drop)
    }

    /// How many are meant now, where that can be counted in good time.
    pub async fn count(&self, tx: &mut TenantTx, app: &App) -> Result<Option<i64>> {
        let found = match &self.0 {
            Some((filter, context)) => segments::count(app, filter, context).await?,
            None => segments::count(app, &Filter::everybody(), &Context::load(tx, app).await?).await?,
        };
        Ok(found.exact.then_some(found.count))
    }

    /// The filter, to be approved.
    pub fn filter(&self) -> Result<Option<serde_json::Value>> {
        let Some((filter, context)) = &self.0 else { return Ok(None) };
        filter.check(context)?;
        Ok(Some(filter.to_json()))
    }

    /// Adds the conditions over the alias `c`.
    pub fn push_where(&self, query: &mut QueryBuilder<Postgres>) {
        if let Some((filter, context)) = &self.0 {
            segments::push_where(query, filter, context);
        }
    }
}

async fn segment_of(tx: &mut TenantTx, id: uuid::Uuid) -> Result<segments::Segment> {
    segments::get(tx, id).await.map_err(|error| match error {
        Error::NotFound(_) => Error::field("segment_id", "This segment does not exist any more."),
        other => other,
    })
}
