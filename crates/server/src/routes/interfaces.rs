//! `GET /api/v1/interfaces`

use axum::Json;
use axum::extract::State;
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
pub(super) async fn list(State(app): State<App>, _: Params<NoParams>) -> Result<Json<Interfaces>, Fault> {
    let now = app.data_now();
    Ok(Json(app.ask(move |store| store.interfaces(now)).await?))
}
