//! `/livez`, `/readyz` and `/metrics`

use axum::Json;
use axum::extract::State as Extract;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use netwatch_api::statistics::{Health, HealthReason};
use netwatch_telemetry::health::State;
use netwatch_telemetry::metrics::CONTENT_TYPE;

use crate::app::App;
use crate::fault::Fault;

/// Whether the process runs
#[utoipa::path(
    get, path = "/livez", operation_id = "get_liveness", tag = "system",
    responses((status = 200, description = "It runs", body = Health))
)]
pub(super) async fn livez() -> Json<Health> {
    Json(Health { status: "ok".to_owned(), reasons: Vec::new() })
}

/// Whether it does its work
///
/// Says which component does not and why. The status is 503 while a component without which nothing works starts or has failed.
#[utoipa::path(
    get, path = "/readyz", operation_id = "get_readiness", tag = "system",
    responses((status = 200, description = "It works, perhaps with less", body = Health),
              (status = 503, description = "A required component starts or has failed", body = Health))
)]
pub(super) async fn readyz(Extract(app): Extract<App>) -> Response {
    let report = app.health();
    let status = if report.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let not_ok = report.components.iter().filter(|c| c.state != State::Ok);
    let reasons = not_ok.map(|c| HealthReason {
        component: c.name.to_owned(),
        status: c.state.word().to_owned(),
        reason: c.state.reason().unwrap_or("has not said anything yet").to_owned(),
    });
    (status, Json(Health { status: report.worst().to_owned(), reasons: reasons.collect() })).into_response()
}

/// Own metrics
///
/// OpenMetrics text, as Prometheus reads it. Programs send the token, as everywhere.
#[utoipa::path(
    get, path = "/metrics", operation_id = "get_metrics", tag = "system",
    responses((status = 200, description = "Metrics", body = String, content_type = "application/openmetrics-text"))
)]
pub(super) async fn metrics(Extract(app): Extract<App>) -> Result<Response, Fault> {
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], app.metrics_text().await?).into_response())
}
