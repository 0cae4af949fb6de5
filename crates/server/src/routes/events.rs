//! `GET /api/v1/events`

use axum::extract::State;
use axum::response::Response;
use netwatch_api::ProblemCode;
use netwatch_api::event::{Events, EventsQuery};

use crate::app::App;
use crate::fault::Fault;
use crate::params::{self, Params};

/// What happened, newest first
#[utoipa::path(
    get, path = "/api/v1/events", operation_id = "list_events", tag = "system", params(EventsQuery),
    responses((status = 200, description = "A page of events", body = Events))
)]
pub(super) async fn list(State(app): State<App>, Params(query): Params<EventsQuery>) -> Result<Response, Fault> {
    let limit = params::limit(query.limit, 50, 500)?;
    let before = query.cursor.as_deref().map(read_cursor).transpose()?;
    app.answer(move |store| Ok(store.events(limit, before))).await
}

/// The cursor of a page is the number of its oldest event.
fn read_cursor(text: &str) -> Result<u64, Fault> {
    let wrong = |_| {
        let detail = "the cursor is not one of ours: take `next_cursor` of the page before, or leave it out";
        netwatch_api::Problem::new(ProblemCode::InvalidCursor, detail).parameter("cursor")
    };
    Ok(text.parse().map_err(wrong)?)
}
