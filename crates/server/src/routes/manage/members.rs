//! `/api/v1/members`: who is in the workspace of the request.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use netwatch_api::ProblemCode;
use netwatch_api::member::{Member, MemberPatch, MembersQuery};
use netwatch_api::page::Page;
use netwatch_entities::{ListQuery, MembershipId, Order, Reading, Site, Stored, Writing};
use netwatch_identity::access;
use netwatch_identity::audit::Entry;
use netwatch_model::people::{
    Action, ApiToken, BuiltInRole, Fields, Membership, ObjectKind, ObjectRef, Role, User, UserId, WorkspaceId,
};

use super::asker::{Asker, ask, change as write, field, id};
use super::declare::owned;
use super::lists::{List, Wanted};
use super::{roles, views};
use crate::access::{By, record};
use crate::app::App;
use crate::etag::{ETag, Preconditions};
use crate::fault::Fault;
use crate::params::{Body, Params};
use crate::routes::NoParams;

/// Their word in a file that declares them.
const DECLARED: &str = "members";
/// Members and tokens that are looked through.
const MANY: usize = 100_000;

/// The members
#[utoipa::path(
    get, path = "/api/v1/members", operation_id = "list_members", tag = "members", params(MembersQuery),
    responses((status = 200, description = "A page of members, by name", body = Page<Member>))
)]
pub(super) async fn list(
    app: App,
    asker: Asker,
    Params(query): Params<MembersQuery>,
) -> Result<Json<Page<Member>>, Fault> {
    let workspace = asker.workspace()?;
    let wanted =
        Wanted { limit: query.limit, cursor: query.cursor.as_deref(), search: query.search.as_deref(), owner: None };
    let list = List::new("members", &workspace, &wanted)?;
    let page = ask(&app, move |tx| {
        let slice = tx.list::<Membership>(workspace, &list.query)?;
        list.page(slice, |stored| view(tx, &stored))
    });
    Ok(Json(page.await?))
}

/// One member
#[utoipa::path(
    get, path = "/api/v1/members/{user}", operation_id = "get_member", tag = "members",
    params(("user" = String, Path, description = "Id of the user")),
    responses((status = 200, description = "The member", body = Member))
)]
pub(super) async fn one(
    app: App,
    asker: Asker,
    Path(text): Path<String>,
    asked: Preconditions,
    _: Params<NoParams>,
) -> Result<Response, Fault> {
    let (workspace, user) = (asker.workspace()?, id::<UserId>(&text, "member")?);
    let (tag, body) = ask(&app, move |tx| {
        let stored = tx.get::<Membership>(workspace, MembershipId(workspace, user))?;
        Ok((tag(&stored), view(tx, &stored)?))
    })
    .await?;
    Ok(tag.tagged(&asked, &body))
}

/// Give a member another role
///
/// Needs `If-Match`. Nobody gives or takes more than they have; owners are made and unmade by owners; one owner stays.
#[utoipa::path(
    patch, path = "/api/v1/members/{user}", operation_id = "change_member", tag = "members", request_body = MemberPatch,
    params(("user" = String, Path, description = "Id of the user")),
    responses((status = 200, description = "The member as they are now", body = Member),
              (status = 409, description = "They are the last owner"))
)]
pub(super) async fn change(
    app: App,
    asker: Asker,
    Path(text): Path<String>,
    asked: Preconditions,
    Body(patch): Body<MemberPatch>,
) -> Result<Response, Fault> {
    let (workspace, user) = (asker.workspace()?, id::<UserId>(&text, "member")?);
    let role: Role = field("role", &patch.role)?;
    let (tag, body) = write(&app, move |tx| {
        let before = tx.get::<Membership>(workspace, MembershipId(workspace, user))?;
        asked.require(&tag(&before))?;
        refuse_owned(tx, &before.value)?;
        let after = roles::wanted(tx, workspace, role)?;
        may_change(tx, &asker, Some(&before.value), Some((role, after)))?;
        let stored = set_role(tx, &before, role, asker.by())?;
        Ok((tag(&stored), view(tx, &stored)?))
    })
    .await?;
    Ok((tag.header(), Json(body)).into_response())
}

