//! The stored file as something to read from: a stream of chunks for text, a temporary file for workbooks, which have
//! to be read back and forth.

use std::{
    io::{self, Read, Seek, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::mpsc;
use uuid::Uuid;

use super::{
    file::{Cells, FileProblem, Format, Kind, Source, rows},
    sql,
};
use crate::{
    app::App,
    error::{Error, Result},
};

/// Where the rows come from.
pub enum Stored {
    Chunks(Chunks),
    File(std::fs::File),
}

impl Stored {
    /// Hands each row to `each`; see [`rows`]. Blocks, so it belongs on a thread of its own.
    pub fn rows(
        &mut self,
        format: &Format,
        each: &mut dyn FnMut(u64, &Cells) -> std::ops::ControlFlow<()>,
    ) -> Result<(), FileProblem> {
        match self {
            Self::Chunks(chunks) => rows(Source::Stream(chunks), format, each),
            Self::File(file) => rows(Source::File(file), format, each),
        }
    }

    /// Bytes read so far.
    pub fn counter(&self) -> Arc<AtomicU64> {
        match self {
            Self::Chunks(chunks) => chunks.read.clone(),
            Self::File(_) => Arc::default(),
        }
    }
}

/// Chunks from the database, a few ahead of the reader.
pub struct Chunks {
    incoming: mpsc::Receiver<Result<Vec<u8>>>,
    current: io::Cursor<Vec<u8>>,
    read: Arc<AtomicU64>,
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.current.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                self.read.fetch_add(u64::try_from(count).unwrap_or_default(), Ordering::Relaxed);
                return Ok(count);
            }
            match self.incoming.blocking_recv() {
                Some(Ok(chunk)) => self.current = io::Cursor::new(chunk),
                Some(Err(error)) => return Err(io::Error::other(error)),
                None => return Ok(0),
            }
        }
    }
}

/// Opens the file of an import.
pub async fn open(app: &Arc<App>, tenant: Uuid, id: Uuid, kind: Kind) -> Result<Stored> {
    let (sender, mut incoming) = mpsc::channel(2);
    let feeder = app.clone();
    tokio::spawn(async move { feed(&feeder, tenant, id, &sender).await });
    if kind == Kind::Csv {
        return Ok(Stored::Chunks(Chunks { incoming, current: io::Cursor::default(), read: Arc::default() }));
    }
    let mut file = tempfile::tempfile()?;
    while let Some(chunk) = incoming.recv().await {
        let chunk = chunk?;
        file = tokio::task::spawn_blocking(move || file.write_all(&chunk).map(|()| file))
            .await
            .map_err(Error::internal)??;
    }
    file.rewind()?;
    Ok(Stored::File(file))
}

async fn feed(app: &App, tenant: Uuid, id: Uuid, sender: &mpsc::Sender<Result<Vec<u8>>>) {
    for position in 0.. {
        let chunk = async {
            let mut conn = app.db.system_conn().await?;
            sql::find_chunk(&mut conn, tenant, id, position).await
        };
        let sent = match chunk.await {
            Ok(Some(chunk)) => sender.send(Ok(chunk)).await,
            Ok(None) => return,
            Err(error) => sender.send(Err(error)).await,
        };
        // The reader has seen enough.
        if sent.is_err() {
            return;
        }
    }
}
