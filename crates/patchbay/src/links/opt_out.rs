//! The page behind an opt-out link: one button, no questions.
//!
//! `GET` only shows it, because scanners and previews fetch it too. `POST` records the refusal for the address that
//! the message went to and the number that the contact has now, at once, on every channel of a number; pressed
//! twice it is one refusal. An empty `POST` is enough, which is what mail programs send (RFC 8058).

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use patchbay_rules::{message::Channel, phone};
use serde_json::json;

use super::{sql, token::looks_right, view::OptOutPage, visit};
use crate::{
    app::App,
    consent::{self, Change, State as ConsentState},
    db::TenantTx,
    error::{Error, Result},
    web::{
        client::Client,
        guesses::Guesses,
        layout::Theme,
        notice::see_other,
        pages,
        routes::{Access, Routes},
    },
};

/// What a mail program posts.
const ONE_CLICK: &str = "List-Unsubscribe=One-Click";

/// The routes, on the short domain and beside the pages.
pub(super) fn routes(routes: Routes) -> Routes {
    let guesses = Arc::new(Guesses::default());
    let (a, b) = (guesses.clone(), guesses);
    routes.get("/u/{token}", Access::Public, move |app, client, path| show(a, app, client, path)).post(
        "/u/{token}",
        Access::Public,
        move |app, client, path, body| refuse(b, app, client, path, body),
    )
}

async fn show(
    guesses: Arc<Guesses>,
    State(app): State<Arc<App>>,
    client: Client,
    Path(token): Path<String>,
) -> Result<Response> {
    let Some((mut tx, asked)) = open(&app, &guesses, &client, &token).await? else {
        return visit::missed(&guesses, &app, &client);
    };
    let (channels, addresses): (Vec<String>, Vec<String>) = addresses(&asked)
        .into_iter()
        .map(|(channel, address)| (channel.as_str().to_owned(), address))
        .unzip();
    let done = sql::all_opted_out(&mut tx, &channels, &addresses).await?;
    let mut bare = pages::bare(&format!("Messages from {}", asked.business), Theme::System);
    bare.branded = false;
    let whom = asked.to_address.as_deref().or(addresses.first().map(String::as_str)).map(masked);
    let page = OptOutPage {
        bare,
        action: format!("/u/{token}"),
        whom: whom.unwrap_or_default(),
        support: asked.support_contact.unwrap_or_default(),
        business: asked.business,
        done,
    };
    Ok(visit::private(pages::html_with(StatusCode::OK, &page)?))
}

async fn refuse(
    guesses: Arc<Guesses>,
    State(app): State<Arc<App>>,
    client: Client,
    Path(token): Path<String>,
    body: String,
) -> Result<Response> {
    let Some((mut tx, asked)) = open(&app, &guesses, &client, &token).await? else {
        return visit::missed(&guesses, &app, &client);
    };
    for (channel, address) in addresses(&asked) {
        let change = Change {
            source: Some("Opt-out link"),
            wording: Some("Stop messages"),
            evidence: json!({ "message_id": asked.message_id, "ip": client.ip, "user_agent": client.user_agent }),
            ..Change::new(channel, &address, ConsentState::Unsubscribed, "link", app.now())
        };
        consent::set(&mut tx, &change).await?;
    }
    tx.commit().await?;
    // A mail program shows nothing and need not follow anywhere (RFC 8058, 3.1).
    if body == ONE_CLICK {
        return Ok(visit::private((StatusCode::OK, "You will get no more messages.").into_response()));
    }
    Ok(visit::private(see_other(&format!("/u/{token}"))))
}

/// The tenant's room and the question, if the token opens one. Unlike other links these outlive the key they were signed
/// with: without a proof the database is asked all the same, but not for somebody who has guessed a lot.
async fn open(
    app: &App,
    guesses: &Guesses,
    client: &Client,
    token: &str,
) -> Result<Option<(TenantTx, sql::Asked)>> {
    let may_ask = app.links.knows(token) || guesses.check(client, app.now()).is_ok();
    if !looks_right(token) || !may_ask {
        return Ok(None);
    }
    let mut conn = app.db.system_conn().await?;
    let Some(link) = sql::find_opt_out(&mut conn, token, app.now()).await? else { return Ok(None) };
    drop(conn);
    let mut tx = app.db.tenant(link.tenant_id).await?;
    let asked = sql::find_asked(&mut tx, link.link_id).await?.ok_or(Error::NotFound("page"))?;
    Ok(Some((tx, asked)))
}

/// What is refused: a number on both of its channels, an e-mail address on its one. A handful at most.
fn addresses(asked: &sql::Asked) -> Vec<(Channel, String)> {
    let is_email = asked.channel.as_deref() == Some(Channel::Email.as_str());
    let current = if is_email { &asked.email } else { &asked.phone };
    let mut addresses: Vec<&String> = [&asked.to_address, current].into_iter().flatten().collect();
    addresses.dedup();
    let channels: &[Channel] = if is_email { &[Channel::Email] } else { &[Channel::Sms, Channel::Whatsapp] };
    addresses
        .iter()
        .flat_map(|address| channels.iter().map(|channel| (*channel, (*address).clone())))
        .collect()
}

/// Enough to recognise one's own, not enough for whoever finds the link.
fn masked(address: &str) -> String {
    match address.split_once('@') {
        Some((name, domain)) => format!("{}…@{domain}", name.chars().take(1).collect::<String>()),
        None => phone::mask(address),
    }
}
