//! Custom roles in a file: name and permissions.

use std::collections::BTreeMap;

use netwatch_entities::{ListQuery, Order, Reading, Stored, Writing};
use netwatch_model::people::{CustomRole, DisplayName, Permission, PermissionSet, WorkspaceId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Declared;
use crate::app::to_json;
use crate::fault::Fault;
use crate::params::parse_body;
use crate::routes::manage::asker::{Asker, field, not_found};
use crate::routes::manage::roles;

/// See the module.
pub(super) struct Roles;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    permissions: Vec<Permission>,
}

impl Declared for Roles {
    fn word(&self) -> &'static str {
        "roles"
    }

    fn reading(&self) -> Permission {
        Permission::RolesRead
    }

    fn writing(&self) -> Permission {
        Permission::RolesWrite
    }

    fn parse(&self, written: &Value) -> Result<(String, Value), Fault> {
        let role: Written = parse_body(&to_json(written)?)?;
        let name: DisplayName = field("name", &role.name)?;
        let set: PermissionSet = role.permissions.into_iter().collect();
        Ok((name.to_string(), value(name.as_str(), set)?))
    }

    fn current(&self, tx: &Reading<'_>, workspace: WorkspaceId) -> Result<BTreeMap<String, Value>, Fault> {
        let named = |role: Stored<CustomRole>| {
            let (name, permissions) = (role.value.name.to_string(), role.value.permissions);
            Ok((name.clone(), value(&name, permissions)?))
        };
        all(tx, workspace)?.into_iter().map(named).collect()
    }

    fn create(&self, tx: &Writing<'_>, asker: &Asker, _: &str, value: &Value) -> Result<(), Fault> {
        let (name, permissions) = read(value)?;
        roles::make(tx, asker, name, roles::checked(&permissions, asker)?).map(drop)
    }

    fn change(&self, tx: &Writing<'_>, asker: &Asker, name: &str, value: &Value) -> Result<(), Fault> {
        let before = find(tx, asker.workspace()?, name)?;
        let (_, permissions) = read(value)?;
        let after = CustomRole { permissions: roles::checked(&permissions, asker)?, ..before.value.clone() };
        roles::alter(tx, asker, &before, &after).map(drop)
    }

    fn remove(&self, tx: &Writing<'_>, asker: &Asker, name: &str) -> Result<(), Fault> {
        let before = find(tx, asker.workspace()?, name)?;
        roles::drop_it(tx, asker, &before)
    }
}

/// The role of that name.
pub(super) fn find(tx: &Reading<'_>, workspace: WorkspaceId, name: &str) -> Result<Stored<CustomRole>, Fault> {
    let found = all(tx, workspace)?.into_iter().find(|role| role.value.name.as_str() == name);
    found.ok_or_else(|| not_found("role"))
}

fn all(tx: &Reading<'_>, workspace: WorkspaceId) -> Result<Vec<Stored<CustomRole>>, Fault> {
    let query = ListQuery { order: Order::Label, limit: roles::MAX_ROLES, ..ListQuery::default() };
    Ok(tx.list::<CustomRole>(workspace, &query)?.items)
}

fn value(name: &str, permissions: PermissionSet) -> Result<Value, Fault> {
    let written = Written { name: name.to_owned(), permissions: permissions.iter().collect() };
    parse_body(&to_json(&written)?)
}

fn read(value: &Value) -> Result<(DisplayName, Vec<Permission>), Fault> {
    let role: Written = parse_body(&to_json(value)?)?;
    Ok((field("name", &role.name)?, role.permissions))
}
