//! Roles: what a member of a workspace may do there.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::id::{RoleId, WorkspaceId};
use super::permission::PermissionSet;
use super::text::{DisplayName, InvalidText};
use super::words::{text_form, words};

words! {
    /// The roles that every workspace has, weakest first. Each has all permissions of those before it.
    pub enum BuiltInRole ("role") {
        /// Sees.
        Viewer = "viewer",
        /// Works: views, names, agents, tokens of its own.
        Operator = "operator",
        /// Runs the workspace: members, roles, tokens, audit.
        Admin = "admin",
        /// Has it: makes owners, deletes it.
        Owner = "owner",
    }
}

/// The role of a member. Text form: the word of a built-in role, or the id of a custom one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Role {
    /// One that every workspace has.
    BuiltIn(BuiltInRole),
    /// One that the workspace made.
    Custom(RoleId),
}

/// A role that a workspace made: a name for a set of permissions of that workspace.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomRole {
    /// Its identity.
    pub id: RoleId,
    /// Where it exists.
    pub workspace: WorkspaceId,
    /// Its name, unique in the workspace.
    pub name: DisplayName,
    /// What it allows; never anything that reaches over the site, nor the making of owners.
    pub permissions: PermissionSet,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn(role) => role.fmt(f),
            Self::Custom(id) => id.fmt(f),
        }
    }
}

impl FromStr for Role {
    type Err = InvalidText;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let built_in = text.parse().map(Self::BuiltIn);
        let rule = "must be viewer, operator, admin, owner or the id of a custom role";
        built_in
            .or_else(|_| text.parse().map(Self::Custom))
            .map_err(|_: InvalidText| InvalidText::new("role", text, rule))
    }
}

text_form!(Role, "role");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_written_as_one_text() {
        for role in [Role::BuiltIn(BuiltInRole::Admin), Role::Custom(RoleId::from_bits(7))] {
            assert_eq!(role.to_string().parse::<Role>().unwrap(), role);
        }
        assert!("site_administrator".parse::<Role>().is_err());
    }
}
