//! Ways of calls from a board that holds results.

use netwatch_model::Timestamp;
use netwatch_model::people::{ProbeId, WorkspaceId};
use netwatch_model::probe::kind::ping::Ping;
use netwatch_model::probe::{ProbeSpec, Trigger, Wilson};
use serde_json::json;

use super::*;

fn probe(id: u128, name: &str, kind: ProbeKind, target: &str) -> Probe {
    let (id, workspace) = (ProbeId::from_bits(id), WorkspaceId::from_bits(1));
    let (spec, created) = (ProbeSpec::new(kind, target), Timestamp::from_secs(0));
    let probe =
        json!({"id": id, "workspace": workspace, "name": name, "spec": spec, "enabled": true, "created": created});
    serde_json::from_value(probe).unwrap()
}

fn noted(board: &Board, probe: &Probe, detail: Detail) {
    let start = Timestamp::from_secs(100);
    board.note(&ProbeResult {
        probe: Some(probe.id),
        agent: AgentId(1),
        kind: probe.spec.kind,
        target: probe.spec.target.clone(),
        address: None,
        source: None,
        scheduled: start,
        start,
        duration: 0.1,
        trigger: Trigger::Schedule,
        late: false,
        failure: None,
        detail: Some(detail),
    });
}

fn delays(seconds: f64) -> Delays {
    Delays::of(&[seconds, seconds]).unwrap()
}

fn ping(lost: u32, rtt: Option<f64>) -> Detail {
    Detail::Ping(Box::new(Ping {
        lookup: None,
        sent: 20,
        received: 20 - lost,
        loss: f64::from(lost) / 20.0,
        loss_interval: Wilson::of(lost, 20),
        duplicates: 0,
        reordered: 0,
        hop_limit: None,
        late: 0,
        rtt: rtt.map(delays),
        kernel_stamps: true,
    }))
}

fn way(lost: u32, delay: f64) -> Way {
    let loss = f64::from(lost) / 500.0;
    let codec = Codec::G711Plc;
    let mouth_to_ear = seconds(delay) + Duration::from_millis(60);
    let call = Call { codec, delay: mouth_to_ear, loss, burst_ratio: 1.0 };
    Way {
        sent: 500,
        lost,
        loss,
        loss_interval: Wilson::of(lost, 500),
        reordered: 0,
        hop_limit: None,
        duplicates: 0,
        bursts: lost,
        longest_burst: u32::from(lost > 0),
        burst_ratio: 1.0,
        jitter: 0.001,
        pdv_p95: 0.002,
        delay: Some(delays(delay)),
        voice: Some(rated(call, false)),
    }
}

fn simulation(forward: Option<Way>, reverse: Option<Way>) -> Detail {
    Detail::Simulation(Box::new(Simulation {
        lookup: None,
        sent: 500,
        received: 490,
        late: 0,
        duplicates: 0,
        reordered: 0,
        hop_limit: None,
        lost_somewhere: 0,
        rtt: Some(delays(0.08)),
        stateful: forward.is_some(),
        forward,
        reverse,
        clock_error: None,
        dscp_there: None,
        dscp_back: None,
    }))
}

#[test]
fn each_way_of_a_simulation_has_its_own_rating_and_the_worst_stands_first() {
    let board = Board::default();
    let stream = probe(1, "Branch", ProbeKind::Simulation, "192.0.2.9:862");
    noted(&board, &stream, simulation(Some(way(0, 0.02)), Some(way(25, 0.02))));
    let found = paths(&[stream], &board, None);
    let shown: Vec<_> = found.iter().map(|path| (path.way, &*path.target, path.longest_burst)).collect();
    assert_eq!(shown, [(VoiceWay::Reverse, "192.0.2.9", Some(1)), (VoiceWay::Forward, "192.0.2.9", Some(0))]);
    let [lossy, clear] = &found[..] else { panic!("two ways") };
    assert!((lossy.voice.r_factor - 77.43).abs() < 0.01, "5 % with G.711 and concealment: {}", lossy.voice.r_factor);
    assert!(clear.loss_impairment < 1e-9 && lossy.loss_impairment > 15.0);
}

#[test]
fn another_codec_changes_what_it_is_responsible_for() {
    let board = Board::default();
    let stream = probe(1, "Branch", ProbeKind::Simulation, "192.0.2.9");
    noted(&board, &stream, simulation(Some(way(0, 0.02)), None));
    let [path] = &paths(&[stream], &board, Some(Codec::G729a))[..] else { panic!("one way") };
    assert_eq!((&*path.voice.codec, path.codec_impairment), ("g729a", 11.0));
    // 20 ms on the way, 40 in the buffer, and 25 in packets of G.729A instead of 20.
    assert!((path.voice.delay - 0.085).abs() < 1e-9, "{}", path.voice.delay);
    assert!((path.voice.r_factor - 82.21).abs() < 0.01, "{}", path.voice.r_factor);
}

#[test]
fn a_round_trip_is_an_estimate_that_a_simulation_replaces() {
    let board = Board::default();
    let (alone, beside) = (probe(1, "A", ProbeKind::Ping, "192.0.2.1"), probe(2, "B", ProbeKind::Ping, "192.0.2.9"));
    let stream = probe(3, "C", ProbeKind::Simulation, "192.0.2.9:862");
    for probe in [&alone, &beside] {
        noted(&board, probe, ping(1, Some(0.3)));
    }
    noted(&board, &stream, simulation(Some(way(0, 0.02)), Some(way(0, 0.02))));
    let found = paths(&[alone, beside, stream], &board, None);
    let names: Vec<_> = found.iter().map(|path| (&*path.name, path.way)).collect();
    assert_eq!(names, [("A", VoiceWay::RoundTrip), ("C", VoiceWay::Forward), ("C", VoiceWay::Reverse)]);
    let voice = &found[0].voice;
    assert!(voice.delay_estimated && (voice.delay - 0.21).abs() < 1e-9, "{voice:?}");
}

#[test]
fn a_pair_has_one_estimate_by_the_finest_kind() {
    let board = Board::default();
    let (ping_it, stream) =
        (probe(1, "A", ProbeKind::Ping, "192.0.2.9"), probe(2, "B", ProbeKind::Simulation, "192.0.2.9:862"));
    noted(&board, &ping_it, ping(1, Some(0.1)));
    noted(&board, &stream, simulation(None, None));
    let found = paths(&[ping_it, stream], &board, None);
    let kinds: Vec<_> = found.iter().map(|path| path.kind).collect();
    assert_eq!(kinds, [ProbeKind::Simulation]);
}

#[test]
fn nothing_came_back_is_the_worst_of_calls() {
    let board = Board::default();
    let (dead, stateless) =
        (probe(1, "A", ProbeKind::Ping, "192.0.2.1"), probe(2, "B", ProbeKind::Simulation, "192.0.2.2"));
    noted(&board, &dead, ping(20, None));
    noted(&board, &stateless, simulation(None, None));
    let found = paths(&[stateless, dead], &board, None);
    assert_eq!((found[0].loss, found[0].delay, found[0].voice.grade.as_str()), (1.0, None, "bad"));
    assert_eq!((found[1].way, found[1].loss), (VoiceWay::RoundTrip, 0.02));
}
