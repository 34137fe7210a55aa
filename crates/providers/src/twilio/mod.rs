//! Twilio Programmable Messaging: SMS and WhatsApp over its REST API, version 2010-04-01.
//!
//! One [`Twilio`] is one account. Accounts share an [`HttpClient`], hence connections and certificates; making one
//! per account would cost a tenant its first round trips and the process its memory.
//!
//! It never retries, follows no redirect, and sends each request at most once: the connection pool repeats a
//! request only when not a byte of it was written. The API has no idempotency key, so that an uncertain send must
//! be settled by callback or by [`Provider::find`].

mod classify;
mod form;
pub(crate) mod resource;
pub mod signature;
pub mod webhook;

use std::time::Duration;

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use chrono::{DateTime, SubsecRound as _, Utc};
use reqwest::{
    Method, Request, StatusCode, Url,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue},
};
use serde::Deserialize;

use self::{
    form::address,
    resource::{MessagePage, MessageResource, is_message_sid},
};
use crate::{
    Provider,
    errors::Field,
    http,
    message::{Channel, Found, Lookup, Outcome, Outgoing, ProviderError, Refusal},
};

/// Where Twilio lives. `TWILIO_API_BASE` points elsewhere for the simulator.
pub const DEFAULT_BASE_URL: &str = "https://api.twilio.com";

/// Messages asked for per page of a list.
const PAGE_SIZE: &str = "200";

/// A list longer than this many pages is an error, not an answer: nobody wrote one address that often, so
/// something goes round in circles.
const MAXIMUM_PAGES: usize = 500;

/// How the connections behave.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// Idle connections kept open. Make it the number of messages sent at the same time, or connections are
    /// opened and closed all the time.
    pub pool_size: usize,
    pub connect_timeout: Duration,
    /// From the first byte to the last, connecting included.
    pub timeout: Duration,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self { pool_size: 64, connect_timeout: Duration::from_secs(5), timeout: Duration::from_secs(25) }
    }
}

/// The connections that accounts share. Cheap to clone.
#[derive(Clone)]
pub struct HttpClient(reqwest::Client);

impl HttpClient {
    /// Prepares connections; opens none.
    ///
    /// # Errors
    /// When the system's certificates cannot be loaded.
    pub fn new(options: &HttpOptions) -> Result<Self, ConfigurationError> {
        http::client()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(options.connect_timeout)
            .timeout(options.timeout)
            .pool_max_idle_per_host(options.pool_size)
            // Shorter than a load balancer's patience: a connection that dies while it is written to costs a
            // message its certainty.
            .pool_idle_timeout(Duration::from_secs(20))
            .tcp_nodelay(true)
            .user_agent(concat!("patchbay/", env!("CARGO_PKG_VERSION")))
            .build()
            .map(Self)
            .map_err(|error| ConfigurationError::Http(classify::root_cause(&error)))
    }
}

/// One account.
#[derive(Clone)]
pub struct TwilioOptions {
    /// `AC` and 32 hexadecimal digits.
    pub account_sid: String,
    pub credentials: Credentials,
    /// [`DEFAULT_BASE_URL`] unless somebody plays Twilio.
    pub base_url: String,
}

/// What the account signs in with. Webhooks are signed with the auth token in either case.
#[derive(Clone)]
pub enum Credentials {
    AuthToken(String),
    ApiKey { sid: String, secret: String },
}

/// Why an account cannot be used at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigurationError {
    #[error("the account SID must be AC and letters or digits")]
    AccountSid,
    #[error("the credentials are empty or hold characters that cannot be sent")]
    Credentials,
    #[error("the address of the API is not an http or https URL")]
    BaseUrl,
    #[error("no secure connections can be made: {0}")]
    Http(String),
}

/// An account with Twilio. See the module.
pub struct Twilio {
    http: HttpClient,
    messages: Url,
    /// Built once and copied into each request.
    headers: HeaderMap,
}

impl Twilio {
    /// An account over shared connections.
    ///
    /// # Errors
    /// When the options could not make a valid request. Whether Twilio accepts them only a request can tell.
    pub fn new(http: HttpClient, options: &TwilioOptions) -> Result<Self, ConfigurationError> {
        // Looser than Twilio's 32 hexadecimal digits, so that stand-ins may name accounts as they like; it only has
        // to be safe in a path.
        let is_account = options
            .account_sid
            .strip_prefix("AC")
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        if !is_account {
            return Err(ConfigurationError::AccountSid);
        }
        let base = options.base_url.trim_end_matches('/');
        let messages = format!("{base}/2010-04-01/Accounts/{}/Messages.json", options.account_sid);
        let messages = Url::parse(&messages).map_err(|_| ConfigurationError::BaseUrl)?;
        if !matches!(messages.scheme(), "http" | "https") {
            return Err(ConfigurationError::BaseUrl);
        }
        let headers = headers(&options.account_sid, &options.credentials)?;
        Ok(Self { http, messages, headers })
    }

