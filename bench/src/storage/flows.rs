//! Flow records in a rush: single conversations among 100 000 hosts, of which few carry most; each ended.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use netwatch_model::{
    AgentId, Batch, BatchKey, BootId, Counters, EndReason, FlowId, FlowRecord, FlowState, Protocol, Record, Timestamp,
    Untrusted, VlanStack,
};

/// Records of a batch.
pub(super) const BATCH: u64 = 10_000;
/// Of a day in which so many end each second.
pub(super) const RATE: u64 = 200_000;
const HOSTS: u64 = 100_000;
const PORTS: [u16; 8] = [443, 443, 443, 80, 53, 22, 8080, 5432];

/// So many batches of flows, the first of which end at `begin`.
pub(super) fn batches(begin: Timestamp, count: u32) -> impl Iterator<Item = Batch> {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let words = Words { interface: Untrusted::new("eth0"), https: "https".into(), other: "other".into() };
    (0..u64::from(count)).map(move |sequence| {
        let records = (sequence * BATCH..(sequence + 1) * BATCH).map(|n| {
            let end = begin + Duration::from_nanos(n * 1_000_000_000 / RATE);
            Record::Flow(Box::new(flow(n, end, &mut random, &words)))
        });
        let key = BatchKey { agent: AgentId(1), boot: BootId(1), sequence: sequence + 1 };
        Batch { key, records: records.collect() }
    })
}

/// Texts that records share.
struct Words {
    interface: Untrusted,
    https: Arc<str>,
    other: Arc<str>,
}

fn flow(n: u64, end: Timestamp, random: &mut Random, words: &Words) -> FlowRecord {
    let (packets, lasted) = (1 + random.below(50), Duration::from_millis(random.below(30_000)));
    let (octets, back) = (packets * (60 + random.below(1400)), packets * (60 + random.below(400)));
    let count = |octets: u64| Counters { packets, octets, l2_octets: octets + packets * 14 };
    let port = PORTS.get(random.below(8) as usize).copied().unwrap_or(443);
    FlowRecord {
        id: FlowId::from_bits(n),
        interface: words.interface.clone(),
        source: host(random),
        destination: host(random),
        source_port: 32_768 + random.below(28_000) as u16,
        destination_port: port,
        protocol: if port == 53 { Protocol::UDP } else { Protocol::TCP },
        icmp_id: 0,
        vlan: VlanStack::EMPTY,
        tunnel: None,
        start: end - lasted,
        end,
        forward: count(octets),
        reverse: count(back),
        interface_octets: [back, octets],
        state: FlowState::Closed,
        tcp: None,
        end_reason: Some(EndReason::EndOfFlow),
        application: Arc::clone(if port == 443 { &words.https } else { &words.other }),
        name: None,
        process: None,
        conversations: 1,
    }
}

/// The square of a uniform number: few hosts carry most.
fn host(random: &mut Random) -> IpAddr {
    let n = random.below(HOSTS) * random.below(HOSTS) / HOSTS;
    IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + n as u32))
}

struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flows_follow_one_another_and_few_hosts_carry_most() {
        let begin = Timestamp::from_secs(1_700_000_000);
        let all: Vec<Record> = batches(begin, 3).flat_map(|batch| batch.records).collect();
        let flows: Vec<&FlowRecord> =
            all.iter().filter_map(|r| if let Record::Flow(flow) = r { Some(&**flow) } else { None }).collect();
        assert_eq!(flows.len() as u64, 3 * BATCH);
        assert!(flows.is_sorted_by_key(|flow| flow.end) && flows.iter().all(|flow| flow.start <= flow.end));
        let heavy = IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + 1000));
        let share = flows.iter().filter(|flow| flow.source < heavy).count() as f64 / flows.len() as f64;
        assert!(share > 0.03, "{share}");
    }
}
