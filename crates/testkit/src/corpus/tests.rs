//! The golden numbers against themselves, against the packets, and against an independent dissector.

use std::collections::BTreeSet;

use super::*;
use crate::oracle;

#[test]
fn names_are_unique_and_every_golden_file_is_used() {
    let names: BTreeSet<&str> = ENTRIES.iter().map(|(name, ..)| *name).collect();
    assert_eq!(names.len(), ENTRIES.len());
    let folder = std::fs::read_dir("corpus").unwrap();
    for file in folder {
        let name = file.unwrap().file_name().into_string().unwrap();
        assert!(names.contains(name.trim_end_matches(".toml")), "corpus/{name} belongs to no case");
    }
}

#[test]
fn every_packet_is_expected_somewhere() {
    for Case { name, packets, expected, link, .. } in corpus() {
        let outer: Vec<_> = expected.record.iter().filter(|record| record.tunnel.is_none()).collect();
        let in_flows: u64 = outer.iter().map(|record| record.packets + record.reverse_packets).sum();
        assert_eq!(expected.frames, packets.len() as u64, "{name}");
        assert_eq!(in_flows + expected.without_flow + expected.fragments_unknown, expected.frames, "{name}");
        let has_all = expected.without_flow + expected.fragments_unknown == 0;
        if let (true, Some(octets)) = (has_all, l2_octets(&outer)) {
            // The header of cooked capture was never on the wire.
            let pseudo = if link == pcap::LINUX_SLL { 16 } else { 0 };
            assert_eq!(
                octets,
                packets.iter().map(|packet| u64::from(packet.wire_length - pseudo)).sum::<u64>(),
                "{name}"
            );
        }
    }
}

#[test]
fn the_truth_has_99_packets_and_19_334_octets() {
    for name in ["truth", "truth-snaplen-96", "truth-pcapng"] {
        let case = case(name);
        assert_eq!(case.packets.len(), 99);
        assert_eq!(case.packets.iter().map(|packet| packet.wire_length).sum::<u32>(), 19_334);
    }
}

#[test]
fn an_independent_dissector_finds_nothing_wrong_with_the_honest_cases() {
    let lying = ["truncated-headers", "ip-total-length-long", "ip-total-length-short", "truth-snaplen-96", "refused"];
    for case in corpus().into_iter().filter(|case| !lying.contains(&case.name)) {
        let complaints = oracle::tshark_complaints(&case.file());
        assert!(complaints.is_empty(), "{}: {complaints:#?}", case.name);
    }
}

#[test]
fn an_independent_dissector_counts_the_same_octets() {
    // Fragments: it counts the last one of a datagram only. Tunnels: it counts the inner conversation too.
    for name in [
        "padding",
        "vlan",
        "qinq-88a8",
        "qinq-9100",
        "reused-five-tuple",
        "tcp-zero-window",
        "udp-active-split",
        "sctp",
    ] {
        let case = case(name);
        let outer: Vec<_> = case.expected.record.iter().collect();
        let conversations = oracle::tshark_conversations(&case.file());
        let (packets, octets) = conversations
            .iter()
            .fold((0, 0), |(p, o), c| (p + c.packets.iter().sum::<u64>(), o + c.l2_octets.iter().sum::<u64>()));
        assert_eq!((packets, Some(octets)), (case.expected.frames, l2_octets(&outer)), "{name}");
    }
}

fn l2_octets(records: &[&crate::expectation::ExpectedRecord]) -> Option<u64> {
    records.iter().map(|record| Some(record.l2_octets? + record.reverse_l2_octets?)).sum()
}

#[test]
fn another_flow_meter_counts_the_same_where_it_is_right() {
    let folder = tempfile::tempdir().unwrap();
    let flows = oracle::nfdump_flows(&case("truth").file(), folder.path());
    let sums = |port: u16| {
        let to = flows.iter().filter(|flow| flow.destination.1 == port);
        let from = flows.iter().filter(|flow| flow.source.1 == port);
        let sum = |(p, o), flow: &oracle::OneWayFlow| (p + flow.packets, o + flow.octets);
        (to.fold((0, 0), sum), from.fold((0, 0), sum))
    };
    assert_eq!(sums(1111), ((10, 1280), (5, 1140)), "{flows:#?}");
    assert_eq!(sums(1112), ((4, 116), (0, 0)));
    assert_eq!(sums(1113), ((6, 1968), (0, 0)));
    // Two conversations, which it takes for one.
    assert_eq!(sums(1116), ((10, 1900), (3, 120)));
    assert_eq!(sums(1119), ((36, 2808), (0, 0)));
}