/// Remove a member
///
/// Their API tokens of this workspace go with them. The last owner stays.
#[utoipa::path(
    delete, path = "/api/v1/members/{user}", operation_id = "remove_member", tag = "members",
    params(("user" = String, Path, description = "Id of the user")),
    responses((status = 204, description = "Removed"), (status = 409, description = "They are the last owner"))
)]
pub(super) async fn remove(
    app: App,
    asker: Asker,
    Path(text): Path<String>,
    asked: Preconditions,
    _: Params<NoParams>,
) -> Result<StatusCode, Fault> {
    let (workspace, user) = (asker.workspace()?, id::<UserId>(&text, "member")?);
    write(&app, move |tx| {
        let before = tx.get::<Membership>(workspace, MembershipId(workspace, user))?;
        asked.check(&tag(&before))?;
        refuse_owned(tx, &before.value)?;
        may_change(tx, &asker, Some(&before.value), None)?;
        leave(tx, &before, asker.by())
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives a member another role, and records it.
pub(super) fn set_role(
    tx: &Writing<'_>,
    before: &Stored<Membership>,
    role: Role,
    by: &By,
) -> Result<Stored<Membership>, Fault> {
    let Membership { workspace, user, .. } = before.value;
    keep_an_owner(tx, &before.value, Some(role))?;
    let stored = tx.update(&Membership { role, ..before.value }, Some(before.version))?;
    let fields = |role: Role| Some(Fields::new().with("role", role));
    let did = by.did(Action::MemberChanged, object(tx, user)?);
    record(tx, Entry { workspace: Some(workspace), before: fields(before.value.role), after: fields(role), ..did })?;
    Ok(stored)
}

/// Takes a member out of a workspace, with their tokens there, and records it.
pub(super) fn leave(tx: &Writing<'_>, before: &Stored<Membership>, by: &By) -> Result<(), Fault> {
    let Membership { workspace, user, role, .. } = before.value;
    keep_an_owner(tx, &before.value, None)?;
    let object = object(tx, user)?;
    tx.delete::<Membership>(workspace, MembershipId(workspace, user), Some(before.version))?;
    let own = ListQuery { owner: Some(user.into()), order: Order::Oldest, limit: MANY, ..ListQuery::default() };
    for token in tx.list::<ApiToken>(workspace, &own)?.items {
        tx.delete::<ApiToken>(workspace, token.value.id, None)?;
    }
    views::forget_own(tx, workspace, user)?;
    let did = by.did(Action::MemberRemoved, object);
    Ok(record(tx, Entry { workspace: Some(workspace), before: Some(Fields::new().with("role", role)), ..did })?)
}

/// Refuses to give or take what the asker does not have.
pub(super) fn may_change(
    tx: &Reading<'_>,
    asker: &Asker,
    before: Option<&Membership>,
    after: Option<(Role, netwatch_model::people::PermissionSet)>,
) -> Result<(), Fault> {
    let before = match before {
        None => None,
        Some(m) => Some((m.role, roles::meaning(tx, m.workspace, m.role)?.map(|(set, _)| set).unwrap_or_default())),
    };
    if access::may_change_role(asker.permissions(), before, after) {
        return Ok(());
    }
    let detail = "you cannot give or take a role that allows more than your own; owners are made and unmade by owners";
    Err(Fault::new(ProblemCode::Forbidden, detail))
}

/// A workspace that has an owner keeps one.
fn keep_an_owner(tx: &Reading<'_>, member: &Membership, after: Option<Role>) -> Result<(), Fault> {
    let owner = Role::BuiltIn(BuiltInRole::Owner);
    if member.role != owner || after == Some(owner) {
        return Ok(());
    }
    let all = ListQuery { order: Order::Oldest, limit: MANY, ..ListQuery::default() };
    let members = tx.list::<Membership>(member.workspace, &all)?.items;
    if members.iter().filter(|m| m.value.role == owner).count() > 1 {
        return Ok(());
    }
    Err(Fault::new(ProblemCode::Conflict, "they are the last owner of the workspace: make another owner first"))
}

fn tag(stored: &Stored<Membership>) -> ETag {
    ETag::of_version("member", stored.version)
}

fn view(tx: &Reading<'_>, stored: &Stored<Membership>) -> Result<Member, Fault> {
    let Membership { workspace, user, role, since } = stored.value;
    let user = tx.get::<User>(Site, user)?.value;
    Ok(Member {
        user: user.id,
        name: user.name.to_string(),
        display_name: user.display_name.to_string(),
        role: role.to_string(),
        role_name: roles::name(tx, workspace, role)?,
        disabled: user.disabled,
        since,
        managed_by: owned::by(tx, workspace, DECLARED, user.name.as_str())?,
    })
}

/// A membership that a file owns is changed there.
pub(super) fn refuse_owned(tx: &Reading<'_>, member: &Membership) -> Result<(), Fault> {
    let user = tx.get::<User>(Site, member.user)?.value;
    owned::refuse(tx, member.workspace, DECLARED, user.name.as_str())
}

fn object(tx: &Reading<'_>, user: UserId) -> Result<ObjectRef, Fault> {
    let known = tx.find::<User>(Site, user)?;
    let name = known.as_ref().map_or("", |u| u.value.name.as_str());
    Ok(ObjectRef::new(ObjectKind::Member, user, name))
}

/// The members of a workspace, as far as they are told apart here.
pub(super) fn find(
    tx: &Reading<'_>,
    workspace: WorkspaceId,
    user: UserId,
) -> Result<Option<Stored<Membership>>, Fault> {
    Ok(tx.find::<Membership>(workspace, MembershipId(workspace, user))?)
}
