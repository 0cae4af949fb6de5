//! Whether strangers may register, and what those whose address is not verified may not.
//!
//! `registration.enabled` is off unless switched on. With `registration.require_verified_email` a user without a verified address may
//! sign in and use what they were given, but not invite, create workspaces or API tokens.

use netwatch_model::people::{Permission, PermissionSet, User};

/// The two switches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Registration {
    /// Whether anybody may make an account.
    pub enabled: bool,
    /// Whether an address must be verified before its user may draw in others.
    pub require_verified_email: bool,
}

impl Default for Registration {
    fn default() -> Self {
        Self { enabled: false, require_verified_email: true }
    }
}

impl Registration {
    /// Whether `user` may invite, create workspaces and API tokens, as far as their address decides.
    #[must_use]
    pub fn trusts(self, user: &User) -> bool {
        // Who has no address was made by an administrator or is one: only those who register need one.
        !self.require_verified_email || user.email_verified || user.email.is_none() || user.site_administrator
    }

    /// What of `permissions` is left to `user`.
    #[must_use]
    pub fn restrict(self, user: &User, permissions: PermissionSet) -> PermissionSet {
        if self.trusts(user) {
            return permissions;
        }
        let withheld =
            [Permission::MembersWrite, Permission::OwnersWrite, Permission::TokensOwn, Permission::TokensWrite];
        permissions.iter().filter(|p| !withheld.contains(p)).collect()
    }
}

#[cfg(test)]
mod tests {
    use netwatch_model::Timestamp;
    use netwatch_model::people::{BuiltInRole, UserId};

    use super::*;

    #[test]
    fn the_unverified_draw_in_nobody() {
        let mut user = User {
            id: UserId::from_bits(1),
            name: "ada".parse().unwrap(),
            display_name: "Ada".parse().unwrap(),
            email: Some("ada@example.org".parse().unwrap()),
            email_verified: false,
            site_administrator: false,
            disabled: false,
            created: Timestamp::ZERO,
            last_sign_in: None,
        };
        let owner = PermissionSet::of_role(BuiltInRole::Owner);
        let rules = Registration::default();
        assert!(!rules.enabled, "registration is off unless switched on");
        let left = rules.restrict(&user, owner);
        assert!(
            !left.has(Permission::MembersWrite)
                && !left.has(Permission::TokensOwn)
                && left.has(Permission::TrafficRead)
        );
        let lax = Registration { require_verified_email: false, ..rules };
        assert_eq!(lax.restrict(&user, owner), owner);
        user.email_verified = true;
        assert_eq!(rules.restrict(&user, owner), owner);
    }
}
