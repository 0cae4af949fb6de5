//! Random batches, repeated and out of order, against a plain map.

use std::collections::BTreeMap;

use netwatch_model::{Batch, EndReason, FlowId, FlowRecord};
use proptest::prelude::*;

use super::*;
use crate::store::{FILTERS, any_record};

/// The history of some flows as the batches that tell it, and what is true at the end.
#[derive(Clone, Debug)]
struct Told {
    batches: Vec<Batch>,
    truth: BTreeMap<FlowId, FlowRecord>,
}

prop_compose! {
    fn told()(flows in prop::collection::vec((prop::collection::vec(1_u64..100_000, 1..6), any::<bool>(), 0_i64..300), 1..60),
              spread in 1_u64..8) -> Told {
        let mut batches: BTreeMap<u64, Vec<FlowRecord>> = BTreeMap::new();
        let mut truth = BTreeMap::new();
        for (n, (grows, ends, start)) in (0_u32..).zip(&flows) {
            let mut octets = 0;
            for (step, grown) in (0_u64..).zip(grows) {
                octets += grown;
                let mut r = flow(n, *start, start + i64::try_from(step).unwrap() * 3, octets);
                r.forward.packets = step + 1;
                r.forward.l2_octets = r.forward.octets + 14 * r.forward.packets;
                if *ends && step + 1 == grows.len() as u64 {
                    r.end_reason = Some(EndReason::EndOfFlow);
                }
                truth.insert(r.id, r.clone());
                batches.entry(1 + step * spread + u64::from(n) % spread).or_default().push(r);
            }
        }
        Told { batches: batches.into_iter().map(|(sequence, flows)| batch_of(sequence, flows)).collect(), truth }
    }
}

fn check(store: &LiveStore, truth: &BTreeMap<FlowId, FlowRecord>) {
    let now = at(400);
    let texts = [
        "",
        "bytes > 50kB",
        "host 10.0.0.3",
        "port 443 and packets > 2",
        "not src in 10.0.0.0/28",
        "end_reason = end_of_flow",
    ];
    for (text, sort) in texts.into_iter().zip([FlowSort::Bytes, FlowSort::Start, FlowSort::Rate].into_iter().cycle()) {
        let filter = Filter::parse(text).unwrap();
        let request = FlowsRequest { filter: Some(Arc::new(filter.clone())), sort, ..flows_until(400) };
        let page = store.flows(&request, now).unwrap();
        let mut found: Vec<String> = page.items.iter().map(|f| f.id.clone()).collect();
        let mut meant: Vec<String> = truth.values().filter(|r| filter.matches(*r)).map(|r| r.id.to_string()).collect();
        found.sort();
        meant.sort();
        assert_eq!(found, meant, "{text}");
        for item in &page.items {
            let id: FlowId = item.id.parse().unwrap();
            assert_eq!(*item, netwatch_api::flow::Flow::from(&truth[&id]), "{text}");
        }
        if sort == FlowSort::Bytes {
            assert!(page.items.is_sorted_by_key(|f| std::cmp::Reverse(f.octets + f.reverse_octets)));
        }
        // Sums over the flows that a filter selects.
        let octets: u64 = truth.values().filter(|r| filter.matches(*r)).map(|r| r.total().octets).sum();
        let top = TopRequest { filter: Some(Arc::new(filter)), ..top_of(Dimension::Pair, range(-100, 400)) };
        assert_eq!(store.top(&top, now).unwrap().total.octets, octets, "{text}");
    }
    let octets: u64 = truth.values().map(|r| r.total().octets).sum();
    let packets: u64 = truth.values().map(|r| r.total().packets).sum();
    let top = store.top(&top_of(Dimension::Protocol, range(-100, 400)), now).unwrap();
    assert_eq!((top.total.octets, top.total.packets), (octets, packets));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn repeated_and_reordered_batches_change_nothing(
        told in told(), order in prop::collection::vec(any::<prop::sample::Index>(), 0..40), segment_rows in 1_usize..40,
    ) {
        let store = LiveStore::new(StoreConfig { segment_rows, ..StoreConfig::default() });
        // Some come early, in any order; then all.
        let early = order.iter().map(|index| index.get(&told.batches));
        for batch in early.chain(&told.batches) {
            store.apply(batch, at(399));
        }
        check(&store, &told.truth);
        let before = store.statistics(at(400)).store;
        for batch in &told.batches {
            prop_assert!(store.apply(batch, at(399)).repeated);
        }
        let after = store.statistics(at(400)).store;
        prop_assert_eq!(before.records, after.records);
        prop_assert_eq!(before.live_flows + before.archived_flows, told.truth.len() as u64);
        check(&store, &told.truth);
    }

    #[test]
    fn a_small_table_counts_everything_in_the_end(told in told(), live_rows in 1_usize..12) {
        let store = LiveStore::new(StoreConfig { live_rows, ..StoreConfig::default() });
        for batch in &told.batches {
            store.apply(batch, at(399));
            prop_assert!(store.statistics(at(399)).store.live_flows <= live_rows as u64);
        }
        // All end.
        let rest = told.truth.values().filter(|r| r.end_reason.is_none());
        let rest: Vec<FlowRecord> = rest.map(|r| FlowRecord { end_reason: Some(EndReason::ForcedEnd), ..r.clone() }).collect();
        store.apply(&batch_of(1_000_000, rest), at(399));
        let octets: u64 = told.truth.values().map(|r| r.total().octets).sum();
        let top = store.top(&top_of(Dimension::Application, range(-100, 400)), at(400)).unwrap();
        prop_assert_eq!(top.total.octets, octets);
        prop_assert_eq!(store.statistics(at(400)).store.archived_flows, told.truth.len() as u64);
    }

    #[test]
    fn filters_mean_the_same_on_rows_that_are_not_sealed(
        records in prop::collection::vec((any_record(), any::<bool>()), 1..60), from in 0_i64..25_000, lasts in 1_i64..25_000,
        whole in any::<bool>(),
    ) {
        let store = LiveStore::new(StoreConfig::default());
        // Within few seconds, so that many begin and end in the seconds in which the range does.
        let begin = at(-30).nanos();
        let records: Vec<FlowRecord> = records.into_iter().map(|(r, active)| {
            let start = Timestamp::from_nanos(begin + r.start.nanos().rem_euclid(20_000_000_000));
            let end = start + r.duration().min(Duration::from_secs(5));
            FlowRecord { start, end, end_reason: r.end_reason.filter(|_| !active), conversations: 1, ..r }
        }).collect();
        store.apply(&batch_of(1, records.clone()), at(0));
        let moment = |millis: i64| {
            let time = Timestamp::from_nanos(begin + millis * 1_000_003);
            if whole { Timestamp::from_secs(time.secs()) } else { time }
        };
        let range = TimeRange { from: moment(from), to: moment(from + lasts) };
        for text in FILTERS.iter().copied().chain([""]) {
            let filter = Filter::parse(text).unwrap();
            let request = FlowsRequest { range, filter: Some(Arc::new(filter.clone())), ..flows_until(0) };
            let page = store.flows(&request, at(1)).unwrap();
            let mut found: Vec<String> = page.items.into_iter().map(|f| f.id).collect();
            let in_range = |r: &&FlowRecord| r.end >= range.from && r.start < range.to;
            let meant = records.iter().filter(in_range).filter(|r| filter.matches(*r));
            let mut meant: Vec<String> = meant.map(|r| r.id.to_string()).collect();
            found.sort();
            meant.sort();
            prop_assert_eq!(found, meant, "{}", text);
        }
    }
}
