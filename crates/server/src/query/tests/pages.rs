//! Walking through pages while the store changes.

use std::collections::BTreeSet;

use netwatch_model::EndReason;
use proptest::prelude::*;

use super::*;

fn ended(r: FlowRecord) -> FlowRecord {
    FlowRecord { end_reason: Some(EndReason::EndOfFlow), ..r }
}

/// Walks to the end; `between` changes the store after each page.
fn walk(store: &LiveStore, first: &FlowsRequest, mut now: i64, mut between: impl FnMut(i64)) -> Vec<String> {
    let (mut ids, mut request) = (Vec::new(), first.clone());
    loop {
        let page = store.flows(&request, at(now)).unwrap();
        ids.extend(page.items.into_iter().map(|f| f.id));
        let Some(cursor) = page.next_cursor else { return ids };
        between(now);
        now += 1;
        request = FlowsRequest { cursor: Some(cursor), ..first.clone() };
        // What "until now" means moves on with the clock.
        request.range = TimeRange { from: at(now - 1000), to: at(now) };
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_flow_comes_twice_and_none_is_left_out(
        sort in prop::sample::select(vec![FlowSort::Bytes, FlowSort::Packets, FlowSort::Duration, FlowSort::Rate, FlowSort::Start]),
        order in prop::sample::select(vec![SortOrder::Asc, SortOrder::Desc]),
        limit in 100_usize..700, seed in any::<u32>(),
    ) {
        let store = LiveStore::new(StoreConfig { segment_rows: 500, ..StoreConfig::default() });
        let flows = 3000_u32;
        let make = |n: u32, second: i64, octets: u64| flow(n, i64::from(n % 90), 90 + second, octets);
        let octets = |n: u32| u64::from(n.wrapping_mul(seed | 1) % 5000) + 1;
        let first = (0..flows).map(|n| if n % 3 == 0 { ended(make(n, 0, octets(n))) } else { make(n, 0, octets(n)) });
        store.apply(&batch_of(1, first), at(91));
        let request = FlowsRequest { range: range(-900, 100), sort, order, limit, ..flows_until(0) };
        let mut sequence = 1;
        let ids = walk(&store, &request, 100, |now| {
            sequence += 1;
            // Some grow, some end, some are new.
            let n = |k: u32| (k * 7 + u32::try_from(sequence).unwrap() * 131) % flows;
            let changed = (0..200).map(n).filter(|n| n % 3 != 0).map(|n| {
                let mut r = make(n, now - 90, octets(n) + 10_000 * sequence);
                r.forward.packets += sequence;
                if n % 2 == 0 { ended(r) } else { r }
            });
            let new = (0..50).map(|k| make(100_000 + u32::try_from(sequence).unwrap() * 50 + k, now - 90, 7));
            store.apply(&batch_of(sequence, changed.chain(new)), at(now));
        });
        let all: BTreeSet<&String> = ids.iter().collect();
        prop_assert_eq!(all.len(), ids.len(), "no flow comes twice");
        let meant: BTreeSet<String> = (0..flows).map(|n| record(n, 0).id.to_string()).collect();
        prop_assert!(meant.iter().all(|id| all.contains(id)), "none is left out");
        prop_assert_eq!(all.len(), meant.len(), "nothing that is new comes");
    }
}

#[test]
fn pages_together_are_in_order() {
    let store = LiveStore::new(StoreConfig { segment_rows: 300, ..StoreConfig::default() });
    let flows = (0..2500_u32).map(|n| ended(flow(n, 0, 1, u64::from(n.wrapping_mul(2_654_435_761) % 700))));
    store.apply(&batch_of(1, flows), at(5));
    let request = FlowsRequest { range: range(-990, 10), limit: 90, ..flows_until(0) };
    let ids = walk(&store, &request, 10, |_| {});
    let octets = |id: &String| {
        let f = store.flow(id.parse().unwrap(), at(10)).unwrap().flow;
        (std::cmp::Reverse(f.octets + f.reverse_octets), std::cmp::Reverse(f.id))
    };
    assert_eq!(ids.len(), 2500);
    assert!(ids.is_sorted_by_key(octets));
}

#[test]
fn a_filter_that_leaves_few_of_the_first_finds_the_others_once() {
    for segment_rows in [3000, 5000] {
        let store = LiveStore::new(StoreConfig { segment_rows, ..StoreConfig::default() });
        let flows = (0..3000_u32).map(|n| ended(flow(n, 0, 1, u64::from(n))));
        store.apply(&batch_of(1, flows), at(5));
        let filter = filter("src in 10.0.0.0/25");
        let page = store.flows(&FlowsRequest { filter, ..flows_until(10) }, at(10)).unwrap();
        let ids: BTreeSet<&String> = page.items.iter().map(|f| &f.id).collect();
        assert_eq!((page.items.len(), ids.len(), page.matched), (384, 384, Some(384)));
    }
}

#[test]
fn a_cursor_belongs_to_its_request_and_lives_two_minutes() {
    let store = LiveStore::new(StoreConfig::default());
    store.apply(&batch_of(1, (0..100).map(|n| flow(n, 0, 1, 100))), at(5));
    let first = FlowsRequest { range: range(0, 10), limit: 10, ..flows_until(0) };
    let page = store.flows(&first, at(20)).unwrap();
    assert_eq!((page.items.len(), page.matched), (10, Some(100)));
    let next = FlowsRequest { cursor: page.next_cursor, ..first };
    assert_eq!(store.flows(&next, at(21)).unwrap().items.len(), 10);
    let others = [
        FlowsRequest { sort: FlowSort::Start, ..next.clone() },
        FlowsRequest { filter: filter("port 443"), ..next.clone() },
        FlowsRequest { limit: 11, ..next.clone() },
        FlowsRequest { range: range(1, 10), ..next.clone() },
        FlowsRequest { cursor: Some("nonsense".to_owned()), ..next.clone() },
    ];
    for other in others {
        assert!(matches!(store.flows(&other, at(22)), Err(QueryError::Cursor(_))), "{other:?}");
    }
    assert_eq!(store.flows(&next, at(200)), Err(QueryError::Gone));
}

#[test]
fn first_pages_beyond_the_limit_push_the_oldest_out() {
    let store = LiveStore::new(StoreConfig { snapshots: 4, ..StoreConfig::default() });
    store.apply(&batch_of(1, (0..100).map(|n| flow(n, 0, 1, 100))), at(5));
    let ask = |limit| FlowsRequest { range: range(0, 10), limit, ..flows_until(0) };
    let cursors: Vec<FlowsRequest> = (10..16)
        .map(|limit| FlowsRequest { cursor: store.flows(&ask(limit), at(20)).unwrap().next_cursor, ..ask(limit) })
        .collect();
    let gone: Vec<bool> = cursors.iter().map(|q| store.flows(q, at(20)) == Err(QueryError::Gone)).collect();
    assert_eq!(gone, [true, true, false, false, false, false]);
}
