//! Changes as they happen: database notifications, fanned out to the browsers and API clients of one node.
//!
//! A notification is a hint that something changed, never the change itself: who receives one reads again,
//! with the rights they have. What was missed (a lost connection, a lagging reader) is told as `*`: everything. What
//! happened between the making of a page and its first word here is told first ([`memory`]).

mod memory;
#[cfg(test)]
mod tests;

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
use serde::{Deserialize, Deserializer};
use tokio::{
    sync::broadcast::{self, error::RecvError},
    time::{Instant, Interval, interval_at},
};
use uuid::Uuid;

use self::memory::Memory;
use crate::{
    app::App,
    auth::{Caller, Role, Session, guard},
    db::Db,
    error,
    web::{
        extract::Query,
        routes::{Access, Routes},
    },
};

/// What changed for whom. Names are like `inbox`, `conversation:<contact id>`, `contacts`, `quotes`.
#[derive(Debug, Clone, Deserialize)]
pub struct Change {
    pub tenant: Uuid,
    pub events: Arc<[String]>,
    /// The transaction that made it.
    #[serde(deserialize_with = "digits")]
    pub made_by: u64,
}

impl Change {
    /// Whether it concerns this tenant; a nil one means everybody.
    fn concerns(&self, tenant: Uuid) -> bool {
        self.tenant == tenant || self.tenant.is_nil()
    }
}

/// PostgreSQL's transaction ids have 64 bits, more than JSON's numbers are sure to carry.
fn digits<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

/// A client that hears nothing for longer may take the line for dead.
const BEAT: Duration = Duration::from_secs(15);

/// How often a line's right to be open is looked at again.
const LOOK: Duration = if cfg!(test) { Duration::from_millis(50) } else { Duration::from_secs(5) };

/// The fan-out of one node.
pub struct Realtime(RwLock<Fan>);

struct Fan {
    /// `None` once closed.
    changes: Option<broadcast::Sender<Change>>,
    memory: Memory,
}

impl Default for Realtime {
    fn default() -> Self {
        Self(RwLock::new(Fan { changes: Some(broadcast::channel(1024).0), memory: Memory::new() }))
    }
}

/// Why the lock can be taken.
const SOUND: &str = "nobody panics with this lock";

impl Realtime {
    /// All changes from now on, and what may be news already to a page as new as `since`. Ends when the program
    /// stops, so that whoever streams them ends too.
    fn subscribe(&self, tenant: Uuid, since: Option<u64>) -> (Option<Change>, broadcast::Receiver<Change>) {
        let fan = self.0.read().expect(SOUND);
        let news = since.and_then(|since| fan.memory.since(since, tenant));
        // A receiver without a sender has ended.
        let changes =
            fan.changes.as_ref().map_or_else(|| broadcast::channel(1).1, broadcast::Sender::subscribe);
        (news, changes)
    }

    /// Ends all subscriptions, present and future.
    pub fn close(&self) {
        self.0.write().expect(SOUND).changes = None;
    }

    /// Listens until the process ends, reconnecting as needed. After a gap everybody is told to refresh.
    pub async fn run(&self, db: &Db) {
        loop {
            if let Err(error) = self.listen(db).await {
                tracing::warn!(%error, "cannot listen for changes");
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    async fn listen(&self, db: &Db) -> error::Result<()> {
        let mut listener = db.listen(&["patchbay"]).await?;
        // Asked after listening began: whatever is made by later transactions is heard.
        let from = db.next_transaction().await?;
        self.0.write().expect(SOUND).memory.begin(from);
        self.tell(Change { tenant: Uuid::nil(), events: Arc::from(["*".to_owned()]), made_by: from });
        while let Ok(Some(notification)) = listener.try_recv().await {
            match serde_json::from_str(notification.payload()) {
                Ok(change) => self.tell(change),
                Err(error) => tracing::warn!(%error, "a notification could not be read"),
            }
        }
        Ok(())
    }

    /// Tells this node's listeners.
    fn tell(&self, change: Change) {
        let mut fan = self.0.write().expect(SOUND);
        fan.memory.keep(change.clone());
        if let Some(changes) = &fan.changes {
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

/// What a page says about itself.
#[derive(Debug, Default, Deserialize)]
struct PageState {
    /// What it is as new as; see [`memory`]. Something else than digits counts as old.
    since: Option<String>,
}

/// The tenant's changes as server-sent events: `hello` once, so that a client that reconnects reads again what it
/// shows; `change` with the names of what changed, separated by spaces, under the id of the transaction that changed it;
/// `beat`, so that silence means a dead line. Ends within seconds when the key is revoked, or the session or the
/// membership ends.
#[utoipa::path(
    get, path = "/api/events", tag = "Events",
    responses((status = 200, description = "A stream of `text/event-stream`: hello, change, beat", content_type = "text/event-stream", body = String)),
)]
async fn events(
    State(app): State<Arc<App>>,
    caller: Caller,
    session: Option<Session>,
    Query(page): Query<PageState>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let since = page.since.map(|since| since.parse().unwrap_or_default());
    let (news, changes) = app.realtime.subscribe(caller.tenant.id, since);
    let hello = Event::default().event("hello").data("patchbay");
    let first = stream::iter([hello].into_iter().chain(news.as_ref().map(told)).map(Ok));
    let line = Line {
        changes,
        beat: interval_at(Instant::now() + BEAT, BEAT),
        look: interval_at(Instant::now() + LOOK, LOOK),
        session: session.map(|session| session.id),
        caller,
        app,
    };
    let rest =
        stream::unfold(line, |mut line| async move { line.next().await.map(|event| (Ok(event), line)) });
    Sse::new(futures::StreamExt::chain(first, rest)).keep_alive(KeepAlive::new().interval(BEAT))
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
        loop {
            tokio::select! {
                news = self.changes.recv() => match news {
                    Ok(news) if news.concerns(self.caller.tenant.id) => return Some(told(&news)),
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => return Some(Event::default().event("change").data("*")),
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

fn told(change: &Change) -> Event {
    Event::default().event("change").id(change.made_by.to_string()).data(change.events.join(" "))
}

/// This feature's part of the API's description.
#[derive(utoipa::OpenApi)]
#[openapi(paths(events))]
pub struct Doc;
