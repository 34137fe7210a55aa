//! Signing in by a link in a mail.
//!
//! A link works once, for ten minutes, and only in the browser that asked for it. Opening it changes nothing, because
//! mail scanners open links too: a button redeems it. Opened in another browser it shows a code to type into the
//! first. Whether an address is known shows neither in an answer nor in the time it takes. Links made on the command
//! line are bound to no browser; whoever runs commands there owns the data anyway.

use chrono::TimeDelta;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{
    mail::{self, Mail},
    sessions::{self, SignedIn},
    sql::sign_in as sql,
    users,
};
use crate::{
    app::App,
    db::SystemTx,
    error::{Error, Result},
    ids::{hash_secret, new_secret},
    web::client::Client,
};

/// OWASP ASVS 5.0, 6.5.5: ten minutes at most.
pub const LINK_LIFE: TimeDelta = TimeDelta::minutes(10);
const PAUSE_PER_ADDRESS: TimeDelta = TimeDelta::seconds(60);
const HOURLY_PER_ADDRESS: i64 = 5;
/// An office behind one address signs in every morning.
const HOURLY_PER_IP: i64 = 40;
/// Guesses at a code, for each link.
const GUESSES: i32 = 5;

/// What a link is good for, in the browser that opened it.
#[derive(Debug, PartialEq, Eq)]
pub enum Link {
    /// The button may be pressed; `at_once` for links from the command line, which no mail scanner sees.
    Ready { email: String, at_once: bool },
    /// Opened elsewhere: the code belongs into the browser that asked.
    Elsewhere { code: String },
    /// Used, expired, replaced by a newer one, or never there.
    Gone,
}

/// Sends a link to `email`, if somebody there may sign in. The answer is the secret that binds the link to the asking
/// browser. Limits hold alike for addresses that nobody has.
pub async fn request_link(app: &App, email: &str, next: Option<&str>, client: &Client) -> Result<String> {
    let email = users::clean_email(email)?;
    let now = app.now();
    let (token, browser) = (new_secret(""), new_secret(""));
    let mut tx = app.db.system().await?;
    sql::lock_address(&mut tx, &email).await?;
    check_limits(&mut tx, app, &email, client.ip.as_deref()).await?;
    sql::expire_former(&mut tx, &email, now).await?;
    let new = sql::NewToken {
        id: app.new_id(),
        token_hash: &hash_secret(&token),
        email: &email,
        ip: client.ip.as_deref(),
        browser_hash: Some(&hash_secret(&browser)),
        next_path: next,
        now,
        expires_at: now + LINK_LIFE,
    };
    sql::insert_token(&mut tx, &new).await?;
    let is_known = sql::is_known(&mut tx, &email, now).await?;
    tx.commit().await?;
    if is_known {
        mail::send(app, link_mail(app, email, &token));
    }
    Ok(browser)
}

async fn check_limits(tx: &mut SystemTx, app: &App, email: &str, ip: Option<&str>) -> Result<()> {
    let now = app.now();
    let recent = sql::recent(tx, email, ip, now - TimeDelta::hours(1)).await?;
    let pause = recent.last_at.map_or(TimeDelta::zero(), |at| at + PAUSE_PER_ADDRESS - now);
    let wait = |limit: i64, time: TimeDelta| Error::RateLimited {
        limit: u32::try_from(limit).unwrap_or_default(),
        retry_after: time.to_std().unwrap_or_default(),
    };
    if pause > TimeDelta::zero() {
        Err(wait(1, pause))
    } else if recent.for_address >= HOURLY_PER_ADDRESS {
        Err(wait(HOURLY_PER_ADDRESS, TimeDelta::minutes(20)))
    } else if ip.is_some() && recent.from_ip >= HOURLY_PER_IP {
        Err(wait(HOURLY_PER_IP, TimeDelta::minutes(20)))
    } else {
        Ok(())
    }
}

