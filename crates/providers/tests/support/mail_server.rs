//! A mail server that says one thing at one step of each conversation (RFC 5321), and does well otherwise.

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

/// Where it misbehaves: a command, and its reply to it; without a reply it closes the connection.
#[derive(Debug, Clone, Copy)]
pub struct Quirk(pub &'static str, pub Option<&'static str>);

/// Listens on a free port until the test's runtime ends.
pub async fn start(quirk: Option<Quirk>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(converse(stream, quirk));
        }
    });
    port
}

async fn converse(stream: TcpStream, quirk: Option<Quirk>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut step = "greeting".to_owned();
    loop {
        let well = match step.as_str() {
            "greeting" => "220 mail.example.com\r\n",
            "EHLO" => "250-mail.example.com\r\n250 8BITMIME\r\n",
            "DATA" => "354 go\r\n",
            "QUIT" => "221 bye\r\n",
            _ => "250 ok\r\n",
        };
        match quirk {
            Some(Quirk(at, reply)) if at == step => match reply {
                Some(reply) => stream.write_all(reply.as_bytes()).await?,
                None => return Ok(()),
            },
            _ => stream.write_all(well.as_bytes()).await?,
        }
        let is_text = step == "DATA" && !matches!(quirk, Some(Quirk("DATA", _)));
        let mut line = String::new();
        while is_text && !line.ends_with("\r\n.\r\n") {
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
        }
        if is_text {
            step = "text".to_owned();
            continue;
        }
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        step = line.split([' ', '\r']).next().unwrap_or_default().to_uppercase();
    }
}
