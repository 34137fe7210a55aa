//! What the tests of this crate share: a carrier on a free port, a clock, an account.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use patchbay_providers::{
    CarrierOptions, Channel, Clock, Outgoing, Twilio, TwilioOptions, carrier,
    twilio::{Credentials, HttpClient, HttpOptions},
};
use tokio::{net::TcpListener, sync::oneshot};
use uuid::Uuid;

pub const ACCOUNT: &str = "AC00000000000000000000000000000001";
pub const TOKEN: &str = "0123456789abcdef0123456789abcdef";
pub const SENDER: &str = "+15005550006";
pub const RECIPIENT: &str = "+61412345678";

pub fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_785_000_000, 250_000_000).expect("a valid instant")
}

pub fn clock() -> Clock {
    Arc::new(now)
}

pub fn message(to: &str, body: &str) -> Outgoing {
    Outgoing::text(Uuid::from_u128(1), Channel::Sms, SENDER, to, body)
}

/// A running simulator; it stops when dropped.
pub struct Carrier {
    pub base: String,
    _stop: oneshot::Sender<()>,
}

pub async fn start(change: impl FnOnce(&mut CarrierOptions)) -> Carrier {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let mut options = CarrierOptions { silence: Duration::ZERO, ..CarrierOptions::new(TOKEN, clock()) };
    change(&mut options);
    let (stop, stopped) = oneshot::channel();
    tokio::spawn(carrier::serve(listener, options, async move { _ = stopped.await }));
    Carrier { base, _stop: stop }
}

pub fn twilio(base: &str, options: &HttpOptions) -> Twilio {
    let account = TwilioOptions {
        account_sid: ACCOUNT.to_owned(),
        credentials: Credentials::AuthToken(TOKEN.to_owned()),
        base_url: base.to_owned(),
    };
    Twilio::new(HttpClient::new(options).expect("a client"), &account).expect("an account")
}
