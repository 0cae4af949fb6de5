//! `GET /api/v1/history/series`, `/series/complete` and `/chart`

use std::time::Duration;

use axum::Extension;
use axum::response::Response;
use netwatch_api::history::series::{
    ChartQuery, CompletionKind, CompletionQuery, SeriesAggregate, SeriesChart, SeriesCompletion, SeriesList,
    SeriesSearchQuery,
};
use netwatch_model::filter::Glob;
use netwatch_model::people::WorkspaceId;
use netwatch_storage::{LabelMatch, SeriesQuery, SeriesSearch, Span, StoreError, TelemetryStore, Wanted};

use crate::access::Identity;
use crate::app::App;
use crate::fault::Fault;
use crate::history::{convert, json, workspace};
use crate::page::Pager;
use crate::params::{self, Params};

/// Longest step: 31 days.
pub(super) const MAX_STEP: u32 = 2_678_400;
/// Steps unless asked otherwise.
const STEPS: u64 = 300;
/// Lengths that steps have unless asked otherwise, in seconds.
const LENGTHS: [u32; 14] = [1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 21_600, 43_200, 86_400, 604_800];
/// Labels of one question.
const MAX_LABELS: usize = 16;

/// A length of which at most [`STEPS`] fit into the range.
pub(super) fn default_step(span: Span) -> u32 {
    let seconds = span.to.since(span.from).as_secs();
    LENGTHS.into_iter().find(|length| seconds <= STEPS * u64::from(*length)).unwrap_or(MAX_STEP)
}

/// Which series there are
#[utoipa::path(
    get, path = "/api/v1/history/series", operation_id = "list_series", tag = "history", params(SeriesSearchQuery),
    responses((status = 200, description = "A page of series", body = SeriesList))
)]
pub(super) async fn search(
    app: App,
    Extension(identity): Extension<Identity>,
    Params(query): Params<SeriesSearchQuery>,
) -> Result<Response, Fault> {
    let workspace = workspace(&app, &identity);
    let pager = Pager::new("series", &(workspace, &query.metric, &query.labels))?;
    let search = SeriesSearch {
        metric: query.metric,
        agent: None,
        labels: labels(query.labels.as_deref())?,
        limit: params::limit(query.limit, 50, 500)?,
        after: pager.after(query.cursor.as_deref())?,
    };
    let page = app.ask_history(move |store, _| store.search(workspace, &search)).await?;
    let items = page.series.iter().map(|(number, key)| convert::series(*number, key)).collect();
    let next_cursor = page.next.map(|number| pager.write(&number)).transpose()?;
    json(&SeriesList { items, next_cursor })
}

/// What the beginning of a metric, label or value can become
#[utoipa::path(
    get, path = "/api/v1/history/series/complete", operation_id = "complete_series", tag = "history", params(CompletionQuery),
    responses((status = 200, description = "In alphabetical order", body = SeriesCompletion))
)]
pub(super) async fn complete(
    app: App,
    Extension(identity): Extension<Identity>,
    Params(query): Params<CompletionQuery>,
) -> Result<Response, Fault> {
    let limit = params::limit(query.limit, 50, 500)?;
    let (metric, prefix) = (query.metric, query.prefix.unwrap_or_default());
    let wanted = match query.what.unwrap_or_default() {
        CompletionKind::Metric => Wanted::Metric { prefix },
        CompletionKind::Label => Wanted::LabelName { metric, prefix },
        CompletionKind::Value => {
            let missing = || Fault::parameter("label", "`label` must name the label of which values are wanted");
            Wanted::LabelValue { metric, name: query.label.ok_or_else(missing)?, prefix }
        }
    };
    let workspace = workspace(&app, &identity);
    let found = app.ask_history(move |store, _| store.complete(workspace, &wanted, limit)).await?;
    json(&SeriesCompletion { values: found.values, more: found.more })
}

