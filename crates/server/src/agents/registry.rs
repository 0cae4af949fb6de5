//! Which agents there are, which of them are connected, and how each stands. Pure: everything takes `now`.
//!
//! ```text
//!            open                     silent for stale_after        silent for offline_after
//!  never ───────────► online ─────────────────────► stale ─────────────────────► offline
//!                       ▲ heard                        │ heard                      │ heard
//!                       └──────────────────────────────┴────────────────────────────┘
//!  after a start of the server: unknown, until heard or until stale_after has passed; then the silence counts from the start
//! ```
//!
//! **Status goes by the server's own monotonic clock alone**: what agents say of time changes nothing, and a step of the wall clock
//! makes nobody offline. A session that ends is no silence by itself: the agent has until `stale_after` to come back.
//!
//! **Clones.** Each process of an agent draws a boot at random. A new boot takes the place of the one before, which is what a restart
//! looks like. When a boot that was replaced comes again, two processes live with one key: that is told once an hour, and the returning
//! one is refused while the other is heard of.
//!
//! Limits: as many agents as there are entities, [`known::BOOTS`] former boots of each.

mod known;
mod status;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use netwatch_model::people::{Agent, AgentInfo, AgentOrigin, AgentSeen, Digest};
use netwatch_model::probe::pair;
use netwatch_model::{AgentId, Timestamp};

use known::{Known, Live};
pub(crate) use status::{Beat, ClockEstimate, Collector, CollectorState, Spool, Standing, State};

/// How often it is kept when an agent was heard of.
const SAVE: Duration = Duration::from_secs(60);

/// Both clocks of the server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    /// For people.
    pub(crate) wall: Timestamp,
    /// For intervals.
    pub(crate) mono: Duration,
}

/// When an agent counts as silent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AgentRules {
    /// After so long without a word it is stale.
    pub stale_after: Duration,
    /// After so long it is offline.
    pub offline_after: Duration,
}

impl Default for AgentRules {
    fn default() -> Self {
        Self { stale_after: Duration::from_secs(120), offline_after: Duration::from_secs(300) }
    }
}

/// One session, of all that there were since the start.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct SessionId(pub(crate) u64);

/// Why a session ends, or does not begin.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Ending {
    /// The agent is deleted.
    Deleted,
    /// It is disabled.
    Disabled,
    /// Somebody ended it.
    Kicked,
    /// A newer session began.
    Replaced,
    /// Two processes use one key.
    Cloned,
    /// The server stops.
    Stopping,
}

/// A session that must end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct End {
    /// Which.
    pub(crate) session: SessionId,
    /// Why.
    pub(crate) why: Ending,
}

/// Who wants to open a session.
#[derive(Clone, Debug)]
pub(crate) struct Opening {
    /// The run of its process.
    pub(crate) boot: u64,
    /// The assignment that it runs.
    pub(crate) revision: u64,
    /// What it says of itself.
    pub(crate) info: AgentInfo,
    /// From where.
    pub(crate) peer: IpAddr,
}

/// A session that began.
#[derive(Clone, Debug)]
pub(crate) struct Opened {
    /// Whose.
    pub(crate) agent: Arc<Agent>,
    /// Its number.
    pub(crate) session: SessionId,
    /// The one that it replaces.
    pub(crate) replaced: Option<End>,
    /// Whether two processes were found to use the key, and nobody was told yet.
    pub(crate) cloned: bool,
    /// Whether others reach it elsewhere than before.
    pub(crate) moved: bool,
}

/// A session that does not begin.
#[derive(Clone, Debug)]
pub(crate) enum Closed {
    /// The key is no agent's.
    Unknown,
    /// The agent may not come in.
    Disabled,
    /// Another process uses its key; the agent, when nobody was told yet.
    Cloned(Option<Arc<Agent>>),
}

/// Everything that is known of agents.
#[derive(Debug)]
pub(crate) struct Registry {
    rules: AgentRules,
    started: Duration,
    agents: HashMap<AgentId, Known>,
    by_key: HashMap<Digest, AgentId>,
    sessions: u64,
}

impl Registry {
    /// Knows nobody.
    pub(crate) fn new(rules: AgentRules, started: Duration) -> Self {
        Self { rules, started, agents: HashMap::new(), by_key: HashMap::new(), sessions: 0 }
    }

    /// Other rules from here on.
    pub(crate) fn set_rules(&mut self, rules: AgentRules) {
        self.rules = rules;
    }

