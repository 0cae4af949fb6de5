//! `GET /api/v1/openapi.json`

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::etag::{ETag, Preconditions};
use crate::params::Params;
use crate::routes::NoParams;

/// This document
#[utoipa::path(
    get, path = "/api/v1/openapi.json", operation_id = "get_openapi", tag = "system",
    responses((status = 200, description = "OpenAPI 3.1", body = Object, content_type = "application/json"),
              (status = 304, description = "The one that `If-None-Match` names"))
)]
pub(super) async fn show(app: App, asked: Preconditions, _: Params<NoParams>) -> Response {
    let document = app.document().clone();
    let tag = ETag::of_bytes(&document);
    if asked.has(&tag) {
        return (StatusCode::NOT_MODIFIED, tag.header()).into_response();
    }
    (tag.header(), [(header::CONTENT_TYPE, "application/json")], document).into_response()
}
