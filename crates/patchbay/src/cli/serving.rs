//! `serve` and `demo`.

use std::process::ExitCode;

use serde_json::json;

use super::{failure::Failure, output::Output};
use crate::{
    auth,
    config::Config,
    demo,
    serve::{Node, Role, Signals},
};

/// Runs a node until a signal.
pub async fn serve(
    config: Config,
    role: Role,
    output: &Output,
    signals: &Signals,
) -> Result<ExitCode, Failure> {
    let node = Node::open(config, role, signals).await?;
    let url = &node.app().config.public_url;
    match role {
        Role::Worker => output.say(
            "Patchbay works in the background.",
            &json!({ "role": "worker", "probe": node.probe_address() }),
        ),
        _ => output.say(
            format!("Patchbay listens on {}", node.address()),
            &json!({ "url": url, "listen": node.address() }),
        ),
    }
    node.run(signals).await?;
    Ok(ExitCode::SUCCESS)
}

/// Runs a node on a tenant to look at, with a carrier that only pretends and people who answer, and prints a link
/// that opens it. The tenant is made once.
pub async fn demo(mut config: Config, output: &Output, signals: &Signals) -> Result<ExitCode, Failure> {
    config.fake_replies = true;
    // Whatever this machine is set up for: nothing of a demo reaches anybody.
    (config.twilio, config.smtp_url) = (None, None);
    let node = Node::open(config, Role::All, signals).await?;
    let seeded = async {
        let owner = demo::seed(node.app()).await?;
        auth::login_link(node.app(), &owner).await
    };
    let link = match seeded.await {
        Ok(link) => link,
        Err(error) => {
            node.close().await;
            return Err(error.into());
        }
    };
    let address = node.address();
    output.say(
        format!("Patchbay listens on {address}\n\n    Sign in: {link}\n\nCtrl-C stops it; the data stays."),
        &json!({ "url": node.app().config.public_url, "listen": address, "link": link }),
    );
    node.run(signals).await?;
    Ok(ExitCode::SUCCESS)
}
