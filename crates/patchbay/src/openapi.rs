//! The API's description: OpenAPI 3.1 for programs, a page of our own for people. Each feature describes itself in its
//! `api.rs` (`Doc`); this file puts the parts together.

mod page;
#[cfg(test)]
mod snapshot;

use std::sync::LazyLock;

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use utoipa::{
    OpenApi,
    openapi::{
        Content, Ref, RefOr, ResponseBuilder,
        path::Operation,
        security::{Http, HttpAuthScheme, SecurityScheme},
    },
};

use crate::{
    error::{Problem, Result},
    web::{
        pages,
        routes::{Access, Routes},
    },
};

const DESCRIPTION: &str = "\
Send `Authorization: Bearer pb_…` with a key from Settings → API keys. A key of scope `full` may do everything here, \
`read` may read, `ingest` may only hand in leads and quotes.

Lists answer `{data, next_cursor}` and take `?limit=` (1 to 200) and `?cursor=`. A POST with an `Idempotency-Key` is \
done once: the same key with the same body is answered as before for 24 hours, with another body it is refused. In a \
PATCH an absent field stays as it is and `null` clears it. Errors are problem details (RFC 9457) with the messages \
per field in `errors`. Unknown fields are ignored. Money is in cents, instants are RFC 3339 in UTC, phone numbers \
are E.164.";

#[derive(OpenApi)]
#[openapi(info(title = "Patchbay", license(name = "Apache-2.0", identifier = "Apache-2.0")), components(schemas(Problem)), security(("key" = [])))]
struct Base;

static DOCUMENT: LazyLock<utoipa::openapi::OpenApi> = LazyLock::new(|| {
    let mut document = Base::openapi();
    document.info.version = env!("CARGO_PKG_VERSION").to_owned();
    document.info.description = Some(DESCRIPTION.to_owned());
    for part in parts() {
        document.merge(part);
    }
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete];
        operations.into_iter().flatten().for_each(describe_errors);
    }
    let key = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    document.components.get_or_insert_default().security_schemes.insert("key".to_owned(), key.into());
    document
});

/// What each feature says of itself, in the order of the page.
fn parts() -> Vec<utoipa::openapi::OpenApi> {
    Vec::from([
        crate::contacts::Doc::openapi(),
        crate::segments::Doc::openapi(),
        crate::imports::Doc::openapi(),
        crate::privacy::Doc::openapi(),
        crate::ingest::Doc::openapi(),
        crate::messaging::Doc::openapi(),
        crate::messaging::ConversationsDoc::openapi(),
        crate::campaigns::Doc::openapi(),
        crate::quotes::Doc::openapi(),
        crate::notifications::Doc::openapi(),
        crate::templates::Doc::openapi(),
        crate::consent::Doc::openapi(),
        crate::reports::Doc::openapi(),
        crate::tenants::api::Doc::openapi(),
        crate::auth::Doc::openapi(),
        crate::audit::Doc::openapi(),
        crate::parked::Doc::openapi(),
        crate::workers::Doc::openapi(),
        crate::providers::Doc::openapi(),
        crate::health::Doc::openapi(),
        crate::realtime::Doc::openapi(),
    ])
}

/// Whatever goes wrong anywhere is told as problem details; operations name only what is their own.
fn describe_errors(operation: &mut Operation) {
    let problem = |description: &str| {
        let content = Content::new(Some(Ref::from_schema_name("Problem")));
        ResponseBuilder::new().description(description).content("application/problem+json", content).build()
    };
    for (status, response) in &mut operation.responses.responses {
        if status.starts_with('4')
            && let RefOr::T(response) = response
        {
            *response = problem(&response.description);
        }
    }
    let other = problem("Anything else that is wrong, told as problem details.");
    operation.responses.responses.entry("default".to_owned()).or_insert(other.into());
}

static JSON: LazyLock<String> = LazyLock::new(|| DOCUMENT.to_json().expect("the document is plain data"));

/// The whole description.
pub fn document() -> &'static utoipa::openapi::OpenApi {
    &DOCUMENT
}

/// The routes of this feature.
pub fn routes(routes: Routes) -> Routes {
    routes.get("/api/openapi.json", Access::Public, json).get("/api/docs", Access::Public, docs)
}

async fn json() -> Response {
    (
        [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "public, max-age=300")],
        JSON.as_str(),
    )
        .into_response()
}

async fn docs() -> Result<Response> {
    pages::html(&page::page())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn no_two_schemas_share_a_name() {
        let mut known = HashMap::new();
        for (name, schema) in
            parts().into_iter().filter_map(|part| part.components).flat_map(|all| all.schemas)
        {
            let schema = serde_json::to_value(schema).expect("plain data");
            let former = known.entry(name.clone()).or_insert_with(|| schema.clone());
            assert_eq!(*former, schema, "{name} means two things; name one of them with #[schema(as = …)]");
        }
    }

    #[test]
    fn every_operation_says_how_errors_look() {
        let document = serde_json::to_value(document()).expect("plain data");
        for (path, item) in document["paths"].as_object().expect("paths") {
            for (method, operation) in item.as_object().expect("operations") {
                let told = &operation["responses"]["default"]["content"]["application/problem+json"];
                assert!(told.is_object(), "{method} {path}");
            }
        }
    }
}
