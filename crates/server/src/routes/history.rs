//! The telemetry store: the flow explorer, series, lists over days, and the room that everything takes.

mod explore;
pub(super) mod lists;
mod series;

use axum::response::Response;
use netwatch_api::history::storage::Storage;
use netwatch_model::people::Permission::{SystemRead, TrafficRead};
use utoipa_axum::routes;

use super::NoParams;
use crate::app::App;
use crate::fault::Fault;
use crate::history::{convert, json};
use crate::params::Params;
use crate::registry::Registry;

/// Adds them.
pub(super) fn add(registry: Registry) -> Registry {
    registry
        .route(TrafficRead, routes!(explore::explore))
        .route(TrafficRead, routes!(lists::flows))
        .route(TrafficRead, routes!(lists::events))
        .route(TrafficRead, routes!(series::search))
        .route(TrafficRead, routes!(series::complete))
        .route(TrafficRead, routes!(series::chart))
        .route(SystemRead, routes!(storage))
}

/// The room that the telemetry store takes, and when the disk will be full
#[utoipa::path(
    get, path = "/api/v1/storage", operation_id = "get_storage", tag = "system",
    responses((status = 200, description = "By kind, with retention and forecast", body = Storage))
)]
async fn storage(app: App, Params(NoParams {}): Params<NoParams>) -> Result<Response, Fault> {
    let usage = app.ask_history(|store, _| Ok(store.usage(None))).await?;
    json(&convert::storage(&usage))
}
