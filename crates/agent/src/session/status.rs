//! What the agent says of itself: once in its hello, and with each heartbeat.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use netwatch_api::agent::v1;
use netwatch_model::Assignment;
use netwatch_model::probe::ProbeKind;

use crate::link::clock::Estimate;
use crate::outbox::Waiting;

/// Most addresses of a hello.
const MAX_ADDRESSES: usize = 16;

/// How the program came to this host.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Install {
    /// A file that may replace itself.
    #[default]
    Plain,
    /// By a package manager.
    Package,
    /// In a container.
    Container,
}

/// What an agent says of itself.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct About {
    /// Of the program.
    pub version: String,
    /// The host's name, or what it is to be called instead.
    pub name: String,
    /// From the agent's own command line.
    pub labels: BTreeMap<String, String>,
    /// How it was installed.
    pub install: Install,
    /// UDP port of its reflector, if it has one.
    pub reflector_port: Option<u16>,
    /// Port at which it serves throughput tests when it is asked to.
    pub throughput_port: Option<u16>,
}

impl About {
    /// The message. Addresses are read at each call, because they change.
    pub(super) async fn info(&self) -> v1::AgentInfo {
        let addresses = netwatch_probes::host::addresses().await.unwrap_or_else(|why| {
            tracing::warn!(why, "the addresses of this host are not known");
            Vec::new()
        });
        let install = match self.install {
            Install::Plain => v1::Install::Plain,
            Install::Package => v1::Install::Package,
            Install::Container => v1::Install::Container,
        };
        v1::AgentInfo {
            version: self.version.clone(),
            hostname: self.name.clone(),
            os: std::env::consts::OS.to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
            labels: self.labels.clone().into_iter().collect(),
            install: install.into(),
            reflector_port: self.reflector_port.map_or(0, u32::from),
            keyed_reflector: self.reflector_port.is_some(),
            throughput_port: self.throughput_port.map_or(0, u32::from),
            narrows: true,
            addresses: addresses.iter().take(MAX_ADDRESSES).map(ToString::to_string).collect(),
            kinds: ProbeKind::ALL.iter().map(|kind| kind.name().to_owned()).collect(),
        }
    }
}

/// How collectors fare. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Collectors(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    probes: BTreeMap<ProbeKind, u64>,
    /// Why raw sockets cannot be had, and what to do.
    missing: Option<String>,
    /// Whether there is a reflector, or why it answers no more.
    reflector: Option<Result<(), String>>,
    /// Why throughput tests of others are not served, and what to do; none when they are, or nobody asks for it.
    serving: Option<String>,
    /// How newer programs fare; none where none is ever taken.
    update: Option<(v1::State, String)>,
}

impl Collectors {
    /// Kinds that send ICMP lack a right; what to do about it.
    pub fn lack_right(&self, message: String) {
        self.known().missing = Some(message);
    }

    /// There is a reflector, or why it answers no more.
    pub fn reflector(&self, state: Result<(), String>) {
        self.known().reflector = Some(state);
    }

    /// Throughput tests of others are served, or why they are not.
    pub fn serving(&self, blocked: Option<String>) {
        self.known().serving = blocked;
    }

    /// How newer programs fare.
    pub(crate) fn update(&self, standing: Option<(v1::State, String)>) {
        self.known().update = standing;
    }

    /// These are the probes.
    pub(super) fn assigned(&self, assignment: &Assignment) {
        let mut probes = BTreeMap::new();
        for (probe, _) in assignment.all() {
            *probes.entry(probe.spec.kind).or_default() += 1;
        }
        self.known().probes = probes;
    }

    /// All of them, as they are now.
    pub(crate) fn status(&self) -> Vec<v1::CollectorStatus> {
        let known = self.known();
        let of = |kind: ProbeKind| {
            let items = if kind.is_built_in() { 1 } else { known.probes.get(&kind).copied().unwrap_or(0) };
            let needs_right = matches!(kind, ProbeKind::Ping | ProbeKind::Mtr);
            let (state, message) = match &known.missing {
                _ if items == 0 => (v1::State::Idle, String::new()),
                Some(missing) if needs_right => (v1::State::Degraded, missing.clone()),
                _ => (v1::State::Running, String::new()),
            };
            v1::CollectorStatus { name: kind.name().to_owned(), state: state.into(), message, items }
        };
        let mut all: Vec<_> = ProbeKind::ALL.into_iter().map(of).collect();
        if let Some(reflector) = &known.reflector {
            let (state, message) = match reflector {
                Ok(()) => (v1::State::Running, String::new()),
                Err(why) => (v1::State::Failed, why.clone()),
            };
            all.push(v1::CollectorStatus { name: "reflector".to_owned(), state: state.into(), message, items: 1 });
        }
        if let Some(message) = known.serving.clone() {
            let (name, state) = ("throughput server".to_owned(), v1::State::Failed.into());
            all.push(v1::CollectorStatus { name, state, message, items: 1 });
        }
        if let Some((state, message)) = known.update.clone() {
            all.push(v1::CollectorStatus { name: "update".to_owned(), state: state.into(), message, items: 1 });
        }
        all
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What waits on disk.
pub(super) fn spool(waiting: Waiting) -> v1::SpoolStatus {
    let Waiting { bytes, batches, oldest, dropped } = waiting;
    v1::SpoolStatus { bytes, batches, oldest: oldest.map_or(0, netwatch_model::Timestamp::nanos), dropped }
}

/// How far the clocks are apart.
pub(super) fn clock(estimate: Estimate) -> v1::ClockEstimate {
    let Estimate { offset, error } = estimate;
    v1::ClockEstimate { offset, error, synchronised: crate::os::is_clock_synchronised() }
}

#[cfg(test)]
mod tests {
    use netwatch_model::assignment::AssignedProbe;
    use netwatch_model::people::ProbeId;
    use netwatch_model::probe::ProbeSpec;

    use super::*;

    #[test]
    fn collectors_say_what_they_do_and_what_they_lack() {
        let collectors = Collectors::default();
        let state = |name: &str| {
            let all = collectors.status();
            let found = all.iter().find(|status| status.name == name).expect("it is there");
            (found.state(), found.items)
        };
        assert_eq!(state("ping"), (v1::State::Idle, 0));
        assert_eq!(state("system"), (v1::State::Running, 1));
        let probe = |bits, kind| AssignedProbe {
            id: ProbeId::from_bits(bits),
            peer: None,
            spec: ProbeSpec::new(kind, "192.0.2.1"),
        };
        let probes = vec![probe(1, ProbeKind::Ping), probe(2, ProbeKind::Ping), probe(3, ProbeKind::Ntp)];
        collectors.assigned(&Assignment { probes, ..Assignment::default() });
        assert_eq!((state("ping"), state("ntp")), ((v1::State::Running, 2), (v1::State::Running, 1)));
        collectors.lack_right("grant it".to_owned());
        assert_eq!((state("ping"), state("ntp")), ((v1::State::Degraded, 2), (v1::State::Running, 1)));
    }
}
