//! `GET /api/v1/probe-voice`: how calls between agents and targets would sound, by the last run of each probe.
//!
//! Traffic simulation tells both ways apart, and has rated each. A pair that only ping or traces measure gets an estimate of the round
//! trip: half of its shortest time as delay, all of its loss, no burst. With another codec than the measured one, the packets' own delay
//! changes; what was lost or too late stays.
//!
//! Limits: `limit` rows, the worst first; the rest is counted.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::Json;
use netwatch_api::probe::voice::{VoiceList, VoicePath, VoiceQuery, VoiceWay};
use netwatch_entities::ListQuery;
use netwatch_model::AgentId;
use netwatch_model::probe::kind::simulation::{self, Simulation, Voice, Way};
use netwatch_model::probe::{Delays, Detail, Probe, ProbeKind, ProbeResult};
use netwatch_model::voice::{Call, Codec, Parameters, ParseCodecError};

use super::matrix::host;
use crate::app::App;
use crate::fault::Fault;
use crate::params::{self, Params};
use crate::probes::Board;
use crate::routes::manage::asker::{Asker, ask};

/// Time between packets of a call that was not simulated.
const USUAL_SPACING: Duration = Duration::from_millis(20);

/// How calls would sound
///
/// Each way between an agent and a target, the worst first.
#[utoipa::path(
    get, path = "/api/v1/probe-voice", operation_id = "list_probe_voice", tag = "probes", params(VoiceQuery),
    responses((status = 200, description = "Ways with their voice quality", body = VoiceList))
)]
pub(super) async fn list(app: App, asker: Asker, Params(query): Params<VoiceQuery>) -> Result<Json<VoiceList>, Fault> {
    let workspace = asker.workspace()?;
    let codec = query.codec.as_deref().map(str::parse::<Codec>).transpose();
    let codec = codec.map_err(|error: ParseCodecError| Fault::parameter("codec", error.to_string()))?;
    let limit = params::limit(query.limit, 200, 1000)?;
    let most = usize::try_from(Probe::MAX_PER_WORKSPACE).unwrap_or(usize::MAX);
    let wanted = ListQuery { limit: most, ..ListQuery::default() };
    let probes = ask(&app, move |tx| Ok(tx.list::<Probe>(workspace, &wanted)?.items)).await?;
    let probes: Vec<Probe> = probes.into_iter().map(|stored| stored.value).filter(|probe| probe.enabled).collect();
    let mut items = paths(&probes, app.store().probes(), codec);
    if let Some(text) = query.search.as_deref().map(str::to_lowercase) {
        items.retain(|path| path.name.to_lowercase().contains(&text) || path.target.to_lowercase().contains(&text));
    }
    let count = items.len() as u64;
    items.truncate(limit);
    Ok(Json(VoiceList { items, count, best: Parameters::default().rate().r_factor }))
}

/// The ways of all pairs, the worst first; one estimate of each pair of which nothing tells the ways apart.
fn paths(probes: &[Probe], board: &Board, codec: Option<Codec>) -> Vec<VoicePath> {
    let mut known = Vec::new();
    for probe in probes {
        for (agent, line) in board.of(probe.id) {
            known.extend(ways(probe, agent, &line.last, codec));
        }
    }
    let mut rated: BTreeSet<_> = known.iter().filter(|path| is_measured(path)).map(pair).collect();
    known.sort_by_key(|path| coarseness(path.kind));
    known.retain(|path| is_measured(path) || rated.insert(pair(path)));
    known.sort_by(|a, b| a.voice.mos.total_cmp(&b.voice.mos).then_with(|| (&a.name, a.way).cmp(&(&b.name, b.way))));
    known
}

fn is_measured(path: &VoicePath) -> bool {
    path.way != VoiceWay::RoundTrip
}

/// Of two estimates of a pair the one by the finer kind stands.
const fn coarseness(kind: ProbeKind) -> u8 {
    match kind {
        ProbeKind::Simulation => 0,
        ProbeKind::Ping => 1,
        _ => 2,
    }
}

fn pair(path: &VoicePath) -> (String, String) {
    (path.agent.clone(), path.target.clone())
}

