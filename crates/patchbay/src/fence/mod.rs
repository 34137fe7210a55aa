//! The fence around a restored or cloned database: it holds what waits until an owner decides.
//!
//! Promises: a database that is not the one that last ran (restored from a backup, cloned on its server, or a copied
//! data folder) sends nothing, for any tenant, until that tenant's owner has chosen between sending and canceling what
//! waited when the copy was made. Messages come in meanwhile, people can work, and nothing is lost.
//! Does not: recognise a copy of a whole server taken below PostgreSQL (a disk snapshot, a base backup); whoever
//! starts one of those beside its original runs `patchbay sending hold` first.

mod sql;
#[cfg(test)]
mod tests;
mod ui;

use std::{os::unix::fs::MetadataExt, path::Path};

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use crate::{
    app::App,
    audit,
    auth::{Actor, Caller, Role},
    campaigns,
    db::Db,
    error::{Error, Result},
    messaging,
    web::routes::{Access, Routes},
};

/// Why a tenant's messages are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The data was read back from a backup.
    Restored,
    /// The database is a copy of another.
    Copied,
    /// Somebody with a shell said so.
    Operator,
}

impl Why {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Restored => "restored",
            Self::Copied => "copied",
            Self::Operator => "operator",
        }
    }

    fn parse(word: &str) -> Self {
        match word {
            "restored" => Self::Restored,
            "copied" => Self::Copied,
            _ => Self::Operator,
        }
    }
}

/// What happens to the messages that were waiting when sending was held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// They are sent, through the gates as ever.
    Send,
    /// They are canceled: the original has sent them.
    Cancel,
}

/// A hold, as its tenant sees it.
#[derive(Debug, Clone)]
pub struct Hold {
    pub since: DateTime<Utc>,
    pub why: Why,
    /// Messages that waited at that time; counting stops at [`MOST`].
    pub waiting: i64,
    /// The last thing this database knows to have sent.
    pub last_sent_at: Option<DateTime<Utc>>,
}

/// Where counting what waits stops.
pub const MOST: i64 = 10_000;

/// Messages asked again at once after a release; where more wait, the rest keeps its time.
const WOKEN: i64 = 50_000;

/// Messages canceled in one transaction.
const AT_ONCE: i64 = 10_000;
/// Why they are.
const TRUSTED: &str = "The original of this restored database was trusted to have sent it";

/// Compares the database with the one that last ran, and holds every tenant's messages if it is another. Answers how
/// many tenants are newly held. `folder` is that of the private cluster, if that is where the data is.
pub async fn check(db: &Db, folder: Option<&Path>, now: DateTime<Utc>) -> Result<u64> {
    let mut tx = db.system().await?;
    let former = sql::lock_mark(&mut tx).await?;
    let present = Mark { database: sql::identity(&mut tx).await?, folder: folder.and_then(inode) };
    let is_copy = former.as_deref().map(Mark::parse).is_some_and(|former| present.is_copy_of(&former));
    let next = present.after(former.as_deref().map(Mark::parse)).to_string();
    if former.as_deref() != Some(&*next) {
        sql::write_mark(&mut tx, &next, now).await?;
    }
    let held = if is_copy { sql::hold_all(&mut tx, Why::Copied.as_str(), now).await? } else { 0 };
    tx.commit().await?;
    if held > 0 {
        tracing::warn!(tenants = held, "this database is a copy: sending is held until an owner confirms");
    }
    Ok(held)
}

/// What only this database has. A node that reaches the private cluster by its URL does not know the folder, and is not
/// another database for that.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mark {
    /// The server's identity, the database's number there, and that of a table in it.
    database: String,
    /// The number of the data folder on its disk.
    folder: Option<u64>,
}

impl Mark {
    fn parse(text: &str) -> Self {
        match text.split_once(' ') {
            Some((database, folder)) => Self { database: database.to_owned(), folder: folder.parse().ok() },
            None => Self { database: text.to_owned(), folder: None },
        }
    }

    fn is_copy_of(&self, former: &Self) -> bool {
        let moved = self.folder.zip(former.folder).is_some_and(|(now, then)| now != then);
        self.database != former.database || moved
    }

    /// The mark to keep: a folder that was known stays known.
    fn after(self, former: Option<Self>) -> Self {
        let known = former.filter(|former| former.database == self.database).and_then(|former| former.folder);
        Self { folder: self.folder.or(known), ..self }
    }
}

