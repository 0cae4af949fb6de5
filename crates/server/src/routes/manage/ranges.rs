//! `/api/v1/address-ranges`: what a workspace calls its networks. They are replaced by a CSV file, all at once.

use axum::Json;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use netwatch_api::page::Page;
use netwatch_api::range::{
    AddressRange as Row, AddressRanges, AddressRangesPut, AddressRangesQuery, AddressRangesReport,
};
use netwatch_api::{Problem, ProblemCode};
use netwatch_entities::{Reading, Writing};
use netwatch_identity::audit::Entry;
use netwatch_model::people::{Action, Fields, ObjectKind, ObjectRef, WorkspaceId};
use netwatch_storage::NamedRange;

use super::asker::{Asker, ask, change};
use super::declare::owned;
use super::lists::{List, Wanted};
use crate::access::record;
use crate::app::App;
use crate::csv::{self, Csv};
use crate::etag::{ETag, Preconditions};
use crate::fault::Fault;
use crate::history::ranges::{AddressRange, MOST, of_workspace};
use crate::params::{Body, Params};

/// Largest body, bytes.
pub(super) const MAX_BODY: usize = 2 << 20;
/// Wrong lines that are told at once.
const MOST_WRONG: usize = 20;
/// The word under which they stand in files.
pub(super) const DECLARED: &str = "address_ranges";
/// What their only object is called there.
pub(super) const NAME: &str = "ranges";

/// Names of address ranges
///
/// The tag is that of all ranges, whatever page is asked for.
#[utoipa::path(
    get, path = "/api/v1/address-ranges", operation_id = "list_address_ranges", tag = "workspaces", params(AddressRangesQuery),
    responses((status = 200, description = "A page of ranges by name, or all of them as CSV",
               content((AddressRanges = "application/json"), (String = "text/csv"))))
)]
pub(super) async fn list(
    app: App,
    asker: Asker,
    headers: HeaderMap,
    Params(query): Params<AddressRangesQuery>,
) -> Result<Response, Fault> {
    let workspace = asker.workspace()?;
    if csv::wanted(query.format, &headers) {
        let (tag, all) = ask(&app, move |tx| all(tx, workspace)).await?;
        return Ok((tag.header(), Csv::address_ranges(&all)).into_response());
    }
    let wanted =
        Wanted { limit: query.limit, cursor: query.cursor.as_deref(), search: query.search.as_deref(), owner: None };
    let list = List::new("address_ranges", &workspace.to_string(), &wanted)?;
    let (tag, page) = ask(&app, move |tx| {
        let slice = tx.list::<AddressRange>(workspace, &list.query)?;
        let Page { items, next_cursor } = list.page(slice, |stored| Ok(row(stored.value)))?;
        let managed_by = owned::by(tx, workspace, DECLARED, NAME)?;
        Ok((all(tx, workspace)?.0, AddressRanges { items, next_cursor, managed_by }))
    })
    .await?;
    Ok((tag.header(), Json(page)).into_response())
}

/// Replace all names of address ranges
///
/// Needs `If-Match` with the tag of the list. When a line is wrong nothing changes, and the problem names up to twenty of them.
#[utoipa::path(
    put, path = "/api/v1/address-ranges", operation_id = "replace_address_ranges", tag = "workspaces",
    request_body = AddressRangesPut,
    responses((status = 200, description = "How many there are now", body = AddressRangesReport),
              (status = 409, description = "A file owns them, or they are too many"), (status = 412, description = "Changed meanwhile"))
)]
pub(super) async fn replace(
    app: App,
    asker: Asker,
    asked: Preconditions,
    Body(AddressRangesPut { csv }): Body<AddressRangesPut>,
) -> Result<Response, Fault> {
    let workspace = asker.workspace()?;
    let wanted = parse(&csv)?;
    let done = change(&app, move |tx| {
        let (tag, before) = all(tx, workspace)?;
        asked.require(&tag)?;
        owned::refuse(tx, workspace, DECLARED, NAME)?;
        put(tx, &asker, before.len(), &wanted)?;
        let (tag, after) = all(tx, workspace)?;
        Ok((tag, AddressRangesReport { ranges: after.len() as u64 }))
    });
    let (tag, report) = done.await?;
    let with = app.clone();
    app.blocking(move || with.apply_ranges(workspace)).await?;
    Ok((tag.header(), Json(report)).into_response())
}

fn parse(text: &str) -> Result<Vec<NamedRange>, Fault> {
    let ranges = NamedRange::parse_all(text, MOST_WRONG).map_err(|wrong| {
        let lines: Vec<String> = wrong.iter().map(ToString::to_string).collect();
        let more = if lines.len() == MOST_WRONG { "; there may be more" } else { "" };
        Problem::new(ProblemCode::InvalidParameter, lines.join("; ") + more).parameter("csv")
    })?;
    refuse_many(ranges.len(), "csv")?;
    Ok(ranges)
}

/// Refuses more than a workspace may name.
pub(super) fn refuse_many(ranges: usize, field: &str) -> Result<(), Fault> {
    if ranges <= MOST {
        return Ok(());
    }
    let detail = format!("{ranges} ranges are too many: a workspace may name {MOST}");
    Err(Problem::new(ProblemCode::LimitReached, detail).parameter(field).into())
}

/// Replaces all ranges, of which there were `before`, with the audit record.
pub(super) fn put(tx: &Writing<'_>, asker: &Asker, before: usize, wanted: &[NamedRange]) -> Result<(), Fault> {
    let workspace = asker.workspace()?;
    tx.delete_all::<AddressRange>(workspace)?;
    for NamedRange { network, name } in wanted {
        let range = AddressRange { workspace, network: network.to_string(), name: name.raw().to_owned() };
        tx.insert(&range)?;
    }
    let count = |n: usize| Some(Fields::new().with("ranges", n));
    let did = asker.by().did(Action::NetworksChanged, ObjectRef::new(ObjectKind::Networks, "", "address ranges"));
    Ok(record(tx, Entry { workspace: Some(workspace), before: count(before), after: count(wanted.len()), ..did })?)
}

/// All ranges of a workspace, and their tag.
fn all(tx: &Reading<'_>, workspace: WorkspaceId) -> Result<(ETag, Vec<Row>), Fault> {
    let rows: Vec<Row> = of_workspace(tx, workspace)?.into_iter().map(row).collect();
    Ok((ETag::of(&rows)?, rows))
}

fn row(range: AddressRange) -> Row {
    Row { network: range.network, name: range.name }
}
