//! Sixty seconds of all series.

use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

/// Seconds in a minute.
pub(crate) const SECONDS: i64 = 60;

/// What a series carried in one second: in and out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Cell {
    pub(crate) octets: [u64; 2],
    pub(crate) packets: [u64; 2],
}

/// What was lost in one second.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(crate) struct Loss {
    pub(crate) kernel_drops: u64,
    pub(crate) ring_fill: f64,
    pub(crate) records_dropped: u64,
    pub(crate) flows_other: u64,
}

/// Sixty seconds.
#[derive(Clone, Debug)]
pub(crate) struct Minute {
    cells: HashMap<usize, Arc<[Cell; 60]>, RandomState>,
    /// Bit `n`: the interface reported in second `n`.
    reported: HashMap<usize, u64, RandomState>,
    losses: [Loss; 60],
}

impl Default for Minute {
    fn default() -> Self {
        Self { cells: HashMap::default(), reported: HashMap::default(), losses: [Loss::default(); 60] }
    }
}

impl Minute {
    /// The second of a series, to add to it.
    pub(super) fn cell(&mut self, series: usize, second: i64) -> &mut Cell {
        let cells = self.cells.entry(series).or_insert_with(|| Arc::new([Cell::default(); 60]));
        &mut Arc::make_mut(cells)[place(second)]
    }

    /// The losses of a second, to add to them.
    pub(super) fn loss(&mut self, second: i64) -> &mut Loss {
        &mut self.losses[place(second)]
    }

    /// Notes that the interface reported.
    pub(super) fn report(&mut self, port: usize, second: i64) {
        *self.reported.entry(port).or_default() |= 1 << place(second);
    }

    /// What a series carried in that second; zero when nothing.
    pub(crate) fn carried(&self, series: usize, second: i64) -> Cell {
        self.cells.get(&series).map_or_else(Cell::default, |cells| cells[place(second)])
    }

    /// Whether the series is there at all.
    pub(crate) fn series(&self) -> impl Iterator<Item = usize> {
        self.cells.keys().copied()
    }

    /// What was lost in that second.
    pub(crate) const fn lost(&self, second: i64) -> &Loss {
        &self.losses[place(second)]
    }

    /// Whether that interface, or any when none is given, reported in that second.
    pub(crate) fn is_reported(&self, port: Option<usize>, second: i64) -> bool {
        let bit = 1 << place(second);
        match port {
            Some(port) => self.reported.get(&port).is_some_and(|bits| bits & bit != 0),
            None => self.reported.values().any(|bits| bits & bit != 0),
        }
    }
}

const fn place(second: i64) -> usize {
    second.rem_euclid(SECONDS) as usize
}
