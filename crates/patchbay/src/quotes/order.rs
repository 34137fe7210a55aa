//! The list of quotes in the order of one of its columns.
//!
//! Promises: pages follow each other without gaps or doubles, whatever changes meanwhile moves only what changed; every
//! order walks an index. Does not: order what a search found, which comes newest first.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Quote, Status, sql};
use crate::{
    app::App,
    auth::Caller,
    error::Result,
    web::paging::{Page, PageQuery},
};

/// A column that the list can be ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Column {
    /// What happened last: an answer, a look, the sending, the making.
    #[default]
    Changed,
    Number,
    Total,
}

/// A column, and the way: falling unless `rising`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Order {
    pub(super) column: Column,
    pub(super) rising: bool,
}

impl Order {
    /// Of the word in an address; anything else is the usual order.
    pub(super) fn parse(word: &str) -> Self {
        let (rising, name) = word.strip_prefix('-').map_or((true, word), |name| (false, name));
        match name {
            "number" => Self { column: Column::Number, rising },
            "total" => Self { column: Column::Total, rising },
            "changed" => Self { column: Column::Changed, rising },
            _ => Self::default(),
        }
    }

    /// The word in addresses; empty for the usual order.
    pub(super) fn word(self) -> String {
        let name = match self.column {
            Column::Changed => "changed",
            Column::Number => "number",
            Column::Total => "total",
        };
        match (self == Self::default(), self.rising) {
            (true, _) => String::new(),
            (_, true) => name.to_owned(),
            (_, false) => format!("-{name}"),
        }
    }

    /// What choosing `column` does: falling first, and the other way round when it is chosen again.
    pub(super) fn choosing(self, column: Column) -> Self {
        Self { column, rising: self.column == column && !self.rising }
    }
}

/// A page of quotes in `order`.
pub(super) async fn list(
    app: &App,
    caller: &Caller,
    status: Option<Status>,
    order: Order,
    page: &PageQuery,
) -> Result<Page<Quote>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let (limit, rising, status) = (page.limit() + 1, order.rising, status.map(Status::as_str));
    let first = if rising { Uuid::nil() } else { Uuid::max() };
    Ok(match order.column {
        Column::Changed => {
            let start = if rising { DateTime::UNIX_EPOCH } else { DateTime::<Utc>::MAX_UTC };
            let place = page.after()?.unwrap_or((start, first));
            let rows = sql::list_by_change(&mut tx, status, rising, place, limit).await?;
            Page::cut(rows, page.limit(), |quote| (quote.changed_at(), quote.id))
        }
        Column::Number => {
            let place = page.after()?.unwrap_or((if rising { 0 } else { i32::MAX }, first));
            let rows = sql::list_by_number(&mut tx, status, rising, place, limit).await?;
            Page::cut(rows, page.limit(), |quote| (quote.number, quote.id))
        }
        Column::Total => {
            let place = page.after()?.unwrap_or((if rising { -1 } else { i64::MAX }, first));
            let rows = sql::list_by_total(&mut tx, status, rising, place, limit).await?;
            Page::cut(rows, page.limit(), |quote| (quote.total_cents, quote.id))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_falls_first_and_turns_round_when_chosen_again() {
        let usual = Order::default();
        assert_eq!(
            (usual.word(), usual.choosing(Column::Changed).word()),
            (String::new(), "changed".to_owned())
        );
        let total = usual.choosing(Column::Total);
        assert_eq!(
            (total.word(), total.choosing(Column::Total).word()),
            ("-total".to_owned(), "total".to_owned())
        );
        for word in ["", "changed", "number", "-number", "total", "-total"] {
            assert_eq!(Order::parse(word).word(), word);
        }
        assert_eq!(Order::parse("-changed"), usual);
        assert_eq!(Order::parse("robert'); drop"), usual);
    }
}
