//! `/api/v1/roles`: the built-in roles and those that the workspace made; `/api/v1/permissions`: the table.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use netwatch_api::role::{PermissionLine, PermissionTable, Role as View, RoleCreate, RolePatch, Roles};
use netwatch_api::{Problem, ProblemCode};
use netwatch_entities::{ListQuery, Order, Reading, StoreError, Stored, Writing};
use netwatch_identity::access;
use netwatch_identity::audit::Entry;
use netwatch_identity::secret::random_bits;
use netwatch_model::people::{
    Action, BuiltInRole, CustomRole, DisplayName, Fields, Invitation, Membership, ObjectKind, ObjectRef, Permission,
    PermissionSet, Reach, Role, RoleId, WorkspaceId,
};

use super::asker::{Asker, ask, change as write, field, id};
use super::declare::owned;
use crate::access::record;
use crate::app::App;
use crate::etag::{ETag, Preconditions};
use crate::fault::Fault;
use crate::params::{Body, Params};
use crate::routes::NoParams;

/// Their word in a file that declares them.
const DECLARED: &str = "roles";
/// Custom roles of one workspace.
pub(super) const MAX_ROLES: usize = 100;
/// Members and invitations that are looked through for those with a role.
const MANY: usize = 100_000;

/// The roles of the workspace
#[utoipa::path(
    get, path = "/api/v1/roles", operation_id = "list_roles", tag = "roles",
    responses((status = 200, description = "Built-in and custom roles", body = Roles))
)]
pub(super) async fn list(app: App, asker: Asker, _: Params<NoParams>) -> Result<Json<Roles>, Fault> {
    let workspace = asker.workspace()?;
    let query = ListQuery { order: Order::Label, limit: MAX_ROLES, ..ListQuery::default() };
    let custom = ask(&app, move |tx| {
        tx.list::<CustomRole>(workspace, &query)?.items.iter().map(|role| view(tx, role)).collect::<Result<Vec<_>, _>>()
    });
    let custom = custom.await?;
    let items = BuiltInRole::ALL.iter().map(|role| built_in(*role));
    Ok(Json(Roles { items: items.chain(custom).collect() }))
}

/// One role
#[utoipa::path(
    get, path = "/api/v1/roles/{role}", operation_id = "get_role", tag = "roles",
    params(("role" = String, Path, description = "Word of a built-in role, or id of a custom one")),
    responses((status = 200, description = "The role", body = View))
)]
pub(super) async fn one(
    app: App,
    asker: Asker,
    Path(text): Path<String>,
    asked: Preconditions,
    _: Params<NoParams>,
) -> Result<Response, Fault> {
    let workspace = asker.workspace()?;
    match id(&text, "role")? {
        Role::BuiltIn(role) => Ok(ETag::of(&built_in(role))?.tagged(&asked, &built_in(role))),
        Role::Custom(id) => {
            let (tag, body) = ask(&app, move |tx| {
                let stored = tx.get::<CustomRole>(workspace, id)?;
                Ok((tag(&stored), view(tx, &stored)?))
            })
            .await?;
            Ok(tag.tagged(&asked, &body))
        }
    }
}

/// Make a role
///
/// It allows at most what its maker may do, and never what only owners or site administrators may.
#[utoipa::path(
    post, path = "/api/v1/roles", operation_id = "create_role", tag = "roles", request_body = RoleCreate,
    responses((status = 201, description = "The new role", body = View), (status = 409, description = "The name is taken"))
)]
pub(super) async fn create(app: App, asker: Asker, Body(new): Body<RoleCreate>) -> Result<Response, Fault> {
    let (name, permissions) = (field("name", &new.name)?, checked(&new.permissions, &asker)?);
    let (tag, body) = write(&app, move |tx| {
        let stored = make(tx, &asker, name, permissions)?;
        Ok((tag(&stored), view(tx, &stored)?))
    })
    .await?;
    Ok((StatusCode::CREATED, tag.header(), Json(body)).into_response())
}

