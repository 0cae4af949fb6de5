//! `GET /api/v1/history/flows` and `GET /api/v1/history/events`

use std::time::Duration;

use axum::Extension;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use netwatch_api::history::list::{HistoryEvents, HistoryEventsQuery, HistoryFlows, HistoryFlowsQuery};
use netwatch_model::filter::Glob;
use netwatch_model::{EventKind, Severity, Timestamp};
use netwatch_storage::{Cursor, EventQuery, FlowQuery, Span};
use serde::de::DeserializeOwned;

use crate::access::Identity;
use crate::app::App;
use crate::csv::{self, Csv};
use crate::fault::Fault;
use crate::history::{convert, json, workspace};
use crate::page::Pager;
use crate::params::{self, Params};

const DAY: Duration = Duration::from_secs(86_400);
/// Longest text that events are searched for.
const MAX_TEXT: usize = 255;

/// A cursor as it is written: time, day, row, generation; and the ends of the range, which may have been relative.
type Written = (i64, i32, i64, u32, i64, i64);

/// Stored flow records, the last ended first
///
/// A long conversation is stored in slices, each a row of its own.
#[utoipa::path(
    get, path = "/api/v1/history/flows", operation_id = "list_history_flows", tag = "history", params(HistoryFlowsQuery),
    responses((status = 200, description = "A page of records",
               content((HistoryFlows = "application/json"), (String = "text/csv"))))
)]
pub(super) async fn flows(
    app: App,
    Extension(identity): Extension<Identity>,
    uri: Uri,
    headers: HeaderMap,
    Params(query): Params<HistoryFlowsQuery>,
) -> Result<Response, Fault> {
    let csv = csv::wanted(query.format, &headers);
    let (now, workspace) = (app.now(), workspace(&app, &identity));
    let pager = Pager::new("history flows", &(workspace, &query.from, &query.to, &query.filter))?;
    let range = params::range(query.from.as_deref(), query.to.as_deref(), now, now - DAY)?;
    let (span, after) = place(&pager, query.cursor.as_deref(), Span { from: range.from, to: range.to })?;
    let question = FlowQuery {
        span,
        filter: params::filter(query.filter.as_deref())?,
        limit: params::limit(query.limit, 50, 500)?,
        after,
    };
    let page = app.ask_history(move |store, budget| store.flows(workspace, &question, budget)).await?;
    let next_cursor = page.next.map(|c| written(&pager, c, span)).transpose()?;
    let answer = HistoryFlows { items: page.flows.iter().map(convert::flow).collect(), next_cursor };
    if csv {
        return Ok(Csv::history_flows(&answer).next_page(&uri, answer.next_cursor.as_deref()).into_response());
    }
    json(&answer)
}

/// Stored events, the newest first
#[utoipa::path(
    get, path = "/api/v1/history/events", operation_id = "list_history_events", tag = "history", params(HistoryEventsQuery),
    responses((status = 200, description = "A page of events", body = HistoryEvents))
)]
pub(super) async fn events(
    app: App,
    Extension(identity): Extension<Identity>,
    Params(query): Params<HistoryEventsQuery>,
) -> Result<Response, Fault> {
    let (now, workspace) = (app.now(), workspace(&app, &identity));
    let chosen = (&query.from, &query.to, &query.kinds, &query.severity, &query.subject, &query.text);
    let pager = Pager::new("history events", &(workspace, chosen))?;
    let range = params::range(query.from.as_deref(), query.to.as_deref(), now, now - 7 * DAY)?;
    let (span, after) = place(&pager, query.cursor.as_deref(), Span { from: range.from, to: range.to })?;
    let words = query.kinds.as_deref().unwrap_or("").split(',').map(str::trim).filter(|w| !w.is_empty());
    let long = |name| Fault::parameter(name, format!("`{name}` has more than {MAX_TEXT} bytes"));
    let question = EventQuery {
        span,
        kinds: words.map(|w| word::<EventKind>("kinds", w)).collect::<Result<_, _>>()?,
        severity: query.severity.as_deref().map(|w| word::<Severity>("severity", w)).transpose()?,
        subject: query.subject.as_deref().map(|t| Glob::new(t).ok_or_else(|| long("subject"))).transpose()?,
        text: query.text.map(|t| if t.len() > MAX_TEXT { Err(long("text")) } else { Ok(t) }).transpose()?,
        limit: params::limit(query.limit, 50, 500)?,
        after,
    };
    let page = app.ask_history(move |store, budget| store.events(workspace, &question, budget)).await?;
    let next_cursor = page.next.map(|c| written(&pager, c, span)).transpose()?;
    json(&HistoryEvents { items: page.events.iter().map(convert::event).collect(), next_cursor })
}

/// A word of an enumeration.
fn word<T: DeserializeOwned>(parameter: &str, word: &str) -> Result<T, Fault> {
    serde_json::from_value(serde_json::Value::String(word.to_owned()))
        .map_err(|e| Fault::parameter(parameter, format!("`{parameter}` has a wrong value: {e}")))
}

/// Where a page begins. The range is that of the first page, so that `now` does not move between pages.
pub(in crate::routes) fn place(
    pager: &Pager,
    cursor: Option<&str>,
    span: Span,
) -> Result<(Span, Option<Cursor>), Fault> {
    let Some((time, day, row, generation, from, to)) = pager.after::<Written>(cursor)? else { return Ok((span, None)) };
    let span = Span { from: Timestamp::from_nanos(from), to: Timestamp::from_nanos(to) };
    Ok((span, Some(Cursor { time, day, row, generation })))
}

/// The cursor of the next page.
pub(in crate::routes) fn written(pager: &Pager, c: Cursor, span: Span) -> Result<String, Fault> {
    pager.write(&(c.time, c.day, c.row, c.generation, span.from.nanos(), span.to.nanos()))
}
