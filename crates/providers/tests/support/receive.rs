//! A receiver of webhooks on a free port.

use std::net::SocketAddr;

use tokio::{io::AsyncWriteExt as _, net::TcpListener, sync::mpsc};

use crate::request::{Received, request};

pub const NO_CONTENT: &str = "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
pub const UNAVAILABLE: &str =
    "HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// Receives webhooks on a free port; `answer` gives the answer to the n-th.
pub async fn receive(answer: fn(usize) -> &'static str) -> (SocketAddr, mpsc::UnboundedReceiver<Received>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut nth = 0;
        while let Ok((mut stream, _)) = listener.accept().await {
            // One request per connection keeps the answers in the order of the requests.
            if let Some(received) = request(&mut stream).await {
                let answer = answer(nth);
                nth += 1;
                _ = sender.send(received);
                _ = stream.write_all(answer.as_bytes()).await;
            }
        }
    });
    (address, receiver)
}
