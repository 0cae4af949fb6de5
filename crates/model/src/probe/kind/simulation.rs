//! Traffic simulation: a stream of packets to a reflector and back (STAMP, RFC 8762), with loss, delay and jitter for each direction.
//!
//! Both sides number what they send, so that loss there and loss back are told apart. One-way delays are given with the error of the
//! clocks, and left out when it is not known. A reflector that does not number its packets (stateless) gives figures of the round trip
//! alone.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Descriptor, TargetForm};
use crate::probe::metric::{Measure, ProbeMetric as M};
use crate::probe::option::{OptionField, OptionForm};
use crate::probe::{Delays, Wilson};
use crate::voice::Grade;

/// Octets of payload.
pub const SIZE: OptionField = OptionField {
    name: "size",
    help: "Octets of UDP payload of each packet, both ways; 172 is G.711 with 20 ms in RTP",
    form: OptionForm::Whole { min: 44, max: 9000, default: 172 },
};
/// The key of both sides.
pub const KEY: OptionField = OptionField {
    name: "key",
    help: "Shared key of authenticated mode (HMAC-SHA-256, RFC 8762, 4.4); without it packets are not authenticated",
    form: OptionForm::Secret,
};
/// The codec of voice quality.
pub const CODEC: OptionField = OptionField {
    name: "codec",
    help: "Codec that voice quality is reckoned for (ITU-T G.113)",
    form: OptionForm::Choice(&["g711-plc", "g711", "g729a", "g723.1", "gsm-efr"]),
};
/// The buffer of the listener.
pub const BUFFER: OptionField = OptionField {
    name: "jitter_buffer",
    help: "Seconds that a listener's buffer waits; later packets count as lost for voice",
    form: OptionForm::Seconds { min: 0.0, max: 1.0, default: 0.04 },
};

/// All that there is to know of traffic simulation.
pub const DESCRIPTOR: Descriptor = Descriptor {
    name: "simulation",
    help: "A stream of packets to a STAMP or TWAMP-light reflector: loss, delay, jitter, reordering and voice quality for each direction (RFC 8762, RFC 8972)",
    target: TargetForm::HostPort { port: Some(862) },
    interval: 60.0,
    least_interval: 1.0,
    timeout: 3.0,
    count: 500,
    spacing: 0.02,
    options: &[&SIZE, &KEY, &CODEC, &BUFFER],
    metrics: &[
        M::Lookup,
        M::Loss,
        M::Sent,
        M::Duplicates,
        M::Reordered,
        M::RttMin,
        M::RttMean,
        M::RttMedian,
        M::RttP95,
        M::RttMax,
        M::RttDeviation,
        M::Jitter,
        M::PdvP95,
        M::ForwardLoss,
        M::ReverseLoss,
        M::ForwardJitter,
        M::ReverseJitter,
        M::ForwardDelay,
        M::ReverseDelay,
        M::ForwardBurst,
        M::ReverseBurst,
        M::ForwardMos,
        M::ReverseMos,
    ],
};

/// What a stream of packets met.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Simulation {
    /// Seconds to resolve the name; absent for an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookup: Option<f64>,
    /// Packets sent.
    pub sent: u32,
    /// Packets that came back in time.
    pub received: u32,
    /// Packets that came back too late; they are lost.
    pub late: u32,
    /// Answers that came again.
    pub duplicates: u32,
    /// Answers that came after one to a later packet (RFC 4737).
    pub reordered: u32,
    /// Lost packets of which it is not known where: nothing came back after them.
    pub lost_somewhere: u32,
    /// Round-trip times less the time in the reflector (T4 − T1 − (T3 − T2)), seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtt: Option<Delays>,
    /// The reflector numbers its packets itself, so that the directions are told apart.
    pub stateful: bool,
    /// To the reflector; absent when the directions cannot be told apart or nothing came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forward: Option<Way>,
    /// From the reflector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverse: Option<Way>,
    /// Both clocks together are wrong by at most this, seconds; absent when one of them does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_error: Option<f64>,
    /// DSCP with which packets arrived at the reflector, when it says so (RFC 8972, 4.4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dscp_there: Option<u8>,
    /// DSCP with which packets came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dscp_back: Option<u8>,
}

