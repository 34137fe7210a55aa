//! Which adapter a message leaves through: accounts turned into providers, senders into routes.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use chrono::{DateTime, Utc};
use patchbay_providers::{
    Fake, Provider,
    smtp::{Smtp, SmtpOptions},
    twilio::{Credentials as TwilioCredentials, HttpClient, HttpOptions, Twilio, TwilioOptions},
};
use patchbay_rules::message::Channel;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::sql;
use crate::{
    app::App,
    config::Config,
    db::TenantTx,
    error::{Error, Result},
    messaging::dispatcher::SenderRow,
    time::Clock,
};

/// What is sealed of a Twilio account.
#[derive(Serialize, Deserialize)]
pub struct Credentials {
    pub auth_token: String,
    /// Still accepted in signatures while a rotation is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_auth_token: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key_sid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key_secret: Option<String>,
}

impl Credentials {
    /// The tokens that webhooks may be signed with.
    pub fn auth_tokens(self) -> Vec<String> {
        std::iter::once(self.auth_token).chain(self.previous_auth_token).collect()
    }
}

/// Opens the credentials of a tenant's account.
pub fn open_credentials(app: &App, tenant: Uuid, sealed: Option<&[u8]>) -> Result<Credentials> {
    let sealed = sealed.ok_or_else(|| Error::internal("the account has no credentials"))?;
    let plain = app.secrets.open(tenant, sealed).map_err(Error::internal)?;
    Ok(serde_json::from_slice(&plain)?)
}

/// The same channel in the adapters' words.
pub fn channel(channel: Channel) -> patchbay_providers::Channel {
    match channel {
        Channel::Sms => patchbay_providers::Channel::Sms,
        Channel::Whatsapp => patchbay_providers::Channel::Whatsapp,
        Channel::Email => patchbay_providers::Channel::Email,
    }
}

/// The same channel in the rules' words.
pub fn rules_channel(channel: patchbay_providers::Channel) -> Channel {
    match channel {
        patchbay_providers::Channel::Sms => Channel::Sms,
        patchbay_providers::Channel::Whatsapp => Channel::Whatsapp,
        patchbay_providers::Channel::Email => Channel::Email,
    }
}

/// The adapters of this process.
pub struct Providers {
    pub fake: Arc<Fake>,
    http: HttpClient,
    twilio_base: String,
    shared_twilio: Option<SharedTwilio>,
    smtp: Option<Arc<Smtp>>,
    /// Adapters of tenants' accounts, by account and the version of its row.
    accounts: Mutex<Adapters>,
}

/// A call must have ended, one way or the other, before the lease of its message does: otherwise reconciliation would
/// look for a message that is still being sent.
fn http_options(config: &Config) -> HttpOptions {
    let usual = HttpOptions::default();
    let most = config.lease / 2;
    HttpOptions {
        pool_size: config.send_concurrency,
        connect_timeout: usual.connect_timeout.min(most),
        timeout: usual.timeout.min(most),
    }
}

/// By account and the version of its row.
type Adapters = HashMap<(Uuid, DateTime<Utc>), Arc<dyn Provider>>;

struct SharedTwilio {
    provider: Arc<Twilio>,
    messaging_service_sid: Option<String>,
    from: Option<String>,
}

