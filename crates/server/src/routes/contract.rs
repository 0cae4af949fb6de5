//! Routes of the contract itself: what is said about it, and what programs and administrators need beside data.

use netwatch_model::people::Permission::{RecordsWrite, SystemRead, SystemWrite, TrafficRead};
use utoipa_axum::routes;

use super::{control, event_stream, ingest, openapi, reference};
use crate::registry::Need::SignedIn;
use crate::registry::Registry;

/// Adds them.
pub(super) fn add(registry: Registry) -> Registry {
    registry
        .route(SignedIn, routes!(openapi::show))
        .route(SignedIn, routes!(reference::show))
        .route(SignedIn, routes!(reference::style))
        .route(TrafficRead, routes!(event_stream::follow))
        .upload(RecordsWrite, ingest::MAX_BODY, routes!(ingest::samples))
        .upload(RecordsWrite, ingest::MAX_BODY, routes!(ingest::events))
        .route(SystemRead, routes!(control::log_level))
        .route(SystemWrite, routes!(control::set_log_level))
        .route(SystemWrite, routes!(control::reload))
}
