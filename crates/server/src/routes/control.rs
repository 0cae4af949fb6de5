//! `/api/v1/system/…`: steering the running server.

use axum::{Extension, Json};
use netwatch_api::control::{LogLevel, Reload};

use crate::access::Identity;
use crate::app::App;
use crate::control::{audit_filter, audit_reload};
use crate::driver::Peer;
use crate::fault::Fault;
use crate::params::{Body, Params};
use crate::routes::NoParams;

/// What is logged
#[utoipa::path(
    get, path = "/api/v1/system/log-level", operation_id = "get_log_level", tag = "system",
    responses((status = 200, description = "The filter in force", body = LogLevel))
)]
pub(super) async fn log_level(app: App, _: Params<NoParams>) -> Result<Json<LogLevel>, Fault> {
    let control = app.control()?;
    Ok(Json(LogLevel { filter: control.log_filter() }))
}

/// Log more, or less
///
/// Until the next change, reload or restart. The level can be another one for each module.
#[utoipa::path(
    put, path = "/api/v1/system/log-level", operation_id = "set_log_level", tag = "system", request_body = LogLevel,
    responses((status = 200, description = "The filter in force", body = LogLevel))
)]
pub(super) async fn set_log_level(
    app: App,
    Extension(identity): Extension<Identity>,
    Extension(Peer(peer)): Extension<Peer>,
    Body(wanted): Body<LogLevel>,
) -> Result<Json<LogLevel>, Fault> {
    let (control, with, by) = (app.control()?, app.clone(), identity.by(peer.ip()));
    let filter = app.blocking(move || {
        let before = control.log_filter();
        control.set_log_filter(&wanted.filter)?;
        let after = control.log_filter();
        tracing::info!(filter = after, "the log filter was changed");
        audit_filter(with.access(), &by, &before, &after)?;
        Ok::<_, Fault>(after)
    });
    Ok(Json(LogLevel { filter: filter.await?? }))
}

/// Read the configuration again
///
/// Files, environment and flags are read as at the start. When anything is wrong, nothing changes and the problem tells all of it. What
/// cannot change while the server runs is named, and waits for a restart.
#[utoipa::path(
    post, path = "/api/v1/system/reload", operation_id = "reload_configuration", tag = "system",
    responses((status = 200, description = "What changed", body = Reload),
              (status = 422, description = "The configuration is wrong; nothing was changed"))
)]
pub(super) async fn reload(
    app: App,
    Extension(identity): Extension<Identity>,
    Extension(Peer(peer)): Extension<Peer>,
    _: Params<NoParams>,
) -> Result<Json<Reload>, Fault> {
    let (control, with, by) = (app.control()?, app.clone(), identity.by(peer.ip()));
    let report = app.blocking(move || {
        let report = control.reload()?;
        audit_reload(with.access(), &by, &report)?;
        Ok::<_, Fault>(report)
    });
    Ok(Json(report.await??))
}