impl Providers {
    /// Prepares what the configuration names. Opens no connection.
    pub fn new(config: &Config, fake: impl Into<Arc<Fake>>, clock: Arc<dyn Clock>) -> Result<Self> {
        let http = HttpClient::new(&http_options(config)).map_err(Error::internal)?;
        let shared_twilio = config
            .twilio
            .as_ref()
            .map(|shared| {
                let credentials = match &shared.api_key {
                    Some((sid, secret)) => {
                        TwilioCredentials::ApiKey { sid: sid.clone(), secret: secret.clone() }
                    }
                    None => {
                        TwilioCredentials::AuthToken(shared.auth_tokens.first().cloned().unwrap_or_default())
                    }
                };
                let options = TwilioOptions {
                    account_sid: shared.account_sid.clone(),
                    credentials,
                    base_url: config.twilio_api_base.clone(),
                };
                Twilio::new(http.clone(), &options).map_err(Error::internal).map(|provider| SharedTwilio {
                    provider: Arc::new(provider),
                    messaging_service_sid: shared.messaging_service_sid.clone(),
                    from: shared.from_e164.clone(),
                })
            })
            .transpose()?;
        let smtp = config
            .smtp_url
            .as_ref()
            .map(|url| {
                let now = clock.clone();
                Smtp::new(SmtpOptions {
                    url: url.clone(),
                    from: config.mail_from.clone(),
                    clock: Arc::new(move || now.now()),
                })
                .map(Arc::new)
                .map_err(Error::internal)
            })
            .transpose()?;
        Ok(Self {
            fake: fake.into(),
            http,
            twilio_base: config.twilio_api_base.clone(),
            shared_twilio,
            smtp,
            accounts: Mutex::default(),
        })
    }

    /// The adapter of a tenant's account.
    pub(super) fn account(
        &self,
        app: &App,
        tenant: Uuid,
        row: &sql::AccountRow,
    ) -> Result<Arc<dyn Provider>> {
        if row.provider == "fake" {
            return Ok(self.fake.clone());
        }
        let key = (row.id, row.updated_at);
        if let Some(provider) = self.accounts.lock().expect("accounts lock").get(&key) {
            return Ok(provider.clone());
        }
        let sealed = open_credentials(app, tenant, row.credentials_sealed.as_deref())?;
        let credentials = match (sealed.api_key_sid, sealed.api_key_secret) {
            (Some(sid), Some(secret)) => TwilioCredentials::ApiKey { sid, secret },
            _ => TwilioCredentials::AuthToken(sealed.auth_token),
        };
        let account_sid = row.account_sid.clone().unwrap_or_default();
        let options = TwilioOptions { account_sid, credentials, base_url: self.twilio_base.clone() };
        let provider: Arc<dyn Provider> =
            Arc::new(Twilio::new(self.http.clone(), &options).map_err(Error::internal)?);
        let mut accounts = self.accounts.lock().expect("accounts lock");
        // Former versions of an account are never asked for again.
        accounts.retain(|(id, _), _| *id != row.id);
        accounts.insert(key, provider.clone());
        Ok(provider)
    }
}

/// How one message leaves.
pub struct Route {
    pub provider: Arc<dyn Provider>,
    /// The tenant's own account behind it; `None` for what the environment shares.
    pub account_id: Option<Uuid>,
    /// When that account was saved as it was used.
    pub account_version: Option<DateTime<Utc>>,
    pub sender_id: Option<Uuid>,
    pub from: Option<String>,
    pub messaging_service_sid: Option<String>,
}

struct SenderRoute {
    id: Uuid,
    channel: Channel,
    address: String,
    route: Result<Arc<Route>, String>,
}

/// Every way out that a tenant has.
pub struct Routes {
    senders: Vec<SenderRoute>,
    /// A messaging service of the tenant's own account, which chooses the number itself.
    service: Option<Arc<Route>>,
    shared: Option<Arc<Route>>,
    smtp: Option<Arc<Route>>,
}