    async fn create(&self, form: String) -> Outcome {
        let mut request = Request::new(Method::POST, self.messages.clone());
        *request.headers_mut() = self.headers.clone();
        *request.body_mut() = Some(form.into());
        let response = match self.http.0.execute(request).await {
            Ok(response) => response,
            Err(error) => return classify::unanswered(&error),
        };
        let status = response.status();
        let wait = classify::wait(response.headers());
        match response.bytes().await {
            Ok(body) => classify::created(status, wait, &body),
            Err(_) => classify::truncated(status, wait),
        }
    }

    async fn get(&self, url: Url) -> Result<(StatusCode, Option<Duration>, Bytes), ProviderError> {
        let unreachable = |error: reqwest::Error| ProviderError::Unreachable(classify::root_cause(&error));
        let mut request = Request::new(Method::GET, url);
        *request.headers_mut() = self.headers.clone();
        request.headers_mut().remove(CONTENT_TYPE);
        let response = self.http.0.execute(request).await.map_err(unreachable)?;
        let (status, wait) = (response.status(), classify::wait(response.headers()));
        Ok((status, wait, response.bytes().await.map_err(unreachable)?))
    }

    /// The next page's address: on the same host and in the same account, or not at all, because the credentials
    /// travel with the request.
    fn next_page(&self, uri: &str) -> Result<Url, ProviderError> {
        self.messages
            .join(uri)
            .ok()
            .filter(|next| next.origin() == self.messages.origin() && next.path() == self.messages.path())
            .ok_or_else(|| ProviderError::Malformed("the next page is somewhere else".to_owned()))
    }
}

#[async_trait]
impl Provider for Twilio {
    fn name(&self) -> &'static str {
        "twilio"
    }

    async fn send(&self, message: &Outgoing) -> Outcome {
        if message.channel == Channel::Email {
            let detail = "Twilio sends texts and WhatsApp messages, not e-mail.";
            return Outcome::Refused(Refusal::configuration(detail, Field::Account));
        }
        match form::encode(message) {
            Ok(form) => self.create(form).await,
            Err(form::NotAnObject) => Outcome::from_code(Some(21656), ""),
        }
    }

    /// Pages through everything sent to the address, newest first, and stops at the first page that is wholly
    /// older. It does not filter by `DateSent`, which is empty until a message was sent.
    async fn find(&self, query: &Lookup) -> Result<Vec<Found>, ProviderError> {
        let since = query.since.trunc_subsecs(0);
        let mut next = self.messages.clone();
        next.query_pairs_mut()
            .append_pair("To", &address(query.channel, &query.to))
            .append_pair("PageSize", PAGE_SIZE);
        let mut found = Vec::new();
        for _ in 0..MAXIMUM_PAGES {
            let (status, wait, body) = self.get(next).await?;
            if status != StatusCode::OK {
                return Err(classify::not_told(status, wait, &body));
            }
            let page: MessagePage = parse(&body)?;
            let last = take(page.messages, since, query, &mut found)?;
            match page.next_page_uri {
                Some(uri) if !last => next = self.next_page(&uri)?,
                _ => return Ok(found),
            }
        }
        Err(ProviderError::Malformed("the list of messages does not end".to_owned()))
    }

    async fn fetch(&self, provider_message_id: &str) -> Result<Option<Found>, ProviderError> {
        if !is_message_sid(provider_message_id) {
            return Ok(None);
        }
        let mut url = self.messages.clone();
        let path = self.messages.path().trim_end_matches(".json");
        url.set_path(&format!("{path}/{provider_message_id}.json"));
        match self.get(url).await? {
            (StatusCode::OK, _, body) => found(parse(&body)?).map(Some),
            (StatusCode::NOT_FOUND, ..) => Ok(None),
            (status, wait, body) => Err(classify::not_told(status, wait, &body)),
        }
    }
}

