//! Imports over HTTP.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, Multipart, State, multipart::MultipartError},
    handler::Handler,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use futures::{StreamExt, stream};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::{
    Counts, Import, Mapping, Upload,
    file::{Reading, yes_or_no},
    mapping::{ConsentClaim, OnMatch},
};
use crate::{
    app::App,
    auth::{Caller, Role},
    error::{Error, Result},
    web::{
        extract::{Json, Path, Query, from_json},
        paging::{Page, PageQuery},
        routes::{Access, Routes},
    },
};

#[derive(utoipa::OpenApi)]
#[openapi(
    paths(create, list, get, rejects, undo),
    components(schemas(ImportBody, Progress, Counts, Mapping, ConsentClaim, OnMatch, NewImport))
)]
pub struct Doc;

/// The routes of this feature.
pub fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/imports", Access::Api(Role::Viewer), list)
        // The operation counts what arrives and stops at the configured size.
        .post("/api/imports", Access::Api(Role::Member), create.layer(DefaultBodyLimit::disable()))
        .get("/api/imports/{id}", Access::Api(Role::Viewer), get)
        .get("/api/imports/{id}/rejects", Access::Api(Role::Viewer), rejects)
        .post("/api/imports/{id}/undo", Access::Api(Role::Admin), undo)
}

/// An import.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ImportBody {
    pub id: Uuid,
    /// `draft`, `queued`, `running`, `finished`, `failed`, `undoing` or `undone`.
    pub status: String,
    pub dry_run: bool,
    pub file_name: String,
    /// Why it failed.
    pub problem: Option<String>,
    pub counts: Counts,
    pub progress: Progress,
    /// What the dry run before it counted.
    #[schema(value_type = Option<Object>)]
    pub expected: Option<Value>,
    /// `{deleted, restored, kept}` once it is undone.
    #[schema(value_type = Option<Object>)]
    pub undo: Option<Value>,
    #[schema(value_type = Mapping)]
    pub mapping: Value,
    /// How the file is read.
    #[schema(value_type = Object)]
    pub format: Value,
    pub created_by: String,
    pub created_at: DateTime<Utc>,
    pub started_at: Option<DateTime<Utc>>,
    pub finished_at: Option<DateTime<Utc>>,
}

/// How far the work has come.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Progress {
    pub rows: i64,
    pub bytes: i64,
    pub bytes_total: i64,
    /// 0 to 100.
    pub percent: i64,
}

impl From<Import> for ImportBody {
    fn from(import: Import) -> Self {
        Self {
            id: import.id,
            counts: import.counts(),
            progress: Progress {
                rows: import.row_count,
                bytes: import.bytes_read,
                bytes_total: import.byte_count,
                percent: import.percent(),
            },
            status: import.status,
            dry_run: import.dry_run,
            file_name: import.file_name,
            problem: import.problem,
            expected: import.expected,
            undo: import.undo,
            mapping: import.mapping,
            format: import.format,
            created_by: import.created_by,
            created_at: import.created_at,
            started_at: import.started_at,
            finished_at: import.finished_at,
        }
    }
}

/// The parts of an upload.
#[derive(Debug, utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the body for the documentation")]
struct NewImport {
    /// CSV (any usual delimiter and encoding) or XLSX.
    #[schema(format = Binary, content_media_type = "application/octet-stream")]
    file: String,
    /// JSON; what is left out of `columns` is left out of the import. Without a mapping columns are guessed.
    mapping: Option<Mapping>,
    /// `true`: changes nothing, and counts what the import would count.
    dry_run: Option<bool>,
    /// `utf-8`, `windows-1252`, `utf-16le` or `utf-16be`; guessed when left out, like the next three.
    encoding: Option<String>,
    /// The character between the cells of a text file, or `comma`, `semicolon`, `tab` or `pipe`.
    delimiter: Option<String>,
    /// Whether the first row names the columns.
    header: Option<bool>,
    /// Which sheet of a workbook, 1 for the first.
    sheet: Option<u32>,
}

/// Uploads a file and imports it.
#[utoipa::path(post, path = "/api/imports", tag = "Imports", request_body(content = NewImport, content_type = "multipart/form-data"),
    responses((status = 202, body = ImportBody), (status = 422, description = "The file or the mapping cannot be used")))]
async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    multipart: Result<Multipart, axum::extract::multipart::MultipartRejection>,
) -> Result<(StatusCode, Json<ImportBody>)> {
    let multipart = multipart.map_err(|_| Error::MediaType("multipart/form-data"))?;
    let parts = read_parts(&app, &caller, multipart).await?;
    let Some(upload) = parts.upload else {
        return Err(Error::field("file", "Send the file in the part “file”."));
    };
    let draft = upload.finish(&parts.said).await?;
    let mapping = match parts.mapping {
        Some(mapping) => mapping,
        None => draft.mapping()?,
    };
    match super::start(&app, &caller, draft.id, &mapping, parts.dry_run).await {
        Ok(import) => Ok((StatusCode::ACCEPTED, Json(import.into()))),
        Err(error) => {
            super::discard(&app, &caller, draft.id).await?;
            Err(error)
        }
    }
}

/// What came with an upload.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) upload: Option<Upload>,
    pub(super) mapping: Option<Mapping>,
    pub(super) dry_run: bool,
    pub(super) said: Reading,
}

/// Reads a multipart body, storing the file as it comes. What is wrong with any part undoes the whole.
pub(super) async fn read_parts(app: &Arc<App>, caller: &Caller, multipart: Multipart) -> Result<Parts> {
    let mut parts = Parts::default();
    match fill(app, caller, multipart, &mut parts).await {
        Ok(()) => Ok(parts),
        Err(error) => {
            if let Some(upload) = &parts.upload {
                upload.discard().await?;
            }
            Err(error)
        }
    }
}

