//! `GET /api/v1/traffic/rates` and `GET /api/v1/traffic/top`

use std::time::Duration;

use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use netwatch_api::traffic::{Dimension, Rates, RatesQuery, Top, TopQuery};
use netwatch_model::Timestamp;

use crate::app::App;
use crate::csv::{self, Csv};
use crate::fault::Fault;
use crate::params::{self, Params};
use crate::query::{RatesRequest, TopRequest};

/// What is shown unless asked otherwise.
const RANGE: Duration = Duration::from_secs(300);
/// Most steps in an answer: an hour of seconds.
const MAX_STEPS: u128 = 3600;

/// Rates over time
#[utoipa::path(
    get, path = "/api/v1/traffic/rates", operation_id = "get_rates", tag = "traffic", params(RatesQuery),
    responses((status = 200, description = "Octets and packets of each step", body = Rates))
)]
pub(super) async fn rates(app: App, Params(query): Params<RatesQuery>) -> Result<Response, Fault> {
    let now = app.data_now();
    let request = rates_request(query, now)?;
    app.answer(move |store| Ok(store.rates(&request, now)?)).await
}

/// Top talkers
#[utoipa::path(
    get, path = "/api/v1/traffic/top", operation_id = "get_top", tag = "traffic", params(TopQuery),
    responses((status = 200, description = "The largest, with all the rest as `other`",
               content((Top = "application/json"), (String = "text/csv"))))
)]
pub(super) async fn top(app: App, headers: HeaderMap, Params(query): Params<TopQuery>) -> Result<Response, Fault> {
    let csv = csv::wanted(query.format, &headers);
    let now = app.data_now();
    let request = TopRequest {
        range: params::range(query.from.as_deref(), query.to.as_deref(), now, now - RANGE)?,
        by: query.by.unwrap_or_default(),
        limit: params::limit(query.limit, 10, 500)?,
        filter: params::filter(query.filter.as_deref())?,
        sort: query.sort.unwrap_or_default(),
    };
    if !csv {
        return app.answer(move |store| Ok(store.top(&request, now)?)).await;
    }
    let made = app.ask(move |store| store.top(&request, now).map(|top| Csv::top(&top)));
    Ok(made.await??.into_response())
}

fn rates_request(query: RatesQuery, now: Timestamp) -> Result<RatesRequest, Fault> {
    let range = params::range(query.from.as_deref(), query.to.as_deref(), now, now - RANGE)?;
    let step = query.step.map(|s| params::bounded("step", s, 1, 3600)).transpose()?;
    let step = step.map(|s| Duration::from_secs(u64::from(s)));
    if let Some(step) = step
        && range.to.since(range.from).as_nanos() > MAX_STEPS * step.as_nanos()
    {
        return Err(Fault::parameter(
            "step",
            format!("more than {MAX_STEPS} steps: take a longer `step` or a shorter range"),
        ));
    }
    Ok(RatesRequest {
        range,
        step,
        by: query.by.unwrap_or(Dimension::Interface),
        filter: params::filter(query.filter.as_deref())?,
        limit: params::limit(query.limit, 8, 50)?,
        interface: query.interface,
    })
}
