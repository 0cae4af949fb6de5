//! One run: the kind's measurement, and what is the same for all kinds around it.

use std::net::IpAddr;
use std::time::Duration;

use netwatch_model::people::ProbeId;
use netwatch_model::probe::{Detail, Failure, FailureReason, ProbeKind, ProbeResult, ProbeSpec, Trigger};
use netwatch_model::{AgentId, Timestamp};
use netwatch_telemetry::clock;

use crate::tools::Tools;
use crate::{agent, banner, dns, host, http, ntp, ping, simulation, snmp, tcp, throughput, tls, trace, udp};

/// Share of the interval that a run may begin after its time before it is late.
const LATE_SHARE: f64 = 0.1;

/// For whom, when and why a run takes place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Occasion {
    /// The probe; `None` for a one-shot.
    pub probe: Option<ProbeId>,
    /// The agent that runs it.
    pub agent: AgentId,
    /// When it should begin.
    pub scheduled: Timestamp,
    /// Why.
    pub trigger: Trigger,
}

/// What a kind gives back: addresses as far as they are known, what was measured, and why it failed if it did.
#[derive(Debug, Default)]
pub(crate) struct Ran {
    pub(crate) address: Option<IpAddr>,
    pub(crate) source: Option<IpAddr>,
    pub(crate) detail: Option<Detail>,
    pub(crate) failure: Option<Failure>,
    /// How long the measurement took, where judging it afterwards takes time of its own.
    pub(crate) duration: Option<Duration>,
}

impl From<Failure> for Ran {
    fn from(failure: Failure) -> Self {
        Self { failure: Some(failure), ..Self::default() }
    }
}

/// Runs a probe once. Whatever happens is in the result.
pub async fn run(spec: &ProbeSpec, occasion: Occasion, tools: &Tools) -> ProbeResult {
    let (start, began) = (clock::now(), clock::monotonic());
    let ran = match spec.check() {
        Ok(()) => measure(spec, tools).await,
        Err(error) => Failure::new(FailureReason::Agent, &error.to_string()).into(),
    };
    ProbeResult {
        probe: occasion.probe,
        agent: occasion.agent,
        kind: spec.kind,
        target: spec.target.clone(),
        address: ran.address,
        source: ran.source,
        scheduled: occasion.scheduled,
        start,
        duration: ran.duration.unwrap_or_else(|| clock::monotonic().saturating_sub(began)).as_secs_f64(),
        trigger: occasion.trigger,
        late: start.since(occasion.scheduled).as_secs_f64() > spec.interval * LATE_SHARE,
        failure: ran.failure,
        detail: ran.detail,
    }
}

/// All kinds but ping stand on the heap while they run: there are thousands of pings at a time, and each would have room for the largest.
async fn measure(spec: &ProbeSpec, tools: &Tools) -> Ran {
    match spec.kind {
        ProbeKind::Ping => ping::run(spec, tools).await,
        ProbeKind::Mtr => Box::pin(trace::run(spec, tools)).await,
        ProbeKind::Dns => Box::pin(dns::run(spec, tools)).await,
        ProbeKind::Http => Box::pin(http::run(spec, tools)).await,
        ProbeKind::Tls => Box::pin(tls::run(spec, tools)).await,
        ProbeKind::Tcp => Box::pin(tcp::run(spec, tools)).await,
        ProbeKind::Udp => Box::pin(udp::run(spec, tools)).await,
        ProbeKind::Ntp => Box::pin(ntp::run(spec, tools)).await,
        ProbeKind::Smtp | ProbeKind::Imap => Box::pin(banner::run(spec, tools)).await,
        ProbeKind::Snmp => Box::pin(snmp::run(spec, tools)).await,
        ProbeKind::Simulation => Box::pin(simulation::run(spec, tools)).await,
        ProbeKind::Throughput => Box::pin(throughput::run(spec, tools)).await,
        ProbeKind::System | ProbeKind::Network => Box::pin(host::run(spec.kind, tools)).await,
        ProbeKind::Agent => Box::pin(agent::run(spec, tools)).await,
    }
}

#[cfg(test)]
mod tests;
