//! `/api/v1/invitations`: who is invited into the workspace of the request.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use netwatch_api::member::{InvitationCreate, InvitationMade, MemberInvitation, MembersQuery};
use netwatch_api::page::Page;
use netwatch_entities::{ListQuery, Order, Reading, Writing};
use netwatch_identity::audit::Entry;
use netwatch_identity::link;
use netwatch_model::people::{
    Action, Fields, Invitation, InvitationId, Membership, ObjectKind, ObjectRef, Role, WorkspaceId,
};

use super::asker::{Asker, ask, change as write, field, id};
use super::lists::{List, Wanted};
use super::{members, roles, workspaces};
use crate::access::record;
use crate::app::App;
use crate::fault::Fault;
use crate::params::{Body, Params};
use crate::routes::NoParams;

/// Invitations that are looked through for those that ended.
const CLEAR: usize = 1000;

/// The open invitations
#[utoipa::path(
    get, path = "/api/v1/invitations", operation_id = "list_invitations", tag = "members", params(MembersQuery),
    responses((status = 200, description = "A page of invitations, by address", body = Page<MemberInvitation>))
)]
pub(super) async fn list(
    app: App,
    asker: Asker,
    Params(query): Params<MembersQuery>,
) -> Result<Json<Page<MemberInvitation>>, Fault> {
    let workspace = asker.workspace()?;
    let wanted =
        Wanted { limit: query.limit, cursor: query.cursor.as_deref(), search: query.search.as_deref(), owner: None };
    let list = List::new("invitations", &workspace, &wanted)?;
    let page = ask(&app, move |tx| {
        let slice = tx.list::<Invitation>(workspace, &list.query)?;
        list.page(slice, |stored| view(tx, &stored.value))
    });
    Ok(Json(page.await?))
}

/// Invite somebody
///
/// The answer has the link, once: hand it over yourself. Whoever holds it joins with the role that is chosen here.
#[utoipa::path(
    post, path = "/api/v1/invitations", operation_id = "create_invitation", tag = "members", request_body = InvitationCreate,
    responses((status = 201, description = "The invitation and its link", body = InvitationMade),
              (status = 409, description = "The workspace has as many members as it may have"))
)]
pub(super) async fn create(app: App, asker: Asker, Body(new): Body<InvitationCreate>) -> Result<Response, Fault> {
    let (workspace, by) = (asker.workspace()?, asker.person()?);
    let role: Role = field("role", &new.role)?;
    let email = new.email.as_deref().map(|text| field("email", text)).transpose()?;
    let made = write(&app, move |tx| {
        let permissions = roles::wanted(tx, workspace, role)?;
        members::may_change(tx, &asker, None, Some((role, permissions)))?;
        clear(tx, workspace)?;
        let has = tx.count::<Membership>(workspace)? + tx.count::<Invitation>(workspace)?;
        workspaces::check_limit(workspaces::limits(tx, workspace)?.members, has, "members and invitations")?;
        let (invitation, secret) = link::invite(workspace, role, email, by, tx.now())?;
        tx.insert(&invitation)?;
        let did = asker.by().did(Action::InvitationCreated, object(&invitation));
        record(tx, Entry { workspace: Some(workspace), after: Some(fields(&invitation)), ..did })?;
        Ok(InvitationMade { invitation: view(tx, &invitation)?, path: format!("/invite#{}", secret.as_str()) })
    });
    Ok((StatusCode::CREATED, Json(made.await?)).into_response())
}

/// Take an invitation back
#[utoipa::path(
    delete, path = "/api/v1/invitations/{invitation}", operation_id = "revoke_invitation", tag = "members",
    params(("invitation" = String, Path, description = "Id of the invitation")),
    responses((status = 204, description = "Its link is good no more"))
)]
pub(super) async fn revoke(
    app: App,
    asker: Asker,
    Path(text): Path<String>,
    _: Params<NoParams>,
) -> Result<StatusCode, Fault> {
    let (workspace, id) = (asker.workspace()?, id::<InvitationId>(&text, "invitation")?);
    write(&app, move |tx| {
        let before = tx.get::<Invitation>(workspace, id)?.value;
        tx.delete::<Invitation>(workspace, id, None)?;
        let did = asker.by().did(Action::InvitationRevoked, object(&before));
        Ok(record(tx, Entry { workspace: Some(workspace), before: Some(fields(&before)), ..did })?)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes those that ended.
fn clear(tx: &Writing<'_>, workspace: WorkspaceId) -> Result<(), Fault> {
    let oldest = ListQuery { order: Order::Oldest, limit: CLEAR, ..ListQuery::default() };
    for old in tx.list::<Invitation>(workspace, &oldest)?.items.into_iter().map(|i| i.value) {
        if !link::holds(old.created, old.expires, tx.now()) {
            tx.delete::<Invitation>(workspace, old.id, None)?;
        }
    }
    Ok(())
}

fn view(tx: &Reading<'_>, invitation: &Invitation) -> Result<MemberInvitation, Fault> {
    Ok(MemberInvitation {
        id: invitation.id,
        role: invitation.role.to_string(),
        role_name: roles::name(tx, invitation.workspace, invitation.role)?,
        email: invitation.email.as_ref().map(ToString::to_string),
        by: invitation.by,
        created: invitation.created,
        expires: invitation.expires,
    })
}

fn object(invitation: &Invitation) -> ObjectRef {
    let email = invitation.email.as_ref().map(ToString::to_string).unwrap_or_default();
    ObjectRef::new(ObjectKind::Invitation, invitation.id, &email)
}

fn fields(invitation: &Invitation) -> Fields {
    let email = invitation.email.as_ref().map(ToString::to_string).unwrap_or_default();
    Fields::new().with("role", invitation.role).with("email", email).with("expires", invitation.expires)
}
