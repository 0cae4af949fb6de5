//! The web app: files that are part of the binary.
//!
//! Files under `/assets` have their hash in their name and are kept by browsers for ever; all others are asked for again by `ETag`. Every
//! path that is neither a file nor the API's is the web app's own, and gets its page. A build without the web app says so.

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use netwatch_api::ProblemCode;
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::fault::Fault;
use crate::gate;

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Files;

const PAGE: &str = "index.html";
const FOR_EVER: &str = "public, max-age=31536000, immutable";
const ASK_AGAIN: &str = "no-cache";

/// What is shown when the binary was built without the web app.
const NO_WEB_APP: &str = "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Netwatch</title>\n\
    <h1>Netwatch runs, but its web app is not in this build</h1>\n\
    <p>Build it with <code>make build</code>, which needs Node, and start that binary. \
    The API is at <code>/api/v1</code>, and <code>netwatch top</code> shows the same in the terminal.</p>\n</html>\n";

/// Whether the web app is in this build.
pub(crate) fn is_built() -> bool {
    Files::get(PAGE).is_some()
}

/// Answers every path that is no route.
pub(crate) async fn serve(request: Request) -> Result<Response, Fault> {
    let path = request.uri().path();
    if gate::is_api(path) {
        return Err(Fault::new(ProblemCode::NotFound, "there is no such route: `/api/v1/openapi.json` lists them all"));
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let fault = Fault::new(ProblemCode::MethodNotAllowed, "pages of the web app can only be read");
        return Err(fault.with(ALLOW, HeaderValue::from_static("GET, HEAD")));
    }
    let name = path.trim_start_matches('/');
    if let Some(file) = Files::get(name).filter(|_| !name.is_empty()) {
        return Ok(answer(name, file, request.headers()));
    }
    if name.starts_with("assets/") {
        return Err(Fault::new(ProblemCode::NotFound, "there is no such file: load the page again"));
    }
    Ok(match Files::get(PAGE) {
        Some(file) => answer(PAGE, file, request.headers()),
        None => ([(CONTENT_TYPE, "text/html; charset=utf-8"), (CACHE_CONTROL, ASK_AGAIN)], NO_WEB_APP).into_response(),
    })
}

fn answer(name: &str, file: EmbeddedFile, asked: &HeaderMap) -> Response {
    let hash: String = file.metadata.sha256_hash().iter().take(16).map(|b| format!("{b:02x}")).collect();
    let tag = format!("\"{hash}\"");
    let cache = if name.starts_with("assets/") { FOR_EVER } else { ASK_AGAIN };
    // The tag may come back weak, because the answer was compressed on its way (RFC 9110, section 13.1.2).
    let known = asked.get(IF_NONE_MATCH).and_then(|v| v.to_str().ok()).unwrap_or("");
    let headers = [(CACHE_CONTROL, cache.to_owned()), (ETAG, tag.clone()), (CONTENT_TYPE, kind(name).to_owned())];
    if known.split(',').any(|t| t.trim().trim_start_matches("W/") == tag) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, Body::from(file.data)).into_response()
}

/// The media type of the few kinds of files that a web app has.
fn kind(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, end)| end) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
