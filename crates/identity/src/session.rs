//! When sessions end.
//!
//! A session that is not used for twelve hours ends, and every session ends after seven days. A new reference is drawn at every sign-in
//! and whenever its user's rights or credentials change, so that an older one is worth nothing.

use std::net::IpAddr;
use std::time::Duration;

use netwatch_model::people::{Method, Session, SessionId, UserId, WorkspaceId};
use netwatch_model::{Timestamp, Untrusted};

use crate::secret::{RandomError, Secret, random_bits};

/// A session that is not used for so long ends.
pub const IDLE_LIFE: Duration = Duration::from_secs(12 * 3600);
/// A session ends after this time in any case.
pub const ABSOLUTE_LIFE: Duration = Duration::from_secs(7 * 24 * 3600);
/// Most sessions of one user; the one that was not used for longest goes.
pub const MAX_PER_USER: usize = 64;
/// Changing how one signs in needs a sign-in no older than this.
pub const FRESH: Duration = Duration::from_secs(15 * 60);

/// Begins a session: what is stored, and the reference that only the browser gets.
///
/// # Errors
/// When there are no random bytes.
pub fn begin(
    user: UserId,
    method: Method,
    workspace: Option<WorkspaceId>,
    address: Option<IpAddr>,
    browser: &str,
    now: Timestamp,
) -> Result<(Session, Secret), RandomError> {
    let reference = Secret::session()?;
    let session = Session {
        id: SessionId::new(now, random_bits()?),
        digest: reference.digest(),
        user,
        method,
        created: now,
        used: now,
        address,
        browser: Untrusted::new(browser),
        workspace,
    };
    Ok((session, reference))
}

/// When a session ends unless it is used.
#[must_use]
pub fn expires(session: &Session) -> Timestamp {
    (session.created + ABSOLUTE_LIFE).min(session.used + IDLE_LIFE)
}

/// Whether a session holds.
#[must_use]
pub fn holds(session: &Session, now: Timestamp) -> bool {
    // A clock that was set back prolongs nothing: what lies in the future ends when it would have.
    expires(session) > now
}

/// Whether its user signed in a short time ago.
#[must_use]
pub fn is_fresh(session: &Session, now: Timestamp) -> bool {
    now.since(session.created) <= FRESH
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const START: Timestamp = Timestamp::from_secs(1_000_000_000);

    #[test]
    fn a_session_ends_when_idle_and_after_seven_days() {
        let (mut session, reference) = begin(UserId::from_bits(1), Method::Password, None, None, "x", START).unwrap();
        assert_eq!(session.digest, reference.digest());
        assert!(holds(&session, START + HOUR * 11) && !holds(&session, START + HOUR * 12));
        for hour in 1..24 * 7 {
            assert!(holds(&session, START + HOUR * hour), "hour {hour}");
            session.used = START + HOUR * hour;
        }
        assert!(!holds(&session, START + ABSOLUTE_LIFE));
        assert!(is_fresh(&session, START + FRESH) && !is_fresh(&session, START + HOUR));
    }
}
