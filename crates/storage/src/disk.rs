//! How full the disk is, and when it will be.
//!
//! Limits: free bytes are those that an ordinary user may write; a file system that cannot be asked counts as having room, with a
//! warning in the log, because a full one shows itself by failing writes.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::config::Watermarks;
use crate::port::{Disk, DiskState};

/// Less than this of the free share more than a mark is needed to leave a state, so that it does not flicker.
const SLACK: f64 = 0.01;

/// Looks at the file system of the store.
#[derive(Debug)]
pub(crate) struct DiskWatch {
    folder: PathBuf,
    marks: Mutex<Watermarks>,
    last: Mutex<Disk>,
}

impl DiskWatch {
    pub(crate) fn new(folder: PathBuf, marks: Watermarks) -> Self {
        Self { folder, marks: Mutex::new(marks), last: Mutex::default() }
    }

    /// Judges by other marks from the next look on.
    pub(crate) fn set_marks(&self, marks: Watermarks) {
        *self.marks.lock().unwrap_or_else(PoisonError::into_inner) = marks;
    }

    /// Looks anew; gives what is now and what was before.
    pub(crate) fn look(&self) -> (Disk, Disk) {
        let before = self.last();
        let marks = *self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        let now = match rustix::fs::statvfs(&self.folder) {
            Ok(s) => {
                let (total, free) = (s.f_blocks.saturating_mul(s.f_frsize), s.f_bavail.saturating_mul(s.f_frsize));
                Disk { total, free, state: judge(total, free, marks, before.state), full_in: None }
            }
            Err(e) => {
                tracing::warn!(folder = %self.folder.display(), error = %e, "the file system cannot be asked for its free space");
                Disk { state: DiskState::Normal, ..before }
            }
        };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = now;
        (now, before)
    }

    /// As it was when it was last looked at.
    pub(crate) fn last(&self) -> Disk {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_read_only(&self) -> bool {
        self.last().state == DiskState::ReadOnly
    }
}

/// The state of a disk, which was in `before`.
#[expect(clippy::cast_precision_loss, reason = "shares need no exact bytes")]
fn judge(total: u64, free: u64, marks: Watermarks, before: DiskState) -> DiskState {
    let share = if total == 0 { 1.0 } else { free as f64 / total as f64 };
    let slack = |state| if before >= state { SLACK } else { 0.0 };
    let stop_bytes = marks.stop_bytes as f64 * (1.0 + 10.0 * slack(DiskState::ReadOnly));
    if share < marks.stop_share + slack(DiskState::ReadOnly) && marks.stop_share > 0.0 || (free as f64) < stop_bytes {
        DiskState::ReadOnly
    } else if share < marks.warn_share + slack(DiskState::Warning) && marks.warn_share > 0.0 {
        DiskState::Warning
    } else {
        DiskState::Normal
    }
}

/// Growth in bytes a day: the slope of a straight line through the days (least squares). `None` with fewer than two.
#[expect(clippy::cast_precision_loss, reason = "a forecast needs no exact bytes")]
pub(crate) fn growth(days: &[(i32, u64)]) -> Option<f64> {
    if days.len() < 2 {
        return None;
    }
    // What was there at the end of each day, as far as it is still kept.
    let mut sum = 0.0;
    let totals: Vec<(f64, f64)> = days
        .iter()
        .map(|(day, bytes)| {
            sum += *bytes as f64;
            (f64::from(*day), sum)
        })
        .collect();
    let n = totals.len() as f64;
    let (x, y) = totals.iter().fold((0.0, 0.0), |(x, y), t| (x + t.0 / n, y + t.1 / n));
    let (up, down) = totals.iter().fold((0.0, 0.0), |(up, down), t| {
        let dx = t.0 - x;
        (dx.mul_add(t.1 - y, up), dx.mul_add(dx, down))
    });
    (down > 0.0).then(|| up / down)
}

/// When the free space is used up, when kinds grow so fast and each stops growing once it holds what is kept of it: pairs of bytes a
/// day, and bytes that the kind may still grow by.
#[expect(clippy::cast_precision_loss, reason = "a forecast needs no exact bytes")]
pub(crate) fn full_in(free: u64, kinds: &[(f64, f64)]) -> Option<Duration> {
    let (mut left, mut day) = (free as f64, 0.0);
    let mut growing: Vec<(f64, f64)> =
        kinds.iter().filter(|k| k.0 > 0.0 && k.1 > 0.0).map(|k| (k.0, k.1 / k.0)).collect();
    growing.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut rate: f64 = growing.iter().map(|k| k.0).sum();
    for (speed, stops) in growing {
        let (until, used) = (stops, (stops - day) * rate);
        if used >= left {
            break;
        }
        left -= used;
        day = until;
        rate -= speed;
    }
    let days = day + left / rate;
    // A century is never.
    (rate > 1.0 && days < 36_500.0).then(|| Duration::from_secs_f64(days.max(0.0) * 86_400.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    #[test]
    fn states_follow_the_marks_and_do_not_flicker() {
        let marks = Watermarks::default();
        let judge = |free, before| judge(100 * GIB, free * GIB, marks, before);
        assert_eq!(judge(50, DiskState::Normal), DiskState::Normal);
        assert_eq!(judge(19, DiskState::Normal), DiskState::Warning);
        assert_eq!(judge(9, DiskState::Warning), DiskState::ReadOnly);
        assert_eq!(judge(10, DiskState::ReadOnly), DiskState::ReadOnly, "a little more is needed to come back");
        assert_eq!(judge(12, DiskState::ReadOnly), DiskState::Warning);
        assert_eq!(judge(22, DiskState::Warning), DiskState::Normal);
        let small = super::judge(4 * GIB, GIB, marks, DiskState::Normal);
        assert_eq!(small, DiskState::ReadOnly, "less than 2 GiB");
    }

    #[test]
    fn the_forecast_follows_the_growth() {
        assert_eq!(growth(&[(1, 5)]), None);
        let slope = growth(&[(1, 100), (2, 100), (3, 100)]).unwrap();
        assert!((slope - 100.0).abs() < 1e-9);
        assert_eq!(full_in(1000, &[(100.0, 1e9)]), Some(Duration::from_secs(10 * 86_400)));
        assert_eq!(full_in(1000, &[(100.0, 500.0)]), None, "retention ends the growth before");
        let both = full_in(1000, &[(100.0, 200.0), (100.0, 1e9)]).unwrap();
        assert_eq!(both.as_secs() / 86_400, 8, "two days of both, then six of one");
        assert_eq!(full_in(1000, &[]), None);
    }
}