/// Adds what a page holds of the wanted messages; tells whether all of the page is older than asked for.
fn take(
    page: Vec<MessageResource>,
    since: DateTime<Utc>,
    query: &Lookup,
    into: &mut Vec<Found>,
) -> Result<bool, ProviderError> {
    let mut all_older = !page.is_empty();
    for resource in page {
        let message = found(resource)?;
        let older = message.created_at < since;
        all_older &= older;
        if !older && message.channel == query.channel && is_same(&message.to, &query.to) {
            into.push(message);
        }
    }
    Ok(all_older)
}

/// Whether two spellings name one address. Twilio writes numbers its own way, and a message that goes unrecognised
/// here would be sent again: so blanks, signs and prefix do not count.
fn is_same(told: &str, asked: &str) -> bool {
    fn significant(address: &str) -> impl Iterator<Item = char> + '_ {
        Channel::split(address).1.chars().filter(|character| character.is_alphanumeric())
    }
    significant(told).eq(significant(asked))
}

fn found(resource: MessageResource) -> Result<Found, ProviderError> {
    resource.into_found().ok_or_else(|| ProviderError::Malformed("a message has no readable date".to_owned()))
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, ProviderError> {
    serde_json::from_slice(body).map_err(|error| ProviderError::Malformed(error.to_string()))
}

fn headers(account_sid: &str, credentials: &Credentials) -> Result<HeaderMap, ConfigurationError> {
    let (user, secret) = match credentials {
        Credentials::AuthToken(token) => (account_sid, token.as_str()),
        Credentials::ApiKey { sid, secret } => (sid.as_str(), secret.as_str()),
    };
    let is_sendable = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    // Basic authentication cannot carry a colon in the name (RFC 7617).
    if !is_sendable(user) || user.contains(':') || !is_sendable(secret) {
        return Err(ConfigurationError::Credentials);
    }
    let basic = format!("Basic {}", STANDARD.encode(format!("{user}:{secret}")));
    let mut authorization = HeaderValue::try_from(basic).map_err(|_| ConfigurationError::Credentials)?;
    authorization.set_sensitive(true);
    let mut headers = HeaderMap::with_capacity(4);
    headers.insert(AUTHORIZATION, authorization);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(sid: &str, credentials: Credentials, base_url: &str) -> Result<Twilio, ConfigurationError> {
        let options =
            TwilioOptions { account_sid: sid.to_owned(), credentials, base_url: base_url.to_owned() };
        Twilio::new(HttpClient::new(&HttpOptions::default())?, &options)
    }

    #[test]
    fn options_that_cannot_work_are_named() {
        let token = |text: &str| Credentials::AuthToken(text.to_owned());
        let key = |sid: &str| Credentials::ApiKey { sid: sid.to_owned(), secret: "s".to_owned() };
        let error = |result: Result<Twilio, _>| result.err();
        assert_eq!(error(account("AC1", token("t"), DEFAULT_BASE_URL)), None);
        assert_eq!(error(account("AC1", key("SK1"), "http://127.0.0.1:4010/")), None);
        for sid in ["", "AC", "SK1", "AC1/../AC2", "AC1?"] {
            assert_eq!(
                error(account(sid, token("t"), DEFAULT_BASE_URL)),
                Some(ConfigurationError::AccountSid)
            );
        }
        for credentials in [token(""), token("a\r\nb"), key("SK:1"), key("")] {
            let result = account("AC1", credentials, DEFAULT_BASE_URL);
            assert_eq!(error(result), Some(ConfigurationError::Credentials));
        }
        for base in ["", "api.twilio.com", "ftp://example.com"] {
            assert_eq!(error(account("AC1", token("t"), base)), Some(ConfigurationError::BaseUrl), "{base}");
        }
    }

    #[test]
    fn pages_elsewhere_are_not_followed() {
        let twilio = account("AC1", Credentials::AuthToken("t".to_owned()), DEFAULT_BASE_URL).expect("valid");
        assert!(twilio.next_page("/2010-04-01/Accounts/AC1/Messages.json?Page=1").is_ok());
        for uri in [
            "https://example.com/2010-04-01/Accounts/AC1/Messages.json",
            "//example.com/2010-04-01/Accounts/AC1/Messages.json",
            "/2010-04-01/Accounts/AC2/Messages.json",
        ] {
            assert!(twilio.next_page(uri).is_err(), "{uri}");
        }
    }

    #[test]
    fn addresses_are_compared_by_what_counts() {
        assert!(is_same("+61412345678", "+61 412 345-678"));
        assert!(is_same("+61412345678", "whatsapp:+61412345678"));
        assert!(!is_same("+61412345678", "+61412345679"));
    }
}
