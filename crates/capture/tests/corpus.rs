//! Every quirk of the corpus through the worker, against numbers counted by hand.

use std::sync::Arc;

use netwatch_capture::config::{Budget, FlowConfig};
use netwatch_capture::frame::{Frame, InterfaceIndex, LinkType};
use netwatch_capture::worker::Worker;
use netwatch_capture::worker::shared::Shared;
use netwatch_model::{Direction, FlowRecord, Metric, Record, Untrusted};
use netwatch_testkit::corpus::{Case, corpus};
use netwatch_testkit::pcap::{self, Packet};

const ETH0: InterfaceIndex = InterfaceIndex(0);

/// The records of a run, and the last value of each counter that the tests look at.
struct Outcome {
    flows: Vec<FlowRecord>,
    records: Vec<Record>,
}

impl Outcome {
    fn sum(&self, metric: Metric, labels: usize) -> u64 {
        let mut last = std::collections::HashMap::new();
        for record in &self.records {
            if let Record::Sample(s) = record
                && s.series.metric == metric
                && s.series.labels.len() == labels
            {
                last.insert(format!("{:?}", s.series.labels), s.value.as_u64());
            }
        }
        last.values().sum()
    }
}

fn link(case: &Case) -> LinkType {
    match case.link {
        pcap::ETHERNET => LinkType::Ethernet,
        pcap::RAW => LinkType::Ip,
        pcap::LINUX_SLL => LinkType::LinuxSll,
        other => panic!("link type {other}"),
    }
}

fn run(packets: &[Packet], link: LinkType) -> Outcome {
    let config = FlowConfig { budget: Budget::EVERYTHING, capacity: 1024, ..FlowConfig::default() };
    let mut worker = Worker::new(0, 1, config, Arc::new(Shared::new(Arc::default())), [1, 2, 3, 4]);
    worker.interface(ETH0, &Untrusted::new("eth0"));
    let frames: Vec<Frame<'_>> = packets
        .iter()
        .map(|p| Frame {
            time: p.time,
            data: &p.data,
            wire_length: p.wire_length,
            tag: None,
            segment_size: 0,
            direction: Direction::In,
            interface: ETH0,
            link,
        })
        .collect();
    let mut records = Vec::new();
    worker.replay(&frames, &mut records);
    worker.finish(&mut records);
    let flows = records.iter().filter_map(|r| if let Record::Flow(f) = r { Some((**f).clone()) } else { None });
    Outcome { flows: flows.collect(), records }
}

#[test]
fn every_case_gives_what_was_counted_by_hand() {
    let mut failed = String::new();
    for case in corpus() {
        let outcome = run(&case.packets, link(&case));
        if let Err(differences) = case.expected.compare(&outcome.flows) {
            failed += &format!("== {}\n{differences}", case.name);
        }
        let unknown = outcome.sum(Metric::FragmentsUnknown, 0);
        if unknown != case.expected.fragments_unknown {
            failed += &format!("== {}: {unknown} unknown fragments\n", case.name);
        }
    }
    assert!(failed.is_empty(), "{failed}");
}

#[test]
fn every_frame_is_counted_once_whatever_it_holds() {
    for case in corpus() {
        let outcome = run(&case.packets, link(&case));
        assert_eq!(outcome.sum(Metric::TrafficPackets, 2), case.packets.len() as u64, "{}", case.name);
        assert_eq!(
            outcome.sum(Metric::TrafficPackets, 3),
            2 * case.packets.len() as u64,
            "{}: by protocol and by application",
            case.name
        );
    }
}

#[test]
fn a_packet_cut_at_any_length_changes_no_other_count() {
    let neighbour = Packet::new(
        netwatch_model::Timestamp::from_secs(1_700_000_000),
        netwatch_testkit::frames::ethernet(
            netwatch_testkit::frames::ipv4("192.0.2.1", "192.0.2.2")
                .carry(netwatch_testkit::frames::udp(7, 9, b"hello")),
        )
        .build(),
    );
    for case in corpus().into_iter().filter(|c| c.link == pcap::ETHERNET) {
        for packet in &case.packets {
            let cuts = (0..packet.data.len().min(160)).map(|length| packet.cut(length));
            let all: Vec<_> = [neighbour.clone()].into_iter().chain(cuts).chain([neighbour.clone()]).collect();
            let outcome = run(&all, LinkType::Ethernet);
            let honest = outcome.flows.iter().filter(|f| f.source_port == 7 && f.destination_port == 9);
            let (packets, octets) = honest.fold((0, 0), |(p, o), f| (p + f.forward.packets, o + f.forward.octets));
            assert_eq!((packets, octets), (2, 66), "{}", case.name);
            assert_eq!(outcome.sum(Metric::TrafficPackets, 2), all.len() as u64, "{}", case.name);
        }
    }
}
