//! Members in a file: the name of a user who exists, and a role by its word or name.

use std::collections::BTreeMap;

use netwatch_entities::people::keys;
use netwatch_entities::{ListQuery, Order, Reading, Site, Stored, Writing};
use netwatch_model::people::{Membership, Permission, Role, User, UserName, WorkspaceId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Declared, role};
use crate::app::to_json;
use crate::fault::Fault;
use crate::params::parse_body;
use crate::routes::manage::asker::{Asker, field, not_found};
use crate::routes::manage::{members, memberships, roles};

/// Most members that are exported.
const MANY: usize = 100_000;

/// See the module.
pub(super) struct Members;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    user: String,
    role: String,
}

impl Declared for Members {
    fn word(&self) -> &'static str {
        "members"
    }

    fn reading(&self) -> Permission {
        Permission::MembersRead
    }

    fn writing(&self) -> Permission {
        Permission::MembersWrite
    }

    fn parse(&self, written: &Value) -> Result<(String, Value), Fault> {
        let member: Written = parse_body(&to_json(written)?)?;
        let name: UserName = field("user", &member.user)?;
        Ok((name.to_string(), json!({"user": name.as_str(), "role": member.role})))
    }

    fn current(&self, tx: &Reading<'_>, workspace: WorkspaceId) -> Result<BTreeMap<String, Value>, Fault> {
        let query = ListQuery { order: Order::Label, limit: MANY, ..ListQuery::default() };
        let named = |member: Stored<Membership>| {
            let user = tx.get::<User>(Site, member.value.user)?.value.name.to_string();
            let role = roles::name(tx, workspace, member.value.role)?;
            Ok((user.clone(), json!({"user": user, "role": role})))
        };
        tx.list::<Membership>(workspace, &query)?.items.into_iter().map(named).collect()
    }

    fn create(&self, tx: &Writing<'_>, asker: &Asker, name: &str, value: &Value) -> Result<(), Fault> {
        let (workspace, user) = (asker.workspace()?, user(tx, name)?);
        let role = wanted(tx, workspace, value)?;
        members::may_change(tx, asker, None, Some((role, roles::wanted(tx, workspace, role)?)))?;
        memberships::join(tx, workspace, &user, role, asker.by())
    }

    fn change(&self, tx: &Writing<'_>, asker: &Asker, name: &str, value: &Value) -> Result<(), Fault> {
        let workspace = asker.workspace()?;
        let before = find(tx, workspace, name)?;
        let role = wanted(tx, workspace, value)?;
        let after = (role, roles::wanted(tx, workspace, role)?);
        members::may_change(tx, asker, Some(&before.value), Some(after))?;
        members::set_role(tx, &before, role, asker.by()).map(drop)
    }

    fn remove(&self, tx: &Writing<'_>, asker: &Asker, name: &str) -> Result<(), Fault> {
        let before = find(tx, asker.workspace()?, name)?;
        members::may_change(tx, asker, Some(&before.value), None)?;
        members::leave(tx, &before, asker.by())
    }
}

fn user(tx: &Reading<'_>, name: &str) -> Result<User, Fault> {
    let found = tx.find_by_key::<User>(Site, keys::NAME, name)?;
    found.map(|stored| stored.value).ok_or_else(|| not_found("user"))
}

fn find(tx: &Reading<'_>, workspace: WorkspaceId, name: &str) -> Result<Stored<Membership>, Fault> {
    members::find(tx, workspace, user(tx, name)?.id)?.ok_or_else(|| not_found("member"))
}

/// The role that is written: a word of a built-in one, or the name of one that the workspace has.
fn wanted(tx: &Reading<'_>, workspace: WorkspaceId, value: &Value) -> Result<Role, Fault> {
    let text = value["role"].as_str().unwrap_or_default();
    match text.parse() {
        Ok(built_in @ Role::BuiltIn(_)) => Ok(built_in),
        _ => {
            let found = role::find(tx, workspace, text);
            let id = found.map_err(|_| Fault::parameter("role", "the workspace has no role of that name"))?;
            Ok(Role::Custom(id.value.id))
        }
    }
}