fn ways(probe: &Probe, agent: AgentId, last: &ProbeResult, codec: Option<Codec>) -> Vec<VoicePath> {
    let of = |way, rated: Rated| path(probe, agent, last, way, rated);
    match last.detail.as_ref() {
        Some(Detail::Simulation(detail)) => {
            let simulated = |way: &Option<Way>| way.as_ref().and_then(|way| measured(probe, way, codec));
            let both =
                [(VoiceWay::Forward, simulated(&detail.forward)), (VoiceWay::Reverse, simulated(&detail.reverse))];
            let apart: Vec<_> = both.into_iter().filter_map(|(way, rated)| rated.map(|rated| of(way, rated))).collect();
            // A reflector that does not number its packets, or nothing came back.
            if apart.is_empty() { vec![of(VoiceWay::RoundTrip, of_stream(probe, detail, codec))] } else { apart }
        }
        Some(Detail::Ping(ping)) => {
            vec![of(VoiceWay::RoundTrip, estimated(probe, ping.loss, ping.rtt.as_ref(), codec))]
        }
        Some(Detail::Mtr(trace)) => {
            let target = trace.paths.first().and_then(|path| path.hops.iter().rfind(|hop| hop.address.is_some()));
            let rtt = target.filter(|_| trace.reached).and_then(|hop| hop.rtt.as_ref());
            vec![of(VoiceWay::RoundTrip, estimated(probe, trace.loss, rtt, codec))]
        }
        _ => Vec::new(),
    }
}

/// What was measured of a way, and how a call on it is rated.
struct Rated {
    loss: f64,
    delay: Option<f64>,
    jitter: Option<f64>,
    bursts: Option<(u32, u32)>,
    codec: Codec,
    voice: Voice,
}

/// A simulated way, with the codec that it was rated for or another one.
fn measured(probe: &Probe, way: &Way, wanted: Option<Codec>) -> Option<Rated> {
    let voice = way.voice.as_ref()?;
    let own: Codec = voice.codec.parse().ok()?;
    let codec = wanted.unwrap_or(own);
    let spacing = seconds(probe.spec.spacing);
    let network = seconds(voice.delay).saturating_sub(own.packetisation(spacing));
    let call =
        Call { codec, delay: network + codec.packetisation(spacing), loss: voice.loss, burst_ratio: voice.burst_ratio };
    Some(Rated {
        loss: way.loss,
        delay: way.delay.as_ref().map(|delay| delay.median),
        jitter: Some(way.jitter),
        bursts: Some((way.bursts, way.longest_burst)),
        codec,
        voice: rated(call, voice.delay_estimated),
    })
}

/// A stream of which the ways are not told apart.
fn of_stream(probe: &Probe, detail: &Simulation, wanted: Option<Codec>) -> Rated {
    let lost = detail.sent.saturating_sub(detail.received);
    estimated(probe, f64::from(lost) / f64::from(detail.sent.max(1)), detail.rtt.as_ref(), wanted)
}

/// A round trip as if it were a call: its loss on each way, half of its shortest time as delay.
fn estimated(probe: &Probe, loss: f64, rtt: Option<&Delays>, wanted: Option<Codec>) -> Rated {
    let is_stream = probe.spec.kind == ProbeKind::Simulation;
    let options = &probe.spec.options;
    let own = || options.text(&simulation::CODEC).parse::<Codec>().unwrap_or_default();
    let codec = wanted.unwrap_or_else(|| if is_stream { own() } else { Codec::default() });
    let spacing = if is_stream { seconds(probe.spec.spacing) } else { USUAL_SPACING };
    let buffer = seconds(options.seconds(&simulation::BUFFER));
    let network = seconds(rtt.map_or(0.0, |rtt| rtt.min / 2.0));
    let call = Call { codec, delay: network + buffer + codec.packetisation(spacing), loss, burst_ratio: 1.0 };
    Rated {
        loss,
        delay: rtt.map(|rtt| rtt.median / 2.0),
        jitter: rtt.map(|rtt| rtt.jitter),
        bursts: None,
        codec,
        voice: rated(call, true),
    }
}

fn rated(call: Call, delay_estimated: bool) -> Voice {
    let rating = call.rate();
    Voice {
        codec: call.codec.name().to_owned(),
        r_factor: rating.r_factor,
        mos: rating.mos(),
        grade: rating.grade(),
        delay: call.delay.as_secs_f64(),
        delay_estimated,
        loss: call.loss,
        burst_ratio: call.burst_ratio,
        delay_impairment: rating.delay.total(),
        equipment_impairment: rating.equipment,
    }
}

fn path(probe: &Probe, agent: AgentId, last: &ProbeResult, way: VoiceWay, rated: Rated) -> VoicePath {
    let codec_impairment = rated.codec.impairment();
    VoicePath {
        probe: probe.id,
        name: probe.name.to_string(),
        agent: agent.to_string(),
        target: host(probe).to_owned(),
        kind: last.kind,
        way,
        time: last.start,
        loss: rated.loss,
        delay: rated.delay,
        jitter: rated.jitter,
        bursts: rated.bursts.map(|(bursts, _)| bursts),
        longest_burst: rated.bursts.map(|(_, longest)| longest),
        loss_impairment: (rated.voice.equipment_impairment - codec_impairment).max(0.0),
        codec_impairment,
        voice: rated.voice,
    }
}

fn seconds(value: f64) -> Duration {
    Duration::try_from_secs_f64(value).unwrap_or_default()
}

#[cfg(test)]
mod tests;