    /// These agents there are, and no others. Gives the sessions that must end.
    pub(crate) fn replace_all(&mut self, all: impl IntoIterator<Item = (Agent, Option<AgentSeen>)>) -> Vec<End> {
        let mut gone: Vec<AgentId> = self.agents.keys().copied().collect();
        gone.sort_unstable();
        let mut ends = Vec::new();
        for (agent, seen) in all {
            if let Ok(at) = gone.binary_search(&agent.id) {
                gone.remove(at);
            }
            ends.extend(self.put(agent, seen));
        }
        ends.extend(gone.into_iter().filter_map(|id| self.forget(id)));
        ends
    }

    /// An agent is so from here on. Gives its session when it may go on no longer.
    pub(crate) fn put(&mut self, agent: Agent, seen: Option<AgentSeen>) -> Option<End> {
        let agent = Arc::new(agent);
        let known = self.agents.entry(agent.id).or_insert_with(|| Known::new(&agent, seen));
        if let Some(key) = known.agent.key {
            self.by_key.remove(&key);
        }
        if let Some(key) = agent.key {
            self.by_key.insert(key, agent.id);
        }
        known.agent = agent;
        if known.agent.enabled { None } else { known.end(Ending::Disabled) }
    }

    /// An agent is no more. Gives its session.
    pub(crate) fn forget(&mut self, id: AgentId) -> Option<End> {
        let mut known = self.agents.remove(&id)?;
        if let Some(key) = known.agent.key {
            self.by_key.remove(&key);
        }
        known.end(Ending::Deleted)
    }

    /// Ends the session of an agent; it may come again.
    pub(crate) fn kick(&mut self, id: AgentId) -> Option<End> {
        self.agents.get_mut(&id)?.end(Ending::Kicked)
    }

    /// The holder of a key wants to open a session.
    ///
    /// # Errors
    /// When it may not.
    pub(crate) fn open(&mut self, key: &Digest, opening: Opening, now: Now) -> Result<Opened, Closed> {
        let rules = self.rules;
        let known = self.by_key.get(key).and_then(|id| self.agents.get_mut(id)).ok_or(Closed::Unknown)?;
        if !known.agent.enabled {
            return Err(Closed::Disabled);
        }
        let is_clone = known.former.contains(&opening.boot);
        let cloned = is_clone && known.note_clone(now);
        if is_clone && known.lives(rules, now) {
            return Err(Closed::Cloned(cloned.then(|| Arc::clone(&known.agent))));
        }
        let replaced = known.end(Ending::Replaced);
        known.take_boot(opening.boot);
        self.sessions += 1;
        let session = SessionId(self.sessions);
        known.live = Some(Live { session, since: now.wall });
        let before = known.place();
        known.refused = None;
        known.info = opening.info;
        known.peer = Some(opening.peer);
        let moved = before != known.place();
        known.beat = Beat { applied: opening.revision, ..Beat::default() };
        known.hear(now);
        known.saved = None;
        Ok(Opened { agent: Arc::clone(&known.agent), session, replaced, cloned, moved })
    }

    /// The holder of a key was refused because of its version; the agent that it is.
    pub(crate) fn refuse(&mut self, key: &Digest, why: &str, now: Now) -> Option<Arc<Agent>> {
        let known = self.by_key.get(key).and_then(|id| self.agents.get_mut(id))?;
        known.refused = Some((now.wall, why.to_owned()));
        Some(Arc::clone(&known.agent))
    }

    /// Something came on a session; false when it is not the agent's session any more.
    pub(crate) fn heard(&mut self, id: AgentId, session: SessionId, now: Now) -> bool {
        let known = self.agents.get_mut(&id).filter(|known| known.is_live(session));
        known.is_some_and(|known| {
            known.hear(now);
            true
        })
    }

    /// An agent said how it is.
    pub(crate) fn beat(&mut self, id: AgentId, session: SessionId, beat: Beat, now: Now) -> bool {
        let known = self.agents.get_mut(&id).filter(|known| known.is_live(session));
        known.is_some_and(|known| {
            known.beat = Beat { assigned: known.beat.assigned, ..beat };
            known.hear(now);
            true
        })
    }

    /// What an agent without a session says of itself; whether others reach it elsewhere than before.
    pub(crate) fn put_info(&mut self, id: AgentId, info: AgentInfo, peer: Option<IpAddr>) -> bool {
        self.agents.get_mut(&id).is_some_and(|known| {
            let before = known.place();
            (known.info, known.peer) = (info, peer);
            before != known.place()
        })
    }

    /// The assignment that an agent runs; none when it is not connected.
    pub(crate) fn applied(&self, id: AgentId) -> Option<u64> {
        self.agents.get(&id).filter(|known| known.live.is_some()).map(|known| known.beat.applied)
    }

