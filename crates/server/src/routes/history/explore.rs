//! `GET /api/v1/history/explore`

use std::time::Duration;

use axum::Extension;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use netwatch_api::history::explore::{Exploration, ExploreQuery, HistoryDimension};
use netwatch_model::Timestamp;
use netwatch_model::filter::nearest;
use netwatch_storage::{Dimension, Explore, Span};

use crate::access::Identity;
use crate::app::App;
use crate::csv::{self, Csv};
use crate::fault::Fault;
use crate::history::{convert, json, workspace};
use crate::ingest::GRACE;
use crate::params::{self, Params};

/// What is shown unless asked otherwise.
const RANGE: Duration = Duration::from_secs(86_400);
/// Dimensions of one question.
const MAX_DIMENSIONS: usize = 5;

/// What flows carried over days, by up to five dimensions
#[utoipa::path(
    get, path = "/api/v1/history/explore", operation_id = "explore_history", tag = "history", params(ExploreQuery),
    responses((status = 200, description = "Groups with their steps, the rest as `other`, and everything as `total`",
               content((Exploration = "application/json"), (String = "text/csv"))))
)]
pub(super) async fn explore(
    app: App,
    Extension(identity): Extension<Identity>,
    headers: HeaderMap,
    Params(query): Params<ExploreQuery>,
) -> Result<Response, Fault> {
    let csv = csv::wanted(query.format, &headers);
    let measure = query.measure.unwrap_or_default();
    let by = dimensions(query.by.as_deref().unwrap_or("host"))?;
    let question = question(&query, &by, app.now())?;
    let (workspace, complete_until) = (workspace(&app, &identity), question.complete_until);
    let explored = app.ask_history(move |store, budget| store.explore(workspace, &question, budget)).await?;
    let answer = convert::exploration(explored, by, measure, complete_until);
    if csv { Ok(Csv::exploration(&answer).into_response()) } else { json(&answer) }
}

fn question(query: &ExploreQuery, by: &[HistoryDimension], now: Timestamp) -> Result<Explore, Fault> {
    let range = params::range(query.from.as_deref(), query.to.as_deref(), now, now - RANGE)?;
    let span = Span { from: range.from, to: range.to };
    let step = match query.step {
        Some(0) => None,
        Some(step) => Some(params::bounded("step", step, 1, super::series::MAX_STEP)?),
        None => Some(super::series::default_step(span)),
    };
    Ok(Explore {
        span,
        step: step.map(|s| Duration::from_secs(s.into())),
        dimensions: by.iter().copied().map(convert::dimension).collect(),
        filter: params::filter(query.filter.as_deref())?,
        measure: convert::measure(query.measure.unwrap_or_default()),
        limit: params::limit(query.limit, 10, 500)?,
        previous: query.previous.unwrap_or(false),
        complete_until: complete_until(now),
    })
}

/// The end of the last minute that is stored as a whole: one is given up for over a [`GRACE`] after its end, and a record takes a moment
/// through the log.
fn complete_until(now: Timestamp) -> Timestamp {
    const WAY: Duration = Duration::from_secs(2);
    let millis = (now - GRACE - WAY).millis();
    Timestamp::from_millis(millis - millis.rem_euclid(60_000))
}

/// The dimensions of a list with commas.
fn dimensions(text: &str) -> Result<Vec<HistoryDimension>, Fault> {
    let mut found = Vec::new();
    for word in text.split(',').map(str::trim) {
        let dimension =
            serde_json::from_value(serde_json::Value::String(word.to_owned())).map_err(|_| unknown(word))?;
        if found.contains(&dimension) {
            return Err(Fault::parameter("by", format!("`{word}` is there twice")));
        }
        found.push(dimension);
    }
    if found.len() > MAX_DIMENSIONS {
        return Err(Fault::parameter("by", format!("more than {MAX_DIMENSIONS} dimensions")));
    }
    Ok(found)
}

fn unknown(word: &str) -> Fault {
    let known = Dimension::ALL.map(Dimension::as_str);
    let shown: String = netwatch_model::Untrusted::new(word).to_string().chars().take(40).collect();
    let hint = nearest(word, known)
        .map_or_else(|| format!("known are {}", known.join(", ")), |n| format!("did you mean `{n}`?"));
    Fault::parameter("by", format!("there is no dimension `{shown}`: {hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dimension_has_the_same_word_everywhere() {
        for dimension in Dimension::ALL {
            let [api] = dimensions(dimension.as_str()).unwrap()[..] else { panic!("one") };
            assert_eq!(convert::dimension(api), dimension);
        }
    }

    #[test]
    fn wrong_lists_are_refused_by_name() {
        for bad in ["", "host,host", "sorce", "source,destination,port,application,name,user"] {
            let problem = dimensions(bad).unwrap_err().into_problem();
            assert_eq!(problem.parameter.as_deref(), Some("by"), "{bad}");
        }
        assert!(dimensions("sorce").unwrap_err().into_problem().detail.contains("`source`"));
    }
}
