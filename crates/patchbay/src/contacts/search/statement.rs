//! The SQL of a search, put together from what is asked. Every table is named with the tenant, which is always the
//! first bound value.

use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::{
    Slice,
    condition::{Condition, Lanes},
};

/// Which part of a tenant's contacts a search looks at.
pub(super) struct Scope<'a> {
    pub(super) tenant: Uuid,
    pub(super) archived: bool,
    pub(super) slice: Slice,
    pub(super) conditions: &'a [Condition],
}

impl Scope<'_> {
    /// The condition that the walk follows an index of; the others are checked on the way.
    fn path(&self) -> Option<usize> {
        self.conditions.iter().position(Condition::is_path).filter(|_| !self.archived)
    }

    /// Whether a walk meets nothing but rows that pass, so that it needs no bound.
    pub(super) fn is_straight(&self) -> bool {
        match self.conditions {
            [] => true,
            [Condition::Labels(_)] => false,
            [Condition::Lanes(_)] => !self.archived,
            [only] => only.is_path() && !self.archived,
            _ => false,
        }
    }

    /// The first rows that pass, in the order of the list, looking at `steps` rows at most unless it is straight.
    pub(super) fn walk(&self, steps: i64, wanted: i64) -> QueryBuilder<Postgres> {
        if let ([Condition::Lanes(lanes)], false) = (self.conditions, self.archived) {
            return self.along_lanes(lanes, wanted);
        }
        let path = self.path();
        let mut sql = QueryBuilder::new("select c.id from ");
        self.push_steps(path, steps, &mut sql);
        if path.is_some_and(|at| matches!(self.conditions[at], Condition::Labels(_))) {
            sql.push(" l join patchbay.contacts c on c.tenant_id = $1 and c.id = l.id where true");
            self.push_shelf(&mut sql);
        } else {
            sql.push(" c where true");
        }
        for (at, condition) in self.conditions.iter().enumerate() {
            if Some(at) != path {
                sql.push(" and ");
                condition.push(&mut sql);
            }
        }
        self.push_order("c.id", &mut sql);
        sql.push(" limit ").push_bind(wanted);
        sql
    }

    /// How many rows a walk of so many steps looks at: fewer, if it comes to the end of the index it follows, and then
    /// it has met everything there is. `None` where it follows no index of a condition.
    pub(super) fn reach(&self, steps: i64) -> Option<QueryBuilder<Postgres>> {
        let path = self.path()?;
        let mut sql = QueryBuilder::new("select count(*) from ");
        self.push_steps(Some(path), steps, &mut sql);
        sql.push(" s");
        Some(sql)
    }

    /// The rows that a walk looks at.
    fn push_steps(&self, path: Option<usize>, steps: i64, sql: &mut QueryBuilder<Postgres>) {
        let condition = path.map(|at| &self.conditions[at]);
        let column = if let Some(Condition::Labels(labels)) = condition {
            sql.push("(select cl.contact_id as id from patchbay.contact_labels cl where cl.tenant_id = ");
            sql.push_bind(self.tenant).push(" and cl.label_id = ").push_bind(labels[0]);
            "cl.contact_id"
        } else {
            sql.push("(select * from patchbay.contacts c where c.tenant_id = ").push_bind(self.tenant);
            self.push_shelf(sql);
            if let Some(condition) = condition {
                sql.push(" and ");
                condition.push(sql);
            }
            "c.id"
        };
        self.push_place(column, sql);
        self.push_order(column, sql);
        if !self.is_straight() {
            sql.push(" limit ").push_bind(steps);
        }
        sql.push(")");
    }

    /// The first rows of every lane, and of those the first.
    fn along_lanes(&self, lanes: &Lanes, wanted: i64) -> QueryBuilder<Postgres> {
        let mut sql = QueryBuilder::new("select c.id from (");
        for (at, stageless) in
            [false, true].into_iter().filter(|stageless| !stageless || lanes.stageless).enumerate()
        {
            sql.push(if at > 0 { " union all " } else { "" });
            sql.push("select c.id from unnest(").push_bind(lanes.status.clone());
            sql.push(") status (word) cross join unnest(")
                .push_bind(lanes.consent.clone())
                .push(") consent (word)");
            if !stageless {
                sql.push(" cross join unnest(").push_bind(lanes.stages.clone()).push(") stage (id)");
            }
            sql.push(" cross join lateral (select c.id from patchbay.contacts c where c.tenant_id = ")
                .push_bind(self.tenant);
            self.push_shelf(&mut sql);
            sql.push(" and c.status = status.word and c.consent_sms = consent.word and c.stage_id ");
            sql.push(if stageless { "is null" } else { "= stage.id" });
            self.push_place("c.id", &mut sql);
            self.push_order("c.id", &mut sql);
            sql.push(" limit ").push_bind(wanted).push(") c");
        }
        sql.push(") c");
        self.push_order("c.id", &mut sql);
        sql.push(" limit ").push_bind(wanted);
        sql
    }

    /// Everything that passes, up to `most` rows (all if `None`), in whatever way the indexes on the conditions allow;
    /// of those the first in the order of the list, each with how many there were.
    pub(super) fn gather(&self, most: Option<i64>, wanted: i64) -> QueryBuilder<Postgres> {
        let mut sql = QueryBuilder::new(
            "select m.id, count(*) over () as total from (select c.id from patchbay.contacts c where c.tenant_id = ",
        );
        sql.push_bind(self.tenant);
        self.push_shelf(&mut sql);
        self.push_place("c.id", &mut sql);
        let has_text = self.conditions.iter().any(|condition| matches!(condition, Condition::Like(_)));
        for condition in self.conditions {
            sql.push(" and ");
            if has_text { condition.push_beside_text(&mut sql) } else { condition.push(&mut sql) }
        }
        if let Some(most) = most {
            sql.push(" limit ").push_bind(most);
        }
        sql.push(") m");
        self.push_order("m.id", &mut sql);
        sql.push(" limit ").push_bind(wanted);
        sql
    }

    /// How many rows a straight walk would meet, up to `most`.
    pub(super) fn count(&self, most: i64) -> QueryBuilder<Postgres> {
        let mut sql =
            QueryBuilder::new("select count(*) from (select from patchbay.contacts c where c.tenant_id = ");
        sql.push_bind(self.tenant);
        self.push_shelf(&mut sql);
        for condition in self.conditions {
            sql.push(" and ");
            condition.push(&mut sql);
        }
        sql.push(" limit ").push_bind(most).push(") m");
        sql
    }

    fn push_shelf(&self, sql: &mut QueryBuilder<Postgres>) {
        sql.push(if self.archived {
            " and c.archived_at is not null and c.merged_into is null"
        } else {
            " and c.archived_at is null"
        });
    }

    fn push_place(&self, column: &str, sql: &mut QueryBuilder<Postgres>) {
        if let Some(place) = self.slice.place {
            sql.push(" and ").push(column).push(if self.slice.back { " > " } else { " < " }).push_bind(place);
        }
    }

    fn push_order(&self, column: &str, sql: &mut QueryBuilder<Postgres>) {
        sql.push(" order by ").push(column).push(if self.slice.back { "" } else { " desc" });
    }
}
