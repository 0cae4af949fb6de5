//! Top talkers with everything else.

use std::sync::Arc;

use netwatch_api::traffic::{Dimension, Talker, Top, TopSort};
use netwatch_model::Timestamp;

use super::answers::State;
use super::label::{Label, talker};
use super::range::Span;
use super::scan::Scan;
use super::sums::Summing;
use super::{LiveStore, QueryError, TopRequest};
use crate::store::{Key, Table, Tally, View};

/// Sums by key with how much they can miss.
#[derive(Clone, Debug, Default)]
pub(super) struct Ranking {
    pub(super) rows: Vec<(Key, Tally, u64)>,
    pub(super) total: Tally,
    pub(super) flows: u64,
    pub(super) missing: u64,
    /// Seconds that were really summed.
    pub(super) range: Option<(i64, i64)>,
}

impl LiveStore {
    /// Top talkers.
    ///
    /// # Errors
    /// None at present.
    pub fn top(&self, q: &TopRequest, now: Timestamp) -> Result<Top, QueryError> {
        let view = self.view(now);
        let span = Span::of(q.range, now);
        let filter = q.filter.as_ref().map(ToString::to_string).unwrap_or_default();
        let question = format!("{} {:?} {:?} {} {filter}", span.words(q.range, now), q.by, q.sort, q.limit);
        let state = State::of(&view, span.from, now);
        let top = self.desk().tops.get(question, state, || Ok(Arc::new(self.make_top(q, span, &view, now))))?;
        Ok(Arc::unwrap_or_clone(top))
    }

    fn make_top(&self, q: &TopRequest, span: Span, view: &View, now: Timestamp) -> Top {
        let mut ranking = match &q.filter {
            None => bucket_ranking(view, span, q.by),
            Some(filter) => {
                let scan = Scan::new(view, self.desk(), span, Some(filter));
                flow_ranking(&Summing::new(scan, q.by, false))
            }
        };
        ranking.sort(q.sort);
        let (from, to) = ranking.range.map_or((span.from, q.range.to), |(from, to)| (second(from), second(to)));
        let (from, to) = (from.max(view.horizon()), to.min(now.max(view.as_of())));
        let mut top = ranking.top(q.by, q.limit, view);
        (top.from, top.to) = (from.min(to), to);
        top
    }
}

fn second(second: i64) -> Timestamp {
    Timestamp::from_secs(second)
}

/// Sums of all flows, from the buckets.
pub(super) fn bucket_ranking(view: &View, span: Span, by: Dimension) -> Ranking {
    let cover = view.talkers().cover(span.from.max(view.horizon()).secs(), span.end_second());
    let mut table = Table::default();
    // Before the first packet there is no newest second to end at.
    let range = (!cover.buckets.is_empty()).then_some((cover.from, cover.to));
    let mut ranking = Ranking { range, ..Ranking::default() };
    for (at, part) in cover.buckets.iter().enumerate() {
        // In the first bucket every conversation is new to the range, in the others those that had not begun.
        let count = |tally: &Tally| {
            let flows = if at == 0 { tally.active[part.level] } else { tally.fresh };
            Tally { fresh: flows, active: [flows; 3], ..*tally }
        };
        ranking.total.add(&count(&part.bucket.total));
        ranking.missing = ranking.missing.saturating_add(part.bucket.missing(by));
        part.bucket.tell(by, |key, tally| table.add(key, &count(&tally)));
    }
    ranking.flows = ranking.total.fresh.into();
    ranking.missing = ranking.missing.saturating_add(table.missing());
    ranking.rows = table.iter().map(|(key, tally)| (*key, *tally, tally.fresh.into())).collect();
    ranking
}

/// Sums of the flows that a filter selects.
pub(super) fn flow_ranking(summing: &Summing<'_>) -> Ranking {
    let sums = summing.sums();
    Ranking {
        rows: sums.table.iter().map(|(key, tally)| (*key, *tally, tally.fresh.into())).collect(),
        total: sums.total,
        flows: sums.total.fresh.into(),
        missing: sums.table.missing(),
        range: None,
    }
}

impl Ranking {
    /// Largest first; equal ones in the order of their keys.
    pub(super) fn sort(&mut self, sort: TopSort) {
        let measure = |(_, tally, flows): &(Key, Tally, u64)| match sort {
            TopSort::Bytes => tally.octets,
            TopSort::Packets => tally.packets,
            TopSort::Flows => *flows,
        };
        self.rows.sort_unstable_by(|a, b| (measure(b), b.1.octets).cmp(&(measure(a), a.1.octets)).then(a.0.cmp(&b.0)));
    }

    /// The first rows, and all the rest.
    pub(super) fn top(&self, by: Dimension, limit: usize, view: &View) -> Top {
        let (items, total) = match by {
            Dimension::Direction => self.directions(),
            by => {
                let rows = self.rows.iter().take(limit);
                let items = rows.map(|(key, tally, flows)| talker(Label::of(by, *key, view.words()), tally, *flows));
                (items.collect(), self.total_by(by))
            }
        };
        let other = items.iter().fold(total.clone(), |rest: Talker, item: &Talker| Talker {
            octets: rest.octets.saturating_sub(item.octets),
            packets: rest.packets.saturating_sub(item.packets),
            octets_in: rest.octets_in.saturating_sub(item.octets_in),
            octets_out: rest.octets_out.saturating_sub(item.octets_out),
            flows: rest.flows.saturating_sub(item.flows),
            ..rest
        });
        let none = Timestamp::ZERO;
        Top { by, from: none, to: none, items, other, total, error_octets: self.missing }
    }

    /// Everything; by host each end counts.
    fn total_by(&self, by: Dimension) -> Talker {
        let mut total = self.total;
        let mut flows = self.flows;
        if by == Dimension::Host {
            total.add(&self.total);
            // What one end sends the other receives.
            total.ways = [self.total.octets; 2];
            flows *= 2;
        }
        talker(Label::default(), &total, flows)
    }

    /// In and out; each counts the packets in proportion to its octets, and all conversations.
    fn directions(&self) -> (Vec<Talker>, Talker) {
        let [inward, outward] = self.total.ways;
        let octets = inward.saturating_add(outward);
        let share = u128::from(self.total.packets) * u128::from(inward) / u128::from(octets.max(1));
        let inward_packets = u64::try_from(share).unwrap_or(u64::MAX);
        let item = |word: &str, filter: &str, packets, ways: [u64; 2]| {
            let label = Label { key: word.to_owned(), label: word.to_owned(), filter: filter.to_owned() };
            let tally = Tally { octets: ways[0].saturating_add(ways[1]), packets, ways, ..Tally::default() };
            talker(label, &tally, self.flows)
        };
        let items = vec![
            item("in", "bytes_in > 0", inward_packets, [inward, 0]),
            item("out", "bytes_out > 0", self.total.packets - inward_packets, [0, outward]),
        ];
        let tally = Tally { octets, packets: self.total.packets, ways: [inward, outward], ..Tally::default() };
        (items, talker(Label::default(), &tally, self.flows * 2))
    }
}