/// Change a role
///
/// Needs `If-Match`. All who have the role have it as it is now, within five seconds.
#[utoipa::path(
    patch, path = "/api/v1/roles/{role}", operation_id = "change_role", tag = "roles", request_body = RolePatch,
    params(("role" = String, Path, description = "Id of a custom role")),
    responses((status = 200, description = "The role as it is now", body = View))
)]
pub(super) async fn change(
    app: App,
    asker: Asker,
    Path(text): Path<String>,
    asked: Preconditions,
    Body(patch): Body<RolePatch>,
) -> Result<Response, Fault> {
    let (workspace, id) = (asker.workspace()?, custom(&text)?);
    let permissions = patch.permissions.as_deref().map(|list| checked(list, &asker)).transpose()?;
    let name = patch.name.as_deref().map(|text| field("name", text)).transpose()?;
    let (tag, body) = write(&app, move |tx| {
        let before = tx.get::<CustomRole>(workspace, id)?;
        asked.require(&tag(&before))?;
        owned::refuse(tx, workspace, DECLARED, before.value.name.as_str())?;
        let mut after = before.value.clone();
        after.name = name.unwrap_or(after.name);
        after.permissions = permissions.unwrap_or(after.permissions);
        let stored = alter(tx, &asker, &before, &after)?;
        Ok((tag(&stored), view(tx, &stored)?))
    })
    .await?;
    Ok((tag.header(), Json(body)).into_response())
}

