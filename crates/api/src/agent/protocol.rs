//! Which versions of the protocol agents and servers speak, and whether two of them understand each other.
//!
//! A version is added only when one side can no longer do with what the other says; fields that may be left out need none. Who says
//! nothing (0) is of version 1, the first one.

use std::fmt;

/// Versions that somebody speaks, the oldest to the newest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Versions {
    oldest: u32,
    newest: u32,
}

/// Two that have no version in common.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Mismatch {
    /// The agent is the older one.
    #[error(
        "this agent speaks the protocol of agents {agent}, and the server {server}: update the agent to a release that is as new as the server"
    )]
    AgentOlder {
        /// What the agent speaks.
        agent: Versions,
        /// What the server speaks.
        server: Versions,
    },
    /// The server is the older one.
    #[error(
        "this agent speaks the protocol of agents {agent}, and the server {server}: update the server, or install a release of the agent that is as old as it"
    )]
    ServerOlder {
        /// What the agent speaks.
        agent: Versions,
        /// What the server speaks.
        server: Versions,
    },
}

impl Versions {
    /// Those of this program, as agent and as server.
    pub const OURS: Self = Self { oldest: 1, newest: 1 };

    /// Those that a message tells.
    #[must_use]
    pub fn said(oldest: u32, newest: u32) -> Self {
        let newest = newest.max(1);
        Self { oldest: oldest.clamp(1, newest), newest }
    }

    /// The oldest, as messages tell it.
    #[must_use]
    pub const fn oldest(self) -> u32 {
        self.oldest
    }

    /// The newest, as messages tell it.
    #[must_use]
    pub const fn newest(self) -> u32 {
        self.newest
    }

    /// The newest version that an agent of these and a server of those speak.
    ///
    /// # Errors
    /// Which of the two is to be updated when there is none.
    pub fn with_server(self, server: Self) -> Result<u32, Mismatch> {
        let common = self.newest.min(server.newest);
        if common < server.oldest {
            return Err(Mismatch::AgentOlder { agent: self, server });
        }
        if common < self.oldest {
            return Err(Mismatch::ServerOlder { agent: self, server });
        }
        Ok(common)
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.oldest == self.newest {
            write!(f, "in version {}", self.newest)
        } else {
            write!(f, "in versions {} to {}", self.oldest, self.newest)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_says_nothing_is_of_the_first_version() {
        assert_eq!(Versions::said(0, 0), Versions::said(1, 1));
        assert_eq!(Versions::said(9, 3), Versions::said(3, 3), "the oldest is no newer than the newest");
    }

    #[test]
    fn the_newest_common_version_is_spoken_and_the_older_side_is_named() {
        let v = Versions::said;
        assert_eq!(v(1, 1).with_server(v(1, 1)), Ok(1));
        assert_eq!(v(1, 3).with_server(v(2, 5)), Ok(3));
        assert_eq!(v(2, 5).with_server(v(1, 3)), Ok(3));
        let agent = v(1, 2).with_server(v(3, 4)).unwrap_err();
        assert!(matches!(agent, Mismatch::AgentOlder { .. }), "{agent:?}");
        assert!(agent.to_string().contains("in versions 3 to 4: update the agent"), "{agent}");
        let server = v(3, 4).with_server(v(2, 2)).unwrap_err();
        assert!(matches!(server, Mismatch::ServerOlder { .. }), "{server:?}");
        assert!(server.to_string().contains("in version 2: update the server"), "{server}");
    }
}
