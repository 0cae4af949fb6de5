//! What several agents together say of each second.
//!
//! Only agents that know something have a say. The target is down when at least k of them say so, or all of them when fewer than k know;
//! k is what the probe says, or more than half. It is degraded when that many say at least that.

use super::{Segment, push};
use crate::probes::board::RunState;

/// The state that agents agree on: how many say what.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Votes {
    up: u32,
    degraded: u32,
    down: u32,
}

impl Votes {
    /// Those of agents now.
    pub(crate) fn of(states: impl IntoIterator<Item = RunState>) -> Self {
        states.into_iter().fold(Self::default(), |mut votes, state| {
            votes.change(state, true);
            votes
        })
    }

    /// What they amount to when `wanted` must agree.
    pub(crate) fn state(self, wanted: Option<u32>) -> RunState {
        let known = self.up + self.degraded + self.down;
        if known == 0 {
            return RunState::Unknown;
        }
        let enough = wanted.unwrap_or(known / 2 + 1).clamp(1, known);
        if self.down >= enough {
            RunState::Down
        } else if self.down + self.degraded >= enough {
            RunState::Degraded
        } else {
            RunState::Up
        }
    }

    const fn change(&mut self, state: RunState, comes: bool) {
        let votes = match state {
            RunState::Up => &mut self.up,
            RunState::Degraded => &mut self.degraded,
            RunState::Down => &mut self.down,
            RunState::Unknown => return,
        };
        *votes = if comes { *votes + 1 } else { votes.saturating_sub(1) };
    }
}

/// The segments of a probe from those of its agents, which all cover the same span without gaps.
pub(crate) fn agreed(agents: &[Vec<Segment>], wanted: Option<u32>) -> Vec<Segment> {
    if let [only] = agents {
        return only.clone();
    }
    // Each segment gives its vote where it begins and takes it back where it ends.
    let mut turns: Vec<(i64, RunState, bool)> = agents
        .iter()
        .flatten()
        .flat_map(|segment| [(segment.from, segment.state, true), (segment.to, segment.state, false)])
        .collect();
    turns.sort_by_key(|turn| turn.0);
    let (mut segments, mut votes, mut from) = (Vec::new(), Votes::default(), None);
    for (at, state, comes) in turns {
        if let Some(from) = from.filter(|from| *from < at) {
            push(&mut segments, Segment { from, to: at, state: votes.state(wanted) });
        }
        votes.change(state, comes);
        from = Some(at);
    }
    segments
}
