//! `migrate` and `database-url`.

use std::process::ExitCode;

use serde_json::json;

use super::{failure::Failure, output::Output};
use crate::{
    config::Config,
    db::embedded::Cluster,
    start::{self, StartError},
};

/// Brings the schema up to date; running it twice changes nothing.
pub async fn migrate(config: Config, output: &Output) -> Result<ExitCode, Failure> {
    let program = start::open_as_is(config).await?;
    let before = program.app.db.migrations().await?;
    let migrated = program.app.db.migrate().await;
    program.close().await;
    migrated.map_err(StartError::from)?;
    let (all, done) = before;
    let applied = all.saturating_sub(done);
    let sentence = match applied {
        0 => "The database is up to date.".to_owned(),
        1 => "The database was brought up to date with 1 migration.".to_owned(),
        applied => format!("The database was brought up to date with {applied} migrations."),
    };
    output.say(sentence, &json!({ "applied": applied, "migrations": all }));
    Ok(ExitCode::SUCCESS)
}

/// Prints where the database is.
pub async fn url(config: Config, output: &Output) -> Result<ExitCode, Failure> {
    let url = match config.database_url {
        Some(url) => url,
        None => {
            // Starting it, if need be, is what shows that the address is right.
            let cluster =
                Cluster::open(&config.data_dir, config.pg_bin.as_deref()).await.map_err(StartError::from)?;
            let url = cluster.url();
            if cluster.close().await {
                output.note("The database runs only while a command uses it; keep `patchbay serve` running to connect.");
            }
            url
        }
    };
    output.say(&url, &json!({ "url": url }));
    Ok(ExitCode::SUCCESS)
}
