//! What keeps the log in order: commits, the windows, old segments, and the word on what was not kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use netwatch_model::people::WorkspaceId;
use netwatch_model::{Event, EventKind, Position, Record, Severity};
use netwatch_spool::Checkpoint;
use netwatch_telemetry::health::{Component, State};
use netwatch_telemetry::traces::TARGET;
use tracing::info_span;

use super::log::{Ingest, KEEP_EVERY, Loss, SEEN, with_cause};
use crate::query::LiveStore;

/// How long a batch of the agent in this process waits for its commit: what a power cut can cost at most.
pub const COMMIT: Duration = Duration::from_secs(1);
/// How often the shutdown flag is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// How often old segments are looked for.
const TIDY: Duration = Duration::from_secs(60);

impl Ingest {
    /// Commits every [`COMMIT`] what nobody waits for, keeps the windows, lets old segments go, and says how the log is; until the
    /// flag is set. On a thread of its own.
    pub fn keep(&self, live: &Arc<LiveStore>, home: WorkspaceId, health: Option<&Component>, stop: &AtomicBool) {
        let mut next = self.clock.monotonic();
        let mut tidied = next;
        loop {
            let is_last = stop.load(Ordering::Relaxed);
            let now = self.clock.monotonic();
            if now >= next || is_last {
                self.round(live, home, health);
                next = now + COMMIT;
            }
            if now >= tidied + TIDY {
                self.spool.tidy();
                tidied = now;
            }
            if is_last {
                self.close();
                return;
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Everything that was taken is made durable, and the windows are kept, so that the next start reads little.
    pub fn close(&self) {
        self.commit_newest();
        self.keep_windows(1);
    }

    fn round(&self, live: &LiveStore, home: WorkspaceId, health: Option<&Component>) {
        let committed = self.commit_newest();
        self.keep_windows(KEEP_EVERY);
        if let Some(health) = health {
            let state = self
                .trouble()
                .map_or(State::Ok, |loss| State::Degraded(format!("what comes in is not kept: {}", loss.reason)));
            health.set(state, self.clock.now());
        }
        if committed {
            self.tell_loss(live, home);
        }
    }

    /// False when the disk failed.
    fn commit_newest(&self) -> bool {
        let Some(newest) = self.newest() else { return true };
        let _span = info_span!(target: TARGET, "ingest.commit").entered();
        self.commit(newest).inspect_err(|error| tracing::error!(error = with_cause(error), "records are lost")).is_ok()
    }

    /// Keeps the windows with the position up to which they tell, when so many bytes were written since.
    fn keep_windows(&self, at_least: u64) {
        let Some((state, newest)) = self.windows_to_keep(at_least) else { return };
        // What they tell must be durable before they are: else a batch that is lost would count as known.
        let next = Position::next(newest.position);
        let kept = self.spool.commit(newest).map_err(|e| with_cause(&e));
        let kept = kept.and_then(|_| self.spool.save(SEEN, &Checkpoint { next, state }).map_err(|e| with_cause(&e)));
        if let Err(error) = kept {
            tracing::warn!(error, "what is in the log is not kept; the next start reads more of it");
        }
    }

    /// When the log takes records again, an event tells what it did not take.
    fn tell_loss(&self, live: &LiveStore, home: WorkspaceId) {
        let Some(loss) = self.take_loss() else { return };
        let event = event_of(&loss);
        match self.take_own(home, vec![Record::Event(event.clone())]) {
            Ok(_) => live.note_events([event]),
            Err(_) => self.put_loss_back(loss),
        }
    }
}

fn event_of(loss: &Loss) -> Event {
    let Loss { records, from, to, reason } = loss;
    let text = format!("history has {records} records less from {from} to {to}: {reason}");
    Event {
        time: *to,
        kind: EventKind::RecordsDropped,
        severity: Severity::Warning,
        subject: "ingest log".into(),
        text: text.as_str().into(),
    }
}
