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
use tokio::sync::broadcast::{self, error::RecvError};
use uuid::Uuid;

use crate::{
    app::App,
    auth::{Caller, Role},
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn closing_ends_every_stream() {
        let realtime = Realtime::default();
        let mut before = realtime.subscribe();
        realtime.tell(Change { tenant: Uuid::nil(), events: Arc::from([]) });
        realtime.close();
        assert!(before.recv().await.is_ok(), "what was told is still read");
        assert!(matches!(before.recv().await, Err(RecvError::Closed)));
        assert!(matches!(realtime.subscribe().recv().await, Err(RecvError::Closed)));
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
/// shows; `change` with the names of what changed, separated by spaces; `beat`, so that silence means a dead line.
#[utoipa::path(
    get, path = "/api/events", tag = "Events",
    responses((status = 200, description = "A stream of `text/event-stream`: hello, change, beat", content_type = "text/event-stream", body = String)),
)]
async fn events(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let tenant = caller.tenant.id;
    let hello = stream::once(async { Ok(Event::default().event("hello").data("patchbay")) });
    let rest = stream::unfold(app.realtime.subscribe(), move |mut changes| async move {
        loop {
            let names: Arc<[String]> = match tokio::time::timeout(BEAT, changes.recv()).await {
                Err(_) => return Some((Ok(Event::default().event("beat").data("")), changes)),
                Ok(Ok(change)) if change.tenant == tenant || change.tenant.is_nil() => change.events,
                Ok(Ok(_)) => continue,
                Ok(Err(RecvError::Lagged(_))) => Arc::from(["*".to_owned()]),
                Ok(Err(RecvError::Closed)) => return None,
            };
            return Some((Ok(Event::default().event("change").data(names.join(" "))), changes));
        }
    });
    Sse::new(futures::StreamExt::chain(hello, rest))
        .keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
}

/// This feature's part of the API's description.
#[derive(utoipa::OpenApi)]
#[openapi(paths(events))]
pub struct Doc;
