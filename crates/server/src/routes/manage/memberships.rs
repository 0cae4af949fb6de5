//! `/api/v1/users/{user}/memberships`: site administrators put users into workspaces.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use netwatch_api::user::{UserMembership, UserWorkspace, UserWorkspaces};
use netwatch_entities::{Reading, Site, Writing};
use netwatch_identity::audit::Entry;
use netwatch_model::people::{
    Action, Fields, Invitation, Membership, ObjectKind, ObjectRef, Role, User, UserId, Workspace, WorkspaceId,
};

use super::asker::{Asker, ask, change as write, field, id, not_found};
use super::{members, roles, workspaces};
use crate::access::{By, record};
use crate::app::App;
use crate::fault::Fault;
use crate::params::{Body, Params};
use crate::routes::NoParams;

/// Memberships that are shown of one user.
const SHOWN: usize = 200;

/// The workspaces of a user
#[utoipa::path(
    get, path = "/api/v1/users/{user}/memberships", operation_id = "list_memberships", tag = "users",
    params(("user" = String, Path, description = "Id of the user")),
    responses((status = 200, description = "At most 200", body = UserWorkspaces))
)]
pub(super) async fn list(
    app: App,
    Path(text): Path<String>,
    _: Params<NoParams>,
) -> Result<Json<UserWorkspaces>, Fault> {
    let user = id::<UserId>(&text, "user")?;
    let items = ask(&app, move |tx| {
        tx.get::<User>(Site, user)?;
        let all = tx.owned::<Membership>(user, SHOWN)?;
        all.iter().map(|stored| view(tx, &stored.value)).collect::<Result<Vec<_>, _>>()
    });
    Ok(Json(UserWorkspaces { items: items.await? }))
}

/// Put a user into a workspace, or give them another role there
#[utoipa::path(
    put, path = "/api/v1/users/{user}/memberships/{workspace}", operation_id = "put_membership", tag = "users",
    params(("user" = String, Path, description = "Id of the user"), ("workspace" = String, Path, description = "Id of the workspace")),
    request_body = UserMembership,
    responses((status = 200, description = "The membership as it is now", body = UserWorkspace))
)]
pub(super) async fn put(
    app: App,
    asker: Asker,
    Path((user, workspace)): Path<(String, String)>,
    Body(wanted): Body<UserMembership>,
) -> Result<Json<UserWorkspace>, Fault> {
    let (user, workspace) = (id::<UserId>(&user, "user")?, id::<WorkspaceId>(&workspace, "workspace")?);
    let role: Role = field("role", &wanted.role)?;
    let made = write(&app, move |tx| {
        tx.get::<Workspace>(Site, workspace)?;
        let user = tx.get::<User>(Site, user)?.value;
        roles::wanted(tx, workspace, role)?;
        match members::find(tx, workspace, user.id)? {
            Some(before) => {
                members::refuse_owned(tx, &before.value)?;
                members::set_role(tx, &before, role, asker.by())?;
            }
            None => join(tx, workspace, &user, role, asker.by())?,
        }
        let now = members::find(tx, workspace, user.id)?.ok_or_else(|| not_found("member"))?;
        view(tx, &now.value)
    });
    Ok(Json(made.await?))
}

/// Take a user out of a workspace
#[utoipa::path(
    delete, path = "/api/v1/users/{user}/memberships/{workspace}", operation_id = "remove_membership", tag = "users",
    params(("user" = String, Path, description = "Id of the user"), ("workspace" = String, Path, description = "Id of the workspace")),
    responses((status = 204, description = "Taken out"), (status = 409, description = "They are the last owner"))
)]
pub(super) async fn remove(
    app: App,
    asker: Asker,
    Path((user, workspace)): Path<(String, String)>,
    _: Params<NoParams>,
) -> Result<StatusCode, Fault> {
    let (user, workspace) = (id::<UserId>(&user, "user")?, id::<WorkspaceId>(&workspace, "workspace")?);
    write(&app, move |tx| {
        let before = members::find(tx, workspace, user)?.ok_or_else(|| not_found("member"))?;
        members::refuse_owned(tx, &before.value)?;
        members::leave(tx, &before, asker.by())
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a user a member, within the limit of the workspace, and records it.
pub(super) fn join(tx: &Writing<'_>, workspace: WorkspaceId, user: &User, role: Role, by: &By) -> Result<(), Fault> {
    let has = tx.count::<Membership>(workspace)? + tx.count::<Invitation>(workspace)?;
    workspaces::check_limit(workspaces::limits(tx, workspace)?.members, has, "members and invitations")?;
    let membership = Membership { workspace, user: user.id, role, since: tx.now() };
    tx.insert_labelled(&membership, &label(user))?;
    let object = ObjectRef::new(ObjectKind::Member, user.id, user.name.as_str());
    let after = Some(Fields::new().with("role", role));
    Ok(record(tx, Entry { workspace: Some(workspace), after, ..by.did(Action::MemberAdded, object) })?)
}

/// What a member is listed and searched by.
pub(super) fn label(user: &User) -> String {
    format!("{} {}", user.name, user.display_name)
}

fn view(tx: &Reading<'_>, membership: &Membership) -> Result<UserWorkspace, Fault> {
    let Membership { workspace, role, since, .. } = *membership;
    Ok(UserWorkspace {
        workspace,
        name: tx.get::<Workspace>(Site, workspace)?.value.name.to_string(),
        role: role.to_string(),
        role_name: roles::name(tx, workspace, role)?,
        since,
    })
}
