//! `GET /api/v1/hosts/{address}`

use std::net::IpAddr;

use axum::extract::Path;
use axum::response::Response;
use netwatch_api::ProblemCode;
use netwatch_api::host::{Host, HostQuery};
use netwatch_model::Timestamp;

use crate::app::App;
use crate::fault::Fault;
use crate::params::{self, Params};

/// One host: what it carried, with whom, by which services
#[utoipa::path(
    get, path = "/api/v1/hosts/{address}", operation_id = "get_host", tag = "traffic",
    params(("address" = String, Path, description = "IPv4 or IPv6 address"), HostQuery),
    responses((status = 200, description = "The host", body = Host), (status = 404, description = "No flow of it is kept"))
)]
pub(super) async fn one(
    app: App,
    Path(address): Path<String>,
    Params(query): Params<HostQuery>,
) -> Result<Response, Fault> {
    let wrong = |_| Fault::parameter("address", "the path must end in an IPv4 or IPv6 address, as 10.0.0.1 or fe80::1");
    let address: IpAddr = address.parse().map_err(wrong)?;
    let now = app.data_now();
    let range = params::range(query.from.as_deref(), query.to.as_deref(), now, Timestamp::ZERO)?;
    let unseen = move || Fault::new(ProblemCode::NotFound, format!("no flow of {address} is kept in that time range"));
    app.answer(move |store| store.host(address, range, now).ok_or_else(unseen)).await
}
