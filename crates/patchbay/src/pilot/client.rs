//! An API client, as any other program's.

use std::time::{Duration, Instant};

use patchbay_providers::http;
use reqwest::{Method, RequestBuilder, redirect::Policy};
use serde_json::Value;

use super::{PilotError, Result, failed};

/// A server and a key to it.
pub struct Client {
    http: reqwest::Client,
    url: String,
    key: String,
}

impl Client {
    pub fn new(url: &str, key: &str) -> Result<Self> {
        let http = http::client()
            .redirect(Policy::none())
            .timeout(Duration::from_secs(30))
            .build()
            .map_err(|cause| failed("No connection can be made")(&cause))?;
        Ok(Self { http, url: url.trim_end_matches('/').to_owned(), key: key.to_owned() })
    }

    /// The client beneath, for addresses that are not the API's.
    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    pub async fn get(&self, path: &str) -> Result<Value> {
        self.ask(Method::GET, path, |request| request).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.ask(Method::POST, path, |request| request.json(body)).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Result<Value> {
        self.ask(Method::PATCH, path, |request| request.json(body)).await
    }

    /// Makes something; answers its id.
    pub async fn create(&self, path: &str, body: &Value) -> Result<String> {
        id_of(path, &self.post(path, body).await?)
    }

    /// Sends a file with its mapping; answers the id of the import.
    pub async fn upload(&self, path: &str, name: &str, file: &str, mapping: &Value) -> Result<String> {
        const BOUNDARY: &str = "patchbay-pilot-7f1c2a";
        let body = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"mapping\"\r\n\r\n{mapping}\r\n\
             --{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: text/csv\r\n\r\n{file}\r\n\
             --{BOUNDARY}--\r\n"
        );
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        let answer =
            self.ask(Method::POST, path, |request| request.header("content-type", kind).body(body)).await?;
        id_of(path, &answer)
    }

    /// Asks again until `done`, or until the time is over; the last answer.
    pub async fn until(&self, path: &str, seconds: u64, done: impl Fn(&Value) -> bool) -> Result<Value> {
        let began = Instant::now();
        loop {
            let answer = self.get(path).await?;
            if done(&answer) || began.elapsed() >= Duration::from_secs(seconds) {
                return Ok(answer);
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        fill: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<Value> {
        let request = self.http.request(method.clone(), format!("{}{path}", self.url)).bearer_auth(&self.key);
        let answer =
            fill(request).send().await.map_err(|cause| failed("The server does not answer")(&cause))?;
        let status = answer.status();
        let text = answer.text().await.map_err(|cause| failed("The server's answer was cut off")(&cause))?;
        let value: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        if status.is_success() {
            return Ok(value);
        }
        let detail = value["detail"].as_str().map_or_else(|| status.to_string(), ToOwned::to_owned);
        let fields = value["errors"].as_object().map(|errors| format!(" {}", Value::Object(errors.clone())));
        Err(PilotError(format!("{method} {path}: {detail}{}", fields.unwrap_or_default())))
    }
}

fn id_of(path: &str, made: &Value) -> Result<String> {
    let id = made["id"].as_str().map(ToOwned::to_owned);
    id.ok_or_else(|| PilotError(format!("{path} answered without an id.")))
}
