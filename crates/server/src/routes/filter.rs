//! `GET /api/v1/filter/check` and `GET /api/v1/filter/fields`: the server has the only parser.

use axum::Json;
use netwatch_api::filter::{FilterCheck, FilterCheckQuery, FilterError, FilterField, FilterFields};
use netwatch_model::filter::{self, Filter};

use crate::params::Params;
use crate::routes::NoParams;

/// Whether a filter can be used, and its parts
#[utoipa::path(
    get, path = "/api/v1/filter/check", operation_id = "check_filter", tag = "filter", params(FilterCheckQuery),
    responses((status = 200, description = "The verdict; a wrong filter is a verdict too", body = FilterCheck))
)]
pub(super) async fn check(Params(query): Params<FilterCheckQuery>) -> Json<FilterCheck> {
    Json(match Filter::parse(&query.filter) {
        Ok(f) => FilterCheck { valid: true, canonical: Some(f.to_string()), terms: f.terms(), error: None },
        Err(e) => FilterCheck { valid: false, canonical: None, terms: Vec::new(), error: Some(fault(e)) },
    })
}

/// The fields of the filter language
#[utoipa::path(
    get, path = "/api/v1/filter/fields", operation_id = "list_filter_fields", tag = "filter",
    responses((status = 200, description = "All fields", body = FilterFields))
)]
pub(super) async fn fields(_: Params<NoParams>) -> Json<FilterFields> {
    let items = filter::fields().iter().map(|d| FilterField {
        name: d.name.to_owned(),
        kind: d.kind.as_str().to_owned(),
        operators: d.kind.operators().iter().map(ToString::to_string).collect(),
        description: d.description.to_owned(),
        example: d.example.to_owned(),
    });
    Json(FilterFields { items: items.collect() })
}

fn fault(e: filter::FilterError) -> FilterError {
    let [position, length] = [e.position, e.length].map(|n| u32::try_from(n).unwrap_or(u32::MAX));
    FilterError { message: e.message, position, length }
}