impl Routes {
    /// Reads the tenant's accounts and joins them with its senders, which come default first.
    pub async fn load(app: &App, tx: &mut TenantTx, senders: &[SenderRow]) -> Result<Self> {
        let tenant = tx.tenant();
        let accounts = sql::list_active_accounts(tx).await?;
        let providers = &app.providers;
        let shared = providers.shared_twilio.as_ref();
        let route_of = |sender: &SenderRow| -> Result<Arc<Route>, String> {
            let service = sender
                .account_id
                .and_then(|id| accounts.iter().find(|a| a.id == id))
                .and_then(|a| a.messaging_service_sid.clone());
            // Without an account of its own: the tenant's only one, or the shared one.
            let account = match sender.account_id {
                Some(id) => accounts.iter().find(|account| account.id == id),
                None => accounts.iter().find(|account| account.provider == sender.provider),
            };
            let provider: Arc<dyn Provider> = match (sender.provider.as_str(), sender.account_id) {
                ("fake", _) => providers.fake.clone(),
                ("smtp", _) => {
                    providers.smtp.clone().ok_or("No mail server is configured (PATCHBAY_SMTP_URL).")?
                }
                (_, Some(_)) => {
                    let row = account.ok_or("The account of this number is switched off.")?;
                    providers
                        .account(app, tenant, row)
                        .map_err(|error| format!("The account of this number cannot be used: {error}."))?
                }
                (_, None) => match account {
                    Some(row) => providers
                        .account(app, tenant, row)
                        .map_err(|error| format!("The account cannot be used: {error}."))?,
                    None => shared
                        .map(|shared| shared.provider.clone())
                        .ok_or("No Twilio account is connected. Add one in Settings, Sending.")?,
                },
            };
            Ok(Arc::new(Route {
                provider,
                account_id: account.map(|account| account.id),
                account_version: account.map(|account| account.updated_at),
                sender_id: Some(sender.id),
                from: Some(sender.address.clone()),
                messaging_service_sid: service,
            }))
        };
        let senders = senders
            .iter()
            .filter_map(|sender| {
                Some(SenderRoute {
                    id: sender.id,
                    channel: sender.channel.parse().ok()?,
                    address: sender.address.clone(),
                    route: route_of(sender),
                })
            })
            .collect();
        let service =
            accounts.iter().find(|account| account.messaging_service_sid.is_some()).and_then(|row| {
                let provider = providers.account(app, tenant, row).ok()?;
                Some(Arc::new(Route {
                    provider,
                    account_id: Some(row.id),
                    account_version: Some(row.updated_at),
                    sender_id: None,
                    from: None,
                    messaging_service_sid: row.messaging_service_sid.clone(),
                }))
            });
        let shared = shared
            .filter(|shared| shared.from.is_some() || shared.messaging_service_sid.is_some())
            .map(|shared| {
                Arc::new(Route {
                    provider: shared.provider.clone(),
                    account_id: None,
                    account_version: None,
                    sender_id: None,
                    from: shared.from.clone(),
                    messaging_service_sid: shared.messaging_service_sid.clone(),
                })
            });
        let smtp = providers.smtp.clone().map(|smtp| {
            Arc::new(Route {
                provider: smtp,
                account_id: None,
                account_version: None,
                sender_id: None,
                from: None,
                messaging_service_sid: None,
            })
        });
        Ok(Self { senders, service, shared, smtp })
    }

    /// The way out for one message: the sender asked for, else the tenant's default for the channel, else its
    /// messaging service, else what the environment shares. The error is for the person who reads why the message failed.
    pub fn choose(
        &self,
        channel: Channel,
        sender: Option<Uuid>,
        from: Option<&str>,
    ) -> Result<Arc<Route>, String> {
        let of_channel = || self.senders.iter().filter(|s| s.channel == channel);
        let chosen = of_channel()
            .find(|s| from.is_some_and(|from| from == s.address))
            .or_else(|| of_channel().find(|s| Some(s.id) == sender))
            .or_else(|| of_channel().next());
        match (chosen, channel) {
            (Some(sender), _) => sender.route.clone(),
            (None, Channel::Email) => self
                .smtp
                .clone()
                .ok_or_else(|| "No mail server is configured (PATCHBAY_SMTP_URL).".to_owned()),
            (None, Channel::Sms) => {
                self.service.as_ref().or(self.shared.as_ref()).cloned().ok_or_else(|| {
                    "There is no number to send from. Add one in Settings, Sending.".to_owned()
                })
            }
            (None, Channel::Whatsapp) => {
                Err("There is no WhatsApp number to send from. Add one in Settings, Sending.".to_owned())
            }
        }
    }
}
