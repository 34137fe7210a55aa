//! Campaigns and what came of each, the latest first.

use std::sync::Arc;

use axum::{extract::State, response::Response};

use super::{day_and_time, percent, status_tag, tabs};
use crate::{
    app::App,
    auth::{Caller, Session},
    dashboard::grouped,
    error::Result,
    reports::{
        campaign::Funnel,
        share, sql,
        view::{CampaignLine, IndexPage},
    },
    web::{
        extract::Query,
        layout::Place,
        pages::html,
        paging::{Page, PageQuery},
        parts::{Empty, Pager},
        shell::shell,
    },
};

pub(super) async fn page(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Response> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let rows = sql::list_campaigns(&mut tx, query.after()?, query.limit() + 1).await?;
    drop(tx);
    let found = Page::cut(rows, query.limit(), |row| row.id);
    let (zone, first) = (caller.tenant.timezone, query.cursor.is_none());
    let page = IndexPage {
        tabs: tabs(0),
        empty: (found.data.is_empty() && first).then(|| Empty {
            icon: "chart-column",
            heading: "No campaign has been launched yet".to_owned(),
            text: "Once one is on its way, its deliveries, clicks, replies and costs are told here."
                .to_owned(),
            actions: vec![("See the senders".to_owned(), "/reports/senders".to_owned())],
        }),
        pager: Pager {
            previous: (!first).then(|| "/reports".to_owned()),
            next: found.next_cursor.as_ref().map(|cursor| format!("/reports?cursor={cursor}")),
            note: String::new(),
        },
        rows: found
            .data
            .into_iter()
            .map(|line| {
                let funnel = line.counted.as_ref().map(|counted| counted.funnel(line.recipients));
                let part = |of: fn(&Funnel) -> i64| {
                    funnel
                        .as_ref()
                        .map_or_else(|| "–".to_owned(), |funnel| percent(share(of(funnel), funnel.sent)))
                };
                CampaignLine {
                    href: format!("/campaigns/{}/report", line.id),
                    name: line.name,
                    tag: status_tag(&line.status),
                    launched: line.launched_at.map(|at| day_and_time(at, zone)).unwrap_or_default(),
                    recipients: grouped(line.recipients),
                    delivered: part(|funnel| funnel.delivered),
                    clicked: part(|funnel| funnel.clicked),
                    opted_out: part(|funnel| funnel.opted_out),
                }
            })
            .collect(),
        shell: shell(&app, &session, Place::Reports, "Reports").await?,
    };
    html(&page)
}
