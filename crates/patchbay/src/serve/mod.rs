//! A node: the web server, the workers, or both, from the first connection to an orderly end.
//!
//! The first SIGINT or SIGTERM stops accepting, finishes what was begun and claimed, closes the database and stops
//! the private cluster if nobody else uses it. The second does not wait. Whatever is cut off is what a crash would
//! cut off, and is recovered the same way.

mod background;
mod signals;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, serve::ListenerExt};
use tokio::{net::TcpListener, task::JoinSet, time::MissedTickBehavior};
use tokio_util::sync::CancellationToken;

pub use signals::Signals;

use crate::{
    app::App,
    config::{Config, local_url},
    db::embedded::{self, Claim, Cluster},
    health, links,
    start::{self, ADDRESS_FILE, Program, StartError},
    telemetry,
    web::router,
};

/// How long requests and claimed work may take to finish after a signal.
const GRACE: Duration = Duration::from_secs(30);
/// How often to look whether the private cluster still runs.
const WATCH: Duration = Duration::from_secs(1);

/// What a node does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// Web server and workers.
    All,
    /// The web server alone.
    Web,
    /// The workers alone: events, dispatch, periodic work. Answers nobody, but with `--probe-listen` says how it is.
    Worker,
    /// Short links alone: what the world may reach while the rest stays inside.
    Links,
}

impl Role {
    fn listens(self) -> bool {
        self != Self::Worker
    }

    /// Whether it shows pages: one node per private cluster.
    fn serves(self) -> bool {
        matches!(self, Self::All | Self::Web)
    }

    fn works(self) -> bool {
        matches!(self, Self::All | Self::Worker)
    }
}

/// Why a node cannot run, in one sentence.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("{0} is in use by another program; choose another address with --listen.")]
    AddressInUse(String),
    #[error("{0} is in use by another program; choose another address with --probe-listen.")]
    ProbeInUse(String),
    #[error("Cannot listen on {address}: {cause}.")]
    Listen { address: String, cause: std::io::Error },
    #[error(
        "The data folder {0} is in use by another `patchbay serve`; stop that one, or name another with --data-dir."
    )]
    DataInUse(String),
    #[error("A node for short links needs their domain: set PATCHBAY_SHORT_DOMAIN.")]
    NoShortDomain,
    #[error("{0} ended unexpectedly; the log says why.")]
    Ended(&'static str),
    #[error("Stopped before the start was complete.")]
    Interrupted,
}

/// A node that is ready to run.
pub struct Node {
    program: Program,
    listener: Option<TcpListener>,
    probe: Option<TcpListener>,
    claim: Option<Claim>,
    role: Role,
}

impl Node {
    /// Takes the address and the data folder, and opens the database.
    ///
    /// # Errors
    /// What is in use, missing or wrong; nothing stays behind.
    pub async fn open(mut config: Config, role: Role, signals: &Signals) -> Result<Self, ServeError> {
        if role == Role::Links && config.short_domain.is_none() {
            return Err(ServeError::NoShortDomain);
        }
        let listener = if role.listens() { Some(listen(&mut config, role).await?) } else { None };
        let probe = match &config.probe_listen {
            Some(address) => Some(bind(address, ServeError::ProbeInUse).await?),
            None => None,
        };
        let data = embedded::data_folder(&config.data_dir).map_err(StartError::from)?;
        // With a server of one's own choosing, any number of nodes may share a machine.
        let claim = if role.serves() && config.database_url.is_none() {
            let claim = Claim::take(&data, "serve.lock").map_err(StartError::from)?;
            Some(claim.ok_or_else(|| ServeError::DataInUse(data.display().to_string()))?)
        } else {
            None
        };
        telemetry::start_metrics();
        if role.serves() {
            config.public_url_assumed = false;
        }
        let program = tokio::select! {
            program = start::open(config) => program?,
            // What was begun meanwhile is undone as it is dropped.
            () = signals.stop.cancelled() => return Err(ServeError::Interrupted),
        };
        Ok(Self { program, listener, probe, claim, role })
    }

    /// Where it listens, as a browser on this machine reaches it.
    pub fn address(&self) -> String {
        self.listener.as_ref().map(address_of).unwrap_or_default()
    }

    /// Where it says whether it lives, if it does so at an address of its own.
    pub fn probe_address(&self) -> Option<String> {
        self.probe.as_ref().map(address_of)
    }