    /// An agent was sent an assignment.
    pub(crate) fn assigned(&mut self, id: AgentId, revision: u64) {
        if let Some(known) = self.agents.get_mut(&id) {
            known.beat.assigned = revision;
        }
    }

    /// A session ended.
    pub(crate) fn close(&mut self, id: AgentId, session: SessionId) {
        if let Some(known) = self.agents.get_mut(&id).filter(|known| known.is_live(session)) {
            known.live = None;
        }
    }

    /// The agent of that id.
    pub(crate) fn agent(&self, id: AgentId) -> Option<&Arc<Agent>> {
        self.agents.get(&id).map(|known| &known.agent)
    }

    /// The agent with that key.
    pub(crate) fn by_key(&self, key: &Digest) -> Option<&Arc<Agent>> {
        self.by_key.get(key).and_then(|id| self.agent(*id))
    }

    /// Every agent.
    pub(crate) fn agents(&self) -> impl Iterator<Item = &Arc<Agent>> {
        self.agents.values().map(|known| &known.agent)
    }

    /// Labels that an agent has: those that people gave it win over its own.
    pub(crate) fn has_label(&self, id: AgentId, name: &str, value: &str) -> bool {
        let known = self.agents.get(&id);
        known.is_some_and(|known| {
            known.agent.labels.get(name).or_else(|| known.info.labels.get(name)).is_some_and(|has| has == value)
        })
    }

    /// Whether an agent leaves out the probes of workspaces that narrow where theirs may measure, because its version cannot judge that. Of one
    /// that was never heard of nobody knows.
    pub(crate) fn leaves_narrowed_out(&self, id: AgentId) -> bool {
        self.agents.get(&id).is_some_and(|known| {
            let is_known = known.agent.origin == AgentOrigin::Enrolled && known.last_seen.is_some();
            is_known && known.agent.enabled && !known.info.narrows
        })
    }

    /// What others need to measure an agent.
    pub(crate) fn end(&self, id: AgentId) -> pair::End {
        self.agents.get(&id).map_or_else(|| pair::End { agent: id, ..pair::End::default() }, Known::place)
    }

    /// The session of an agent.
    pub(crate) fn session_of(&self, id: AgentId) -> Option<SessionId> {
        self.agents.get(&id).and_then(|known| known.live).map(|live| live.session)
    }

    /// How an agent stands.
    pub(crate) fn standing(&self, id: AgentId, now: Now) -> Option<Standing> {
        let known = self.agents.get(&id)?;
        Some(Standing {
            state: known.state(self.rules, self.started, now),
            info: known.info.clone(),
            peer: known.peer,
            last_seen: known.last_seen,
            connected_since: known.live.map(|live| live.since),
            cloned_at: known.cloned_at,
            refused: known.refused.clone(),
            beat: known.beat.clone(),
        })
    }

    /// How many agents stand how, and how many are connected.
    pub(crate) fn counts(&self, now: Now) -> (HashMap<State, u64>, u64) {
        let mut states = HashMap::new();
        let mut connected = 0;
        for known in self.agents.values() {
            *states.entry(known.state(self.rules, self.started, now)).or_default() += 1;
            connected += u64::from(known.live.is_some());
        }
        (states, connected)
    }

    /// What is to be kept of when agents were heard of: each at most once a minute.
    pub(crate) fn take_unsaved(&mut self, now: Now) -> Vec<AgentSeen> {
        let due = |known: &&mut Known| {
            known.unsaved && known.saved.is_none_or(|saved| now.mono >= saved + SAVE) && known.last_seen.is_some()
        };
        let seen = |known: &mut Known| {
            known.unsaved = false;
            known.saved = Some(now.mono);
            Some(AgentSeen {
                agent: known.agent.id,
                workspace: known.agent.workspace,
                last_seen: known.last_seen?,
                info: known.info.clone(),
                peer: known.peer,
                cloned_at: known.cloned_at,
            })
        };
        self.agents.values_mut().filter(due).filter_map(seen).collect()
    }

    /// Agents that went offline, or came back, and of which nobody was told yet.
    pub(crate) fn turns(&mut self, now: Now) -> Vec<(Arc<Agent>, State)> {
        let (rules, started) = (self.rules, self.started);
        let turn = |known: &mut Known| {
            let state = known.state(rules, started, now);
            match (state, known.told_offline) {
                (State::Offline, false) => known.told_offline = true,
                (State::Online, true) => known.told_offline = false,
                _ => return None,
            }
            Some((Arc::clone(&known.agent), state))
        };
        self.agents.values_mut().filter_map(turn).collect()
    }
}