async fn fill(app: &Arc<App>, caller: &Caller, mut multipart: Multipart, parts: &mut Parts) -> Result<()> {
    while let Some(mut field) = multipart.next_field().await.map_err(|error| broken(&error))? {
        match field.name().unwrap_or_default() {
            "file" => {
                if parts.upload.is_some() {
                    return Err(Error::field("file", "Send one file; another one is another import."));
                }
                let name = field.file_name().unwrap_or("file").to_owned();
                let upload = parts.upload.insert(Upload::begin(app, caller, &name).await?);
                while let Some(bytes) = field.chunk().await.map_err(|error| broken(&error))? {
                    upload.push(&bytes).await?;
                }
            }
            "mapping" => parts.mapping = Some(mapping(&small(&mut field).await?)?),
            "dry_run" => {
                let said = String::from_utf8_lossy(&small(&mut field).await?).trim().to_lowercase();
                // A word that is not understood must not import for real.
                parts.dry_run =
                    yes_or_no(&said).ok_or_else(|| Error::field("dry_run", "Write true or false."))?;
            }
            // The token of the wizard's form, which was checked on the way in.
            "csrf" => {}
            other => match Reading::NAMES.into_iter().find(|name| *name == other) {
                Some(name) => parts.said.set(name, &String::from_utf8_lossy(&small(&mut field).await?))?,
                None => {
                    let name: String = other.chars().take(60).collect();
                    return Err(Error::field(
                        name,
                        "There is no such part. The parts are file, mapping, dry_run, encoding, delimiter, header and sheet.",
                    ));
                }
            },
        }
    }
    Ok(())
}

fn mapping(bytes: &[u8]) -> Result<Mapping> {
    from_json(bytes).map_err(|error| match error {
        Error::Invalid(fields) => Error::Invalid(
            fields.into_iter().map(|(name, words)| (format!("mapping.{name}").into(), words)).collect(),
        ),
        Error::BadRequest(words) => Error::field("mapping", words.replace("The body", "The mapping")),
        other => other,
    })
}

/// A part that is no file.
async fn small(field: &mut axum::extract::multipart::Field<'_>) -> Result<Vec<u8>> {
    let mut whole = Vec::new();
    while let Some(bytes) = field.chunk().await.map_err(|error| broken(&error))? {
        whole.extend_from_slice(&bytes);
        if whole.len() > 1 << 20 {
            return Err(Error::TooLarge);
        }
    }
    Ok(whole)
}

fn broken(error: &MultipartError) -> Error {
    tracing::debug!(%error, "an upload broke off");
    Error::BadRequest("The upload is incomplete or not a valid form.".into())
}

/// All imports, newest first.
#[utoipa::path(get, path = "/api/imports", tag = "Imports", params(PageQuery), responses((status = 200, body = Page<ImportBody>)))]
async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<ImportBody>>> {
    Ok(Json(super::list(&app, &caller, &page).await?.map(ImportBody::from)))
}

/// How an import is coming along.
#[utoipa::path(get, path = "/api/imports/{id}", tag = "Imports", params(("id" = Uuid, Path)), responses((status = 200, body = ImportBody), (status = 404)))]
async fn get(State(app): State<Arc<App>>, caller: Caller, Path(id): Path<Uuid>) -> Result<Json<ImportBody>> {
    Ok(Json(super::get(&app, &caller, id).await?.into()))
}

/// The rows that cannot be imported, as they were written, with the reason: CSV.
#[utoipa::path(get, path = "/api/imports/{id}/rejects", tag = "Imports", params(("id" = Uuid, Path)), responses((status = 200, content_type = "text/csv"), (status = 404)))]
async fn rejects(State(app): State<Arc<App>>, caller: Caller, Path(id): Path<Uuid>) -> Result<Response> {
    reject_file(&app, &caller, id).await
}

/// The rejected rows as a file, streamed.
pub(super) async fn reject_file(app: &Arc<App>, caller: &Caller, id: Uuid) -> Result<Response> {
    let import = super::get(app, caller, id).await?;
    let first = stream::iter([Ok::<_, Error>(Bytes::from(super::reject_head(&import)))]);
    let (app, tenant) = (app.clone(), caller.tenant.id);
    let rest = stream::unfold(Some(0), move |after| {
        let (app, import) = (app.clone(), import.clone());
        async move {
            let after = after?;
            let rows = match super::rejects(&app, tenant, id, after).await {
                Ok(rows) => rows,
                Err(error) => return Some((Err(error), None)),
            };
            let next = rows.last().map(|(number, ..)| *number)?;
            Some((Ok(Bytes::from(super::reject_lines(&import, rows))), Some(next)))
        }
    });
    let name = format!("attachment; filename=\"rejected-{id}.csv\"");
    Ok((
        [
            (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8")),
            (header::CONTENT_DISPOSITION, HeaderValue::from_str(&name).map_err(Error::internal)?),
        ],
        // A body may be asked again after its end.
        Body::from_stream(first.chain(rest).fuse()),
    )
        .into_response())
}

/// Takes an import back: what it changed is restored, what has changed since is left alone.
#[utoipa::path(post, path = "/api/imports/{id}/undo", tag = "Imports", params(("id" = Uuid, Path)),
    responses((status = 202, body = ImportBody), (status = 404), (status = 409, description = "Nothing to undo, or still under way")))]
async fn undo(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<(StatusCode, Json<ImportBody>)> {
    Ok((StatusCode::ACCEPTED, Json(super::undo(&app, &caller, id).await?.into())))
}
