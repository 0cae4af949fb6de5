//! Top talkers: items and other are always the total.

use std::net::{IpAddr, Ipv4Addr};

use netwatch_api::traffic::{Talker, Top};
use netwatch_model::{EndReason, Tunnel, TunnelKind};
use proptest::prelude::*;

use super::*;
use crate::store::LEVELS;

const ALL: [Dimension; 10] = [
    Dimension::Host,
    Dimension::Pair,
    Dimension::Port,
    Dimension::Application,
    Dimension::Process,
    Dimension::Name,
    Dimension::Vlan,
    Dimension::Protocol,
    Dimension::Interface,
    Dimension::Direction,
];

fn sum(top: &Top, of: fn(&Talker) -> u64) -> (u64, u64) {
    (top.items.iter().map(of).sum::<u64>() + of(&top.other), of(&top.total))
}

fn assert_sums(top: &Top) {
    let measures: [fn(&Talker) -> u64; 5] =
        [|t| t.octets, |t| t.packets, |t| t.octets_in, |t| t.octets_out, |t| t.flows];
    for (which, of) in measures.into_iter().enumerate() {
        let (parts, total) = sum(top, of);
        assert_eq!(parts, total, "measure {which} of {top:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn items_and_other_are_the_total(
        flows in prop::collection::vec((0_u32..5000, 0_i64..600, 0_i64..40, 1_u64..1_000_000), 1..300),
        from in 0_i64..600, lasts in 1_i64..600, limit in 1_usize..20,
        sort in prop::sample::select(vec![TopSort::Bytes, TopSort::Packets, TopSort::Flows]),
    ) {
        let store = LiveStore::new(StoreConfig::default());
        let mut flows = flows;
        flows.sort_by_key(|f| f.1);
        for (sequence, (n, start, lasts, octets)) in (1..).zip(flows) {
            store.apply(&batch_of(sequence, [flow(n, start, start + lasts, octets)]), at(start + lasts));
        }
        for by in ALL {
            for filter in [None, filter("bytes > 1kB")] {
                let request = TopRequest { range: range(from, from + lasts), by, limit, filter, sort };
                assert_sums(&store.top(&request, at(700)).unwrap());
            }
        }
    }
}

#[test]
fn a_range_of_the_last_minute_is_exact_and_an_older_one_by_ten_seconds() {
    let store = LiveStore::new(StoreConfig::default());
    for second in 0..600_u32 {
        let once = flow(second, second.into(), second.into(), 1000);
        store.apply(&batch_of(u64::from(second) + 1, [once]), at(second.into()));
    }
    let flows = |from, to| {
        let top = store.top(&top_of(Dimension::Interface, range(from, to)), at(600)).unwrap();
        (top.total.flows, top.from, top.to)
    };
    assert_eq!(flows(590, 597), (7, at(590), at(597)));
    assert_eq!(flows(540, 600), (60, at(540), at(600)));
    let (count, from, to) = flows(203, 317);
    assert_eq!((count, from, to), (120, at(200), at(320)), "the range that was really used is told");
    assert_eq!(T % LEVELS[2], 20, "the test begins amid a minute");
}

#[test]
fn without_names_there_is_only_other() {
    let store = LiveStore::new(StoreConfig::default());
    store.apply(&batch_of(1, (0..10).map(|n| flow(n, 0, 0, 100))), at(1));
    let top = store.top(&top_of(Dimension::Name, range(0, 1)), at(1)).unwrap();
    assert_eq!((top.items.len(), top.other.flows, top.error_octets), (0, 10, 0));
}

#[test]
fn inner_flows_count_only_when_tunnels_are_asked_for() {
    let store = LiveStore::new(StoreConfig::default());
    let outer = flow(1, 0, 0, 1000);
    let inner = FlowRecord { tunnel: Some(Tunnel { kind: TunnelKind::Vxlan, id: 7 }), ..flow(2, 0, 0, 900) };
    store.apply(&batch_of(1, [outer.clone(), inner.clone()]), at(1));
    let octets = |filter| {
        let request = TopRequest { filter, ..top_of(Dimension::Protocol, range(0, 1)) };
        store.top(&request, at(1)).unwrap().total.octets
    };
    assert_eq!(octets(None), outer.total().octets);
    assert_eq!(octets(filter("tcp")), outer.total().octets);
    assert_eq!(octets(filter("tunnel = vxlan")), inner.total().octets);
    assert_eq!(store.flows(&flows_until(1), at(1)).unwrap().items.len(), 2, "a list shows both");
}

#[test]
fn summed_conversations_are_told_as_other_and_as_error() {
    let store = LiveStore::new(StoreConfig::default());
    let nobody = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let scan = FlowRecord {
        destination: nobody,
        destination_port: 0,
        source_port: 0,
        conversations: 500,
        tcp: None,
        end_reason: Some(EndReason::LackOfResources),
        ..flow(9, 0, 0, 20_000)
    };
    store.apply(&batch_of(1, [scan.clone(), flow(1, 0, 0, 100)]), at(1));
    let hosts = store.top(&top_of(Dimension::Host, range(0, 1)), at(1)).unwrap();
    assert_sums(&hosts);
    assert_eq!(hosts.items[0].key, scan.source.to_string(), "the end in common is told");
    assert_eq!((hosts.items[0].flows, hosts.total.flows), (500, 1002));
    assert_eq!(hosts.error_octets, scan.total().octets);
    let pairs = store.top(&top_of(Dimension::Pair, range(0, 1)), at(1)).unwrap();
    assert_eq!((pairs.items.len(), pairs.other.flows), (1, 500));
    let page = store.flows(&flows_until(1), at(1)).unwrap();
    assert_eq!((page.items.len(), page.other_conversations), (1, 500));
}

#[test]
fn a_part_of_a_long_flow_counts_in_a_part_of_its_time() {
    let store = LiveStore::new(StoreConfig::default());
    for second in 0..30_u32 {
        let grown = flow(1, 0, second.into(), u64::from(second + 1) * 1000);
        store.apply(&batch_of(u64::from(second) + 1, [grown]), at(second.into()));
    }
    for filter in [None, filter("tcp")] {
        let request = TopRequest { filter, ..top_of(Dimension::Port, range(10, 20)) };
        let top = store.top(&request, at(30)).unwrap();
        assert_eq!((top.total.octets, top.total.flows), (10_000, 1));
        assert_eq!(
            (top.items[0].key.as_str(), top.items[0].filter.as_str()),
            ("443/tcp", "protocol = tcp and dport 443")
        );
    }
}

#[test]
fn before_the_first_packet_the_talkers_are_of_the_time_that_was_asked_for() {
    let store = LiveStore::new(StoreConfig::default());
    let top = store.top(&top_of(Dimension::Application, range(-300, 0)), at(0)).unwrap();
    assert_eq!((top.from, top.to), (at(-300), at(0)));
    assert_eq!(top.total.octets, 0);
}
