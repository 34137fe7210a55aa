//! Requests as a server receives them, byte by byte, so that it can misbehave.

use tokio::{io::AsyncReadExt as _, net::TcpStream};

/// A request with its signature, if it has one.
#[derive(Debug)]
pub struct Received {
    pub target: String,
    pub signature: String,
    pub body: String,
}

/// Reads one request with a `Content-Length`.
pub async fn request(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
            let header = |name: &str| {
                head.lines()
                    .filter_map(|line| line.split_once(':'))
                    .find(|(known, _)| known.eq_ignore_ascii_case(name))
                    .map(|(_, value)| value.trim().to_owned())
            };
            let length: usize = header("content-length").unwrap_or_default().parse().unwrap_or(0);
            if bytes.len() >= end + 4 + length {
                return Some(Received {
                    target: head.split(' ').nth(1)?.to_owned(),
                    signature: header("x-twilio-signature").unwrap_or_default(),
                    body: String::from_utf8(bytes[end + 4..end + 4 + length].to_vec()).ok()?,
                });
            }
        }
        let mut buffer = [0; 4096];
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
        }
    }
}
