//! The axis of a chart, and the lines on it.

use std::hash::Hash;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use netwatch_api::traffic::{Points, RateSeries};

use crate::query::label::Label;
use crate::store::Cell;

/// Steps of equal length.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Axis {
    /// The first second.
    pub(super) from: i64,
    /// Seconds of a step.
    pub(super) step: i64,
    /// How many.
    pub(super) steps: usize,
}

impl Axis {
    /// The first second after it.
    pub(super) const fn to(&self) -> i64 {
        self.from + self.step * self.steps as i64
    }

    /// The step of a second.
    #[inline]
    pub(super) fn place(&self, second: i64) -> Option<usize> {
        let at = usize::try_from(second.checked_sub(self.from)? / self.step).ok()?;
        (second >= self.from && at < self.steps).then_some(at)
    }
}

/// Lines by key.
#[derive(Debug)]
pub(super) struct Plot<K> {
    axis: Axis,
    lines: HashMap<K, Vec<Cell>, RandomState>,
    other: Option<Vec<Cell>>,
}

impl<K: Eq + Hash + Ord + Clone> Plot<K> {
    pub(super) fn new(axis: Axis) -> Self {
        Self { axis, lines: HashMap::default(), other: None }
    }

    /// A plot that has lines for those keys; everything else is other.
    pub(super) fn of(axis: Axis, keys: impl IntoIterator<Item = K>) -> Self {
        let lines = keys.into_iter().map(|key| (key, vec![Cell::default(); axis.steps])).collect();
        Self { axis, lines, other: Some(vec![Cell::default(); axis.steps]) }
    }

    /// Adds to a key; to other when it has no line and the keys are fixed.
    pub(super) fn add(&mut self, key: Option<&K>, second: i64, cell: &Cell) {
        let Some(at) = self.axis.place(second) else { return };
        let known = key.and_then(|key| self.lines.get_mut(key));
        let line = match (known, key, &mut self.other) {
            (Some(line), ..) => line,
            (None, _, Some(other)) => other,
            (None, None, other) => other.get_or_insert_with(|| vec![Cell::default(); self.axis.steps]),
            (None, Some(key), None) => {
                let empty = || vec![Cell::default(); self.axis.steps];
                self.lines.entry(key.clone()).or_insert_with(empty)
            }
        };
        line[at] = sum(line[at], cell);
    }

    /// Gives a key that has a line its share of what was added to other.
    pub(super) fn claim(&mut self, key: &K, second: i64, cell: &Cell) {
        let Some(at) = self.axis.place(second) else { return };
        let (Some(line), Some(other)) = (self.lines.get_mut(key), &mut self.other) else { return };
        let less = |a: [u64; 2], b: [u64; 2]| [a[0].saturating_sub(b[0]), a[1].saturating_sub(b[1])];
        other[at] =
            Cell { octets: less(other[at].octets, cell.octets), packets: less(other[at].packets, cell.packets) };
        line[at] = sum(line[at], cell);
    }

    /// The series: the `limit` largest, then other if it carried anything, or if there is no other line: a chart always has one. `is_known` tells of a key (none: other) and a step whether
    /// anything was reported; `label` names a key.
    pub(super) fn series(
        self,
        limit: usize,
        is_known: impl Fn(Option<&K>, usize) -> bool,
        label: impl Fn(&K) -> Label,
    ) -> Vec<RateSeries> {
        let total =
            |line: &[Cell]| line.iter().map(|c| c.octets[0].saturating_add(c.octets[1])).fold(0, u64::saturating_add);
        let mut lines: Vec<(u64, K, Vec<Cell>)> =
            self.lines.into_iter().map(|(key, line)| (total(&line), key, line)).collect();
        lines.sort_unstable_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        let mut other = self.other;
        for (_, _, rest) in lines.drain(limit.min(lines.len())..) {
            let line = other.get_or_insert_with(|| vec![Cell::default(); rest.len()]);
            line.iter_mut().zip(&rest).for_each(|(mine, theirs)| *mine = sum(*mine, theirs));
        }
        let mut series: Vec<RateSeries> =
            lines.iter().map(|(_, key, line)| drawn(label(key), false, line, |at| is_known(Some(key), at))).collect();
        let carried = |line: &Vec<Cell>| line.iter().any(|c| *c != Cell::default());
        let nothing = || vec![Cell::default(); self.axis.steps];
        if let Some(line) = other.filter(carried).or_else(|| series.is_empty().then(nothing)) {
            let label = Label { label: "other".to_owned(), ..Label::default() };
            series.push(drawn(label, true, &line, |at| is_known(None, at)));
        }
        series
    }
}

fn sum(a: Cell, b: &Cell) -> Cell {
    let add = |a: [u64; 2], b: [u64; 2]| [a[0].saturating_add(b[0]), a[1].saturating_add(b[1])];
    Cell { octets: add(a.octets, b.octets), packets: add(a.packets, b.packets) }
}

/// A line as it is told: nothing where nothing was reported.
fn drawn(label: Label, other: bool, line: &[Cell], is_known: impl Fn(usize) -> bool) -> RateSeries {
    let known: Vec<bool> = line.iter().enumerate().map(|(at, c)| *c != Cell::default() || is_known(at)).collect();
    let column = |of: fn(&Cell) -> u64| {
        line.iter().zip(&known).map(|(cell, known)| known.then(|| of(cell))).collect::<Vec<Option<u64>>>()
    };
    RateSeries {
        key: label.key,
        label: label.label,
        other,
        inbound: Points { octets: column(|c| c.octets[0]), packets: column(|c| c.packets[0]) },
        outbound: Points { octets: column(|c| c.octets[1]), packets: column(|c| c.packets[1]) },
    }
}
