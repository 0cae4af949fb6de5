//! `GET /api/v1/flows` and `GET /api/v1/flows/{id}`

use axum::extract::Path;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use netwatch_api::ProblemCode;
use netwatch_api::flow::{FlowDetail, FlowPage, FlowsQuery};
use netwatch_model::{FlowId, Timestamp};

use crate::app::App;
use crate::csv::{self, Csv};
use crate::fault::Fault;
use crate::params::{self, Params};
use crate::query::FlowsRequest;

/// Rows of a page unless asked otherwise, and at most.
const LIMIT: (u32, u32) = (50, 1000);

/// Flows, active and ended
///
/// Pages follow each other by `next_cursor`; they keep the order of the first page while the flows go on.
#[utoipa::path(
    get, path = "/api/v1/flows", operation_id = "list_flows", tag = "flows", params(FlowsQuery),
    responses((status = 200, description = "A page of flows", content((FlowPage = "application/json"), (String = "text/csv"))))
)]
pub(super) async fn list(
    app: App,
    uri: Uri,
    headers: HeaderMap,
    Params(query): Params<FlowsQuery>,
) -> Result<Response, Fault> {
    let csv = csv::wanted(query.format, &headers);
    let now = app.data_now();
    let request = request(query, now)?;
    if !csv {
        return app.answer(move |store| Ok(store.flows(&request, now)?)).await;
    }
    let made = app.ask(move |store| {
        store.flows(&request, now).map(|page| Csv::flows(&page).next_page(&uri, page.next_cursor.as_deref()))
    });
    Ok(made.await??.into_response())
}

/// One flow with its own chart
#[utoipa::path(
    get, path = "/api/v1/flows/{id}", operation_id = "get_flow", tag = "flows",
    params(("id" = String, Path, description = "16 hexadecimal digits")),
    responses((status = 200, description = "The flow", body = FlowDetail), (status = 404, description = "No such flow is kept"))
)]
pub(super) async fn one(app: App, Path(id): Path<String>) -> Result<Response, Fault> {
    let id = id.parse::<FlowId>().map_err(|e| Fault::parameter("id", e.to_string()))?;
    let now = app.data_now();
    let gone = move || {
        Fault::new(
            ProblemCode::NotFound,
            format!("flow {id} is not kept: flows are kept for 60 minutes after their end"),
        )
    };
    app.answer(move |store| store.flow(id, now).ok_or_else(gone)).await
}

fn request(query: FlowsQuery, now: Timestamp) -> Result<FlowsRequest, Fault> {
    Ok(FlowsRequest {
        range: params::range(query.from.as_deref(), query.to.as_deref(), now, Timestamp::ZERO)?,
        filter: params::filter(query.filter.as_deref())?,
        status: query.status.unwrap_or_default(),
        sort: query.sort.unwrap_or_default(),
        order: query.order.unwrap_or_default(),
        limit: params::limit(query.limit, LIMIT.0, LIMIT.1)?,
        cursor: query.cursor,
    })
}
