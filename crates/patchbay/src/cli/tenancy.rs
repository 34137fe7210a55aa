//! `tenant`, `user`, `login-link`, `api-key`.

use std::process::ExitCode;

use serde_json::json;

use super::{
    arguments::{ApiKeyCommand, TenantCommand, UserCommand},
    failure::Failure,
    output::Output,
};
use crate::{
    auth::{self, Actor, Role},
    config::Config,
    start, tenants,
};

/// `tenant create`.
pub async fn tenant(config: Config, command: TenantCommand, output: &Output) -> Result<ExitCode, Failure> {
    let TenantCommand::Create { name, slug, timezone, country } = command;
    let program = start::open(config).await?;
    let created = tenants::create(&program.app, tenants::NewTenant { name, slug, timezone, country }).await;
    program.close().await;
    let tenant = created?;
    let sentence = format!("Created {} ({}).", tenant.slug, tenant.id);
    output.say(sentence, &json!({ "id": tenant.id, "slug": tenant.slug }));
    Ok(ExitCode::SUCCESS)
}

/// `user add`.
pub async fn user(config: Config, command: UserCommand, output: &Output) -> Result<ExitCode, Failure> {
    let UserCommand::Add { tenant, email, role } = command;
    let role = Role::from(role);
    let program = start::open(config).await?;
    let added = auth::add_user(&program.app, &tenant, &email, role).await;
    program.close().await;
    let id = added?;
    let sentence = format!(
        "{email} is {} of {tenant}. Sign in with: patchbay login-link --email {email}",
        role.as_str()
    );
    output.say(sentence, &json!({ "id": id }));
    Ok(ExitCode::SUCCESS)
}

/// `login-link`.
pub async fn login_link(config: Config, email: &str, output: &Output) -> Result<ExitCode, Failure> {
    let program = start::open(config).await?;
    let link = auth::login_link(&program.app, email).await;
    program.close().await;
    let url = link?;
    output.say(&url, &json!({ "url": url }));
    Ok(ExitCode::SUCCESS)
}

/// `api-key create`.
pub async fn api_key(config: Config, command: ApiKeyCommand, output: &Output) -> Result<ExitCode, Failure> {
    let ApiKeyCommand::Create { tenant, name, scope } = command;
    let program = start::open(config).await?;
    let made = async {
        let tenant = tenants::find_by_slug(&program.app, &tenant)
            .await?
            .ok_or_else(|| Failure::new(format!("There is no tenant {tenant:?}.")))?;
        Ok::<_, Failure>(auth::create_key(&program.app, tenant, &Actor::system(), &name, scope.into()).await?)
    }
    .await;
    program.close().await;
    let key = made?;
    output.say(&key.key, &json!({ "id": key.id, "key": key.key }));
    output.note("Keep it: it is not shown again.");
    Ok(ExitCode::SUCCESS)
}