/// Series over time
#[utoipa::path(
    get, path = "/api/v1/history/chart", operation_id = "get_chart", tag = "history", params(ChartQuery),
    responses((status = 200, description = "One line for each series", body = SeriesChart))
)]
pub(super) async fn chart(
    app: App,
    Extension(identity): Extension<Identity>,
    Params(query): Params<ChartQuery>,
) -> Result<Response, Fault> {
    let now = app.now();
    let missing =
        || Fault::parameter("metric", "`metric` must name what is shown: `/api/v1/history/series` lists what there is");
    let range = params::range(query.from.as_deref(), query.to.as_deref(), now, now - Duration::from_secs(3600))?;
    let span = Span { from: range.from, to: range.to };
    let step = query.step.map_or_else(|| Ok(default_step(span)), |s| params::bounded("step", s, 1, MAX_STEP))?;
    let search = SeriesSearch {
        metric: Some(query.metric.ok_or_else(missing)?),
        agent: None,
        labels: labels(query.labels.as_deref())?,
        limit: params::limit(query.limit, 20, 100)?,
        after: None,
    };
    let workspace = workspace(&app, &identity);
    let wanted = query.aggregate;
    let (found, aggregate) = app
        .ask_history(move |store, budget| {
            let aggregate = wanted.map_or_else(|| usual(store, workspace, &search), Ok)?;
            let step = Duration::from_secs(step.into());
            let question = SeriesQuery { search, span, step, aggregate: convert::aggregate(aggregate) };
            Ok((store.chart(workspace, &question, budget)?, aggregate))
        })
        .await?;
    json(&convert::chart(found, aggregate))
}

/// What is shown of a metric unless asked otherwise.
fn usual(
    store: &dyn TelemetryStore,
    workspace: WorkspaceId,
    search: &SeriesSearch,
) -> Result<SeriesAggregate, StoreError> {
    let first = store.search(workspace, &SeriesSearch { limit: 1, ..search.clone() })?;
    let grows = first.series.first().is_some_and(|(_, key)| key.is_counter());
    Ok(if grows { SeriesAggregate::Rate } else { SeriesAggregate::Avg })
}

/// Labels as they are written: `interface=eth*,direction!=out`.
fn labels(text: Option<&str>) -> Result<Vec<LabelMatch>, Fault> {
    let Some(text) = text.filter(|t| !t.trim().is_empty()) else { return Ok(Vec::new()) };
    let parts: Vec<&str> = text.split(',').collect();
    if parts.len() > MAX_LABELS {
        return Err(Fault::parameter("labels", format!("more than {MAX_LABELS} labels")));
    }
    parts.into_iter().map(label).collect()
}

fn label(part: &str) -> Result<LabelMatch, Fault> {
    let wrong = || Fault::parameter("labels", "write labels as `interface=eth*,direction!=out`");
    let (name, value) = part.split_once('=').ok_or_else(wrong)?;
    let (name, negated) = name.strip_suffix('!').map_or((name, false), |name| (name, true));
    if name.trim().is_empty() {
        return Err(wrong());
    }
    Ok(LabelMatch { name: name.trim().to_owned(), value: Glob::new(value.trim()).ok_or_else(wrong)?, negated })
}

#[cfg(test)]
mod tests {
    use netwatch_model::Timestamp;

    use super::*;

    #[test]
    fn labels_are_read() {
        let read = labels(Some("interface=eth*, direction!=out")).unwrap();
        assert_eq!((read[0].name.as_str(), read[0].negated), ("interface", false));
        assert_eq!((read[1].name.as_str(), read[1].negated), ("direction", true));
        assert!(labels(Some("")).unwrap().is_empty());
        for bad in ["interface", "=x", "a=b,,"] {
            assert_eq!(labels(Some(bad)).unwrap_err().into_problem().parameter.as_deref(), Some("labels"), "{bad}");
        }
    }

    #[test]
    fn steps_fit_the_range() {
        let step = |seconds| default_step(Span { from: Timestamp::ZERO, to: Timestamp::from_secs(seconds) });
        assert_eq!([300, 3600, 86_400, 30 * 86_400, 366 * 86_400].map(step), [1, 30, 300, 21_600, 604_800]);
    }
}
