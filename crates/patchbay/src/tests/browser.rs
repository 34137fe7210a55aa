//! A browser: keeps cookies, sends forms the way our pages do.

use std::collections::BTreeMap;

use axum::{body::Body, http::Request};

use super::{Reply, TestApp};
use crate::auth::{self, Role, guard};

/// One browser of one person.
pub struct Browser<'a> {
    test: &'a TestApp,
    pub cookies: BTreeMap<String, String>,
    pub user_agent: String,
    pub ip: String,
}

impl<'a> Browser<'a> {
    /// A browser that knows nobody.
    pub fn new(test: &'a TestApp) -> Self {
        let user_agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0".to_owned();
        Self { test, cookies: BTreeMap::new(), user_agent, ip: "203.0.113.7".to_owned() }
    }

    /// A browser signed in by a link from the command line.
    pub async fn signed_in(test: &'a TestApp, email: &str) -> Self {
        let mut browser = Self::new(test);
        let url = auth::login_link(&test.app, email).await.expect("link");
        let path = url.strip_prefix(&test.app.config.public_url).expect("our link").to_owned();
        browser.post(&path, &[]).await.expect(303);
        assert!(browser.session().is_some(), "no session after {path}");
        browser
    }

    /// A browser with this session cookie.
    pub fn with_session(test: &'a TestApp, session: &str) -> Self {
        let mut browser = Self::new(test);
        browser.cookies.insert("__Host-session".to_owned(), session.to_owned());
        browser
    }

    /// A new member of the business `slug`, signed in.
    pub async fn member(test: &'a TestApp, slug: &str, email: &str, role: Role) -> Self {
        auth::add_user(&test.app, slug, email, role).await.expect("user");
        Self::signed_in(test, email).await
    }

    /// The secret of the session, if there is one.
    pub fn session(&self) -> Option<&str> {
        self.cookies.get("__Host-session").map(String::as_str)
    }

    /// Follows a link.
    pub async fn get(&mut self, path: &str) -> Reply {
        let request = self.request("GET", path);
        self.send(request.body(Body::empty()).expect("request")).await
    }

    /// Sends a form of one of our own pages.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        if let Some(session) = self.session() {
            form.append_pair("csrf", &guard::csrf_token(session));
        }
        let request = self
            .request("POST", path)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin");
        self.send(request.body(Body::from(form.finish())).expect("request")).await
    }

    /// Sends any request, with the browser's cookies.
    pub fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Request::builder()
            .method(method)
            .uri(path)
            .header("accept", "text/html")
            .header("user-agent", &self.user_agent)
            .header("x-forwarded-for", &self.ip)
            .header("cookie", cookies.join("; "))
    }

    /// Sends `request` and keeps the cookies of the answer.
    pub async fn send(&mut self, request: Request<Body>) -> Reply {
        let reply = self.test.request(request).await;
        for header in reply.headers.get_all("set-cookie") {
            let text = header.to_str().expect("cookie");
            let (pair, attributes) = text.split_once(';').expect("attributes");
            let (name, value) = pair.split_once('=').expect("pair");
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        reply
    }
}
