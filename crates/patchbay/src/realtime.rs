//! Changes as they happen: database notifications, fanned out to the browsers and API clients of one node.
//!
//! A notification is a hint that something changed, never the change itself: who receives one reads again,
//! with the rights they have. What was missed (a lost connection, a lagging reader) is told as `*`: everything.

use std::{
    convert::Infallible,
    sync::{Arc, RwLock},
    time::Duration,
};

use axum::{
    extract::State,
    response::sse::{Event, KeepAlive, Sse},
};
use futures::{Stream, stream};
use serde::Deserialize;
use tokio::{
    sync::broadcast::{self, error::RecvError},
    time::{Instant, Interval, interval_at},
};
use uuid::Uuid;

use crate::{
    app::App,
    auth::{Caller, Role, Session, guard},
    db::Db,
    web::routes::{Access, Routes},
};

/// What changed for whom. Names are like `inbox`, `conversation:<contact id>`, `contacts`, `quotes`.
#[derive(Debug, Clone, Deserialize)]
pub struct Change {
    pub tenant: Uuid,
    pub events: Arc<[String]>,
}

/// A client that hears nothing for longer may take the line for dead.
const BEAT: Duration = Duration::from_secs(15);

/// How often a line's right to be open is looked at again.
const LOOK: Duration = if cfg!(test) { Duration::from_millis(50) } else { Duration::from_secs(5) };

/// The fan-out of one node.
pub struct Realtime {
    /// `None` once closed.
    changes: RwLock<Option<broadcast::Sender<Change>>>,
}

impl Default for Realtime {
    fn default() -> Self {
        Self { changes: RwLock::new(Some(broadcast::channel(1024).0)) }
    }
}

impl Realtime {
    /// All changes from now on. Ends when the program stops, so that whoever streams them ends too.
    pub fn subscribe(&self) -> broadcast::Receiver<Change> {
        let changes = self.changes.read().expect("nobody panics with this lock");
        // A receiver without a sender has ended.
        changes.as_ref().map_or_else(|| broadcast::channel(1).1, broadcast::Sender::subscribe)
    }

    /// Ends all subscriptions, present and future.
    pub fn close(&self) {
        *self.changes.write().expect("nobody panics with this lock") = None;
    }

    /// Listens until the process ends, reconnecting as needed. After a gap everybody is told to refresh.
    pub async fn run(&self, db: &Db) {
        loop {
            match db.listen(&["patchbay"]).await {
                Ok(mut listener) => {
                    self.tell(Change { tenant: Uuid::nil(), events: Arc::from(["*".to_owned()]) });
                    while let Ok(Some(notification)) = listener.try_recv().await {
                        match serde_json::from_str(notification.payload()) {
                            Ok(change) => self.tell(change),
                            Err(error) => tracing::warn!(%error, "a notification could not be read"),
                        }
                    }
                }
                Err(error) => tracing::warn!(%error, "cannot listen for changes"),
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// Tells this node's listeners; a nil tenant means everybody.
    fn tell(&self, change: Change) {
        if let Some(changes) = &*self.changes.read().expect("nobody panics with this lock") {
            // Nobody listening is no error.
            let _ = changes.send(change);
        }
    }
}

/// The same stream for browsers and for API clients.
pub fn routes(routes: Routes) -> Routes {
    routes.get("/events", Access::Page(Role::Viewer), events).get(
        "/api/events",
        Access::Api(Role::Viewer),
        events,
    )
}

/// The tenant's changes as server-sent events: `hello` once, so that a client that reconnects reads again what it
/// shows; `change` with the names of what changed, separated by spaces; `beat`, so that silence means a dead line. Ends
/// within seconds when the key is revoked, or the session or the membership ends.
#[utoipa::path(
    get, path = "/api/events", tag = "Events",
    responses((status = 200, description = "A stream of `text/event-stream`: hello, change, beat", content_type = "text/event-stream", body = String)),
)]
async fn events(
    State(app): State<Arc<App>>,
    caller: Caller,
    session: Option<Session>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let hello = stream::once(async { Ok(Event::default().event("hello").data("patchbay")) });
    let line = Line {
        changes: app.realtime.subscribe(),
        beat: interval_at(Instant::now() + BEAT, BEAT),
        look: interval_at(Instant::now() + LOOK, LOOK),
        session: session.map(|session| session.id),
        caller,
        app,
    };
    let rest =
        stream::unfold(line, |mut line| async move { line.next().await.map(|event| (Ok(event), line)) });
    Sse::new(futures::StreamExt::chain(hello, rest)).keep_alive(KeepAlive::new().interval(BEAT))
}

/// One client's open line.
struct Line {
    app: Arc<App>,
    caller: Caller,
    /// Of a browser; programs have their key.
    session: Option<Uuid>,
    changes: broadcast::Receiver<Change>,
    beat: Interval,
    look: Interval,
}

impl Line {
    /// What to say next; `None` ends the line.
    async fn next(&mut self) -> Option<Event> {
        let tenant = self.caller.tenant.id;
        let change = |names: &str| Some(Event::default().event("change").data(names));
        loop {
            tokio::select! {
                news = self.changes.recv() => match news {
                    Ok(news) if news.tenant == tenant || news.tenant.is_nil() => return change(&news.events.join(" ")),
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => return change("*"),
                    Err(RecvError::Closed) => return None,
                },
                _ = self.beat.tick() => return Some(Event::default().event("beat").data("")),
                _ = self.look.tick() => if !self.is_admitted().await { return None },
            }
        }
    }

    /// A database that cannot be asked says nothing about anybody's rights, and nothing changes meanwhile.
    async fn is_admitted(&self) -> bool {
        guard::is_still_admitted(&self.app, &self.caller, self.session).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "an open line could not be checked");
            true
        })
    }
}

/// This feature's part of the API's description.
#[derive(utoipa::OpenApi)]
#[openapi(paths(events))]
pub struct Doc;

#[cfg(test)]
mod tests;
