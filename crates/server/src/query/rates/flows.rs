//! Rates from flows.

use netwatch_api::traffic::{Dimension, RateSeries, TopSort};
use netwatch_model::filter::Filter;
use netwatch_model::{Direction, Timestamp};

use super::exact::known_steps;
use super::plot::{Axis, Plot};
use crate::query::RatesRequest;
use crate::query::desk::Desk;
use crate::query::label::Label;
use crate::query::range::Span;
use crate::query::scan::Scan;
use crate::query::sums::{Summing, ways};
use crate::query::top::{bucket_ranking, flow_ranking};
use crate::store::{Carried, Cell, Key, LEVELS, Subjects, Tally, View, Volume};

/// What a line stands for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
enum Line {
    Key(Key),
    Way(Direction),
}

/// The shortest step for which buckets are kept that far back.
pub(super) fn least_step(view: &View, from: i64) -> i64 {
    let [fine, tens, _] = &view.talkers().levels;
    if fine.first_key_value().is_none_or(|(oldest, _)| from >= *oldest) && tens.range(from..).next().is_none() {
        return LEVELS[0];
    }
    let cover = view.talkers().cover_by(from, i64::MAX, false);
    cover.buckets.iter().map(|part| LEVELS[part.level]).max().unwrap_or(1)
}

/// Rates of all flows.
pub(super) fn from_buckets(q: &RatesRequest, axis: Axis, view: &View) -> Vec<RateSeries> {
    let mut ranking = bucket_ranking(view, span_of(axis), q.by);
    ranking.sort(TopSort::Bytes);
    let keys: Vec<Key> = ranking.rows.iter().take(q.limit).map(|(key, ..)| *key).collect();
    let mut plot = Plot::of(axis, keys.iter().map(|key| Line::Key(*key)));
    let ends = if q.by == Dimension::Host { 2 } else { 1 };
    for part in view.talkers().cover_by(axis.from, axis.to(), false).buckets {
        let second = part.start.max(axis.from);
        for _ in 0..ends {
            plot.add(None, second, &cell_of(&part.bucket.total));
        }
        for key in &keys {
            if let Some(tally) = part.bucket.table(q.by).and_then(|table| table.get(key)) {
                let cell = cell_of(tally);
                plot.take_other(second, &cell);
                plot.add(Some(&Line::Key(*key)), second, &cell);
            }
        }
    }
    finish(plot, q, axis, view)
}

/// Rates of the flows that a filter selects.
pub(super) fn from_flows(q: &RatesRequest, filter: &Filter, axis: Axis, view: &View, desk: &Desk) -> Vec<RateSeries> {
    let summing = Summing::new(Scan::new(view, desk, span_of(axis), Some(filter)), q.by, false);
    let mut plot = if q.by == Dimension::Direction {
        Plot::of(axis, [Direction::In, Direction::Out].map(Line::Way))
    } else {
        let mut ranking = flow_ranking(&summing);
        ranking.sort(TopSort::Bytes);
        Plot::of(axis, ranking.rows.iter().take(q.limit).map(|(key, ..)| Line::Key(*key)))
    };
    let mut keys: Vec<Key> = Vec::new();
    summing.rows(|head, volume| {
        keys.clear();
        let subjects = Subjects::of(head, view.words());
        subjects.tell(q.by, &Tally::default(), &Carried::default(), |key, _| keys.push(key));
        view.history().of(volume, |second, spread, carried| {
            for (second, part) in carried.spread(second, spread, 1) {
                draw(&mut plot, q.by, &keys, second, &cell(volume, &part));
            }
        });
    });
    finish(plot, q, axis, view)
}

fn draw(plot: &mut Plot<Line>, by: Dimension, keys: &[Key], second: i64, cell: &Cell) {
    if by == Dimension::Direction {
        let one = |n: [u64; 2], way: Direction| if way == Direction::In { [n[0], 0] } else { [0, n[1]] };
        for way in [Direction::In, Direction::Out] {
            let half = Cell { octets: one(cell.octets, way), packets: one(cell.packets, way) };
            plot.add(Some(&Line::Way(way)), second, &half);
        }
    } else if keys.is_empty() {
        plot.add(None, second, cell);
    } else {
        keys.iter().for_each(|key| plot.add(Some(&Line::Key(*key)), second, cell));
    }
}

fn finish(plot: Plot<Line>, q: &RatesRequest, axis: Axis, view: &View) -> Vec<RateSeries> {
    let known = known_steps(axis, view);
    let label = |line: &Line| match line {
        Line::Key(key) => Label::of(q.by, *key, view.words()),
        Line::Way(way) => Label::word(q.by, way.as_str()),
    };
    plot.series(q.limit, |_, step| known(None, step), label)
}

fn span_of(axis: Axis) -> Span {
    Span { from: Timestamp::from_secs(axis.from), to: Timestamp::from_secs(axis.to()) }
}

/// What of a flow came in and went out.
fn cell(volume: &Volume, carried: &Carried) -> Cell {
    let [octets, packets] = ways(volume, carried);
    Cell { octets, packets }
}

/// The packets of a sum are told by direction in the proportion of its octets.
fn cell_of(tally: &Tally) -> Cell {
    let [inward, outward] = tally.ways;
    let all = inward.saturating_add(outward).max(1);
    let share = u128::from(tally.packets) * u128::from(inward) / u128::from(all);
    let inward_packets = u64::try_from(share).unwrap_or(u64::MAX);
    Cell { octets: tally.ways, packets: [inward_packets, tally.packets - inward_packets] }
}
