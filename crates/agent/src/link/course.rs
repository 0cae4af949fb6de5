//! The course of sessions: connect, live, wait, stop.
//!
//! ```text
//!            ┌─────────── ended ───────────┐
//!            ▼                             │
//!  start ─► wait ──time──► connect ──► live ┤
//!            ▲                │             └─ deleted ─► stop
//!            └──── failed ────┘
//! ```
//!
//! Waits have full jitter: chance alone decides between one second and a limit that doubles with each failure, so that agents that lost
//! their server together do not come back together. A session of a stable minute makes the limit small again. What a person must mend (a
//! disabled agent, a copied key, another version) is asked again every five minutes.

use std::time::Duration;

use crate::update::Version;

/// The shortest wait.
pub const SHORTEST: Duration = Duration::from_secs(1);
/// The longest wait after a failure.
pub const LONGEST: Duration = Duration::from_mins(1);
/// A session that lasts as long has worked.
pub const STABLE: Duration = Duration::from_mins(1);
/// How often is asked again when a person must mend something.
pub const PATIENT: Duration = Duration::from_mins(5);
/// Share of [`PATIENT`] that chance adds.
const SPREAD: f64 = 0.1;

/// How a session ended, or why there was none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// The server could not be reached, or did not answer.
    Unreachable,
    /// The connection broke, or the server fell silent.
    Lost,
    /// Another key than the pinned one answered.
    WrongServer,
    /// Somebody ended the session.
    Kicked,
    /// The server stops or restarts.
    Stopping,
    /// A newer session of this agent began.
    Replaced,
    /// The agent is disabled.
    Disabled,
    /// Two processes use the key at once.
    Cloned,
    /// Agent and server speak no version of the protocol in common.
    Incompatible,
    /// The agent is no more.
    Deleted,
    /// A newer program is to run.
    Updated(Version),
}

impl End {
    /// For people: what it is, and what to do.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Unreachable => "the server cannot be reached: check address, network and proxy; measuring goes on",
            Self::Lost => "the connection to the server is lost; measuring goes on",
            Self::WrongServer => {
                "another key than that of the server answers: check the address, or enrol this agent anew if the server was set up anew"
            }
            Self::Kicked => "the session was ended by somebody; it begins anew",
            Self::Stopping => "the server stops or restarts",
            Self::Replaced => "a newer session of this agent began",
            Self::Disabled => "the agent is disabled: enable it in the web app; it asks again every five minutes",
            Self::Cloned => {
                "two processes use the key of this agent: enrol the copy with a token and a data directory of its own; it asks again every five minutes"
            }
            Self::Incompatible => {
                "agent and server do not understand each other: update the one that is older; the agent measures on, and asks again every five minutes"
            }
            Self::Deleted => "the agent was deleted on the server: it stops; enrol it with a new token to use it again",
            Self::Updated(_) => "a newer program takes over",
        }
    }

    /// Whether waiting a little is enough.
    const fn mends_itself(self) -> bool {
        matches!(self, Self::Unreachable | Self::Lost | Self::Kicked | Self::Stopping | Self::Replaced)
    }
}

/// What to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// Connect at that time, on the clock for intervals.
    ConnectAt(Duration),
    /// Never again.
    Stop,
}

/// Sessions, one after the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Course {
    /// Ends since the last session that worked.
    failures: u32,
    live_since: Option<Duration>,
}

impl Course {
    /// The server has welcomed the agent.
    pub fn live(&mut self, now: Duration) {
        self.live_since = Some(now);
    }

    /// Since when there is a session, on the clock for intervals.
    #[must_use]
    pub const fn live_since(&self) -> Option<Duration> {
        self.live_since
    }

    /// A session ended, or there was none; `chance` lies in 0..1.
    pub fn ended(&mut self, end: End, now: Duration, chance: f64) -> Next {
        let lasted = self.live_since.take().map(|since| now.saturating_sub(since));
        if lasted.is_some_and(|lasted| lasted >= STABLE) {
            self.failures = 0;
        }
        if matches!(end, End::Deleted | End::Updated(_)) {
            return Next::Stop;
        }
        let chance = chance.clamp(0.0, 1.0);
        if !end.mends_itself() {
            return Next::ConnectAt(now + PATIENT + PATIENT.mul_f64(SPREAD * chance));
        }
        self.failures = self.failures.saturating_add(1);
        let limit = SHORTEST.saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX)).min(LONGEST);
        Next::ConnectAt(now + SHORTEST + (limit - SHORTEST).mul_f64(chance))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [End; 10] = [
        End::Unreachable,
        End::Lost,
        End::WrongServer,
        End::Kicked,
        End::Stopping,
        End::Replaced,
        End::Disabled,
        End::Cloned,
        End::Incompatible,
        End::Deleted,
    ];

    fn wait(course: &mut Course, end: End, chance: f64) -> Duration {
        match course.ended(end, Duration::ZERO, chance) {
            Next::ConnectAt(at) => at,
            Next::Stop => panic!("it goes on"),
        }
    }

    #[test]
    fn the_limit_doubles_up_to_a_minute_and_is_small_again_after_a_stable_minute() {
        let mut course = Course::default();
        let limits: Vec<u64> = (0..8).map(|_| wait(&mut course, End::Unreachable, 1.0).as_secs()).collect();
        assert_eq!(limits, [2, 4, 8, 16, 32, 60, 60, 60]);
        course.live(Duration::ZERO);
        let Next::ConnectAt(at) = course.ended(End::Lost, STABLE - Duration::from_millis(1), 1.0) else { panic!() };
        assert_eq!((at + Duration::from_millis(1)).as_secs(), 60 + 60, "it did not last");
        course.live(Duration::ZERO);
        let Next::ConnectAt(at) = course.ended(End::Lost, STABLE, 1.0) else { panic!() };
        assert_eq!(at.as_secs(), 60 + 2);
    }

    #[test]
    fn what_a_person_must_mend_is_asked_again_every_five_minutes_and_a_deleted_agent_never() {
        for end in [End::Disabled, End::Cloned, End::Incompatible, End::WrongServer] {
            let mut course = Course::default();
            assert_eq!(wait(&mut course, end, 0.0), PATIENT);
            assert_eq!(wait(&mut course, end, 1.0), PATIENT.mul_f64(1.1));
            assert_eq!(wait(&mut course, End::Lost, 1.0).as_secs(), 2, "it was no failure of the network");
        }
        assert_eq!(Course::default().ended(End::Deleted, Duration::ZERO, 0.5), Next::Stop);
    }

    proptest! {
        #[test]
        fn each_wait_is_within_its_limits(ends in prop::collection::vec((0_usize..9, 0.0..1.0_f64), 1..200)) {
            let mut course = Course::default();
            for (end, chance) in ends {
                let waited = wait(&mut course, ALL[end], chance);
                prop_assert!(waited >= SHORTEST && waited <= PATIENT.mul_f64(1.0 + SPREAD), "{waited:?}");
            }
        }

        /// After an outage agents come back spread over the time that their limit allows.
        #[test]
        fn chance_spreads_agents(failures in 1_u32..10) {
            let at = |chance| {
                let mut course = Course { failures, live_since: None };
                wait(&mut course, End::Lost, chance)
            };
            prop_assert_eq!(at(0.0), SHORTEST);
            prop_assert!(at(0.5) > at(0.25) && at(0.75) > at(0.5));
        }
    }
}
