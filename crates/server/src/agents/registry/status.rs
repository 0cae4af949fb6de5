//! How an agent stands: what the server sees of it, and what it last said.

use std::net::IpAddr;

use netwatch_model::people::AgentInfo;
use netwatch_model::{Timestamp, Untrusted};

/// How an agent stands, by the server's clock.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum State {
    /// It was heard of lately.
    Online,
    /// It is silent, and may come back.
    Stale,
    /// It is silent for long.
    Offline,
    /// The server started lately, and has not heard of it.
    Unknown,
    /// It was never heard of.
    Never,
    /// It may not come in.
    Disabled,
}

impl State {
    /// All of them.
    pub(crate) const ALL: [Self; 6] =
        [Self::Online, Self::Stale, Self::Offline, Self::Unknown, Self::Never, Self::Disabled];

    /// The word of it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Stale => "stale",
            Self::Offline => "offline",
            Self::Unknown => "unknown",
            Self::Never => "never",
            Self::Disabled => "disabled",
        }
    }
}

/// What is known of an agent now.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    /// How it stands.
    pub(crate) state: State,
    /// What it says of itself.
    pub(crate) info: AgentInfo,
    /// From where it came last.
    pub(crate) peer: Option<IpAddr>,
    /// When it was heard of last.
    pub(crate) last_seen: Option<Timestamp>,
    /// Since when its session is open.
    pub(crate) connected_since: Option<Timestamp>,
    /// When it was found to be cloned.
    pub(crate) cloned_at: Option<Timestamp>,
    /// When a session was refused because of its version, and why; none since one began.
    pub(crate) refused: Option<(Timestamp, String)>,
    /// What it said last.
    pub(crate) beat: Beat,
}

/// What an agent says of its parts with each heartbeat.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Beat {
    /// The assignment that it runs.
    pub(crate) applied: u64,
    /// The assignment that it was sent; the server's own word.
    pub(crate) assigned: u64,
    /// Its collectors.
    pub(crate) collectors: Vec<Collector>,
    /// Its spool.
    pub(crate) spool: Option<Spool>,
    /// Its clock.
    pub(crate) clock: Option<ClockEstimate>,
}

/// A collector.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Collector {
    /// Which.
    pub(crate) name: Untrusted,
    /// How it is.
    pub(crate) state: CollectorState,
    /// Why.
    pub(crate) message: Untrusted,
    /// Things that it observes.
    pub(crate) items: u64,
}

/// How a collector is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum CollectorState {
    /// Well.
    Running,
    /// Something is missing.
    Degraded,
    /// It does not run.
    Failed,
    /// It has nothing to do.
    Idle,
}

/// What waits on the disk of an agent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Spool {
    /// Bytes.
    pub(crate) bytes: u64,
    /// Batches.
    pub(crate) batches: u64,
    /// When the oldest was written.
    pub(crate) oldest: Option<Timestamp>,
    /// Records that were dropped at the caps.
    pub(crate) dropped: u64,
}

/// The clock of an agent against the server's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ClockEstimate {
    /// Ahead of the server by, nanoseconds.
    pub(crate) offset: i64,
    /// Right within, nanoseconds.
    pub(crate) error: u64,
    /// Whether the system of the agent says that its clock is synchronised.
    pub(crate) synchronised: bool,
}
