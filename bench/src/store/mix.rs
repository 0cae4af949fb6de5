//! Made-up flow records of a usual mix: a site with 500 hosts, 20 000 servers of which few are busy, mostly web and DNS.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use netwatch_model::{
    Counters, EndReason, FlowId, FlowRecord, FlowState, NameSource, Process, Protocol, TcpMetrics, Timestamp,
    Untrusted, VlanStack,
};

use super::at;

const HOSTS: u64 = 500;
const SERVERS: u64 = 20_000;
const NAMES: u64 = 5_000;
const PROCESSES: u64 = 60;
/// One flow in so many is reported several times before it ends.
const LONG: u64 = 8;

/// Gives records in the order of time.
#[derive(Debug)]
pub struct Mix {
    seed: u64,
    next: u64,
    flows: u64,
    active: u64,
    gap: Duration,
    now: Timestamp,
    names: Vec<Untrusted>,
    applications: Vec<Arc<str>>,
    processes: Vec<Arc<Process>>,
    /// Flows that go on, each with the updates that it still gets.
    going: std::collections::VecDeque<(FlowRecord, u64)>,
}

impl Mix {
    /// That many flows over so many seconds, the last `active` of which do not end.
    #[must_use]
    pub fn new(flows: u64, active: u64, seconds: u64, begin: i64) -> Self {
        let names = (0..NAMES).map(|n| Untrusted::new(&format!("host{n}.service{}.example.com", n % 700))).collect();
        let words = ["https", "dns", "http", "quic", "ssh", "ntp", "unknown"];
        let process = |n: u64| Process {
            pid: 1000 + u32::try_from(n).unwrap_or(0),
            name: Untrusted::new(&format!("program{}", n % 20)),
            user: "www-data".into(),
            container: None,
        };
        Self {
            seed: 0x9e37_79b9_7f4a_7c15,
            next: 0,
            flows,
            active,
            gap: Duration::from_secs(seconds) / u32::try_from(flows.max(1)).unwrap_or(u32::MAX),
            now: Timestamp::from_secs(begin),
            names,
            applications: words.into_iter().map(Arc::from).collect(),
            processes: (0..PROCESSES).map(|n| Arc::new(process(n))).collect(),
            going: std::collections::VecDeque::new(),
        }
    }

    /// The time of the newest record.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// From now on records come for ever, a third of a millisecond apart.
    pub const fn go_on(&mut self) {
        (self.flows, self.active) = (u64::MAX, 0);
        self.gap = Duration::from_micros(50);
    }

    fn random(&mut self, below: u64) -> u64 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        (self.seed >> 11) % below.max(1)
    }

    /// Small numbers are much more usual than large ones.
    fn skewed(&mut self, below: u64) -> u64 {
        let bits = u64::from(64 - below.leading_zeros());
        let width = self.random(bits) + 1;
        self.random(1 << width) % below
    }

    fn flow(&mut self) -> FlowRecord {
        let n = self.next;
        let (host, server) = (self.skewed(HOSTS), self.skewed(SERVERS));
        let kind = self.random(100);
        let (protocol, port, application) = match kind {
            0..50 => (Protocol::TCP, 443, 0),
            50..75 => (Protocol::UDP, 53, 1),
            75..83 => (Protocol::TCP, 80, 2),
            83..90 => (Protocol::UDP, 443, 3),
            90..92 => (Protocol::TCP, 22, 4),
            92..95 => (Protocol::UDP, 123, 5),
            _ => (Protocol::TCP, 1024 + self.random(60_000), 6),
        };
        let packets = 1 + self.skewed(1 << 12);
        let forward = self.carried(packets, 90);
        let more = self.random(3);
        let reverse = self.carried(packets + more, 700);
        let lasts = Duration::from_micros(self.skewed(20_000_000));
        let end = self.now;
        let tcp = (protocol == Protocol::TCP).then(|| self.quality());
        let (name, process) = (self.random(NAMES), self.skewed(PROCESSES));
        FlowRecord {
            id: FlowId::new((n & 1) as u8, (n >> 1) as u32 & 0x7_ffff, (n >> 20) as u32 + 1),
            interface: "eth0".into(),
            source: IpAddr::V4(Ipv4Addr::from_bits(0x0a01_0000 + host as u32)),
            destination: IpAddr::V4(Ipv4Addr::from_bits((server as u32).wrapping_mul(2_654_435_761) | 0x2000_0000)),
            source_port: 32_768 + self.random(28_000) as u16,
            destination_port: port as u16,
            protocol,
            icmp_id: 0,
            vlan: VlanStack::EMPTY,
            tunnel: None,
            start: end - lasts,
            end,
            forward,
            reverse,
            interface_octets: [reverse.octets, forward.octets],
            state: if tcp.is_some() { FlowState::Closed } else { FlowState::Active },
            tcp,
            end_reason: None,
            application: Arc::clone(&self.applications[application]),
            name: (name % 10 < 6).then(|| (self.names[name as usize].clone(), NameSource::Tls)),
            process: (name % 10 < 4).then(|| Arc::clone(&self.processes[process as usize])),
            conversations: 1,
        }
    }

    fn carried(&mut self, packets: u64, size: u64) -> Counters {
        let octets = packets * (40 + self.random(size));
        Counters { packets, octets, l2_octets: octets + 14 * packets + self.random(2) * 6 }
    }

    fn quality(&mut self) -> TcpMetrics {
        let time = |n| Some(Duration::from_nanos(n));
        let mut tcp = TcpMetrics {
            flags: 0x1b,
            reverse_flags: 0x1b,
            server_rtt: time(200_000 + self.skewed(80_000_000)),
            client_rtt: time(50_000 + self.skewed(2_000_000)),
            response_time: time(self.skewed(500_000_000)),
            ..TcpMetrics::default()
        };
        if self.random(20) == 0 {
            tcp.retransmitted = 1 + self.random(9) as u32;
        }
        tcp
    }

    /// A later record of a flow that goes on.
    fn update(&mut self) -> Option<FlowRecord> {
        let (mut flow, left) = self.going.pop_front()?;
        for counters in [&mut flow.forward, &mut flow.reverse] {
            *counters = counters.plus(Counters { packets: 3, octets: 2000, l2_octets: 2042 });
        }
        flow.interface_octets = [flow.reverse.octets, flow.forward.octets];
        flow.end = self.now;
        if left == 0 {
            flow.end_reason = Some(EndReason::EndOfFlow);
        } else {
            self.going.push_back((flow.clone(), left - 1));
        }
        Some(flow)
    }
}

impl Iterator for Mix {
    type Item = FlowRecord;

    fn next(&mut self) -> Option<FlowRecord> {
        // Updates are as usual as new flows while flows go on.
        if self.going.len() > 2000 && self.random(2) == 0 {
            return self.update();
        }
        if self.next >= self.flows {
            return self.update();
        }
        self.now = at(self.now.since(at(Duration::ZERO)) + self.gap);
        let mut flow = self.flow();
        self.next += 1;
        if self.next.saturating_add(self.active) > self.flows {
            return Some(flow);
        }
        if self.next.is_multiple_of(LONG) {
            let updates = 1 + self.random(6);
            self.going.push_back((flow.clone(), updates));
            return Some(flow);
        }
        flow.end_reason = Some(EndReason::EndOfFlow);
        Some(flow)
    }
}
