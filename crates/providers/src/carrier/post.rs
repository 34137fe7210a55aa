//! Posting signed forms to webhooks, fast.
//!
//! Two callbacks per message make this the simulator's busiest part, and it shares its processors with the very
//! program that is measured. So plain `http` goes over a small pool of connections of its own; `https`, and
//! addresses with a user name, take the way of the ordinary client.

use std::{
    collections::HashMap,
    io,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    Request,
    client::conn::http1::{self, SendRequest},
    header::{CONTENT_TYPE, HOST, HeaderValue},
};
use hyper_util::rt::TokioIo;
use reqwest::Url;
use tokio::{net::TcpStream, time::timeout};

use super::callbacks::form;
use crate::{http, twilio::signature};

/// Twilio's patience with a webhook (Twilio Docs: error 11205).
const TIMEOUT: Duration = Duration::from_secs(15);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Idle connections kept per receiver.
const MAXIMUM_IDLE: usize = 256;

/// More of an answer than anybody needs to see.
const MAXIMUM_ANSWER_BYTES: usize = 64 * 1024;

const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8");
const SIGNATURE: &str = "x-twilio-signature";

type Connection = SendRequest<Full<Bytes>>;

/// See the module.
pub(super) struct Poster {
    token: String,
    client: reqwest::Client,
    idle: Mutex<HashMap<String, Vec<Connection>>>,
}

/// A webhook's answer.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[error("the webhook did not answer: {0}")]
pub(super) struct NoAnswer(String);

impl Poster {
    pub(super) fn new(token: String) -> io::Result<Self> {
        let client = http::client()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .build()
            .map_err(io::Error::other)?;
        Ok(Self { token, client, idle: Mutex::default() })
    }

    /// Posts a form; whether the receiver has dealt with it: anything but silence and 5xx.
    pub(super) async fn post(&self, url: &str, pairs: &[(String, String)]) -> bool {
        matches!(self.ask(url, pairs).await, Ok(answer) if answer.status < 500)
    }

    /// Posts a form and reads the answer.
    pub(super) async fn ask(&self, url: &str, pairs: &[(String, String)]) -> Result<Answer, NoAnswer> {
        // A fragment is never sent, hence never signed.
        let url = url.split_once('#').map_or(url, |(before, _)| before);
        let signature = signature::sign(&self.token, url, pairs);
        let body = form(pairs);
        match plain(url) {
            Some((authority, target)) => {
                match timeout(TIMEOUT, self.direct(authority, target, signature, body)).await {
                    Ok(answer) => answer,
                    Err(_) => Err(NoAnswer("it took too long".to_owned())),
                }
            }
            None => self.through_client(url, signature, body).await,
        }
    }

    async fn direct(
        &self,
        authority: &str,
        target: &str,
        signature: String,
        body: String,
    ) -> Result<Answer, NoAnswer> {
        let body = Bytes::from(body);
        loop {
            let request = request(authority, target, &signature, body.clone())?;
            let (mut connection, is_fresh) = match self.take(authority) {
                Some(connection) => (connection, false),
                None => (connect(authority).await?, true),
            };
            match connection.send_request(request).await {
                Ok(response) => {
                    let status = response.status().as_u16();
                    let collected = Limited::new(response.into_body(), MAXIMUM_ANSWER_BYTES).collect().await;
                    let body = collected.map_err(|error| NoAnswer(error.to_string()))?.to_bytes();
                    // Only once the connection's own task has seen the end of the answer is it good for another.
                    if connection.ready().await.is_ok() {
                        self.give_back(authority, connection);
                    }
                    return Ok(Answer { status, body });
                }
                // An idle connection may have been closed meanwhile. A callback that arrives twice does no harm.
                Err(_) if !is_fresh => {}
                Err(error) => return Err(NoAnswer(error.to_string())),
            }
        }
    }

    async fn through_client(&self, url: &str, signature: String, body: String) -> Result<Answer, NoAnswer> {
        let request =
            self.client.post(url).header(CONTENT_TYPE, FORM).header(SIGNATURE, signature).body(body);
        let answer = async {
            let response = request.send().await?;
            let status = response.status().as_u16();
            Ok::<_, reqwest::Error>(Answer { status, body: response.bytes().await? })
        };
        answer.await.map_err(|error| NoAnswer(error.without_url().to_string()))
    }

    fn take(&self, authority: &str) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let connections = idle.get_mut(authority)?;
        while let Some(connection) = connections.pop() {
            if connection.is_ready() {
                return Some(connection);
            }
        }
        None
    }

    fn give_back(&self, authority: &str, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        match idle.get_mut(authority) {
            Some(connections) if connections.len() < MAXIMUM_IDLE => connections.push(connection),
            Some(_) => {}
            None => {
                idle.insert(authority.to_owned(), vec![connection]);
            }
        }
    }
}

async fn connect(authority: &str) -> Result<Connection, NoAnswer> {
    let no_answer = |error: &dyn std::error::Error| NoAnswer(error.to_string());
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| !port.ends_with(']'));
    let address = if has_port { authority.to_owned() } else { format!("{authority}:80") };
    let stream = match timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
        Ok(stream) => stream.map_err(|error| no_answer(&error))?,
        Err(_) => return Err(NoAnswer("it took too long to connect".to_owned())),
    };
    _ = stream.set_nodelay(true);
    let (sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| no_answer(&error))?;
    // Ends by itself when the sender is dropped or the receiver closes.
    tokio::spawn(async move { _ = connection.await });
    Ok(sender)
}

fn request(
    authority: &str,
    target: &str,
    signature: &str,
    body: Bytes,
) -> Result<Request<Full<Bytes>>, NoAnswer> {
    Request::post(target)
        .header(HOST, authority)
        .header(CONTENT_TYPE, FORM)
        .header(SIGNATURE, signature)
        .body(Full::new(body))
        .map_err(|error| NoAnswer(error.to_string()))
}

/// Splits a plain `http` address without a user name into authority and request target, as they are written.
fn plain(url: &str) -> Option<(&str, &str)> {
    let rest = url.strip_prefix("http://")?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at(end);
    let target = if target.is_empty() { "/" } else { target };
    // What a request line cannot hold is left to the client, which knows how to encode it.
    let is_plain = !authority.contains('@')
        && target.starts_with('/')
        && target.bytes().all(|byte| byte.is_ascii_graphic())
        && Url::parse(url).is_ok_and(|parsed| parsed.host_str().is_some());
    is_plain.then_some((authority, target))
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn only_plain_addresses_take_the_short_way() {
        assert_eq!(plain("http://a:1/b?c=d"), Some(("a:1", "/b?c=d")));
        assert_eq!(plain("http://a"), Some(("a", "/")));
        for url in ["https://a/", "http://u:p@a/", "http://a/ b", "http://a?b", "http://", "a"] {
            assert_eq!(plain(url), None, "{url}");
        }
    }
}
