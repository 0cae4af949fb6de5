//! `/api/v1/audit`: what was done in the workspace of the request; `/api/v1/site/audit`: everything, and whether the chain is whole.

use axum::Json;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use netwatch_api::audit::{AuditFormat, AuditQuery, AuditRecord, AuditVerification};
use netwatch_api::flow::Format;
use netwatch_api::page::Page;
use netwatch_identity::audit::{Entry, Head, verify as verify_chain};
use netwatch_model::people::{Action, Fields, ObjectKind, ObjectRef, WorkspaceId};

use super::asker::{Asker, ask, change as write};
use crate::access::record;
use crate::app::App;
use crate::csv::{self, Csv};
use crate::fault::Fault;
use crate::page::Pager;
use crate::params::{self, Params};
use crate::routes::NoParams;

/// Rows of a page unless asked otherwise, and at most.
const LIMIT: (u32, u32) = (50, 500);
/// Longest text that is searched for, in characters.
const MAX_SEARCH: usize = 100;
/// Records that are verified at a time.
const CHUNK: usize = 1000;

/// What was done in the workspace
///
/// Newest first. As CSV, an export is recorded itself.
#[utoipa::path(
    get, path = "/api/v1/audit", operation_id = "list_audit", tag = "audit", params(AuditQuery),
    responses((status = 200, description = "A page of records",
               content((Page<AuditRecord> = "application/json"), (String = "text/csv"))))
)]
pub(super) async fn of_workspace(
    app: App,
    asker: Asker,
    uri: Uri,
    headers: HeaderMap,
    Params(query): Params<AuditQuery>,
) -> Result<Response, Fault> {
    let workspace = asker.workspace()?;
    answer(&app, asker, Some(workspace), (&uri, &headers), query).await
}

/// What was done anywhere
///
/// Newest first. As CSV, an export is recorded itself.
#[utoipa::path(
    get, path = "/api/v1/site/audit", operation_id = "list_site_audit", tag = "audit", params(AuditQuery),
    responses((status = 200, description = "A page of records",
               content((Page<AuditRecord> = "application/json"), (String = "text/csv"))))
)]
pub(super) async fn of_site(
    app: App,
    asker: Asker,
    uri: Uri,
    headers: HeaderMap,
    Params(query): Params<AuditQuery>,
) -> Result<Response, Fault> {
    answer(&app, asker, None, (&uri, &headers), query).await
}

/// Whether the audit log is whole
///
/// Verifies the hash of every record and its place in the chain, from the first to the last.
#[utoipa::path(
    get, path = "/api/v1/site/audit/verification", operation_id = "verify_audit", tag = "audit",
    responses((status = 200, description = "What was found", body = AuditVerification))
)]
pub(super) async fn verify(app: App, _: Params<NoParams>) -> Result<Json<AuditVerification>, Fault> {
    let found = ask(&app, |tx| {
        let (mut head, mut fault) = (Head::default(), None);
        loop {
            let query = question(head.sequence);
            let records = tx.audit(&query)?;
            match verify_chain(head, &records) {
                Ok(next) => head = next,
                Err(broken) => fault = Some(broken.to_string()),
            }
            if records.len() < CHUNK || fault.is_some() {
                break;
            }
        }
        Ok(AuditVerification { whole: fault.is_none(), records: head.sequence, hash: head.hash, fault })
    });
    let found = found.await?;
    if let Some(fault) = &found.fault {
        tracing::error!(fault, "the audit log was tampered with");
    }
    Ok(Json(found))
}

fn question(after: u64) -> netwatch_entities::AuditQuery {
    netwatch_entities::AuditQuery { after: Some(after), limit: CHUNK, ..netwatch_entities::AuditQuery::default() }
}

async fn answer(
    app: &App,
    asker: Asker,
    workspace: Option<WorkspaceId>,
    (uri, headers): (&Uri, &HeaderMap),
    query: AuditQuery,
) -> Result<Response, Fault> {
    let format = query.format.map(|format| match format {
        AuditFormat::Json => Format::Json,
        AuditFormat::Csv => Format::Csv,
    });
    let as_csv = csv::wanted(format, headers);
    let limit = params::limit(query.limit, LIMIT.0, LIMIT.1)?;
    let (pager, wanted) = read(&query, workspace, limit, app)?;
    let rows = ask(app, move |tx| Ok(tx.audit(&wanted)?)).await?;
    let page = pager.page(rows, limit, |record| record.sequence)?;
    let items: Vec<AuditRecord> = page.items.into_iter().map(Into::into).collect();
    let page = Page { items, next_cursor: page.next_cursor };
    if !as_csv {
        return Ok(Json(page).into_response());
    }
    let what = uri.query().unwrap_or("").to_owned();
    write(app, move |tx| {
        let object = ObjectRef::new(ObjectKind::Site, "", "audit log");
        let did = asker.by().did(Action::AuditExported, object);
        let entry = Entry { workspace, after: Some(Fields::new().with("query", what)), ..did };
        Ok(record(tx, entry)?)
    })
    .await?;
    Ok(Csv::audit(&page).next_page(uri, page.next_cursor.as_deref()).into_response())
}

/// The question of a request, asking for one row more than is shown.
fn read(
    query: &AuditQuery,
    workspace: Option<WorkspaceId>,
    limit: usize,
    app: &App,
) -> Result<(Pager, netwatch_entities::AuditQuery), Fault> {
    if query.search.as_deref().is_some_and(|text| text.chars().count() > MAX_SEARCH) {
        return Err(Fault::parameter("search", format!("`search` has more than {MAX_SEARCH} characters")));
    }
    let time = |name, text: Option<&str>| text.map(|text| params::moment(name, text, app.now())).transpose();
    let pager = Pager::new(
        "audit",
        &(workspace, &query.from, &query.to, query.user, query.action, &query.object, query.outcome, &query.search),
    )?;
    let wanted = netwatch_entities::AuditQuery {
        workspace,
        from: time("from", query.from.as_deref())?,
        to: time("to", query.to.as_deref())?,
        user: query.user,
        action: query.action,
        object: query.object.clone(),
        outcome: query.outcome,
        search: query.search.clone().filter(|text| !text.is_empty()),
        newest_first: true,
        after: pager.after(query.cursor.as_deref())?,
        limit: limit.saturating_add(1),
    };
    Ok((pager, wanted))
}
