use netwatch_model::{Counters, Timestamp, Untrusted};

use super::*;

fn conversation(source: u32, destination: u32) -> FlowRecord {
    FlowRecord {
        id: FlowId::default(),
        interface: Untrusted::new("eth0"),
        source: IpAddr::V4(source.into()),
        destination: IpAddr::V4(destination.into()),
        source_port: 1,
        destination_port: 80,
        protocol: Protocol::TCP,
        icmp_id: 0,
        vlan: VlanStack::EMPTY,
        tunnel: None,
        start: Timestamp::from_secs(1),
        end: Timestamp::from_secs(1),
        forward: Counters { packets: 1, octets: 40, l2_octets: 60 },
        reverse: Counters::default(),
        interface_octets: [40, 0],
        state: FlowState::Opening,
        tcp: None,
        end_reason: Some(EndReason::IdleTimeout),
        application: "http".into(),
        name: None,
        process: None,
        conversations: 1,
    }
}

fn emitted(other: &mut Other) -> Vec<FlowRecord> {
    let mut out = Vec::new();
    other.emit(0, &mut out);
    out.into_iter().filter_map(|r| if let Record::Flow(f) = r { Some(*f) } else { None }).collect()
}

#[test]
fn a_scan_keeps_its_source() {
    let mut other = Other::default();
    (0..10_000).for_each(|n| other.add(conversation(7, 1000 + n)));
    let groups = emitted(&mut other);
    assert_eq!(groups.len(), 1);
    assert_eq!(groups[0].source, IpAddr::V4(7.into()));
    assert!(groups[0].destination.is_unspecified());
    assert_eq!((groups[0].conversations, groups[0].forward.octets, groups[0].destination_port), (10_000, 400_000, 80));
}

#[test]
fn a_flood_from_forged_sources_keeps_its_destination() {
    let mut other = Other::default();
    (0..100_000).for_each(|n| other.add(conversation(1000 + n, 7)));
    let groups = emitted(&mut other);
    assert!(groups.len() <= 9, "{}", groups.len());
    let victim: u64 = groups.iter().filter(|g| g.destination == IpAddr::V4(7.into())).map(|g| g.conversations).sum();
    assert_eq!(victim, 100_000);
}

#[test]
fn nothing_is_lost_and_groups_are_bounded_when_all_differ() {
    let mut other = Other::default();
    (0..50_000).for_each(|n| other.add(conversation(n, 1_000_000 + n)));
    assert_eq!(other.conversations(), 50_000);
    let groups = emitted(&mut other);
    assert!(groups.len() <= PLACES + 1);
    assert_eq!(groups.iter().map(|g| g.forward.octets).sum::<u64>(), 2_000_000);
    assert_eq!(groups.iter().map(|g| g.conversations).sum::<u64>(), 50_000);
    let ids: std::collections::HashSet<_> = groups.iter().map(|g| g.id).collect();
    assert_eq!(ids.len(), groups.len());
}
