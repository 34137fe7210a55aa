//! Changes as they happen: database notifications, fanned out to the browsers and API clients of one node.
//!
//! A notification is a hint that something changed, never the change itself: who receives one reads again,
//! with the rights they have. What was missed (a lost connection, a lagging reader) is told as `refresh`.

use std::{sync::Arc, time::Duration};

use serde::Deserialize;
use tokio::sync::broadcast;
use uuid::Uuid;

use crate::db::Db;

/// What changed for whom. Names are like `inbox`, `conversation:<contact id>`, `contacts`, `quotes`.
#[derive(Debug, Clone, Deserialize)]
pub struct Change {
    pub tenant: Uuid,
    pub events: Arc<[String]>,
}

/// The fan-out of one node.
pub struct Realtime {
    changes: broadcast::Sender<Change>,
}

impl Default for Realtime {
    fn default() -> Self {
        Self { changes: broadcast::channel(1024).0 }
    }
}

impl Realtime {
    /// All changes from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    /// Listens until the process ends, reconnecting as needed. After a gap everybody is told to refresh.
    pub async fn run(&self, db: &Db) {
        loop {
            match db.listen(&["patchbay"]).await {
                Ok(mut listener) => {
                    self.tell(Change { tenant: Uuid::nil(), events: Arc::from(["refresh".to_owned()]) });
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
        // Nobody listening is no error.
        let _ = self.changes.send(change);
    }
}
