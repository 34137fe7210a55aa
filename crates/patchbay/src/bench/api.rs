//! Asking the server as a program would: JSON, with a key.

use reqwest::{Client, Method};
use serde_json::Value;

use super::{BenchError, Result, client, failed};

/// A caller of the API.
pub struct Api {
    client: Client,
    base: String,
    key: String,
}

impl Api {
    pub fn new(address: &str, key: &str) -> Result<Self> {
        Ok(Self { client: client()?, base: format!("http://{address}"), key: key.to_owned() })
    }

    pub async fn get(&self, path: &str) -> Result<Value> {
        self.ask(Method::GET, path, None, Vec::new()).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.ask(Method::POST, path, Some("application/json"), body.to_string().into_bytes()).await
    }

    /// Uploads a file with fields beside it.
    pub async fn upload(&self, path: &str, file: &str, fields: &[(&str, String)]) -> Result<Value> {
        const MARK: &str = "patchbay-bench-part";
        let mut body = String::with_capacity(file.len() + 1024);
        for (name, value) in fields {
            body.push_str(&format!(
                "--{MARK}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            ));
        }
        body.push_str(&format!(
            "--{MARK}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"people.csv\"\r\ncontent-type: text/csv\r\n\r\n"
        ));
        body.push_str(file);
        body.push_str(&format!("\r\n--{MARK}--\r\n"));
        self.ask(
            Method::POST,
            path,
            Some(&format!("multipart/form-data; boundary={MARK}")),
            body.into_bytes(),
        )
        .await
    }

    async fn ask(&self, method: Method, path: &str, kind: Option<&str>, body: Vec<u8>) -> Result<Value> {
        let doing = || failed("Asking the server");
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.base))
            .header("authorization", format!("Bearer {}", self.key));
        if let Some(kind) = kind {
            request = request.header("content-type", kind).body(body);
        }
        let answer = request.send().await.map_err(doing())?;
        let status = answer.status();
        let text = answer.text().await.map_err(doing())?;
        if !status.is_success() {
            return Err(BenchError(format!("{path} answered {status}: {text}")));
        }
        serde_json::from_str(&text).map_err(failed("Reading an answer"))
    }
}
