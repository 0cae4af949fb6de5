//! `GET /api/v1/openapi.json`

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use crate::app::App;
use crate::params::Params;
use crate::routes::NoParams;

/// This document
#[utoipa::path(
    get, path = "/api/v1/openapi.json", operation_id = "get_openapi", tag = "system",
    responses((status = 200, description = "OpenAPI 3.1", body = Object, content_type = "application/json"))
)]
pub(super) async fn show(State(app): State<App>, _: Params<NoParams>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], app.document().clone())
}
