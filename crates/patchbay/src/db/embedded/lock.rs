//! Who uses the cluster. File locks, because the operating system releases them however a process ends.
//!
//! Two files: the gate is held, exclusively, for as long as somebody starts or stops the server; presence is held,
//! shared, by every process that uses it. Whoever leaves and finds no one else present stops the server.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::Path,
};

use super::error::{ClusterError, Result};

/// The right to start and stop the server. Dropping it opens the gate for the next process.
pub struct Gate(File);

impl Gate {
    /// Waits until nobody else starts or stops this cluster.
    pub fn enter(data: &Path) -> Result<Self> {
        let path = data.join("postgres.gate");
        let file = open(&path)?;
        file.lock().map_err(ClusterError::file(&path, "locked"))?;
        Ok(Self(file))
    }

    /// The same without waiting.
    pub fn try_enter(data: &Path) -> Option<Self> {
        let file = open(&data.join("postgres.gate")).ok()?;
        file.try_lock().ok().map(|()| Self(file))
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        // Explicitly: a child process between fork and exec may hold a copy of the descriptor.
        let _ = self.0.unlock();
    }
}

/// The fact that this process uses the cluster.
pub struct Presence(File);

impl Presence {
    /// Joins those who use the cluster; true if there are none.
    pub fn join(data: &Path, _gate: &Gate) -> Result<(Self, bool)> {
        let path = data.join("postgres.users");
        let file = open(&path)?;
        let alone = file.try_lock().is_ok() && file.unlock().is_ok();
        file.lock_shared().map_err(ClusterError::file(&path, "locked"))?;
        Ok((Self(file), alone))
    }

    /// Leaves; true if nobody else is present. Nobody can join meanwhile: joining takes the gate.
    pub fn leave(&self, _gate: &Gate) -> bool {
        let _ = self.0.unlock();
        self.0.try_lock().is_ok() && self.0.unlock().is_ok()
    }
}

/// The right to be the only one of its kind in a data folder, for as long as it lives.
pub struct Claim(File);

impl Claim {
    /// Takes `name` in `data`; `None` when another process has it.
    pub fn take(data: &Path, name: &str) -> Result<Option<Self>> {
        let path = data.join(name);
        let file = open(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(cause)) => Err(ClusterError::file(&path, "locked")(cause)),
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

fn open(path: &Path) -> Result<File> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(path)
        .map_err(ClusterError::file(path, "opened"))
}
