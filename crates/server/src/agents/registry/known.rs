//! One agent of the registry. Pure: everything takes `now`.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use netwatch_model::Timestamp;
use netwatch_model::people::{Agent, AgentInfo, AgentOrigin, AgentSeen};
use netwatch_model::probe::pair;

use super::{AgentRules, Beat, End, Ending, Now, SessionId, State};

/// Former boots of an agent that are remembered.
pub(super) const BOOTS: usize = 8;
/// How often it is told that an agent was cloned.
const TELL_CLONE: Duration = Duration::from_secs(3600);

/// One agent.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) agent: Arc<Agent>,
    /// Since this server started.
    pub(super) heard: Option<Duration>,
    pub(super) last_seen: Option<Timestamp>,
    pub(super) info: AgentInfo,
    pub(super) peer: Option<IpAddr>,
    pub(super) cloned_at: Option<Timestamp>,
    /// Its version does not fit: since when it was last told so, and how.
    pub(super) refused: Option<(Timestamp, String)>,
    pub(super) live: Option<Live>,
    pub(super) boot: Option<u64>,
    pub(super) former: VecDeque<u64>,
    pub(super) beat: Beat,
    pub(super) told_clone: Option<Duration>,
    pub(super) saved: Option<Duration>,
    pub(super) unsaved: bool,
    /// Whether its silence was told.
    pub(super) told_offline: bool,
}

/// An open session.
#[derive(Clone, Copy, Debug)]
pub(super) struct Live {
    pub(super) session: SessionId,
    pub(super) since: Timestamp,
}

impl Known {
    pub(super) fn new(agent: &Arc<Agent>, seen: Option<AgentSeen>) -> Self {
        let (last_seen, cloned_at) = (seen.as_ref().map(|s| s.last_seen), seen.as_ref().and_then(|s| s.cloned_at));
        Self {
            agent: Arc::clone(agent),
            heard: None,
            last_seen,
            peer: seen.as_ref().and_then(|s| s.peer),
            info: seen.map(|s| s.info).unwrap_or_default(),
            cloned_at,
            refused: None,
            live: None,
            boot: None,
            former: VecDeque::new(),
            beat: Beat::default(),
            told_clone: None,
            saved: None,
            unsaved: false,
            told_offline: false,
        }
    }

    pub(super) fn place(&self) -> pair::End {
        pair::End {
            agent: self.agent.id,
            addresses: self.info.addresses.clone(),
            seen: self.peer,
            reflector: self.info.reflector_port,
            keyed: self.info.keyed_reflector && self.info.reflector_port.is_some(),
            throughput: self.info.throughput_port,
        }
    }

    pub(super) fn is_live(&self, session: SessionId) -> bool {
        self.live.is_some_and(|live| live.session == session)
    }

    pub(super) fn hear(&mut self, now: Now) {
        (self.heard, self.last_seen, self.unsaved) = (Some(now.mono), Some(now.wall), true);
    }

    pub(super) fn end(&mut self, why: Ending) -> Option<End> {
        self.live.take().map(|live| End { session: live.session, why })
    }

    /// Whether its session is open and not silent.
    pub(super) fn lives(&self, rules: AgentRules, now: Now) -> bool {
        let silent = self.heard.is_none_or(|heard| now.mono.saturating_sub(heard) >= rules.stale_after);
        self.live.is_some() && !silent
    }

    pub(super) fn take_boot(&mut self, boot: u64) {
        self.former.retain(|former| *former != boot);
        if let Some(before) = self.boot.replace(boot)
            && before != boot
        {
            if self.former.len() >= BOOTS {
                self.former.pop_front();
            }
            self.former.push_back(before);
        }
    }

    /// Whether this must be told.
    pub(super) fn note_clone(&mut self, now: Now) -> bool {
        (self.cloned_at, self.unsaved) = (Some(now.wall), true);
        let tell = self.told_clone.is_none_or(|told| now.mono >= told + TELL_CLONE);
        if tell {
            self.told_clone = Some(now.mono);
        }
        tell
    }

    pub(super) fn state(&self, rules: AgentRules, started: Duration, now: Now) -> State {
        if !self.agent.enabled {
            return State::Disabled;
        }
        if self.agent.origin == AgentOrigin::Local {
            return State::Online;
        }
        let silence = |since: Duration| now.mono.saturating_sub(since);
        match self.heard {
            Some(heard) if silence(heard) < rules.stale_after => State::Online,
            Some(heard) if silence(heard) < rules.offline_after => State::Stale,
            Some(_) => State::Offline,
            None if self.last_seen.is_none() => State::Never,
            None if silence(started) < rules.stale_after => State::Unknown,
            None if silence(started) < rules.offline_after => State::Stale,
            None => State::Offline,
        }
    }
}
