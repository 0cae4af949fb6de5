//! `GET /api/v1/statistics`

use axum::response::Response;
use netwatch_api::statistics::Statistics;

use crate::app::App;
use crate::fault::Fault;
use crate::params::Params;
use crate::routes::NoParams;

/// How the system itself is doing
#[utoipa::path(
    get, path = "/api/v1/statistics", operation_id = "get_statistics", tag = "system",
    responses((status = 200, description = "Counters of each stage of the way of the data", body = Statistics))
)]
pub(super) async fn show(app: App, _: Params<NoParams>) -> Result<Response, Fault> {
    let (asked, now) = (app.clone(), app.data_now());
    app.answer(move |store| Ok(asked.statistics_of(store, now))).await
}
