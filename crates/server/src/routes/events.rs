//! `GET /api/v1/events`

use axum::response::Response;
use netwatch_api::event::{Events, EventsQuery};

use crate::app::App;
use crate::fault::Fault;
use crate::page::Pager;
use crate::params::{self, Params};

/// What happened, newest first
#[utoipa::path(
    get, path = "/api/v1/events", operation_id = "list_events", tag = "system", params(EventsQuery),
    responses((status = 200, description = "A page of events", body = Events))
)]
pub(super) async fn list(app: App, Params(query): Params<EventsQuery>) -> Result<Response, Fault> {
    let limit = params::limit(query.limit, 50, 500)?;
    // Numbers begin anew with each run of the server.
    let pager = Pager::new("events", &app.started().millis())?;
    let before = pager.after(query.cursor.as_deref())?;
    app.answer(move |store| {
        let page = store.events(limit.saturating_add(1), before);
        let page = pager.page(page.items, limit, |event| event.id)?;
        Ok(Events { items: page.items, next_cursor: page.next_cursor })
    })
    .await
}