    /// The program behind it.
    pub fn app(&self) -> &Arc<App> {
        &self.program.app
    }

    /// Ends before it has begun.
    pub async fn close(self) {
        self.program.close().await;
    }

    /// Works until a signal, then ends in order.
    ///
    /// # Errors
    /// When a part of the node ends by itself.
    pub async fn run(self, signals: &Signals) -> Result<(), ServeError> {
        let Self { program: Program { app, fake_events, mut cluster, url }, listener, probe, claim, role } =
            self;
        let stop = signals.stop.child_token();
        let mut parts = JoinSet::new();
        let address = app.config.data_dir.join(ADDRESS_FILE);
        if let Some(listener) = listener {
            if role.serves() {
                // A convenience for commands; a server that cannot write it serves all the same.
                let _ = std::fs::write(&address, &app.config.public_url);
            }
            let router = if role == Role::Links { links::router(&app) } else { router::build(app.clone()).0 };
            parts.spawn(web(listener, router, stop.clone()));
        }
        if let Some(probe) = probe {
            parts.spawn(web(probe, health::router(&app), stop.clone()));
        }
        background::start(&mut parts, &app, url, fake_events, role.works(), role.serves(), &stop);
        let ended = watch(&mut parts, &mut cluster, &stop).await;
        stop.cancel();
        app.realtime.close();
        tokio::select! {
            () = async { while parts.join_next().await.is_some() {} } => {}
            () = tokio::time::sleep(GRACE) => tracing::warn!("what had not finished is cut off"),
            () = signals.hurry.cancelled() => {}
        }
        parts.abort_all();
        if claim.is_some() {
            let _ = std::fs::remove_file(&address);
        }
        let close = async {
            app.clicks.flushed().await;
            app.db.close().await;
            if let Some(cluster) = cluster.take() {
                cluster.close().await;
            }
        };
        tokio::select! {
            () = close => {}
            () = signals.hurry.cancelled() => {}
        }
        if let Some(mut cluster) = cluster {
            cluster.abandon();
        }
        ended
    }
}

/// Waits for the signal, or for a part that ends without one; keeps the private cluster alive meanwhile.
async fn watch(
    parts: &mut JoinSet<&'static str>,
    cluster: &mut Option<Cluster>,
    stop: &CancellationToken,
) -> Result<(), ServeError> {
    let mut tick = tokio::time::interval(WATCH);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(()),
            Some(part) = parts.join_next() => {
                return Err(ServeError::Ended(part.unwrap_or_else(|error| {
                    tracing::error!(%error, "a part of the node failed");
                    "A part of the node"
                })));
            }
            _ = tick.tick() => revive(cluster),
        }
    }
}

fn revive(cluster: &mut Option<Cluster>) {
    let Some(cluster) = cluster else { return };
    if cluster.is_alive() {
        return;
    }
    tracing::error!("the database died; starting it again");
    match tokio::task::block_in_place(|| cluster.revive()) {
        Ok(()) => tracing::info!("the database runs again"),
        Err(error) => tracing::error!(%error, "the database does not come back"),
    }
}

fn address_of(listener: &TcpListener) -> String {
    listener.local_addr().map(|address| local_url(&address.to_string())).unwrap_or_default()
}

async fn bind(address: &str, in_use: fn(String) -> ServeError) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|cause| match cause.kind() {
        std::io::ErrorKind::AddrInUse => in_use(address.to_owned()),
        _ => ServeError::Listen { address: address.to_owned(), cause },
    })
}

async fn listen(config: &mut Config, role: Role) -> Result<TcpListener, ServeError> {
    let listener = bind(&config.listen, ServeError::AddressInUse).await?;
    if role.serves()
        && config.public_url_assumed
        && let Ok(address) = listener.local_addr()
    {
        // The port may have been chosen by the system.
        config.public_url = local_url(&address.to_string());
    }
    Ok(listener)
}

async fn web(listener: TcpListener, router: Router, stop: CancellationToken) -> &'static str {
    // Answers are written whole; waiting to fill a packet only delays them.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    if let Err(error) = axum::serve(listener, service).with_graceful_shutdown(stop.cancelled_owned()).await {
        tracing::error!(%error, "the web server failed");
    }
    "The web server"
}
