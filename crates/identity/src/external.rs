//! Who comes from an identity provider, and which role that gives.
//!
//! Every external source (OpenID Connect today; SAML and LDAP can follow) ends in one value, an [`ExternalLogin`]: an identity that the
//! source has proven, and what it says about the person. From there on one rule holds for all of them: **the user is found by issuer
//! and subject, never by name or address of e-mail**, so that nobody becomes somebody else by claiming their address. A person who is
//! not known yet gets an account of their own when the source may provision, with the roles that the mapping gives.

use std::collections::BTreeMap;

use netwatch_model::Timestamp;
use netwatch_model::people::{DisplayName, EmailAddress, ExternalIdentity, Role, User, UserId, UserName, WorkspaceId};

/// Longest issuer or subject, bytes (OpenID Connect Core, section 2: a subject has at most 255).
pub const MAX_KEY: usize = 512;
/// Most values of one claim that are looked at.
const MAX_VALUES: usize = 256;

/// What an external source has proven about somebody.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExternalLogin {
    /// Who they are there.
    pub identity: ExternalIdentity,
    /// The name they would like to have here.
    pub preferred_name: Option<String>,
    /// How they are shown.
    pub display_name: Option<String>,
    /// Their address.
    pub email: Option<String>,
    /// Whether the source says that the address is theirs.
    pub email_verified: bool,
    /// Claims as text, each with its values: what roles are mapped from.
    pub claims: BTreeMap<String, Vec<String>>,
}

/// One rule of the mapping: who has this value in this claim gets this role in this workspace.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoleRule {
    /// Name of the claim, such as `groups`.
    pub claim: String,
    /// Its value, exactly.
    pub value: String,
    /// Where.
    pub workspace: WorkspaceId,
    /// As what.
    pub role: Role,
}

/// An external source cannot let this person in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unusable {
    /// Issuer or subject is empty or too long.
    #[error("the identity provider named nobody: its answer has no usable issuer and subject")]
    NoIdentity,
}

/// Checks that an identity can be a key.
///
/// # Errors
/// When it cannot.
pub fn check_identity(identity: &ExternalIdentity) -> Result<(), Unusable> {
    let fits = |text: &str| !text.trim().is_empty() && text.len() <= MAX_KEY;
    if fits(&identity.issuer) && fits(&identity.subject) { Ok(()) } else { Err(Unusable::NoIdentity) }
}

/// The roles that the claims give: for each workspace the first rule that fits.
#[must_use]
pub fn roles(login: &ExternalLogin, rules: &[RoleRule]) -> BTreeMap<WorkspaceId, Role> {
    let has = |rule: &RoleRule| {
        let values = login.claims.get(&rule.claim).map_or(&[][..], Vec::as_slice);
        values.iter().take(MAX_VALUES).any(|v| *v == rule.value)
    };
    let mut roles = BTreeMap::new();
    for rule in rules.iter().filter(|rule| has(rule)) {
        roles.entry(rule.workspace).or_insert(rule.role);
    }
    roles
}

/// The account of somebody who comes for the first time. `is_taken` tells whether a name is somebody's already.
#[must_use]
pub fn provision(login: &ExternalLogin, id: UserId, is_taken: impl Fn(&UserName) -> bool, now: Timestamp) -> User {
    let name = free_name(login, id, is_taken);
    let shown = login.display_name.as_deref().or(login.preferred_name.as_deref()).unwrap_or(name.as_str());
    let display_name = shown.parse::<DisplayName>().ok();
    let email = login.email.as_deref().and_then(|text| text.parse::<EmailAddress>().ok());
    User {
        id,
        display_name: display_name.or_else(|| name.as_str().parse().ok()).unwrap_or_else(|| fallback_name(id).1),
        name,
        email_verified: email.is_some() && login.email_verified,
        email,
        site_administrator: false,
        disabled: false,
        created: now,
        last_sign_in: None,
    }
}

/// The name that they prefer, with a number when somebody has it, or one made of the id.
fn free_name(login: &ExternalLogin, id: UserId, is_taken: impl Fn(&UserName) -> bool) -> UserName {
    let wish = login.preferred_name.as_deref().or(login.email.as_deref()).unwrap_or("");
    let wish: String = wish.chars().take(56).collect();
    let numbered = (2..100).map(|n| format!("{wish}-{n}"));
    let candidates = std::iter::once(wish.clone()).chain(numbered);
    let free = candidates.filter_map(|text| text.parse::<UserName>().ok()).find(|name| !is_taken(name));
    free.unwrap_or_else(|| fallback_name(id).0)
}

#[expect(
    clippy::expect_used,
    reason = "digits of an id fit the rules of both names, as a test shows for all shapes of ids"
)]
fn fallback_name(id: UserId) -> (UserName, DisplayName) {
    let text = format!("user-{id}");
    (text.parse().expect("a plain name"), text.parse().expect("a visible name"))
}

#[cfg(test)]
mod tests {
    use netwatch_model::people::BuiltInRole;

    use super::*;

    fn login() -> ExternalLogin {
        ExternalLogin {
            identity: ExternalIdentity { issuer: "https://id.example".to_owned(), subject: "42".to_owned() },
            preferred_name: Some("Ada".to_owned()),
            display_name: Some("Ada L.".to_owned()),
            email: Some("ada@example.org".to_owned()),
            email_verified: false,
            claims: BTreeMap::from([("groups".to_owned(), vec!["staff".to_owned(), "net".to_owned()])]),
        }
    }

    #[test]
    fn claims_give_roles_and_the_first_rule_wins() {
        let rule = |value: &str, role| RoleRule {
            claim: "groups".to_owned(),
            value: value.to_owned(),
            workspace: WorkspaceId::from_bits(1),
            role: Role::BuiltIn(role),
        };
        let rules =
            [rule("root", BuiltInRole::Owner), rule("net", BuiltInRole::Operator), rule("staff", BuiltInRole::Viewer)];
        let given = roles(&login(), &rules);
        assert_eq!(given.get(&WorkspaceId::from_bits(1)), Some(&Role::BuiltIn(BuiltInRole::Operator)));
        assert!(roles(&login(), &rules[..1]).is_empty());
    }

    #[test]
    fn a_stranger_gets_an_account_of_their_own() {
        let id = UserId::from_bits(u128::MAX);
        let user = provision(&login(), id, |name| name.as_str() == "ada", Timestamp::ZERO);
        assert_eq!((user.name.as_str(), user.display_name.as_str()), ("ada-2", "Ada L."));
        assert!(!user.email_verified && !user.site_administrator);
        let nameless =
            ExternalLogin { preferred_name: Some("\u{202e}".to_owned()), display_name: None, email: None, ..login() };
        assert_eq!(provision(&nameless, id, |_| false, Timestamp::ZERO).name.as_str(), format!("user-{id}"));
        for bits in [0, 1, u128::MAX] {
            let _fits = fallback_name(UserId::from_bits(bits));
        }
    }

    #[test]
    fn an_identity_without_subject_is_nobody() {
        for (issuer, subject) in [("", "1"), ("https://a", ""), ("https://a", " "), ("x", "y".repeat(600).as_str())] {
            let identity = ExternalIdentity { issuer: issuer.to_owned(), subject: subject.to_owned() };
            assert!(check_identity(&identity).is_err());
        }
    }
}
