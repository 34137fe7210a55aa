//! The pages of imports: bring a file, say what its columns are, see what would happen, let it happen.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    extract::{DefaultBodyLimit, Multipart, State},
    handler::Handler,
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    Import, Mapping, api, form,
    show::{Look, state},
    view::{ImportRow, ShowPage, StartPage},
    words,
};
use crate::{
    app::App,
    auth::{Caller, Role, Session},
    contacts::custom_fields,
    error::{Error, Result},
    web::{
        extract::{Form, Path, Query},
        layout::Place,
        moments::moment,
        notice,
        pages::{html, html_with},
        paging::PageQuery,
        parts::Pager,
        routes::{Access, Routes},
        shell::shell,
    },
};

const START: &str = "/contacts/import";

pub(super) fn routes(routes: Routes) -> Routes {
    let (working, launching) = (Access::Page(Role::Member), Access::Page(Role::Admin));
    routes
        .get("/contacts/import", working, start)
        // The operation counts what arrives and stops at the configured size.
        .post("/contacts/import", working, upload.layer(DefaultBodyLimit::disable()))
        .get("/contacts/import/{id}", working, page)
        .get("/contacts/import/{id}/state", working, fragment)
        .get("/contacts/import/{id}/rejects", working, rejects)
        .post("/contacts/import/{id}/format", working, read_again)
        .post("/contacts/import/{id}/check", working, check)
        .post("/contacts/import/{id}/discard", working, discard)
        .post("/contacts/import/{id}/run", launching, run)
        .post("/contacts/import/{id}/undo", launching, undo)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StartQuery {
    cursor: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ShowQuery {
    step: String,
}

async fn start(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Query(query): Query<StartQuery>,
) -> Result<Response> {
    html(&start_page(&app, &session, &caller, query.cursor, String::new()).await?)
}

async fn start_page(
    app: &Arc<App>,
    session: &Session,
    caller: &Caller,
    cursor: Option<String>,
    error: String,
) -> Result<StartPage> {
    let found = super::list(app, caller, &PageQuery { limit: Some(20), cursor: cursor.clone() }).await?;
    let (now, zone) = (app.now(), caller.tenant.timezone);
    let row = |import: &Import| ImportRow {
        href: format!("{START}/{}", import.id),
        name: import.file_name.clone(),
        tag: words::tag(import),
        outcome: words::outcome(import),
        by: import.created_by.clone(),
        at: moment(import.created_at, now, zone),
    };
    Ok(StartPage {
        shell: shell(app, session, Place::Contacts, "Import").await?,
        error,
        most: words::size(app.config.import_max_bytes),
        live_src: START.to_owned(),
        rows: found.data.iter().map(row).collect(),
        pager: Pager {
            previous: cursor.is_some().then(|| START.to_owned()),
            next: found.next_cursor.map(|cursor| format!("{START}?cursor={cursor}")),
            note: String::new(),
        },
    })
}

async fn upload(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    multipart: Result<Multipart, axum::extract::multipart::MultipartRejection>,
) -> Result<Response> {
    let multipart = multipart.map_err(|_| Error::MediaType("multipart/form-data"))?;
    let taken = async {
        let parts = api::read_parts(&app, &caller, multipart).await?;
        let upload = parts.upload.ok_or_else(|| Error::field("file", "Choose a file first."))?;
        upload.finish(&parts.said).await
    };
    match taken.await {
        Ok(import) => Ok(notice::see_other(&format!("{START}/{}", import.id))),
        Err(Error::Invalid(fields)) => {
            let words = fields.into_values().collect::<Vec<_>>().join(" ");
            html_with(
                StatusCode::UNPROCESSABLE_ENTITY,
                &start_page(&app, &session, &caller, None, words).await?,
            )
        }
        Err(error) => Err(error),
    }
}

/// What a page about one import is drawn from.
async fn look(app: &App, caller: &Caller, import: Import, step: &str) -> Result<Look> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let fields = custom_fields::list(&mut tx).await?;
    Ok(Look {
        mapping: import.mapping()?,
        format: import.format()?,
        preview: import.preview(),
        columns_asked: step == "columns",
        can_launch: caller.role >= Role::Admin,
        fields,
        import,
        typed: BTreeMap::new(),
        errors: BTreeMap::new(),
    })
}

async fn page(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Path(id): Path<Uuid>,
    Query(query): Query<ShowQuery>,
) -> Result<Response> {
    let import = super::get(&app, &caller, id).await?;
    let look = look(&app, &caller, import, &query.step).await?;
    show(&app, &session, &look, StatusCode::OK).await
}

async fn show(app: &Arc<App>, session: &Session, look: &Look, status: StatusCode) -> Result<Response> {
    let shell = shell(app, session, Place::Contacts, &look.import.file_name).await?;
    let page = ShowPage {
        name: look.import.file_name.clone(),
        about: words::about(&look.import, &look.format),
        state: state(look, &shell.csrf),
        shell,
    };
    html_with(status, &page)
}

async fn fragment(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let import = super::get(&app, &caller, id).await?;
    html(&state(&look(&app, &caller, import, "").await?, &session.csrf))
}

async fn read_again(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Form(typed): Form<BTreeMap<String, String>>,
) -> Result<Response> {
    let import = super::get(&app, &caller, id).await?;
    let format = form::format(&typed, import.format()?);
    super::read_as(&app, &caller, id, format).await?;
    Ok(notice::see_other(&format!("{START}/{id}")))
}

async fn check(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Path(id): Path<Uuid>,
    Form(typed): Form<BTreeMap<String, String>>,
) -> Result<Response> {
    let import = super::get(&app, &caller, id).await?;
    let begun = match form::mapping(&typed, &import.headings()) {
        Ok(mapping) => {
            super::start(&app, &caller, id, &mapping, true).await.map(drop).map_err(|e| (e, mapping))
        }
        Err(wrong) => {
            let (errors, mapping) = *wrong;
            Err((Error::Invalid(errors), mapping))
        }
    };
    match begun {
        Ok(()) => Ok(notice::see_other(&format!("{START}/{id}"))),
        Err((Error::Invalid(errors), mapping)) => {
            let look = Look {
                mapping,
                typed,
                errors,
                columns_asked: true,
                ..look(&app, &caller, import, "").await?
            };
            show(&app, &session, &look, StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err((error, _)) => Err(error),
    }
}

async fn run(State(app): State<Arc<App>>, caller: Caller, Path(id): Path<Uuid>) -> Result<Response> {
    let import = super::get(&app, &caller, id).await?;
    if !import.dry_run || import.status != "finished" {
        return Err(Error::conflict("Check the file first."));
    }
    let mapping: Mapping = import.mapping()?;
    super::start(&app, &caller, id, &mapping, false).await?;
    Ok(notice::see_other(&format!("{START}/{id}")))
}

async fn undo(State(app): State<Arc<App>>, caller: Caller, Path(id): Path<Uuid>) -> Result<Response> {
    super::undo(&app, &caller, id).await?;
    Ok(notice::see_other(&format!("{START}/{id}")))
}

async fn discard(State(app): State<Arc<App>>, caller: Caller, Path(id): Path<Uuid>) -> Result<Response> {
    super::discard(&app, &caller, id).await?;
    Ok(notice::redirect(&app, START, "The file is gone. Nothing was imported from it."))
}

async fn rejects(State(app): State<Arc<App>>, caller: Caller, Path(id): Path<Uuid>) -> Result<Response> {
    api::reject_file(&app, &caller, id).await
}
