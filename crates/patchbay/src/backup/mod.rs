//! Backups: everything in the database, as of one instant, in one compressed file of PostgreSQL's own
//! format, with a checksum beside it.
//!
//! A backup is whole or absent: it is read back before it gets its name. A restore is one transaction: it happens or
//! it does not. The master key is not part of a backup, since whoever holds both reads the sealed credentials.

pub mod schedule;
mod target;
#[cfg(test)]
mod tests;

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use sha2::{Digest, Sha256};

use self::target::Target;
use crate::{
    app::App,
    db::embedded::{self, Binaries},
    error::Error,
};

/// Why a backup could not be written or read back, in one sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BackupError(String);

fn failed(sentence: impl Into<String>) -> BackupError {
    BackupError(sentence.into())
}

fn internal(error: Error) -> BackupError {
    match error {
        Error::Internal(cause) => BackupError(format!("It did not work: {cause}.")),
        other => BackupError(other.problem().detail),
    }
}

/// A backup that was written and read back.
#[derive(Debug, Clone)]
pub struct Written {
    pub bytes: u64,
    pub sha256: String,
}

/// What makes room for the data: our schemas go, extensions and the rest stay. Roles belong to the server, so that
/// no backup has them.
const PRELUDE: &str = "\
begin;
set client_min_messages = error;
drop schema if exists api, patchbay cascade;
drop table if exists public._sqlx_migrations;
do $$ begin
  if not exists (select from pg_roles where rolname = 'patchbay_tenant') then create role patchbay_tenant nologin; end if;
  if not pg_has_role(current_user, 'patchbay_tenant', 'member') then
    execute format('grant patchbay_tenant to %I', current_user);
  end if;
end $$;
";

/// Writes everything in the database at `url` to `file`, with its checksum beside it.
///
/// # Errors
/// In one sentence; then nothing stays behind.
pub async fn write(app: &App, url: &str, file: &Path) -> Result<Written, BackupError> {
    let (tools, target) = prepare(app, url).await?;
    let file = file.to_owned();
    blocking(move || {
        let draft = sibling(&file, "partial");
        let written = dump(&tools, &target, &draft).and_then(|sum| {
            check(&tools, &draft)?;
            fs::rename(&draft, &file).map_err(|cause| told(&file, "written", &cause))?;
            let line = format!("{}  {}\n", sum.1, file.file_name().unwrap_or_default().to_string_lossy());
            fs::write(sibling(&file, "sha256"), line).map_err(|cause| told(&file, "written", &cause))?;
            Ok(Written { bytes: sum.0, sha256: sum.1 })
        });
        let _ = fs::remove_file(&draft);
        written
    })
    .await
}

/// The data of the whole database into `draft`, which only we may read; its size and checksum.
fn dump(tools: &Binaries, target: &Target, draft: &Path) -> Result<(u64, String), BackupError> {
    let mut open = OpenOptions::new();
    let mut out = open.create(true).truncate(true).write(true).mode(0o600).open(draft);
    let out = out.as_mut().map_err(|cause| told(draft, "written", cause))?;
    let mut child =
        spawn(target.command(&tools.program("pg_dump")).arg("--format=custom").stdout(Stdio::piped()))?;
    let mut from = child.stdout.take().ok_or_else(|| failed("pg_dump has no output."))?;
    let (mut hash, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 16]);
    loop {
        let count = from.read(&mut buffer).map_err(|cause| told(draft, "read", &cause))?;
        if count == 0 {
            break;
        }
        hash.update(&buffer[..count]);
        out.write_all(&buffer[..count]).map_err(|cause| told(draft, "written", &cause))?;
        bytes += count as u64;
    }
    finish(child, "pg_dump")?;
    out.sync_all().map_err(|cause| told(draft, "written", &cause))?;
    Ok((bytes, hex(&hash.finalize())))
}

/// Reads the whole table of contents, and finds our tables in it.
fn check(tools: &Binaries, file: &Path) -> Result<(), BackupError> {
    let listed =
        Command::new(tools.program("pg_restore")).arg("--list").arg(file).stdin(Stdio::null()).output();
    let listed = listed.map_err(|cause| failed(format!("pg_restore cannot be run: {cause}.")))?;
    let contents = String::from_utf8_lossy(&listed.stdout);
    if !listed.status.success() {
        let said = String::from_utf8_lossy(&listed.stderr);
        return Err(failed(format!("{} is not a backup: {}", file.display(), said.trim())));
    }
    if contents.contains("TABLE DATA patchbay tenants") {
        Ok(())
    } else {
        Err(failed(format!("{} holds no data of Patchbay.", file.display())))
    }
}

