//! The command line: one program, many commands. People read sentences on standard output, machines ask for `--json`;
//! what goes wrong is one sentence on standard error and an exit code other than 0.

mod arguments;
mod backup;
mod carrier;
mod database;
mod doctor;
mod erase;
mod failure;
mod import;
mod links;
mod output;
mod pilot;
mod reseal;
mod sending;
mod serving;
mod tenancy;

use std::process::ExitCode;

use clap::Parser;

use self::{
    arguments::{Arguments, Command, LinksCommand},
    failure::Failure,
    output::Output,
};
use crate::{bench, config::Config, environment, serve::Signals, telemetry};

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let output = Output { json: arguments.json };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(cause) => return output.failed(&Failure::new(format!("The process cannot start: {cause}."))),
    };
    let (outcome, in_a_hurry) = runtime.block_on(async {
        match Signals::install() {
            Ok(signals) => (run(arguments, &output, &signals).await, signals.hurry.is_cancelled()),
            Err(cause) => (Err(Failure::new(format!("Signals cannot be handled: {cause}."))), false),
        }
    });
    if in_a_hurry {
        runtime.shutdown_background();
    }
    match outcome {
        Ok(code) => code,
        Err(failure) => output.failed(&failure),
    }
}

async fn run(arguments: Arguments, output: &Output, signals: &Signals) -> Result<ExitCode, Failure> {
    let config = configuration(&arguments)?;
    let serves =
        matches!(arguments.command, Command::Serve { .. } | Command::Demo { .. } | Command::Carrier(_));
    telemetry::start_logging(&config, if serves { "info" } else { "warn" });
    let work = async {
        match arguments.command {
            Command::Serve { role, .. } => serving::serve(config, role, output, signals).await,
            Command::Demo { .. } => serving::demo(config, output, signals).await,
            Command::Carrier(options) => carrier::run(options, output, signals).await,
            Command::Bench(options) => measure(&options, output).await,
            Command::Migrate => database::migrate(config, output).await,
            Command::DatabaseUrl => database::url(config, output).await,
            Command::Tenant(command) => tenancy::tenant(config, command, output).await,
            Command::User(command) => tenancy::user(config, command, output).await,
            Command::ApiKey(command) => tenancy::api_key(config, command, output).await,
            Command::Import(options) => import::run(config, options, output).await,
            Command::Links(LinksCommand::Rescore) => links::rescore(config, output).await,
            Command::LoginLink { email } => tenancy::login_link(config, &email, output).await,
            Command::Backup { file } => backup::backup(config, &file, output).await,
            Command::Restore { file, force } => backup::restore(config, &file, force, output).await,
            Command::Erase { phone, email, tenant } => {
                erase::run(config, phone.or(email), tenant, output).await
            }
            Command::Pilot(arguments) => pilot::run(arguments, output).await,
            Command::Sending(command) => sending::run(config, command, output).await,
            Command::Doctor => doctor::run(config, output).await,
            Command::Reseal { new_key } => reseal::run(config, new_key, output).await,
        }
    };
    if serves {
        return work.await;
    }
    tokio::select! {
        outcome = work => outcome,
        // Dropping the work undoes what it had not committed.
        () = signals.stop.cancelled() => Err(Failure::new("Stopped; nothing unfinished was kept.")),
    }
}

async fn measure(options: &bench::Options, output: &Output) -> Result<ExitCode, Failure> {
    let report = bench::run(options).await?;
    output.say(report.table(), &report.json());
    Ok(ExitCode::SUCCESS)
}

fn configuration(arguments: &Arguments) -> Result<Config, Failure> {
    let listen = match &arguments.command {
        Command::Serve { listen, .. } | Command::Demo { listen } => listen.clone(),
        _ => None,
    };
    let probe = match &arguments.command {
        Command::Serve { probe_listen, .. } => probe_listen.clone(),
        _ => None,
    };
    let data = arguments.data_dir.as_ref().map(|path| path.to_string_lossy().into_owned());
    let given = [("PATCHBAY_DATA_DIR", data), ("PATCHBAY_LISTEN", listen), ("PATCHBAY_PROBE_LISTEN", probe)];
    let mut config = environment::read(&given)?;
    if !matches!(arguments.command, Command::Serve { .. } | Command::Demo { .. }) {
        config.db_connections = config.db_connections.min(4);
    }
    Ok(config)
}
