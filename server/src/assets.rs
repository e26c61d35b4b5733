//! Style, icon, script and WebAssembly: made once by `bundle`, embedded in the program, kept by browsers for ever.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::body::Body;
use axum::extract::Path;
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../target/site"]
#[allow_missing = true]
struct Files;

/// From the name in the source to the address with its hash.
static MANIFEST: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    Files::get("manifest.json").and_then(|file| serde_json::from_slice(&file.data).ok()).unwrap_or_default()
});

pub(crate) fn address(name: &str) -> Option<String> {
    MANIFEST.get(name).cloned()
}

/// `GET /assets/{name}`: the best copy that the browser takes.
pub(crate) async fn serve(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let is_known = MANIFEST.values().any(|address| address.rsplit('/').next() == Some(&name));
    if !is_known {
        return StatusCode::NOT_FOUND.into_response();
    }
    let accepted = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let takes = |coding: &str| {
        accepted.split(',').any(|item| {
            let mut parts = item.split(';').map(str::trim);
            parts.next() == Some(coding) && parts.next() != Some("q=0")
        })
    };
    let coding = [("br", ".br"), ("gzip", ".gz")].into_iter().find(|(coding, _)| takes(coding));
    let Some(file) = Files::get(&format!("{name}{}", coding.map_or("", |(_, suffix)| suffix))) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut response = Response::new(Body::from(file.data));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, content_type(&name).parse().expect("a header value"));
    headers.insert(CACHE_CONTROL, "public, max-age=31536000, immutable".parse().expect("a header value"));
    headers.insert(VARY, "accept-encoding".parse().expect("a header value"));
    if let Some((coding, _)) = coding {
        headers.insert(CONTENT_ENCODING, coding.parse().expect("a header value"));
    }
    response
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml; charset=utf-8",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    }
}
