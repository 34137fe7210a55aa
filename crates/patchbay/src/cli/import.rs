//! `import`: a file of contacts, worked through by this process.

use std::{collections::BTreeMap, path::PathBuf, process::ExitCode, time::Duration};

use serde_json::json;
use tokio::io::AsyncReadExt;

use super::{arguments::ImportArguments, failure::Failure, output::Output};
use crate::{
    auth::{Actor, Caller, Role},
    config::Config,
    imports::{self, Import, Mapping, Reading, mapping::OnMatch},
    start::{self, Program},
    tenants,
};

/// Imports a file, or tells what importing it would do.
pub async fn run(config: Config, arguments: ImportArguments, output: &Output) -> Result<ExitCode, Failure> {
    let program = start::open(config).await?;
    let done = import(&program, &arguments, output).await;
    program.close().await;
    let import = done?;
    let counts = import.counts();
    let value = json!({
        "id": import.id, "status": import.status, "dry_run": import.dry_run, "counts": counts,
        "problem": import.problem, "mapping": import.mapping,
    });
    if let Some(problem) = &import.problem {
        if output.json {
            output.say("", &value);
        }
        return Err(Failure::new(problem.clone()));
    }
    let begin = if import.dry_run { "Dry run: nothing was changed. " } else { "" };
    let sentence = format!(
        "{begin}{} rows: {} new, {} updated, {} duplicate, {} invalid, {} opted out. Import {}.",
        counts.rows,
        counts.new,
        counts.updated,
        counts.duplicate,
        counts.invalid,
        counts.opted_out,
        import.id
    );
    output.say(sentence, &value);
    if counts.invalid > 0
        && let Some(path) = &arguments.rejects
    {
        output.note(format!("The rejected rows are in {}.", path.display()));
    }
    Ok(ExitCode::SUCCESS)
}

async fn import(program: &Program, arguments: &ImportArguments, output: &Output) -> Result<Import, Failure> {
    let app = &program.app;
    let tenant = tenants::find_info(app, &arguments.tenant)
        .await?
        .ok_or_else(|| Failure::new(format!("There is no tenant {:?}.", arguments.tenant)))?;
    let actor = Actor { label: "Command line".to_owned(), ..Actor::system() };
    let caller = Caller { tenant, actor, role: Role::Admin };
    let name = arguments.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let unreadable = |cause: std::io::Error| {
        Failure::new(format!("{} cannot be read: {cause}.", arguments.file.display()))
    };
    let said = reading(arguments)?;
    let mut file = tokio::fs::File::open(&arguments.file).await.map_err(unreadable)?;
    let mut upload = imports::Upload::begin(app, &caller, &name).await?;
    let mut buffer = vec![0; 256 << 10];
    loop {
        let count = file.read(&mut buffer).await.map_err(unreadable)?;
        if count == 0 {
            break;
        }
        if let Err(error) = upload.push(&buffer[..count]).await {
            upload.discard().await?;
            return Err(error.into());
        }
    }
    let draft = upload.finish(&said).await?;
    let mapping = mapping(arguments, &draft)?;
    if let Err(error) = imports::start(app, &caller, draft.id, &mapping, arguments.dry_run).await {
        imports::discard(app, &caller, draft.id).await?;
        return Err(error.into());
    }
    loop {
        // A running server may have been faster; then it is only watched.
        imports::jobs::work(app, caller.tenant.id, draft.id).await?;
        let import = imports::get(app, &caller, draft.id).await?;
        if !import.is_under_way() {
            if let Some(path) = &arguments.rejects {
                write_rejects(program, &caller, &import, path).await?;
            }
            return Ok(import);
        }
        output.note(format!("{} rows so far …", import.row_count));
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// How the file is read, as far as it was said.
fn reading(arguments: &ImportArguments) -> Result<Reading, Failure> {
    let mut said = Reading::default();
    let flags = [&arguments.encoding, &arguments.delimiter, &arguments.header, &arguments.sheet];
    for (name, written) in Reading::NAMES.into_iter().zip(flags) {
        if let Some(written) = written {
            said.set(name, written).map_err(|error| Failure::new(format!("--{}", error.problem().detail)))?;
        }
    }
    Ok(said)
}

/// From a file, from `--map`, or guessed; the other options on top.
fn mapping(arguments: &ImportArguments, draft: &Import) -> Result<Mapping, Failure> {
    let mut mapping = match &arguments.mapping {
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|cause| Failure::new(format!("{} cannot be read: {cause}.", path.display())))?;
            serde_json::from_str(&text)
                .map_err(|cause| Failure::new(format!("{} is no mapping: {cause}.", path.display())))?
        }
        None => draft.mapping()?,
    };
    if !arguments.map.is_empty() {
        let mut columns = BTreeMap::new();
        for pair in &arguments.map {
            let (heading, field) = pair
                .rsplit_once('=')
                .ok_or_else(|| Failure::new(format!("{pair:?} is not like \"Mobile=phone\".")))?;
            columns.insert(heading.trim().to_owned(), Some(field.trim().to_owned()));
        }
        mapping.columns = columns;
    }
    mapping.labels.extend(arguments.label.iter().cloned());
    if arguments.skip_existing {
        mapping.on_match = OnMatch::Skip;
    }
    Ok(mapping)
}

async fn write_rejects(
    program: &Program,
    caller: &Caller,
    import: &Import,
    path: &PathBuf,
) -> Result<(), Failure> {
    let unwritable =
        |cause: std::io::Error| Failure::new(format!("{} cannot be written: {cause}.", path.display()));
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).map_err(unwritable)?);
    let mut after = 0;
    use std::io::Write;
    file.write_all(imports::reject_head(import).as_bytes()).map_err(unwritable)?;
    loop {
        let rows = imports::rejects(&program.app, caller.tenant.id, import.id, after).await?;
        let Some((last, ..)) = rows.last() else { break };
        after = *last;
        file.write_all(imports::reject_lines(import, rows).as_bytes()).map_err(unwritable)?;
    }
    file.flush().map_err(unwritable)
}