/// Replaces what is in the database at `url` by what is in `file`, in one transaction. Answers whether the file could
/// be compared with its checksum. The connections of `app` are closed.
///
/// # Errors
/// In one sentence; then the database is as it was.
pub async fn read(app: &App, url: &str, file: &Path) -> Result<bool, BackupError> {
    let (tools, target) = prepare(app, url).await?;
    if app.db.other_sessions().await.map_err(internal)? > 0 {
        return Err(failed("Other processes of Patchbay are using this database; stop them first."));
    }
    let file = file.to_owned();
    blocking(move || {
        let checked = verify(&file)?;
        check(&tools, &file)?;
        load(&tools, &target, &file)?;
        Ok(checked)
    })
    .await
}

/// Compares the checksum, if there is one.
fn verify(file: &Path) -> Result<bool, BackupError> {
    let Ok(line) = fs::read_to_string(sibling(file, "sha256")) else { return Ok(false) };
    let mut open = File::open(file).map_err(|cause| told(file, "read", &cause))?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match open.read(&mut buffer).map_err(|cause| told(file, "read", &cause))? {
            0 => break,
            count => hash.update(&buffer[..count]),
        }
    }
    if line.split_whitespace().next() == Some(hex(&hash.finalize()).as_str()) {
        Ok(true)
    } else {
        Err(failed(format!(
            "{} is damaged: its checksum is not the one that was written down.",
            file.display()
        )))
    }
}

/// pg_restore writes SQL, psql runs it; the commit is sent only when both have come to the end.
fn load(tools: &Binaries, target: &Target, file: &Path) -> Result<(), BackupError> {
    let mut psql = spawn(
        target
            .command(&tools.program("psql"))
            .args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null()),
    )?;
    let mut restore = spawn(
        Command::new(tools.program("pg_restore"))
            .args(["--no-owner", "--no-comments", "--file=-"])
            .arg(file)
            .stdin(Stdio::null())
            .stdout(Stdio::piped()),
    )?;
    let from = restore.stdout.take().map(BufReader::new);
    let (Some(from), Some(mut into)) = (from, psql.stdin.take()) else {
        return Err(failed("The tools of PostgreSQL cannot be connected."));
    };
    let piped = pipe(from, &mut into);
    let restored = finish(restore, "pg_restore");
    if piped.is_ok() && restored.is_ok() {
        let _ = into.write_all(b"\ncommit;\n");
    }
    drop(into);
    // What psql has to say is nearer to the cause.
    finish(psql, "psql")?;
    restored?;
    piped.map_err(|cause| told(file, "restored", &cause))
}

fn pipe(mut from: impl BufRead, into: &mut impl Write) -> io::Result<()> {
    into.write_all(PRELUDE.as_bytes())?;
    let mut line = String::new();
    // Tools newer than the server set what the server does not know; such settings stand at the top.
    for _ in 0..40 {
        line.clear();
        if from.read_line(&mut line)? == 0 {
            break;
        }
        if !line.starts_with("SET transaction_timeout") {
            into.write_all(line.as_bytes())?;
        }
    }
    io::copy(&mut from, into).map(drop)
}

/// The tools that fit the server, and how they reach it.
async fn prepare(app: &App, url: &str) -> Result<(Binaries, Target), BackupError> {
    let version = app.db.server_version().await.map_err(internal)?;
    let tools = embedded::client(app.config.pg_bin.as_deref(), version).ok_or_else(|| {
        failed(format!(
            "pg_dump, pg_restore and psql of PostgreSQL {version} or newer are needed (the package postgresql-client-{version})."
        ))
    })?;
    Ok((tools, Target::new(url)?))
}

fn spawn(command: &mut Command) -> Result<Child, BackupError> {
    let program = command.get_program().to_string_lossy().into_owned();
    command
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|cause| failed(format!("{program} cannot be run: {cause}.")))
}

fn finish(child: Child, name: &str) -> Result<(), BackupError> {
    let ended = child.wait_with_output().map_err(|cause| failed(format!("{name} was lost: {cause}.")))?;
    if ended.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&ended.stderr);
    let line = said
        .lines()
        .find(|line| line.contains("ERROR") || line.contains("error:"))
        .or_else(|| said.lines().next());
    Err(failed(format!("{name} failed: {}", line.unwrap_or("it said nothing").trim())))
}

/// `backup.dump` → `backup.dump.sha256`.
fn sibling(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

fn told(file: &Path, action: &str, cause: &io::Error) -> BackupError {
    failed(format!("{} cannot be {action}: {cause}.", file.display()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BackupError> + Send + 'static,
) -> Result<T, BackupError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|cause| Err(failed(format!("It did not work: {cause}."))))
}
