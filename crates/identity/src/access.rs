//! What somebody may do in a workspace, and which roles they may give.
//!
//! Everything is denied unless a membership, a token or being a site administrator allows it. Nobody can give what they do not have:
//! not to others, not to a role, not to a token.

use netwatch_model::people::{ApiToken, BuiltInRole, CustomRole, Permission, PermissionSet, Reach, Role, User};

use crate::registration::Registration;

/// What a role allows; `custom` is the custom role that it names, when it exists. A role that is gone allows nothing.
#[must_use]
pub fn of_role(role: Role, custom: Option<&CustomRole>) -> PermissionSet {
    match (role, custom) {
        (Role::BuiltIn(role), _) => PermissionSet::of_role(role),
        (Role::Custom(id), Some(custom)) if custom.id == id => custom.permissions.and(assignable()),
        (Role::Custom(_), _) => PermissionSet::EMPTY,
    }
}

/// What a user may do, with `role` being what their membership allows in the workspace that is asked for (none without membership).
#[must_use]
pub fn of_user(user: &User, role: Option<PermissionSet>, registration: Registration) -> PermissionSet {
    if user.disabled {
        return PermissionSet::EMPTY;
    }
    if user.site_administrator {
        return PermissionSet::all();
    }
    let workspace = role.unwrap_or_default().and(PermissionSet::of_reach(Reach::Workspace));
    registration.restrict(user, workspace)
}

/// What a token may do, with `owner` being what its owner may do at this moment.
#[must_use]
pub const fn of_token(token: &ApiToken, owner: PermissionSet) -> PermissionSet {
    token.scopes.and(owner)
}

/// What a custom role or a token may have: nothing that reaches over the site, and not the making of owners.
#[must_use]
pub fn assignable() -> PermissionSet {
    let all = PermissionSet::of_reach(Reach::Workspace);
    all.iter().filter(|p| !matches!(p, Permission::OwnersWrite | Permission::WorkspaceDelete)).collect()
}

/// Whether somebody with `own` permissions may give a member, whose role allows `before`, a role that allows `after`.
///
/// Owners are made and unmade by owners alone; everybody else may move others only between roles that allow no more than their own.
#[must_use]
pub fn may_change_role(
    own: PermissionSet,
    before: Option<(Role, PermissionSet)>,
    after: Option<(Role, PermissionSet)>,
) -> bool {
    let owner = Role::BuiltIn(BuiltInRole::Owner);
    let touches_owner = [before, after].into_iter().flatten().any(|(role, _)| role == owner);
    if touches_owner {
        return own.has(Permission::OwnersWrite);
    }
    let within = [before, after].into_iter().flatten().all(|(_, permissions)| permissions.is_within(own));
    own.has(Permission::MembersWrite) && within
}

#[cfg(test)]
mod tests {
    use BuiltInRole::{Admin, Operator, Owner, Viewer};
    use netwatch_model::Timestamp;
    use netwatch_model::people::{RoleId, UserId, WorkspaceId};

    use super::*;

    fn user() -> User {
        User {
            id: UserId::from_bits(1),
            name: "ada".parse().unwrap(),
            display_name: "Ada".parse().unwrap(),
            email: None,
            email_verified: false,
            site_administrator: false,
            disabled: false,
            created: Timestamp::ZERO,
            last_sign_in: None,
        }
    }

    fn role(role: BuiltInRole) -> (Role, PermissionSet) {
        (Role::BuiltIn(role), PermissionSet::of_role(role))
    }

    #[test]
    fn nothing_is_allowed_without_membership() {
        let rules = Registration::default();
        assert!(of_user(&user(), None, rules).is_empty());
        let site = User { site_administrator: true, ..user() };
        assert_eq!(of_user(&site, None, rules), PermissionSet::all());
        let gone = User { disabled: true, ..site };
        assert!(of_user(&gone, Some(PermissionSet::all()), rules).is_empty());
    }

    #[test]
    fn a_custom_role_cannot_reach_over_the_site() {
        let id = RoleId::from_bits(9);
        let custom = CustomRole {
            id,
            workspace: WorkspaceId::from_bits(1),
            name: "all".parse().unwrap(),
            permissions: PermissionSet::all(),
        };
        let allowed = of_role(Role::Custom(id), Some(&custom));
        assert!(!allowed.has(Permission::SiteUsers) && !allowed.has(Permission::OwnersWrite));
        assert!(allowed.has(Permission::MembersWrite));
        assert!(of_role(Role::Custom(RoleId::from_bits(8)), Some(&custom)).is_empty(), "another role's id");
        assert!(of_role(Role::Custom(id), None).is_empty(), "a role that is gone");
        assert!(!of_user(&user(), Some(PermissionSet::all()), Registration::default()).has(Permission::SiteUsers));
    }

    #[test]
    fn roles_are_given_up_to_the_own() {
        let own = |r| PermissionSet::of_role(r);
        assert!(may_change_role(own(Admin), Some(role(Viewer)), Some(role(Admin))));
        assert!(!may_change_role(own(Admin), Some(role(Viewer)), Some(role(Owner))), "an owner is made by owners");
        assert!(!may_change_role(own(Admin), Some(role(Owner)), Some(role(Viewer))), "and unmade by owners");
        assert!(!may_change_role(own(Admin), Some(role(Owner)), None));
        assert!(may_change_role(own(Owner), Some(role(Owner)), Some(role(Owner))));
        assert!(!may_change_role(own(Operator), Some(role(Viewer)), Some(role(Operator))));
        let narrow = [Permission::MembersWrite, Permission::TrafficRead].into_iter().collect();
        assert!(!may_change_role(narrow, None, Some(role(Viewer))), "nobody gives what they do not have");
    }
}
