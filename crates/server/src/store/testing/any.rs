//! Records of every kind, for property tests.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use netwatch_model::{
    Counters, EndReason, FlowId, FlowRecord, FlowState, NameSource, Process, Protocol, TcpMetrics, Timestamp, Tunnel,
    TunnelKind,
};
use proptest::prelude::*;
use proptest::sample::select;

use super::record;

/// Filters of every kind.
pub(crate) const FILTERS: &[&str] = &[
    "host 10.0.0.7",
    "src in 10.0.0.0/28 and not port 443",
    "dst in 2001:db8::/124 or host 10.0.0.1",
    "port != 443",
    "dport in (443, 0-1000)",
    "sport > 30000 and bytes > 1kB",
    "tcp or icmp",
    "not tcp and state = established",
    "app = HTTPS",
    r#"name ~ "*.example.com""#,
    r#"sni != "example.com""#,
    r#"dns = "example.com" or process = "curl""#,
    "name = any and not process = any",
    "pid in (1, 2) and user = root",
    "container = any",
    "vlan 7 or vlan > 4000",
    "tunnel = vxlan and tunnel.id > 100",
    "tunnel = any",
    "interface = lo",
    "retransmitted > 0 or server_rtt > 1us",
    "end_reason in (idle_timeout, end_of_flow) and duration > 1us",
    "icmp_type = 8",
    "not (host 10.0.0.7 or (tcp and bytes < 100))",
    "name_source = tls",
];

/// Numbers as they come: mostly small, sometimes huge.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![6 => 0_u64..2000, 2 => any::<u32>().prop_map(u64::from), 1 => any::<u64>().prop_map(|n| n >> 8)]
}

fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        4 => (0_u32..40).prop_map(|n| IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + n))),
        1 => any::<u32>().prop_map(|n| IpAddr::V4(Ipv4Addr::from_bits(n))),
        2 => (0_u128..40).prop_map(|n| IpAddr::V6(Ipv6Addr::from_bits((0x2001_0db8 << 96) + n))),
    ]
}

fn counters() -> impl Strategy<Value = Counters> {
    (number(), number(), number()).prop_map(|(packets, octets, l2_octets)| Counters { packets, octets, l2_octets })
}

fn time() -> impl Strategy<Value = Option<Duration>> {
    prop::option::of(number().prop_map(Duration::from_nanos))
}

fn tcp() -> impl Strategy<Value = Option<TcpMetrics>> {
    let counts = prop_oneof![2 => Just([0_u32; 8]), 1 => any::<[u32; 8]>()];
    let metrics = (any::<[u8; 2]>(), time(), time(), time(), counts).prop_map(|(flags, s, c, r, counts)| {
        let plain = TcpMetrics {
            flags: flags[0],
            reverse_flags: flags[1],
            server_rtt: s,
            client_rtt: c,
            response_time: r,
            ..TcpMetrics::default()
        };
        crate::store::row::with_quality(plain, counts)
    });
    prop::option::of(metrics)
}

fn owner() -> impl Strategy<Value = Option<Arc<Process>>> {
    let process = (0_u32..4, select(vec!["curl", "sshd"]), any::<bool>()).prop_map(|(pid, name, contained)| {
        let container = contained.then(|| "0123456789ab".into());
        Arc::new(Process { pid, name: name.into(), user: "root".into(), container })
    });
    prop::option::of(process)
}

prop_compose! {
    fn ends()(source in address(), destination in address(), ports in any::<[u16; 2]>(), https in any::<bool>(),
              protocol in select(vec![1_u8, 6, 17, 58, 132, 200])) -> FlowRecord {
        let destination_port = if https { 443 } else { ports[1] };
        FlowRecord { source, destination, source_port: ports[0], destination_port, protocol: Protocol(protocol), ..record(1, 0) }
    }
}

prop_compose! {
    fn texts()(application in select(vec!["https", "dns", "unknown"]),
               name in prop::option::of((select(vec!["example.com", "WWW.example.com", "\u{202e}x"]), 0_usize..4)),
               interface in select(vec!["eth0", "lo"]), process in owner()) -> FlowRecord {
        let sources = [NameSource::Dns, NameSource::Http, NameSource::Quic, NameSource::Tls];
        let name = name.map(|(text, source)| (text.into(), sources[source]));
        FlowRecord { application: application.into(), name, interface: interface.into(), process, ..record(1, 0) }
    }
}

prop_compose! {
    /// Any ended record.
    pub(crate) fn any_record()(ends in ends(), texts in texts(), forward in counters(), reverse in counters(), tcp in tcp(),
                    mixed in any::<[u32; 2]>(), crossing in 0_usize..6, id in any::<u64>(), icmp_id in any::<u16>(),
                    start in -1_000_000_000_i64..2_000_000_000_000_000_000, lasts in number(), state in 0_usize..7,
                    reason in 0_usize..5, vlan in prop::collection::vec(0_u16..4096, 0..5),
                    tunnel in prop::option::of((0_usize..3, any::<u32>()))) -> FlowRecord {
        let all = forward.octets + reverse.octets;
        let interface_octets = [[forward.octets, reverse.octets], [reverse.octets, forward.octets], [all, 0], [0, all],
                                [all, all], mixed.map(u64::from)][crossing];
        let kinds = [TunnelKind::Gre, TunnelKind::Vxlan, TunnelKind::Ipip];
        let start = Timestamp::from_nanos(start);
        FlowRecord {
            id: FlowId::from_bits(id), icmp_id, start, end: start + Duration::from_nanos(lasts), forward, reverse,
            interface_octets, tcp, state: FlowState::ALL[state], end_reason: Some(EndReason::ALL[reason]),
            vlan: vlan.into_iter().collect(), tunnel: tunnel.map(|(kind, id)| Tunnel { kind: kinds[kind], id }),
            application: texts.application, name: texts.name, interface: texts.interface, process: texts.process,
            ..ends
        }
    }
}
