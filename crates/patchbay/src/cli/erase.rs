//! `erase`: a person, across tenants, on their request.

use std::process::ExitCode;

use patchbay_rules::phone;
use serde_json::json;

use super::{failure::Failure, output::Output};
use crate::{config::Config, privacy, start, tenants};

/// Erases whoever has the address.
pub async fn run(
    config: Config,
    address: Option<String>,
    tenant: Option<String>,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let address = address.unwrap_or_default();
    let address = if address.contains('@') {
        address.trim().to_lowercase()
    } else {
        phone::parse(&address, None)
            .map_err(|error| Failure::new(format!("{error} Write it in full, as +61491570006.")))?
            .e164
    };
    let program = start::open(config).await?;
    let done = async {
        if let Some(slug) = tenant.as_deref()
            && tenants::find_by_slug(&program.app, slug).await?.is_none()
        {
            return Err(Failure::new(format!("There is no tenant {slug:?}.")));
        }
        Ok(privacy::erase_everywhere(&program.app, &address, tenant.as_deref()).await?)
    }
    .await;
    program.close().await;
    let done = done?;
    let contacts: u64 = done.iter().map(|(_, erased)| erased.contacts).sum();
    let messages: u64 = done.iter().map(|(_, erased)| erased.messages).sum();
    let sentence = match contacts {
        0 => "Nobody has this address.".to_owned(),
        1 => format!("One contact was erased, and what {messages} messages said."),
        more => format!("{more} contacts were erased, and what {messages} messages said."),
    };
    let tenants: Vec<_> =
        done.iter().map(|(slug, erased)| json!({ "tenant": slug, "erased": erased })).collect();
    output.say(sentence, &json!({ "contacts": contacts, "tenants": tenants }));
    Ok(ExitCode::SUCCESS)
}