/// Delete a role
///
/// One that a member or an invitation has cannot be deleted.
#[utoipa::path(
    delete, path = "/api/v1/roles/{role}", operation_id = "delete_role", tag = "roles",
    params(("role" = String, Path, description = "Id of a custom role")),
    responses((status = 204, description = "Deleted"), (status = 409, description = "Somebody has it"))
)]
pub(super) async fn delete(
    app: App,
    asker: Asker,
    Path(text): Path<String>,
    asked: Preconditions,
    _: Params<NoParams>,
) -> Result<StatusCode, Fault> {
    let (workspace, id) = (asker.workspace()?, custom(&text)?);
    write(&app, move |tx| {
        let before = tx.get::<CustomRole>(workspace, id)?;
        asked.check(&tag(&before))?;
        owned::refuse(tx, workspace, DECLARED, before.value.name.as_str())?;
        drop_it(tx, &asker, &before)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The table of permissions
#[utoipa::path(
    get, path = "/api/v1/permissions", operation_id = "list_permissions", tag = "roles",
    responses((status = 200, description = "What can be allowed", body = PermissionTable))
)]
pub(super) async fn permissions(_: Params<NoParams>) -> Json<PermissionTable> {
    let assignable = access::assignable();
    let line = |p: &Permission| PermissionLine {
        permission: *p,
        text: p.text().to_owned(),
        reach: match p.reach() {
            Reach::Workspace => "workspace",
            Reach::Site => "site",
        }
        .to_owned(),
        roles: p.roles().iter().map(ToString::to_string).collect(),
        assignable: assignable.has(*p),
    };
    Json(PermissionTable { items: Permission::ALL.iter().map(line).collect() })
}

/// Makes a role and records it.
pub(super) fn make(
    tx: &Writing<'_>,
    asker: &Asker,
    name: DisplayName,
    permissions: PermissionSet,
) -> Result<Stored<CustomRole>, Fault> {
    let workspace = asker.workspace()?;
    if tx.count::<CustomRole>(workspace)? >= MAX_ROLES as u64 {
        let detail = format!("a workspace has at most {MAX_ROLES} custom roles");
        return Err(Fault::new(ProblemCode::LimitReached, detail));
    }
    let role = CustomRole { id: RoleId::new(tx.now(), random_bits()?), workspace, name, permissions };
    let stored = tx.insert(&role).map_err(taken)?;
    let did = asker.by().did(Action::RoleCreated, object(&role));
    record(tx, Entry { workspace: Some(workspace), after: Some(fields(&role)), ..did })?;
    Ok(stored)
}

/// Changes a role and records what changed.
pub(super) fn alter(
    tx: &Writing<'_>,
    asker: &Asker,
    before: &Stored<CustomRole>,
    after: &CustomRole,
) -> Result<Stored<CustomRole>, Fault> {
    may_touch(&before.value, asker)?;
    let stored = tx.update(after, Some(before.version)).map_err(taken)?;
    let (old, new) = Fields::changed(&fields(&before.value), &fields(after));
    let did = asker.by().did(Action::RoleChanged, object(after));
    record(tx, Entry { workspace: Some(after.workspace), before: Some(old), after: Some(new), ..did })?;
    Ok(stored)
}

/// Deletes a role that nobody has, and records it.
pub(super) fn drop_it(tx: &Writing<'_>, asker: &Asker, before: &Stored<CustomRole>) -> Result<(), Fault> {
    let CustomRole { workspace, id, .. } = before.value;
    may_touch(&before.value, asker)?;
    let users = users_of(tx, workspace, Role::Custom(id))?;
    if users > 0 {
        let detail = format!("{users} members or invitations have the role: give them another one first");
        return Err(Fault::new(ProblemCode::Conflict, detail));
    }
    tx.delete::<CustomRole>(workspace, id, Some(before.version))?;
    let did = asker.by().did(Action::RoleDeleted, object(&before.value));
    Ok(record(tx, Entry { workspace: Some(workspace), before: Some(fields(&before.value)), ..did })?)
}

/// What a role allows and how it is called; none when it does not exist in that workspace.
pub(super) fn meaning(
    tx: &Reading<'_>,
    workspace: WorkspaceId,
    role: Role,
) -> Result<Option<(PermissionSet, String)>, Fault> {
    Ok(match role {
        Role::BuiltIn(built_in) => Some((access::of_role(role, None), built_in.to_string())),
        Role::Custom(id) => {
            let custom = tx.find::<CustomRole>(workspace, id)?;
            custom.map(|custom| (access::of_role(role, Some(&custom.value)), custom.value.name.to_string()))
        }
    })
}

/// How a role is called; one that is gone is said to be.
pub(super) fn name(tx: &Reading<'_>, workspace: WorkspaceId, role: Role) -> Result<String, Fault> {
    Ok(meaning(tx, workspace, role)?.map_or_else(|| "(deleted)".to_owned(), |(_, name)| name))
}

/// The role of a body, which must exist in that workspace.
pub(super) fn wanted(tx: &Reading<'_>, workspace: WorkspaceId, role: Role) -> Result<PermissionSet, Fault> {
    let found = meaning(tx, workspace, role)?;
    found.map(|(set, _)| set).ok_or_else(|| Fault::parameter("role", "the workspace has no such role"))
}

fn users_of(tx: &Reading<'_>, workspace: WorkspaceId, role: Role) -> Result<usize, Fault> {
    let all = ListQuery { order: Order::Oldest, limit: MANY, ..ListQuery::default() };
    let members = tx.list::<Membership>(workspace, &all)?.items.iter().filter(|m| m.value.role == role).count();
    let invited = tx.list::<Invitation>(workspace, &all)?.items.iter().filter(|i| i.value.role == role).count();
    Ok(members + invited)
}

fn custom(text: &str) -> Result<RoleId, Fault> {
    match id(text, "role")? {
        Role::Custom(id) => Ok(id),
        Role::BuiltIn(_) => {
            Err(Fault::new(ProblemCode::Conflict, "built-in roles cannot be changed: make a custom one"))
        }
    }
}

/// Permissions of a body as a set, when all of them may be given by the asker.
pub(super) fn checked(list: &[Permission], asker: &Asker) -> Result<PermissionSet, Fault> {
    let most = access::assignable().and(asker.permissions());
    match list.iter().find(|p| !most.has(**p)) {
        None => Ok(list.iter().copied().collect()),
        Some(p) => {
            let detail = format!(
                "`{p}` cannot be given: you do not have it yourself, or it is for owners and site administrators"
            );
            Err(Problem::new(ProblemCode::Forbidden, detail).parameter("permissions").into())
        }
    }
}

fn may_touch(role: &CustomRole, asker: &Asker) -> Result<(), Fault> {
    let allowed = role.permissions.and(access::assignable());
    if allowed.is_within(asker.permissions()) {
        return Ok(());
    }
    Err(Fault::new(ProblemCode::Forbidden, "the role allows more than your own: you cannot change it"))
}

fn taken(error: StoreError) -> Fault {
    match error {
        StoreError::Taken { .. } => {
            Problem::new(ProblemCode::Conflict, "another role of the workspace has that name").parameter("name").into()
        }
        other => other.into(),
    }
}

fn tag(stored: &Stored<CustomRole>) -> ETag {
    ETag::of_version("role", stored.version)
}

fn view(tx: &Reading<'_>, stored: &Stored<CustomRole>) -> Result<View, Fault> {
    let role = &stored.value;
    Ok(View {
        id: role.id.to_string(),
        name: role.name.to_string(),
        built_in: false,
        permissions: role.permissions.iter().collect(),
        managed_by: owned::by(tx, role.workspace, DECLARED, role.name.as_str())?,
    })
}

fn built_in(role: BuiltInRole) -> View {
    let permissions = PermissionSet::of_role(role).iter().collect();
    View { id: role.to_string(), name: role.to_string(), built_in: true, permissions, managed_by: None }
}

fn object(role: &CustomRole) -> ObjectRef {
    ObjectRef::new(ObjectKind::Role, role.id, role.name.as_str())
}

fn fields(role: &CustomRole) -> Fields {
    let words: Vec<&str> = role.permissions.iter().map(Permission::word).collect();
    Fields::new().with("name", &role.name).with("permissions", words.join(" "))
}
