//! The table of permissions: the one place that says what can be allowed, and which built-in role is.
//!
//! The check of the gate, the chapter of the documentation, the list in the web app, the scopes of tokens and the test that walks every
//! route with every role are all made from [`Permission::ALL`]. A new permission is one line here.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::role::BuiltInRole::{self, Admin, Operator, Owner, Viewer};
use super::words::words;

/// Over what a permission reaches.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Reach {
    /// One workspace: given by the role that a user has there.
    Workspace,
    /// The whole installation: only site administrators have it.
    Site,
}

macro_rules! permissions {
    ($($variant:ident = $word:literal, $text:literal, $reach:ident [$($role:ident)*];)+) => {
        words! {
            /// One thing that can be allowed. Text form: `subject.verb`.
            pub enum Permission ("permission") { $(#[doc = $text] $variant = $word,)+ }
        }

        impl Permission {
            /// What it allows, for people.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// Over what it reaches.
            #[must_use]
            pub const fn reach(self) -> Reach {
                match self { $(Self::$variant => Reach::$reach,)+ }
            }

            /// The built-in roles that have it.
            #[must_use]
            pub const fn roles(self) -> &'static [BuiltInRole] {
                match self { $(Self::$variant => &[$($role),*],)+ }
            }
        }
    };
}

permissions! {
    TrafficRead      = "traffic.read",      "See flows, rates, talkers, hosts, interfaces, events and their history", Workspace [Viewer Operator Admin Owner];
    TrafficExport    = "traffic.export",    "Export flows and samples as CSV or JSON",                   Workspace [Viewer Operator Admin Owner];
    RecordsWrite     = "records.write",     "Send samples and events in batches",                        Workspace [Operator Admin Owner];
    ViewsRead        = "views.read",        "Open shared views, keep views for oneself",                 Workspace [Viewer Operator Admin Owner];
    ViewsWrite       = "views.write",       "Share views, change and delete shared ones",                Workspace [Operator Admin Owner];
    NetworksWrite    = "networks.write",    "Name address ranges",                                       Workspace [Operator Admin Owner];
    ProbesRead       = "probes.read",       "See probes, their results, paths and the matrix",           Workspace [Viewer Operator Admin Owner];
    ProbesWrite      = "probes.write",      "Add, change and remove probes",                             Workspace [Operator Admin Owner];
    ProbesRun        = "probes.run",        "Run a measurement now",                                     Workspace [Operator Admin Owner];
    AgentsRead       = "agents.read",       "See agents and how they are",                               Workspace [Viewer Operator Admin Owner];
    AgentsWrite      = "agents.write",      "Add, change and remove agents",                             Workspace [Operator Admin Owner];
    WorkspaceRead    = "workspace.read",    "See name, limits and use of the workspace",                 Workspace [Viewer Operator Admin Owner];
    WorkspaceWrite   = "workspace.write",   "Rename the workspace, change its settings and retention",   Workspace [Admin Owner];
    WorkspaceDelete  = "workspace.delete",  "Delete the workspace and all that is in it",                Workspace [Owner];
    MembersRead      = "members.read",      "See who is a member",                                       Workspace [Operator Admin Owner];
    MembersWrite     = "members.write",     "Invite and remove members, change their roles up to the own", Workspace [Admin Owner];
    OwnersWrite      = "owners.write",      "Make and unmake owners",                                    Workspace [Owner];
    RolesRead        = "roles.read",        "See roles and what they allow",                             Workspace [Viewer Operator Admin Owner];
    RolesWrite       = "roles.write",       "Make, change and delete custom roles",                      Workspace [Admin Owner];
    TokensOwn        = "tokens.own",        "Make API tokens for oneself, with at most the own permissions", Workspace [Operator Admin Owner];
    TokensWrite      = "tokens.write",      "See, rotate and revoke the API tokens of all members",      Workspace [Admin Owner];
    AuditRead        = "audit.read",        "Search and export the audit log of the workspace",          Workspace [Admin Owner];
    ConfigRead       = "config.read",       "Export what can be edited as a file",                       Workspace [Operator Admin Owner];
    ConfigWrite      = "config.write",      "Apply a file; each change needs its own permission too",    Workspace [Admin Owner];
    SystemRead       = "system.read",       "See metrics, health by stage, storage and its forecast",    Site [];
    SystemWrite      = "system.write",      "Change settings of the server, reload, levels of the log",  Site [];
    SiteUsers        = "site.users",        "See, make, change, disable and delete users",               Site [];
    SiteWorkspaces   = "site.workspaces",   "See all workspaces, make them, set their limits",           Site [];
    SiteAudit        = "site.audit",        "Search and export the whole audit log",                     Site [];
    SiteBackup       = "site.backup",       "Make backups",                                              Site [];
}

/// A set of permissions, written as a list of words in the order of the table.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct PermissionSet(u64);

const _FITS: () = assert!(Permission::ALL.len() <= 64, "a set holds 64 permissions");

impl PermissionSet {
    /// None at all.
    pub const EMPTY: Self = Self(0);

    /// Every permission of that reach.
    #[must_use]
    pub fn of_reach(reach: Reach) -> Self {
        Permission::ALL.iter().copied().filter(|p| p.reach() == reach).collect()
    }

    /// Every permission there is.
    #[must_use]
    pub fn all() -> Self {
        Permission::ALL.iter().copied().collect()
    }

    /// What a built-in role has.
    #[must_use]
    pub fn of_role(role: BuiltInRole) -> Self {
        Permission::ALL.iter().copied().filter(|p| p.roles().contains(&role)).collect()
    }

    /// Whether `permission` is in it.
    #[must_use]
    pub const fn has(self, permission: Permission) -> bool {
        self.0 & bit(permission) != 0
    }

    /// Whether everything in `self` is in `other` too.
    #[must_use]
    pub const fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// What is in both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is in one of them or both.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether nothing is in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// What is in it, in the order of the table.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.iter().copied().filter(move |p| self.has(*p))
    }
}

const fn bit(permission: Permission) -> u64 {
    1 << permission as u32
}

impl FromIterator<Permission> for PermissionSet {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(permissions.into_iter().fold(0, |set, p| set | bit(p)))
    }
}

impl fmt::Debug for PermissionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Permission::word)).finish()
    }
}

impl Serialize for PermissionSet {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for PermissionSet {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Vec::<Permission>::deserialize(d).map(|list| list.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_has_what_the_one_below_has_and_more() {
        for pair in BuiltInRole::ALL.windows(2) {
            let [lower, higher] = [pair[0], pair[1]].map(PermissionSet::of_role);
            assert!(lower.is_within(higher) && lower != higher, "{pair:?}");
        }
        assert_eq!(PermissionSet::of_role(Owner), PermissionSet::of_reach(Reach::Workspace));
    }

    #[test]
    fn no_role_of_a_workspace_reaches_over_the_site() {
        for permission in PermissionSet::of_reach(Reach::Site).iter() {
            assert!(permission.roles().is_empty(), "{permission}");
        }
    }

    #[test]
    fn words_are_distinct_and_read_back() {
        for (i, p) in Permission::ALL.iter().enumerate() {
            assert_eq!(p.word().parse::<Permission>().unwrap(), *p);
            assert!(Permission::ALL[..i].iter().all(|q| q.word() != p.word()), "{p}");
        }
        let set: PermissionSet = serde_json::from_str(r#"["views.read","traffic.read"]"#).unwrap();
        assert_eq!(serde_json::to_string(&set).unwrap(), r#"["traffic.read","views.read"]"#);
        assert!(serde_json::from_str::<PermissionSet>(r#"["everything"]"#).is_err());
    }
}
