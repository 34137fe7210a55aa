//! Twilio's webhooks: whose they are is proven by the signature, and told by the number or our own callback address.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{OriginalUri, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use patchbay_providers::twilio::{
    signature::{self, Body},
    webhook::{self, InboundMessage, StatusCallback, Webhook},
};
use serde_json::{Value, json};

use super::{Mark, accounts::Account, mailroom::Letter};
use crate::{
    app::App,
    error::{Error, Result},
    messaging::{inbound::Inbound, reports::Report, sql::webhooks as sql},
    web::nul,
};

pub(super) async fn answer(
    State(app): State<Arc<App>>,
    OriginalUri(uri): OriginalUri,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let query = uri.query().unwrap_or_default();
    let status = match take(&app, uri.path(), query, &method, &headers, &body).await {
        Ok(()) => StatusCode::OK,
        Err(error) => {
            if let Error::Internal(cause) = &error {
                tracing::error!(error = %cause, "a webhook could not be stored");
            }
            metrics::counter!("patchbay_webhooks_refused_total").increment(1);
            StatusCode::from_u16(error.problem().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
        }
    };
    (
        status,
        [(header::CONTENT_TYPE, "text/xml; charset=utf-8")],
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>",
    )
        .into_response()
}

async fn take(
    app: &App,
    path: &str,
    query: &str,
    method: &Method,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<()> {
    let mut pairs = webhook::parse_form(if method == Method::GET { query.as_bytes() } else { body });
    let named = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let accounts = app.webhooks.accounts.of(app, named("AccountSid").unwrap_or_default()).await?;
    let question = if query.is_empty() { "" } else { "?" };
    let url = format!("{}{path}{question}{query}", app.config.public_url);
    let given = headers.get("x-twilio-signature").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let form = headers
        .get(header::CONTENT_TYPE)
        .is_none_or(|kind| kind.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    let signed = |account: &&Account| {
        let tokens: Vec<&str> = account.tokens.iter().map(String::as_str).collect();
        let body = match (method == Method::GET, form) {
            (true, _) => Body::Form(&[]),
            (false, true) => Body::Form(&pairs),
            (false, false) => Body::Raw(body),
        };
        signature::validate(&tokens, given, &url, body)
    };
    let matching: Vec<&Account> = accounts.iter().filter(signed).collect();
    if matching.is_empty() {
        return Err(Error::Forbidden("The signature does not match an account that is known here.".into()));
    }
    // The signature covers what was sent; what is kept is what can be stored.
    nul::pairs(&mut pairs);
    match webhook::parse(&pairs).map_err(|error| Error::BadRequest(error.to_string().into()))? {
        Webhook::Status(status) => take_status(app, &matching, query, status).await,
        Webhook::Inbound(message) => Box::pin(take_inbound(app, &matching, *message, json!(pairs))).await,
    }
}

async fn take_status(app: &App, accounts: &[&Account], query: &str, status: StatusCallback) -> Result<()> {
    let mark = Mark::read(query);
    // A tenant with an account of its own could sign anything, but only about itself.
    let tenant = match mark.tenant {
        Some(tenant) if accounts.iter().any(|account| account.tenant.is_none_or(|owner| owner == tenant)) => {
            Some(tenant)
        }
        Some(_) => return Err(Error::Forbidden("This account does not speak for that business.".into())),
        None => accounts.iter().find_map(|account| account.tenant),
    };
    let Some(tenant) = tenant else { return Ok(()) };
    let report = Report {
        message_id: mark.message,
        attempt: mark.attempt,
        provider_message_id: status.message_sid,
        status: status.status,
        code: status.error_code,
        detail: status.error_message,
        price: status.price,
    };
    app.webhooks.deliver(Letter::status("twilio", tenant, report)).await
}

async fn take_inbound(app: &App, accounts: &[&Account], message: InboundMessage, raw: Value) -> Result<()> {
    let owner = match accounts {
        [Account { tenant: Some(tenant), .. }] => Some(*tenant),
        // One account for several tenants: the number tells whose it is.
        _ => {
            let mut conn = app.db.system_conn().await?;
            let owners = sql::tenants_of_number(&mut conn, message.channel.as_str(), &message.to).await?;
            owners.into_iter().find(|owner| {
                accounts.iter().any(|account| account.tenant.is_none_or(|tenant| tenant == *owner))
            })
        }
    };
    let Some(tenant) = owner else {
        tracing::warn!(
            to = patchbay_rules::phone::mask(&message.to),
            "a message came for a number that no business here has"
        );
        return Ok(());
    };
    let inbound = Inbound {
        provider: "twilio".to_owned(),
        provider_message_id: message.message_sid,
        channel: message.channel.as_str().to_owned(),
        from: message.from,
        to: message.to,
        body: message.body,
        media: message.media.into_iter().map(|media| media.url).collect(),
        profile_name: message.profile_name,
        button_payload: message.button_payload,
        handled_by_carrier: message.opt_out_type.is_some(),
    };
    app.webhooks.deliver(Letter::inbound("twilio", tenant, inbound, raw)).await
}
