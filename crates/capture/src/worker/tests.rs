use netwatch_model::{Direction, EndReason, FlowRecord, Metric};
use netwatch_testkit::frames::{ethernet, flags, ipv4, tcp, udp};

use super::*;
use crate::config::Budget;
use crate::frame::LinkType;

const ETH0: InterfaceIndex = InterfaceIndex(0);
const START: i64 = 1_700_000_000;

fn worker(capacity: usize, budget: Budget) -> Worker {
    let config = FlowConfig { capacity, budget, ..FlowConfig::default() };
    let mut worker = Worker::new(0, 1, config, Arc::new(Shared::new(Arc::default())), [9, 8, 7, 6]);
    worker.interface(ETH0, &Untrusted::new("eth0"));
    worker
}

fn frame(time: Timestamp, data: &[u8], direction: Direction) -> Frame<'_> {
    let wire_length = u32::try_from(data.len()).unwrap();
    Frame { time, data, wire_length, tag: None, segment_size: 0, direction, interface: ETH0, link: LinkType::Ethernet }
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(START * 1000 + millis)
}

fn flows(records: &[Record]) -> Vec<&FlowRecord> {
    records.iter().filter_map(|r| if let Record::Flow(f) = r { Some(&**f) } else { None }).collect()
}

fn sample(records: &[Record], metric: Metric) -> Option<u64> {
    records.iter().rev().find_map(|r| match r {
        Record::Sample(s) if s.series.metric == metric => Some(s.value.as_u64()),
        _ => None,
    })
}

fn syn(source: u32) -> Vec<u8> {
    let address = std::net::Ipv4Addr::from(source).to_string();
    ethernet(
        ipv4(&address, "10.0.0.2").carry(tcp(1024 + u16::try_from(source % 60_000).unwrap(), 80, flags::SYN).build()),
    )
    .build()
}

#[test]
fn a_changed_flow_is_reported_at_the_next_tick_and_a_quiet_one_is_not() {
    let mut w = worker(100, Budget::LIVE);
    let data = ethernet(ipv4("10.0.0.1", "10.0.0.2").carry(udp(5000, 53, b"question"))).build();
    let mut out = Vec::new();
    w.frames(&[frame(at(0), &data, Direction::Out)]);
    w.tick(at(250), &mut out);
    let first = flows(&out)[0].clone();
    assert_eq!((first.end_reason, first.forward.packets, first.interface_octets), (None, 1, [0, 36]));
    out.clear();
    w.tick(at(500), &mut out);
    assert!(flows(&out).is_empty());
    w.frames(&[frame(at(600), &data, Direction::Out)]);
    w.tick(at(750), &mut out);
    let second = flows(&out)[0];
    assert_eq!((second.id, second.forward.packets), (first.id, 2), "cumulative, and the same record");
}

#[test]
fn a_flood_beside_a_heavy_flow_costs_no_memory_and_no_truth() {
    let mut w = worker(2_000, Budget { changed: 50, overdue: 10, ended: 100 });
    let heavy = ethernet(ipv4("10.0.0.1", "10.0.0.2").carry(udp(5000, 5001, &[0; 1400]))).build();
    let (mut out, mut sent, mut heavy_sent) = (Vec::new(), 0, 0);
    for n in 0..40_000_u32 {
        let data = syn(0x0b00_0000 + n);
        w.frames(&[frame(at(i64::from(n) / 10), &data, Direction::In)]);
        sent += 1;
        if n % 4 == 0 {
            w.frames(&[frame(at(i64::from(n) / 10), &heavy, Direction::In)]);
            heavy_sent += 1;
        }
        if n % 2500 == 0 {
            w.tick(at(i64::from(n) / 10), &mut out);
        }
        assert!(w.table.extent() <= 2_000);
    }
    w.finish(&mut out);
    let mut last = std::collections::HashMap::new();
    flows(&out).into_iter().for_each(|f| drop(last.insert(f.id, f.clone())));
    let total: u64 = last.values().map(|f| f.forward.packets).sum();
    assert_eq!(total, sent + heavy_sent, "every packet is in exactly one record");
    let of_heavy: Vec<_> = last.values().filter(|f| f.destination_port == 5001).collect();
    assert_eq!(of_heavy.len(), 1, "the heavy flow was never evicted");
    assert_eq!(of_heavy[0].forward.packets, heavy_sent);
    assert_eq!(last.values().map(|f| f.conversations).sum::<u64>(), u64::from(40_000_u32) + 1);
    assert!(sample(&out, Metric::FlowsOther).unwrap() > 20_000);
    assert!(last.values().any(|f| f.end_reason == Some(EndReason::LackOfResources)));
}

#[test]
fn the_heaviest_are_reported_first_when_too_many_have_changed() {
    let mut w = worker(10_000, Budget { changed: 10, overdue: 0, ended: 100 });
    let mut out = Vec::new();
    for n in 0..35_u16 {
        let payload = vec![0; 20 * usize::from(n)];
        let data = ethernet(ipv4("10.0.0.1", "10.0.0.2").carry(udp(6000 + n, 7, &payload))).build();
        w.frames(&[frame(at(0), &data, Direction::In)]);
    }
    w.tick(at(250), &mut out);
    let reported = flows(&out);
    assert_eq!(reported.len(), 10);
    let lightest = reported.iter().map(|f| f.forward.octets).min().unwrap();
    assert!(lightest >= 28 + 20 * 22, "{lightest}");
}

#[test]
fn a_super_frame_counts_as_its_segments() {
    let mut w = worker(100, Budget::EVERYTHING);
    // 4000 octets of payload, segments of 1448: three packets of 1500, 1500 and 1156 octets.
    let data =
        ethernet(ipv4("10.0.0.1", "10.0.0.2").carry(tcp(5000, 80, flags::ACK).payload(&[1; 4000]).build())).build();
    let whole = frame(at(0), &data, Direction::Out);
    w.frames(&[Frame { segment_size: 1448, ..whole }]);
    let mut out = Vec::new();
    w.finish(&mut out);
    let f = flows(&out)[0];
    assert_eq!((f.forward.packets, f.forward.octets, f.forward.l2_octets), (3, 4000 + 3 * 40, 4000 + 3 * 54));
    assert_eq!(sample(&out, Metric::FlowsStarted), Some(1));
}

#[test]
fn the_tag_beside_the_frame_counts_like_the_tag_inside() {
    let plain = ethernet(ipv4("10.0.0.1", "10.0.0.2").carry(udp(1, 2, b"x"))).build();
    let tagged = ethernet(ipv4("10.0.0.1", "10.0.0.2").carry(udp(1, 2, b"x"))).vlan(0x8100, 100).build();
    let mut w = worker(100, Budget::EVERYTHING);
    let tag = Some(crate::frame::OffloadedTag { tpid: 0x8100, tci: 0x2064 });
    w.frames(&[Frame { tag, ..frame(at(0), &plain, Direction::In) }, frame(at(1), &tagged, Direction::In)]);
    let mut out = Vec::new();
    w.finish(&mut out);
    let all = flows(&out);
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].vlan.as_slice(), [100]);
    assert_eq!(all[0].forward.l2_octets, 2 * tagged.len() as u64);
}
