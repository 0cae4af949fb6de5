//! `GET /api/v1/interfaces`

use axum::response::Response;
use netwatch_api::interface::Interfaces;

use crate::app::App;
use crate::fault::Fault;
use crate::params::Params;
use crate::routes::NoParams;

/// What is captured
#[utoipa::path(
    get, path = "/api/v1/interfaces", operation_id = "list_interfaces", tag = "traffic",
    responses((status = 200, description = "Interfaces and capture files", body = Interfaces))
)]
pub(super) async fn list(app: App, _: Params<NoParams>) -> Result<Response, Fault> {
    let now = app.data_now();
    app.answer(move |store| Ok(store.interfaces(now))).await
}
