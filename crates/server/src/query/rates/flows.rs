//! Rates from flows.
//!
//! By host, in and out are what the host received and sent; by all others what came in and went out of the interface.

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
use crate::store::{Carried, Cell, Head, Key, LEVELS, Subjects, Tally, View, Volume};

/// What a line stands for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
enum Line {
    Key(Key),
    Way(Direction),
}

/// The shortest step for which buckets are kept that far back.
pub(super) fn least_step(view: &View, from: i64) -> i64 {
    let cover = view.talkers().cover_by(from, i64::MAX, false);
    // Where the range is exact, ten seconds are used for speed alone: the seconds are there.
    let exact = view.talkers().is_fine(from);
    if exact { LEVELS[0] } else { cover.buckets.iter().map(|part| LEVELS[part.level]).max().unwrap_or(1) }
}

/// Rates of all flows.
pub(super) fn from_buckets(q: &RatesRequest, axis: Axis, view: &View) -> Vec<RateSeries> {
    let mut ranking = bucket_ranking(view, span_of(axis), q.by);
    ranking.sort(TopSort::Bytes);
    let mut plot = Plot::of(axis, ranking.rows.iter().take(q.limit).map(|(key, ..)| Line::Key(*key)));
    for part in view.talkers().steps(axis.from, axis.to(), axis.step) {
        let second = part.start.max(axis.from);
        let mut total = part.bucket.total;
        if q.by == Dimension::Host {
            // What one end sends the other receives.
            (total.ways, total.packets) = ([total.octets; 2], total.packets.saturating_mul(2));
        }
        plot.add(None, second, &cell_of(&total));
        part.bucket.tell(q.by, |key, tally| plot.claim(&Line::Key(key), second, &cell_of(&tally)));
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
    summing.rows(|head, volume| {
        let lines = Lines::of(q.by, head, view);
        view.history().of(volume, |stretch| {
            for (second, part) in stretch.steps(axis.from, axis.to(), axis.step) {
                lines.draw(&mut plot, second, volume, &part);
            }
        });
    });
    finish(plot, q, axis, view)
}

/// The lines on which a flow is drawn.
enum Lines {
    /// In and out.
    Ways,
    /// Those of its initiator and responder, each as it sees it.
    Hosts([Line; 2]),
    /// One, or other.
    One(Option<Line>),
}

impl Lines {
    fn of(by: Dimension, head: &Head, view: &View) -> Self {
        match by {
            Dimension::Direction => Self::Ways,
            Dimension::Host => {
                Self::Hosts([head.ends.source(), head.ends.destination()].map(|end| Line::Key(Key::Host(end))))
            }
            by => {
                let mut line = None;
                let subjects = Subjects::of(head, view.words());
                subjects.tell(by, &Tally::default(), &Carried::default(), |key, _| line = Some(Line::Key(key)));
                Self::One(line)
            }
        }
    }

    fn draw(&self, plot: &mut Plot<Line>, second: i64, volume: &Volume, carried: &Carried) {
        let [octets, packets] = ways(volume, carried);
        match self {
            Self::One(line) => plot.add(line.as_ref(), second, &Cell { octets, packets }),
            Self::Ways => {
                let [inward, outward] = [[octets[0], 0], [0, octets[1]]].map(|octets| Cell { octets, packets: [0; 2] });
                let (inward, outward) =
                    (Cell { packets: [packets[0], 0], ..inward }, Cell { packets: [0, packets[1]], ..outward });
                plot.add(Some(&Line::Way(Direction::In)), second, &inward);
                plot.add(Some(&Line::Way(Direction::Out)), second, &outward);
            }
            Self::Hosts([source, destination]) => {
                let turned = |[forward, reverse]: [u64; 2]| [reverse, forward];
                let (octets, packets) = (carried.octets, carried.packets);
                plot.add(Some(destination), second, &Cell { octets, packets });
                plot.add(Some(source), second, &Cell { octets: turned(octets), packets: turned(packets) });
            }
        }
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

/// The packets of a sum are told by direction in the proportion of its octets.
fn cell_of(tally: &Tally) -> Cell {
    let [inward, outward] = tally.ways;
    let all = inward.saturating_add(outward).max(1);
    let share = u128::from(tally.packets) * u128::from(inward) / u128::from(all);
    let inward_packets = u64::try_from(share).unwrap_or(u64::MAX);
    Cell { octets: tally.ways, packets: [inward_packets, tally.packets - inward_packets] }
}
