//! A file on its way into the database, chunk by chunk, so that it is never whole in memory.

use std::sync::Arc;

use uuid::Uuid;

use super::{
    Import,
    file::{Kind, Reading, Sniffer},
    preview, sql,
};
use crate::{
    app::App,
    auth::Caller,
    contacts::clean,
    error::{Error, Result},
};

const CHUNK_BYTES: usize = 512 << 10;

/// An upload under way. One that ends early is forgotten after some days.
pub struct Upload {
    app: Arc<App>,
    caller: Caller,
    id: Uuid,
    sniffer: Sniffer,
    buffer: Vec<u8>,
    chunks: i32,
    bytes: u64,
}

impl Upload {
    /// Begins with a file of this name.
    pub async fn begin(app: &Arc<App>, caller: &Caller, file_name: &str) -> Result<Self> {
        let plain = file_name.rsplit(['/', '\\']).next().unwrap_or_default();
        let name: String =
            clean::line(plain).unwrap_or_else(|| "file".to_owned()).chars().take(255).collect();
        let id = app.new_id();
        let mut tx = app.db.tenant(caller.tenant.id).await?;
        sql::insert(&mut tx, id, &name, &caller.actor, app.now()).await?;
        tx.commit().await?;
        Ok(Self {
            app: app.clone(),
            caller: caller.clone(),
            id,
            sniffer: Sniffer::default(),
            buffer: Vec::with_capacity(CHUNK_BYTES),
            chunks: 0,
            bytes: 0,
        })
    }

    /// Takes the next bytes. Refuses more than the configured limit; then the caller discards the upload.
    pub async fn push(&mut self, mut bytes: &[u8]) -> Result<()> {
        self.bytes += u64::try_from(bytes.len()).unwrap_or_default();
        if self.bytes > self.app.config.import_max_bytes {
            let most = self.app.config.import_max_bytes >> 20;
            return Err(Error::field(
                "file",
                format!("The file is larger than {most} MB. Split it, or raise PATCHBAY_IMPORT_MAX_BYTES."),
            ));
        }
        self.sniffer.take(bytes);
        while !bytes.is_empty() {
            let room = (CHUNK_BYTES - self.buffer.len()).min(bytes.len());
            self.buffer.extend_from_slice(&bytes[..room]);
            bytes = &bytes[room..];
            if self.buffer.len() == CHUNK_BYTES {
                self.store().await?;
            }
        }
        Ok(())
    }

    async fn store(&mut self) -> Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let mut tx = self.app.db.tenant(self.caller.tenant.id).await?;
        sql::insert_chunk(&mut tx, self.id, self.chunks, &self.buffer).await?;
        tx.commit().await?;
        self.chunks += 1;
        self.buffer.clear();
        Ok(())
    }

    /// Ends the upload: finds out what the file is, but for what was `said` of it, and guesses what its columns mean.
    pub async fn finish(mut self, said: &Reading) -> Result<Import> {
        self.store().await?;
        let read = async {
            let format = self.sniffer.finish(said).map_err(|problem| Error::field("file", problem.0))?;
            let guess_header = format.kind == Kind::Xlsx && said.header.is_none();
            preview::settle(&self.app, &self.caller, self.id, format, self.bytes, guess_header).await
        };
        match read.await {
            Ok(import) => Ok(import),
            Err(error) => {
                self.discard().await?;
                Err(error)
            }
        }
    }

    /// Forgets what has come.
    pub async fn discard(&self) -> Result<()> {
        let mut tx = self.app.db.tenant(self.caller.tenant.id).await?;
        sql::delete(&mut tx, self.id).await?;
        tx.commit().await
    }
}
