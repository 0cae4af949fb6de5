//! `GET /api/v1/reference`: the API for people to read, made of the OpenAPI document.
//!
//! One page without scripts, so that it works offline, in every browser and under the strict content security policy.

mod page;
mod schema;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::etag::{ETag, Preconditions};
use crate::fault::Fault;
use crate::params::Params;
use crate::routes::NoParams;

const STYLE: &str = include_str!("reference/style.css");

/// The API reference
///
/// The same as the OpenAPI document, as a page.
#[utoipa::path(
    get, path = "/api/v1/reference", operation_id = "get_reference", tag = "system",
    responses((status = 200, description = "A page", body = String, content_type = "text/html"),
              (status = 304, description = "The one that `If-None-Match` names"))
)]
pub(super) async fn show(app: App, asked: Preconditions, _: Params<NoParams>) -> Result<Response, Fault> {
    let tag = ETag::of_bytes(app.document());
    if asked.has(&tag) {
        return Ok((StatusCode::NOT_MODIFIED, tag.header()).into_response());
    }
    let document = app.document().clone();
    let page = app.blocking(move || page::render(&document)).await??;
    Ok((tag.header(), [(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response())
}

/// How the API reference looks
#[utoipa::path(
    get, path = "/api/v1/reference/style.css", operation_id = "get_reference_style", tag = "system",
    responses((status = 200, description = "A style sheet", body = String, content_type = "text/css"))
)]
pub(super) async fn style(_: Params<NoParams>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")], STYLE)
}