/// One direction.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = SimulationWay)]
pub struct Way {
    /// Packets that set out.
    pub sent: u32,
    /// Packets that did not arrive.
    pub lost: u32,
    /// Their share.
    pub loss: f64,
    /// Where the true loss lies with 95 per cent certainty.
    pub loss_interval: Wilson,
    /// Packets that arrived after one that was sent later (RFC 4737).
    pub reordered: u32,
    /// Packets that arrived again.
    pub duplicates: u32,
    /// Runs of lost packets.
    pub bursts: u32,
    /// The longest of them.
    pub longest_burst: u32,
    /// Burst ratio (ITU-T G.107): mean length of a burst over that of random loss of the same share; 1 when nothing was lost.
    pub burst_ratio: f64,
    /// Interarrival jitter, seconds (RFC 3550); needs no common clock.
    pub jitter: f64,
    /// Packet delay variation, 95th percentile, seconds (RFC 5481); needs no common clock.
    pub pdv_p95: f64,
    /// One-way delay, seconds; absent when the error of the clocks is not known or exceeds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<Delays>,
    /// Voice quality of a listener at this end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voice: Option<Voice>,
}

/// Voice quality (ITU-T G.107) and what it is reckoned from.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = SimulationVoice)]
pub struct Voice {
    /// The codec.
    pub codec: String,
    /// Transmission rating factor R.
    pub r_factor: f64,
    /// Mean opinion score, 1 to 4.5.
    pub mos: f64,
    /// The word for it.
    pub grade: Grade,
    /// Mouth to ear, seconds: the fastest packet's time in the network, packetisation and buffer.
    pub delay: f64,
    /// The network's share is half of the shortest round trip, because the one-way delay is not known.
    pub delay_estimated: bool,
    /// Packets lost or too late for the buffer, as a share.
    pub loss: f64,
    /// Burst ratio of these.
    pub burst_ratio: f64,
    /// What delay takes from R (Id).
    pub delay_impairment: f64,
    /// What codec and loss take from R (Ie,eff).
    pub equipment_impairment: f64,
}

impl Simulation {
    pub(super) fn measure(&self, out: &mut Vec<Measure>) {
        out.extend(self.lookup.map(|lookup| Measure::new(M::Lookup, lookup)));
        let lost = self.sent.saturating_sub(self.received);
        out.push(Measure::new(M::Loss, f64::from(lost) / f64::from(self.sent.max(1))));
        out.push(Measure::new(M::Sent, f64::from(self.sent)));
        out.push(Measure::new(M::Duplicates, f64::from(self.duplicates)));
        out.push(Measure::new(M::Reordered, f64::from(self.reordered)));
        if let Some(rtt) = &self.rtt {
            super::ping::round_trip(rtt, out);
        }
        if let Some(way) = &self.forward {
            way.measure([M::ForwardLoss, M::ForwardJitter, M::ForwardBurst, M::ForwardDelay, M::ForwardMos], out);
        }
        if let Some(way) = &self.reverse {
            way.measure([M::ReverseLoss, M::ReverseJitter, M::ReverseBurst, M::ReverseDelay, M::ReverseMos], out);
        }
    }
}

impl Way {
    fn measure(&self, [loss, jitter, burst, delay, mos]: [M; 5], out: &mut Vec<Measure>) {
        out.push(Measure::new(loss, self.loss));
        out.push(Measure::new(jitter, self.jitter));
        out.push(Measure::new(burst, f64::from(self.longest_burst)));
        out.extend(self.delay.as_ref().map(|delays| Measure::new(delay, delays.median)));
        out.extend(self.voice.as_ref().map(|voice| Measure::new(mos, voice.mos)));
    }
}
