//! The sweep: finds flows of which nothing is heard any more.
//!
//! The whole table is passed once in `PERIOD` of packet time, a share of it at each tick, in the order of memory.

use std::time::Duration;

use netwatch_model::EndReason;

use super::Worker;
use super::flow::{idle_reason, nanos};
use crate::table::Slot;

/// Every entry is looked at once in this time.
const PERIOD: Duration = Duration::from_secs(2);
/// Tables of up to this many entries are passed at each tick.
const SMALL: usize = 8192;
/// Ticks of 250 ms after which a changed flow is overdue for a report: ten seconds.
const OVERDUE: u32 = 40;

impl Worker {
    /// Looks at the share of the table that is due after `elapsed` nanoseconds.
    pub(super) fn sweep(&mut self, now: i64, elapsed: i64) {
        let extent = self.table.extent();
        if extent == 0 {
            return;
        }
        let period = nanos(PERIOD);
        let share = if extent <= SMALL || elapsed >= period {
            extent
        } else {
            let part = i128::from(elapsed) * i128::try_from(extent).unwrap_or(0) / i128::from(period);
            usize::try_from(part).unwrap_or(extent).clamp(SMALL, extent)
        };
        for _ in 0..share {
            self.hand = if self.hand + 1 >= extent { 0 } else { self.hand + 1 };
            self.look(Slot(u32::try_from(self.hand).unwrap_or(0)), now);
        }
    }

    fn look(&mut self, slot: Slot, now: i64) {
        let hot = self.table.hot(slot);
        if !hot.used() {
            return;
        }
        let state = hot.state();
        let protocol = netwatch_model::Protocol(hot.protocol);
        if now.saturating_sub(hot.last) > self.patience.idle(protocol, state) {
            self.end(slot, idle_reason(state));
            return;
        }
        let (pending, listed) = (hot.pending, hot.listed());
        let cold = self.table.cold(slot);
        let near = now.saturating_sub(cold.start) > nanos(self.config.timeouts.active.saturating_sub(2 * PERIOD));
        let overdue = pending > 0 && !listed && self.ticks.wrapping_sub(cold.reported) >= OVERDUE;
        if near {
            self.table.hot_mut(slot).set_near_active_timeout(true);
        }
        if overdue {
            self.reports.overdue(slot, self.config.budget.overdue);
        }
    }

    /// Ends every record at the end of the source.
    pub(super) fn end_all(&mut self) {
        self.ended_in_tick = 0;
        let now = self.newest;
        for at in 0..self.table.extent() {
            let slot = Slot(u32::try_from(at).unwrap_or(0));
            let hot = self.table.hot(slot);
            if !hot.used() {
                continue;
            }
            let state = hot.state();
            let protocol = netwatch_model::Protocol(hot.protocol);
            let idle = now.saturating_sub(hot.last) > self.patience.idle(protocol, state);
            let reason = idle_reason(state);
            let reason = if idle || reason == EndReason::EndOfFlow { reason } else { EndReason::ForcedEnd };
            self.end(slot, reason);
        }
    }
}