/// What `token` is good for in a browser with this binding. Uses nothing up.
pub async fn inspect(app: &App, token: &str, browser: Option<&str>) -> Result<Link> {
    let mut tx = app.db.system().await?;
    let Some(open) = sql::find_open(&mut tx, &hash_secret(token), app.now()).await? else {
        return Ok(Link::Gone);
    };
    let is_ours = open
        .browser_hash
        .as_ref()
        .is_none_or(|hash| browser.is_some_and(|secret| *hash == hash_secret(secret)));
    if is_ours {
        return Ok(Link::Ready { email: open.email, at_once: open.browser_hash.is_none() });
    }
    // The code comes into being here, so that nobody can guess at one that nobody was shown.
    let code = code_of(token);
    sql::set_code(&mut tx, open.id, &code_hash(open.id, &code)).await?;
    tx.commit().await?;
    Ok(Link::Elsewhere { code })
}

/// Uses a link up and signs in. `None` if it is not good for that (any more).
pub async fn redeem(
    app: &App,
    token: &str,
    browser: Option<&str>,
    former: Option<&str>,
    client: &Client,
) -> Result<Option<SignedIn>> {
    let mut tx = app.db.system().await?;
    let browser_hash = browser.map(hash_secret);
    let Some(redeemed) =
        sql::redeem(&mut tx, &hash_secret(token), browser_hash.as_deref(), app.now()).await?
    else {
        return Ok(None);
    };
    sessions::begin(app, tx, redeemed.email, redeemed.next_path, former, client).await
}

/// The same with the code that the link showed in another browser. Wrong codes are counted.
pub async fn redeem_code(
    app: &App,
    code: &str,
    browser: &str,
    former: Option<&str>,
    client: &Client,
) -> Result<Option<SignedIn>> {
    let code: String = code.chars().filter(char::is_ascii_digit).take(7).collect();
    let now = app.now();
    let mut tx = app.db.system().await?;
    let Some(guessed) = sql::count_guess(&mut tx, &hash_secret(browser), GUESSES, now).await? else {
        return Ok(None);
    };
    if !bool::from(guessed.code_hash.ct_eq(&code_hash(guessed.id, &code))) {
        tx.commit().await?;
        return Ok(None);
    }
    let Some(redeemed) = sql::redeem_by_id(&mut tx, guessed.id, now).await? else { return Ok(None) };
    sessions::begin(app, tx, redeemed.email, redeemed.next_path, former, client).await
}

/// The address that a browser with this binding waits for.
pub async fn awaited(app: &App, browser: &str) -> Result<Option<String>> {
    let mut tx = app.db.system().await?;
    sql::find_awaited(&mut tx, &hash_secret(browser), app.now()).await
}

/// A link for whoever is at the terminal: good once, for ten minutes, in any browser.
pub async fn login_link(app: &App, email: &str) -> Result<String> {
    let email = users::clean_email(email)?;
    let now = app.now();
    let token = new_secret("");
    let mut tx = app.db.system().await?;
    if !sql::is_known(&mut tx, &email, now).await? {
        return Err(Error::field(
            "email",
            "Nobody with this address may sign in. Add them with: patchbay user add",
        ));
    }
    let new = sql::NewToken {
        id: app.new_id(),
        token_hash: &hash_secret(&token),
        email: &email,
        ip: None,
        browser_hash: None,
        next_path: None,
        now,
        expires_at: now + LINK_LIFE,
    };
    sql::insert_token(&mut tx, &new).await?;
    tx.commit().await?;
    Ok(url(app, &token))
}

fn url(app: &App, token: &str) -> String {
    format!("{}/sign-in/{token}", app.config.public_url)
}

fn link_mail(app: &App, to: String, token: &str) -> Mail {
    let url = url(app, token);
    let text = format!(
        "Open this link within 10 minutes, in the browser where you asked for it:\n\n{url}\n\n\
         If you did not ask for it, do nothing: the link alone lets nobody in.\n"
    );
    let printed = Some(format!("Sign-in link for {to}: {url}"));
    Mail { to, subject: "Sign in to Patchbay".to_owned(), text, printed }
}

/// Six digits that belong to a link. Derived, so that opening the link again shows the same.
fn code_of(token: &str) -> String {
    let digest = Sha256::digest(format!("code:{token}").as_bytes());
    let number = digest.iter().take(8).fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    format!("{:06}", number % 1_000_000)
}

fn code_hash(id: uuid::Uuid, code: &str) -> Vec<u8> {
    hash_secret(&format!("{id}:{code}"))
}
