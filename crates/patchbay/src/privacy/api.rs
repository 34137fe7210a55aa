use std::sync::Arc;

use axum::{Json, extract::State};
use uuid::Uuid;

use super::Erased;
use crate::{app::App, auth::Caller, error::Result, web::extract::Path};

/// Erases everything that tells who the contact was and what was said. It cannot be undone. The address stays with its
/// consent record, refused, and the sums of quotes stay as business records.
#[utoipa::path(post, path = "/api/contacts/{id}/erase", tag = "Contacts", params(("id" = Uuid, Path)),
    responses((status = 200, body = Erased), (status = 404), (status = 409, description = "A message to them is on its way")))]
pub(super) async fn erase(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Json<Erased>> {
    Ok(Json(super::erase(&app, &caller, id).await?))
}

#[derive(utoipa::OpenApi)]
#[openapi(paths(erase), components(schemas(Erased)))]
pub struct Doc;
