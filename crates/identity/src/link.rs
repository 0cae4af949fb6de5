//! Invitations and one-time links: who holds the secret may use it, once, and not for long.

use std::time::Duration;

use netwatch_model::Timestamp;
use netwatch_model::people::{
    EmailAddress, Invitation, InvitationId, LinkId, LinkPurpose, OneTimeLink, Role, UserId, WorkspaceId,
};

use crate::secret::{RandomError, Secret, random_bits};

/// How long an invitation is good.
pub const INVITATION_LIFE: Duration = Duration::from_secs(7 * 24 * 3600);
/// How long a link with which somebody signs in is good.
pub const SIGN_IN_LIFE: Duration = Duration::from_secs(15 * 60);
/// How long a link that sets a new password is good.
pub const RESET_LIFE: Duration = Duration::from_secs(3600);
/// How long a link that verifies an address is good.
pub const VERIFY_LIFE: Duration = Duration::from_secs(24 * 3600);
/// How long the set-up link is good; a restart prints a new one.
pub const SET_UP_LIFE: Duration = Duration::from_secs(24 * 3600);

/// Makes a one-time link: what is stored, and the secret.
///
/// # Errors
/// When there are no random bytes.
pub fn make(purpose: LinkPurpose, now: Timestamp) -> Result<(OneTimeLink, Secret), RandomError> {
    let secret = Secret::link()?;
    let expires = now + life(&purpose);
    let id = LinkId::new(now, random_bits()?);
    Ok((OneTimeLink { id, purpose, digest: secret.digest(), created: now, expires }, secret))
}

/// Invites: what is stored, and the secret.
///
/// # Errors
/// When there are no random bytes.
pub fn invite(
    workspace: WorkspaceId,
    role: Role,
    email: Option<EmailAddress>,
    by: UserId,
    now: Timestamp,
) -> Result<(Invitation, Secret), RandomError> {
    let secret = Secret::link()?;
    let id = InvitationId::new(now, random_bits()?);
    let expires = now + INVITATION_LIFE;
    Ok((Invitation { id, workspace, role, email, digest: secret.digest(), by, created: now, expires }, secret))
}

/// How long a link of that purpose is good.
#[must_use]
pub const fn life(purpose: &LinkPurpose) -> Duration {
    match purpose {
        LinkPurpose::SetUp => SET_UP_LIFE,
        LinkPurpose::SignIn { .. } => SIGN_IN_LIFE,
        LinkPurpose::ResetPassword { .. } => RESET_LIFE,
        LinkPurpose::VerifyEmail { .. } => VERIFY_LIFE,
    }
}

/// Whether a link that ends at `expires` can still be used.
#[must_use]
pub fn holds(created: Timestamp, expires: Timestamp, now: Timestamp) -> bool {
    // A clock set back before the link was made makes it no younger: it ends at its time, or sooner.
    expires > now && created <= now + Duration::from_secs(300)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_end() {
        let now = Timestamp::from_secs(1_000_000);
        let user = UserId::from_bits(1);
        let (link, secret) = make(LinkPurpose::ResetPassword { user }, now).unwrap();
        assert_eq!(link.digest, secret.digest());
        assert!(holds(link.created, link.expires, now + Duration::from_secs(3599)));
        assert!(!holds(link.created, link.expires, now + RESET_LIFE));
        assert!(!holds(link.created, link.expires, Timestamp::ZERO), "a clock set far back");
    }
}
