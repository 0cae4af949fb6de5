//! Sessions of browsers, by the hash of their secret.

use std::collections::HashMap;
use std::time::Duration;

use netwatch_model::Timestamp;
use serde::{Deserialize, Serialize};

use super::secret::Digest;

/// A session that is not used for so long ends.
pub(super) const IDLE_LIFE: Duration = Duration::from_secs(12 * 3600);
/// A session ends after this time in any case.
pub(crate) const ABSOLUTE_LIFE: Duration = Duration::from_secs(7 * 24 * 3600);
/// Most sessions; the one that was not used for longest goes.
pub(super) const MAX_SESSIONS: usize = 1024;
/// Use is worth a write to disk once in this time.
const SAVE_EVERY: Duration = Duration::from_secs(300);

/// The sessions that hold.
#[derive(Default)]
pub(super) struct Sessions {
    table: HashMap<Digest, Session>,
    changed: bool,
}

#[derive(Clone, Copy)]
struct Session {
    created: Timestamp,
    used: Timestamp,
    saved: Timestamp,
}

impl Session {
    fn expires(&self) -> Timestamp {
        (self.created + ABSOLUTE_LIFE).min(self.used + IDLE_LIFE)
    }
}

/// What is kept on disk of one session: nothing with which one could sign in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredSession {
    /// SHA-256 of the secret, hexadecimal.
    hash: String,
    created: Timestamp,
    used: Timestamp,
}

impl Sessions {
    /// Those of `stored` that still hold.
    pub(super) fn restore(stored: &[StoredSession], now: Timestamp) -> Self {
        let read = |s: &StoredSession| {
            let used = s.used.min(now);
            Some((Digest::from_hex(&s.hash)?, Session { created: s.created.min(now), used, saved: used }))
        };
        let table = stored.iter().filter_map(read).filter(|(_, s)| s.expires() > now).take(MAX_SESSIONS).collect();
        Self { table, changed: false }
    }

    /// What to keep on disk.
    pub(super) fn store(&mut self, now: Timestamp) -> Vec<StoredSession> {
        self.changed = false;
        self.table.retain(|_, s| s.expires() > now);
        let mut all: Vec<_> = Vec::with_capacity(self.table.len());
        for (digest, s) in &mut self.table {
            s.saved = s.used;
            all.push(StoredSession { hash: digest.to_hex(), created: s.created, used: s.used });
        }
        all.sort_by(|a, b| (a.created, &a.hash).cmp(&(b.created, &b.hash)));
        all
    }

    /// Whether there is something to keep that the disk does not have.
    pub(super) const fn is_changed(&self) -> bool {
        self.changed
    }

    /// Begins a session; gives the time at which it ends unless it is used.
    pub(super) fn add(&mut self, digest: Digest, now: Timestamp) -> Timestamp {
        if self.table.len() >= MAX_SESSIONS {
            self.table.retain(|_, s| s.expires() > now);
        }
        if self.table.len() >= MAX_SESSIONS
            && let Some(oldest) = self.table.iter().min_by_key(|(_, s)| s.used).map(|(d, _)| *d)
        {
            self.table.remove(&oldest);
        }
        let session = Session { created: now, used: now, saved: now };
        self.table.insert(digest, session);
        self.changed = true;
        session.expires()
    }

    /// Whether the session holds; if so, it was used now.
    pub(super) fn touch(&mut self, digest: &Digest, now: Timestamp) -> bool {
        let Some(session) = self.table.get_mut(digest) else { return false };
        if session.expires() <= now {
            self.table.remove(digest);
            self.changed = true;
            return false;
        }
        session.used = session.used.max(now);
        self.changed |= session.used.since(session.saved) >= SAVE_EVERY;
        true
    }

    /// When the session ends unless it is used.
    pub(super) fn expires(&self, digest: &Digest) -> Option<Timestamp> {
        self.table.get(digest).map(Session::expires)
    }

    /// Ends a session; false when there is none such.
    pub(super) fn remove(&mut self, digest: &Digest) -> bool {
        let removed = self.table.remove(digest).is_some();
        self.changed |= removed;
        removed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const START: Timestamp = Timestamp::from_secs(1_000_000_000);

    #[test]
    fn a_session_ends_when_idle_and_after_seven_days() {
        let mut sessions = Sessions::default();
        let [idle, busy] = ["idle", "busy"].map(Digest::of);
        sessions.add(idle, START);
        sessions.add(busy, START);
        for hour in 1..24 * 7 {
            assert!(sessions.touch(&busy, START + HOUR * hour), "hour {hour}");
            assert_eq!(sessions.expires(&idle).is_some_and(|t| t > START + HOUR * hour), hour < 12);
        }
        assert!(!sessions.touch(&idle, START + HOUR * 12));
        assert!(!sessions.touch(&busy, START + ABSOLUTE_LIFE));
    }

    #[test]
    fn what_is_stored_comes_back_without_the_secret() {
        let mut sessions = Sessions::default();
        let digest = Digest::of("secret");
        sessions.add(digest, START);
        let stored = sessions.store(START);
        assert!(!sessions.is_changed());
        assert!(!serde_json::to_string(&stored).unwrap().contains("secret"));
        let mut restored = Sessions::restore(&stored, START + HOUR);
        assert!(restored.touch(&digest, START + HOUR));
        assert!(restored.is_changed(), "use after five minutes is worth a write");
        assert!(!Sessions::restore(&stored, START + HOUR * 12).touch(&digest, START + HOUR * 12));
    }

    #[test]
    fn the_longest_unused_of_too_many_goes() {
        let mut sessions = Sessions::default();
        let at = |i: usize| START + Duration::from_secs(i as u64);
        let all: Vec<_> = (0..=MAX_SESSIONS).map(|i| Digest::of(&i.to_string())).collect();
        for (i, digest) in all.iter().enumerate() {
            sessions.add(*digest, at(i));
        }
        assert!(!sessions.touch(&all[0], at(MAX_SESSIONS)));
        assert!(sessions.touch(&all[1], at(MAX_SESSIONS)));
    }
}
