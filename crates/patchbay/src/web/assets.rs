//! Styles, scripts and icons, embedded by `build.rs`. Their address holds a hash of them all, so browsers may keep
//! them for good; scripts import one another by relative path, so one prefix versions them all.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{
    extract::Path,
    routes::{Access, Routes},
};
use crate::error::Error;

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// One embedded file.
pub struct Asset {
    pub path: &'static str,
    pub media: &'static str,
    pub plain: &'static [u8],
    pub brotli: &'static [u8],
}

/// The prefix under which assets never change.
pub fn prefix() -> String {
    format!("/assets/{VERSION}")
}

/// The routes of the embedded files.
pub fn routes(routes: Routes) -> Routes {
    routes.get("/assets/{*path}", Access::Public, serve).get("/favicon.ico", Access::Public, favicon)
}

async fn serve(Path(path): Path<String>, headers: HeaderMap) -> Response {
    // A page that was loaded before an update may ask by the old version: it gets the present file.
    let (version, name) = match path.split_once('/') {
        Some((version, rest))
            if version.len() == VERSION.len() && version.bytes().all(|b| b.is_ascii_hexdigit()) =>
        {
            (Some(version), rest)
        }
        _ => (None, path.as_str()),
    };
    match ASSETS.iter().find(|asset| asset.path == name) {
        Some(asset) => answer(asset, version == Some(VERSION), &headers),
        None => Error::NotFound("file").into_response(),
    }
}

async fn favicon(headers: HeaderMap) -> Response {
    match ASSETS.iter().find(|asset| asset.path == "logo.svg") {
        Some(asset) => answer(asset, false, &headers),
        None => Error::NotFound("file").into_response(),
    }
}

fn answer(asset: &'static Asset, for_good: bool, headers: &HeaderMap) -> Response {
    let tag = HeaderValue::from_static(tag_text());
    let keep = if for_good { "public, max-age=31536000, immutable" } else { "public, max-age=300" };
    let accepts = |name: header::HeaderName, wanted: &str| {
        headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .any(|value| value.contains(wanted))
    };
    let mut response = if headers.get(header::IF_NONE_MATCH) == Some(&tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else if accepts(header::ACCEPT_ENCODING, "br") {
        ([(header::CONTENT_ENCODING, "br")], Body::from(asset.brotli)).into_response()
    } else {
        Body::from(asset.plain).into_response()
    };
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.media));
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    out.insert(header::ETAG, tag);
    response
}

/// All files share one version, so they share one tag. Weak, because the encodings differ.
fn tag_text() -> &'static str {
    static TAG: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| format!("W/\"{VERSION}\""));
    TAG.as_str()
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, http::Request};

    use super::*;
    use crate::tests::TestApp;

    #[tokio::test]
    async fn files_are_kept_by_version_and_compressed() {
        let test = TestApp::new().await;
        let get = |path: String, encoding: &'static str| {
            test.request(Request::get(path).header("accept-encoding", encoding).body(Body::empty()).unwrap())
        };
        let sheet = get(format!("{}/app.css", prefix()), "gzip, br").await.expect(200);
        assert_eq!(sheet.headers["content-encoding"], "br");
        assert!(sheet.headers["cache-control"].to_str().unwrap().contains("immutable"));
        let plain = get("/assets/app.css".to_owned(), "identity").await.expect(200);
        assert!(plain.text.contains("@layer") && !plain.text.contains("/*"));
        assert_eq!(plain.headers["cache-control"], "public, max-age=300");
        get("/assets/0123456789abcdef/app.css".to_owned(), "br").await.expect(200);
        get("/assets/../Cargo.toml".to_owned(), "br").await.expect(404);
        let icons = get("/assets/icons.svg".to_owned(), "identity").await.expect(200);
        assert!(icons.text.contains(r#"<symbol id="inbox""#));
    }
}