impl std::fmt::Display for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.database)?;
        self.folder.map_or(Ok(()), |folder| write!(f, " {folder}"))
    }
}

fn inode(folder: &Path) -> Option<u64> {
    folder.metadata().ok().map(|found| found.ino())
}

/// Holds the messages of one tenant, by its slug, or of all. Answers how many are newly held.
pub async fn hold(app: &App, slug: Option<&str>, why: Why) -> Result<u64> {
    let mut tx = app.db.system().await?;
    let held = match slug {
        None => sql::hold_all(&mut tx, why.as_str(), app.now()).await?,
        Some(slug) => sql::hold_one(&mut tx, slug, why.as_str(), app.now()).await?,
    };
    tx.commit().await?;
    Ok(held)
}

/// The hold of the caller's tenant, if there is one.
pub async fn find(app: &App, caller: &Caller) -> Result<Option<Hold>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let Some((since, why)) = sql::find(&mut tx).await? else { return Ok(None) };
    let (waiting, last_sent_at) = sql::waiting(&mut tx, since, MOST).await?;
    Ok(Some(Hold { since, why: Why::parse(&why), waiting, last_sent_at }))
}

/// An owner's decision. Answers how many messages were canceled.
pub async fn release(app: &App, caller: &Caller, waiting: Waiting) -> Result<u64> {
    release_for(app, caller.tenant.id, &caller.actor, waiting).await
}

/// The same by whoever runs the machine, for one tenant or all that are held. Answers how many were.
pub async fn release_by_operator(app: &App, slug: Option<&str>, waiting: Waiting) -> Result<u64> {
    let held = {
        let mut conn = app.db.system_conn().await?;
        sql::held_tenants(&mut conn, slug).await?
    };
    let actor = Actor::system();
    for tenant in &held {
        release_for(app, *tenant, &actor, waiting).await?;
    }
    Ok(held.len() as u64)
}

async fn release_for(app: &App, tenant: Uuid, actor: &Actor, waiting: Waiting) -> Result<u64> {
    let now = app.now();
    let canceled = match waiting {
        Waiting::Cancel => cancel_waiting(app, tenant, actor).await?,
        Waiting::Send => 0,
    };
    let mut tx = app.db.tenant(tenant).await?;
    if !sql::release(&mut tx).await? {
        return Err(not_held());
    }
    messaging::hold_claims(&mut tx).await?;
    messaging::wake_held(&mut tx, &["kill_switch"], None, now, WOKEN).await?;
    let word = if waiting == Waiting::Cancel { "canceled" } else { "sent" };
    let changes = json!({ "waiting_messages": word, "canceled": canceled });
    let entry = audit::Entry {
        action: "sending.released",
        entity_type: "settings",
        entity_id: None,
        changes: &changes,
    };
    audit::record(&mut tx, actor, entry).await?;
    tx.commit().await?;
    Ok(canceled)
}

/// Cancels what waited when the hold began, so many at a time. Nothing leaves meanwhile: whoever stops in between finds
/// the tenant still held.
async fn cancel_waiting(app: &App, tenant: Uuid, actor: &Actor) -> Result<u64> {
    let now = app.now();
    let mut tx = app.db.tenant(tenant).await?;
    let (since, _) = sql::find(&mut tx).await?.ok_or_else(not_held)?;
    // The original has gone on with these too; whoever knows better resumes them.
    campaigns::pause_all(&mut tx, &actor.label, now).await?;
    tx.commit().await?;
    let mut canceled = 0;
    loop {
        let mut tx = app.db.tenant(tenant).await?;
        let waiting = sql::lock_waiting(&mut tx, since, AT_ONCE).await?;
        if waiting.is_empty() {
            return Ok(canceled);
        }
        canceled += messaging::cancel_all(&mut tx, &waiting, Some(TRUSTED), now).await?;
        tx.commit().await?;
    }
}

fn not_held() -> Error {
    Error::conflict("Sending is not held.")
}

/// The routes of this feature.
pub fn routes(routes: Routes) -> Routes {
    routes.get("/settings/held", Access::Page(Role::Viewer), ui::page).post(
        "/settings/held",
        Access::Page(Role::Owner),
        ui::release,
    )
}
