//! Short links on a domain of their own: one per recipient and destination, so that clicks can be told.
//!
//! Promises: a link leads only where a message of the tenant led; tokens cannot be guessed, and most made-up ones are
//! refused without asking the database; what is unknown, expired or another's looks the same. A `GET` changes nothing
//! of anybody's. Every hit is kept raw and judged by `patchbay_rules::clicks`, again when its rules change.
//! An opt-out link works without signing in, at once, for [`OPT_OUT_LIFE`] (the Spam Act 2003 asks for 30 days, CASL
//! for 60). Does not: wait for the database when it leads on. Hits are written in batches right behind; killed with
//! `kill -9`, a node loses those of its last moment, which `patchbay_clicks_lost_total` cannot count.

mod clicks;
mod find;
pub mod jobs;
mod opt_out;
mod sql;
#[cfg(test)]
mod tests;
mod token;
mod view;
mod visit;

use std::{collections::HashMap, sync::Arc};

use axum::{Router, extract::Request};
use chrono::TimeDelta;
use tower::ServiceExt;
use uuid::Uuid;

pub use clicks::Clicks;
pub use token::Signer;

use crate::{
    app::App,
    db::TenantTx,
    error::Result,
    health,
    web::{
        assets, pages,
        routes::{Access, Routes},
        security,
    },
};

/// How long a short link leads on.
pub const LIFE: TimeDelta = TimeDelta::days(60);
/// How long an opt-out link works.
pub const OPT_OUT_LIFE: TimeDelta = TimeDelta::days(400);

/// The words of one message whose links are to be shortened.
pub struct Text<'a> {
    pub body: &'a mut String,
    pub message_id: Uuid,
    pub contact_id: Uuid,
    pub campaign_id: Option<Uuid>,
}

/// Where short addresses begin, without trailing slash: the short domain, or else the pages' own.
pub fn short_base(app: &App) -> &str {
    app.config.short_domain.as_ref().map_or(&app.config.public_url, |domain| &domain.base)
}

/// Replaces every web address in the bodies by a link of that message's own. Three queries, however many texts.
/// Without a short domain the bodies stay as they are.
pub async fn shorten(tx: &mut TenantTx, app: &App, texts: &mut [Text<'_>]) -> Result<()> {
    let Some(domain) = &app.config.short_domain else { return Ok(()) };
    let found: Vec<Vec<find::Place>> = texts.iter().map(|text| places(app, text.body)).collect();
    let mut urls: Vec<String> =
        texts.iter().zip(&found).flat_map(|(text, places)| urls_of(text.body, places)).collect();
    urls.sort_unstable();
    urls.dedup();
    if urls.is_empty() {
        return Ok(());
    }
    let now = app.now();
    let ids = urls.iter().map(|_| app.new_id()).collect();
    let targets: HashMap<String, Uuid> = sql::targets(tx, ids, urls, now).await?.into_iter().collect();
    let mut links = sql::NewLinks::default();
    for (text, places) in texts.iter_mut().zip(&found) {
        // The same address twice in one text is one link.
        let mut short: HashMap<String, String> = HashMap::new();
        for url in urls_of(text.body, places) {
            let Some(target) = targets.get(&url) else { continue };
            short.entry(url).or_insert_with(|| {
                let token = app.links.mint();
                links.push(app.new_id(), &token, Some(*target), text);
                format!("{}/{token}", domain.base)
            });
        }
        *text.body = find::replace(text.body, places, |url| short.get(url).cloned());
    }
    sql::insert(tx, &links, "link", now, now + LIFE).await
}

/// The body with links as long as [`shorten`] would make them; for previews, counting segments and preflight.
pub fn sample(app: &App, body: &str) -> String {
    let Some(domain) = &app.config.short_domain else { return body.to_owned() };
    find::replace(body, &places(app, body), |_| Some(format!("{}/{}", domain.base, token::SAMPLE)))
}

/// An opt-out link for each message: on the short domain if there is one. One query.
pub async fn opt_out(tx: &mut TenantTx, app: &App, messages: &[(Uuid, Uuid)]) -> Result<Vec<String>> {
    let base = short_base(app);
    let mut links = sql::NewLinks::default();
    let urls = messages.iter().map(|(message_id, contact_id)| {
        let token = app.links.mint();
        let mut body = String::new();
        let text =
            Text { body: &mut body, message_id: *message_id, contact_id: *contact_id, campaign_id: None };
        links.push(app.new_id(), &token, None, &text);
        format!("{base}/u/{token}")
    });
    let urls = urls.collect();
    let now = app.now();
    sql::insert(tx, &links, "opt_out", now, now + OPT_OUT_LIFE).await?;
    Ok(urls)
}

/// The opt-out link that a text carries, if it is one of ours.
pub fn opt_out_of(app: &App, body: &str) -> Option<String> {
    let beginnings = [short_base(app), app.config.public_url.as_str()].map(|base| format!("{base}/u/"));
    let token =
        |url: &str| beginnings.iter().find_map(|start| url.strip_prefix(start.as_str())).map(str::to_owned);
    let found = find::urls(body, |url| token(url).is_some_and(|token| app.links.knows(&token)));
    found.into_iter().next().map(|place| body[place].to_owned())
}

/// An opt-out link as long as a real one.
pub fn sample_opt_out(app: &App) -> String {
    format!("{}/u/{}", short_base(app), token::SAMPLE)
}

/// What is to be replaced: not our own links, which lead where they should already.
fn places(app: &App, body: &str) -> Vec<find::Place> {
    let own = format!("{}/u/", app.config.public_url);
    let short = app.config.short_domain.as_ref().map(|domain| format!("{}/", domain.base));
    find::urls(body, |url| {
        !url.starts_with(&own) && short.as_ref().is_none_or(|short| !url.starts_with(short))
    })
}

fn urls_of<'a>(body: &'a str, places: &'a [find::Place]) -> impl Iterator<Item = String> + 'a {
    places.iter().map(|place| body[place.clone()].to_owned())
}

/// The routes beside the pages: opt-out links that were made without a short domain.
pub fn routes(routes: Routes) -> Routes {
    opt_out::routes(routes)
}

/// Everything that the short domain answers.
pub fn router(app: &Arc<App>) -> Router {
    let (router, _) = Routes::new(app.clone())
        .with(opt_out::routes)
        .with(visit::routes)
        .with(assets::routes)
        .with(|routes| routes.get("/health", Access::Public, health::live))
        .finish();
    let router = router.fallback(visit::neutral).method_not_allowed_fallback(pages::wrong_method);
    security::protect(app, router.with_state(app.clone()))
}

/// The pages, and short links for whoever asks for their domain.
pub fn beside(app: &Arc<App>, pages: Router) -> Router {
    let Some(domain) = app.config.short_domain.clone() else { return pages };
    let links = router(app);
    let by_host = tower::service_fn(move |request: Request| {
        let chosen = if is_for(&domain.host, &request) { links.clone() } else { pages.clone() };
        chosen.oneshot(request)
    });
    Router::new().fallback_service(by_host)
}

/// HTTP/1 names the host in a header, HTTP/2 in the address.
fn is_for(host: &str, request: &Request) -> bool {
    let header = request.headers().get("host").and_then(|value| value.to_str().ok());
    let asked = request.uri().authority().map(|authority| authority.as_str()).or(header);
    asked.is_some_and(|asked| asked.eq_ignore_ascii_case(host))
}
