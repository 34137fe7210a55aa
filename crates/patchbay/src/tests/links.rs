//! Nobody is offered what they may not do: every page that a role can reach is opened, and every link and form on it is held
//! against the table of routes and, where it is a link, followed. A new page is found by the links that lead to it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Browser, Office, TestApp, roles::is_stream};
use crate::{
    auth::Role,
    demo,
    web::routes::{Access, Route},
};

/// Pages of one route that are opened: the first few show what all of them do.
const EACH: usize = 4;

/// A link or a form.
struct Offer {
    method: &'static str,
    path: String,
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let begin = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    let value = &tag[begin..];
    value.find('"').map(|end| &value[..end]).filter(|value| value.starts_with('/'))
}

/// Whether the form that begins here can be sent.
fn can_be_sent(form: &str) -> bool {
    let inside = form.split("</form").next().unwrap_or_default();
    inside.split("<button").skip(1).any(|button| {
        let tag = button.split('>').next().unwrap_or_default();
        !tag.contains("type=\"button\"") && !tag.contains(" disabled") && !tag.contains(" formaction=")
    })
}

/// What a page offers; texts are escaped, so that a tag ends with the next bracket.
fn offers(html: &str) -> Vec<Offer> {
    let mut offers = Vec::new();
    for (at, _) in html.match_indices('<') {
        let tag = html[at + 1..].split('>').next().unwrap_or_default();
        let form = if tag.contains("method=\"post\"") { "POST" } else { "GET" };
        let is_bare = tag.starts_with("form ") && form == "POST" && !can_be_sent(&html[at..]);
        let kinds = [
            ("href", "GET"),
            ("hx-get", "GET"),
            ("data-live-src", "GET"),
            ("action", form),
            ("formaction", "POST"),
            ("hx-post", "POST"),
            ("data-board", "POST"),
        ];
        offers.extend(kinds.into_iter().filter_map(|(name, method)| {
            let path = attribute(tag, name).filter(|_| name != "action" || !is_bare)?;
            let path = path.split('#').next().unwrap_or_default().replace("&amp;", "&").replace("&#38;", "&");
            Some(Offer { method, path })
        }));
    }
    offers
}

/// The route that answers, the most exact one.
fn route_of<'a>(test: &'a TestApp, offer: &Offer) -> Option<&'a Route> {
    let wanted: Vec<&str> = offer.path.split('?').next().unwrap_or_default().split('/').collect();
    let exact = |route: &Route| {
        let parts: Vec<&str> = route.path.split('/').collect();
        let fits = parts.len() == wanted.len()
            && parts.iter().zip(&wanted).all(|(part, word)| part.starts_with('{') || part == word);
        fits.then(|| parts.iter().filter(|part| !part.starts_with('{')).count())
    };
    let same_method = test.routes.iter().filter(|route| route.method == offer.method);
    same_method
        .filter_map(|route| Some((exact(route)?, route)))
        .max_by_key(|(exact, _)| *exact)
        .map(|(_, route)| route)
}

/// Opens everything that `browser` is led to; answers what should not have been offered.
async fn crawl(test: &TestApp, browser: &mut Browser<'_>, role: Role) -> BTreeSet<String> {
    let mut wrong = BTreeSet::new();
    let mut opened: BTreeMap<&str, usize> = BTreeMap::new();
    let mut queue: VecDeque<(String, String)> =
        VecDeque::from([("/inbox".to_owned(), "the start".to_owned())]);
    let mut known = BTreeSet::new();
    while let Some((path, from)) = queue.pop_front() {
        let reply = browser.get(&path).await;
        let status = reply.status.as_u16();
        if status == 403 || status == 404 || status >= 500 {
            wrong.insert(format!("{from} leads to {path}: {status}"));
        }
        let onward = reply.headers.get("location").and_then(|to| to.to_str().ok()).map(str::to_owned);
        let led = onward.map(|path| Offer { method: "GET", path });
        for offer in offers(&reply.text).into_iter().chain(led) {
            if offer.path.starts_with("/assets") {
                continue;
            }
            let here = path.split('?').next().unwrap_or_default();
            let Some(route) = route_of(test, &offer) else {
                wrong.insert(format!("{here} offers {} {}, which is nowhere", offer.method, offer.path));
                continue;
            };
            if let Access::Page(least) = route.access
                && least > role
            {
                wrong.insert(format!("{here} offers {} {} to a {}", offer.method, route.path, role.as_str()));
                continue;
            }
            let follows = offer.method == "GET" && matches!(route.access, Access::Page(_) | Access::SignedIn);
            if follows && !is_stream(route) && known.insert(offer.path.clone()) {
                let times = opened.entry(route.path).or_default();
                *times += 1;
                if *times <= EACH {
                    queue.push_back((offer.path, here.to_owned()));
                }
            }
        }
    }
    assert!(opened.len() > 15, "hardly anything was found: {opened:?}");
    wrong
}

#[tokio::test]
async fn nobody_is_offered_what_they_may_not_do() {
    let test = TestApp::new().await;
    demo::seed(&test.app).await.unwrap();
    let empty = Office::open(&test, "empty").await;
    test.settle().await;
    let mut wrong = BTreeSet::new();
    for (role, word) in [(Role::Viewer, "v"), (Role::Member, "m"), (Role::Admin, "a")] {
        for slug in ["brightside", "empty"] {
            let mut browser = Browser::member(&test, slug, &format!("{word}@{slug}.example.com"), role).await;
            wrong.extend(crawl(&test, &mut browser, role).await);
        }
    }
    let mut owner = Browser::with_session(&test, &empty.session);
    wrong.extend(crawl(&test, &mut owner, Role::Owner).await);
    assert!(wrong.is_empty(), "{}", wrong.into_iter().collect::<Vec<_>>().join("\n"));
}
