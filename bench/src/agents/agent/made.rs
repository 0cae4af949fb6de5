//! What a simulated agent says: of itself, of how it is, and of what it did not measure.

use std::net::Ipv4Addr;

use netwatch_agent::probing::Due;
use netwatch_api::agent::v1;
use netwatch_model::probe::kind::{Detail, ping::Ping};
use netwatch_model::probe::{Delays, ProbeKind, ProbeResult, Wilson};
use netwatch_model::{AgentId, Timestamp};
use netwatch_telemetry::clock;

/// Echoes of a run.
const ECHOES: u32 = 5;
/// By what the number of a result is divided to be its duration in seconds: nothing else of a result is free for it.
pub(in crate::agents) const NUMBERS: f64 = 1e6;

/// Numbers that are spread well enough for waits and delays (SplitMix64).
#[derive(Clone, Copy, Debug)]
pub(super) struct Chance(u64);

impl Chance {
    /// Others for each number.
    pub(super) fn new(number: u32) -> Self {
        Self(u64::from(number) << 32)
    }

    /// The next one.
    pub(super) const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The next one, in 0..1.
    pub(super) fn share(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Who it is.
pub(super) fn info(number: u32, address: Ipv4Addr) -> v1::AgentInfo {
    v1::AgentInfo {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        hostname: format!("agent-{number:04}"),
        os: std::env::consts::OS.to_owned(),
        arch: std::env::consts::ARCH.to_owned(),
        install: v1::Install::Container.into(),
        addresses: vec![address.to_string()],
        narrows: true,
        kinds: ProbeKind::ALL.iter().map(|kind| kind.name().to_owned()).collect(),
        ..v1::AgentInfo::default()
    }
}

/// How it is: batches and bytes that wait.
pub(super) fn heartbeat(revision: u64, (batches, bytes): (u64, u64)) -> v1::Heartbeat {
    let collector = |kind: &ProbeKind| v1::CollectorStatus {
        name: kind.name().to_owned(),
        state: if *kind == ProbeKind::Ping { v1::State::Running } else { v1::State::Idle }.into(),
        message: String::new(),
        items: u64::from(*kind == ProbeKind::Ping),
    };
    v1::Heartbeat {
        time: clock::now().nanos(),
        revision,
        collectors: ProbeKind::ALL.iter().map(collector).collect(),
        spool: Some(v1::SpoolStatus { bytes, batches, ..v1::SpoolStatus::default() }),
        clock: Some(v1::ClockEstimate { offset: 0, error: 100_000, synchronised: true }),
    }
}

/// A good ping. Its duration is its number.
pub(super) fn result(agent: AgentId, due: &Due, scheduled: Timestamp, number: u64, chance: &mut Chance) -> ProbeResult {
    let delays: Vec<f64> = (0..ECHOES).map(|_| 0.010 + 0.002 * chance.share()).collect();
    let ping = Ping {
        lookup: None,
        sent: ECHOES,
        received: ECHOES,
        loss: 0.0,
        loss_interval: Wilson::of(0, ECHOES),
        duplicates: 0,
        reordered: 0,
        late: 0,
        rtt: Delays::of(&delays),
        kernel_stamps: true,
        hop_limit: Some(57),
    };
    ProbeResult {
        probe: Some(due.id),
        agent,
        kind: ProbeKind::Ping,
        target: due.spec.target.clone(),
        address: due.spec.target.parse().ok(),
        source: None,
        scheduled,
        start: scheduled,
        duration: number as f64 / NUMBERS,
        trigger: due.trigger,
        late: false,
        failure: None,
        detail: Some(Detail::Ping(Box::new(ping))),
    }
}
