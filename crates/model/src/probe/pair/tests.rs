//! What both agents are given, and in which order addresses are tried.

use super::*;
use crate::assignment::{Assignment, Sender};
use crate::probe::Source;

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn end(agent: u64, addresses: &[&str], seen: &str, reflector: Option<u16>) -> End {
    let addresses = addresses.iter().map(|text| address(text)).collect();
    End {
        agent: AgentId(agent),
        addresses,
        seen: Some(address(seen)),
        reflector,
        keyed: reflector.is_some(),
        throughput: reflector,
    }
}

fn key(octet: u8) -> PairKey {
    PairKey::of(&[octet; 32])
}

/// The keys with which an agent checks the other and simulates traffic.
fn used(all: &[(AgentId, AssignedProbe)], agent: u64) -> [String; 2] {
    let option = |kind, field| {
        let part = all.iter().find(|(of, part)| of.0 == agent && part.spec.kind == kind);
        part.map(|(_, part)| part.spec.options.text(field).to_owned()).unwrap_or_default()
    };
    [option(ProbeKind::Agent, &KEY), option(ProbeKind::Simulation, &simulation::KEY)]
}

fn probe() -> ProbeSpec {
    let mut spec = ProbeSpec::new(ProbeKind::Agent, "00000000000000b2");
    spec.source = Some(Source::Interface("eth1".to_owned()));
    spec.dscp = 46;
    spec
}

fn kinds(all: &[(AgentId, AssignedProbe)], agent: u64) -> Vec<ProbeKind> {
    all.iter().filter(|(of, _)| of.0 == agent).map(|(_, probe)| probe.spec.kind).collect()
}

#[test]
fn both_agents_measure_the_other_with_everything_that_it_has() {
    let here = end(0xa1, &["10.1.0.1"], "198.51.100.1", None);
    let there = end(0xb2, &["10.2.0.1", "203.0.113.7"], "203.0.113.9", Some(862));
    let all = expand(ProbeId::from_bits(7), &probe(), &here, &there, &Keys { there: Some(key(0xab)), back: None });
    use ProbeKind as K;
    assert_eq!(kinds(&all, 0xa1), [K::Agent, K::Mtr, K::Ping, K::Simulation]);
    assert_eq!(kinds(&all, 0xb2), [K::Agent, K::Mtr, K::Ping], "the first agent has no reflector");
    for (agent, AssignedProbe { spec, peer, .. }) in &all {
        spec.check().unwrap_or_else(|error| panic!("{spec:?}: {error}"));
        assert_eq!(peer.map(|peer| peer.0), Some(if agent.0 == 0xa1 { 0xb2 } else { 0xa1 }));
        assert_eq!(spec.source.is_some(), agent.0 == 0xa1, "the other agent has other interfaces");
        assert_eq!(spec.dscp, 46);
    }
    let forward =
        |kind| all.iter().find(|(agent, probe)| agent.0 == 0xa1 && probe.spec.kind == kind).expect("it is there");
    let simulated = &forward(K::Simulation).1.spec;
    assert_eq!(simulated.target, "00000000000000b2.netwatch.internal:862");
    assert_eq!(used(&all, 0xa1), [0; 2].map(|_| "ab".repeat(32)));
    assert_eq!(used(&all, 0xb2), ["", ""]);
    assert_eq!(forward(K::Mtr).1.spec.interval, 300.0);
    assert_eq!(agent_of("00000000000000b2.netwatch.internal"), Some(AgentId(0xb2)));
    assert_eq!([agent_of("b2.netwatch.internal"), agent_of("00000000000000b2")], [None, None]);
}

#[test]
fn a_probe_may_ask_for_less() {
    let (here, there) = (end(1, &[], "198.51.100.1", Some(862)), end(2, &[], "203.0.113.9", Some(862)));
    let mut spec = probe();
    for field in [&TRACES, &BOTH_WAYS] {
        spec.options.set(field, OptionValue::Flag(false));
    }
    let all = expand(ProbeId::from_bits(7), &spec, &here, &there, &Keys::default());
    assert_eq!(kinds(&all, 1), [ProbeKind::Agent, ProbeKind::Ping, ProbeKind::Simulation]);
    assert!(kinds(&all, 2).is_empty());
    assert!(
        expand(ProbeId::from_bits(7), &spec, &here, &here, &Keys::default()).is_empty(),
        "an agent is no target of its own"
    );
}

#[test]
fn likely_addresses_are_tried_first_and_own_ones_never() {
    let texts = |list: Vec<IpAddr>| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    let there =
        end(2, &["10.0.0.9", "127.0.0.1", "fe80::1", "203.0.113.7", "10.0.0.5", "2001:db8::9"], "203.0.113.9", None);
    let far = end(1, &["10.0.0.5"], "198.51.100.1", None);
    let said = [address("192.0.2.80")];
    assert_eq!(
        texts(candidates(&far, &there, &said, Family::Any)),
        ["192.0.2.80", "203.0.113.7", "2001:db8::9", "203.0.113.9", "10.0.0.9"]
    );
    let near = end(1, &["10.0.0.5"], "203.0.113.9", None);
    assert_eq!(texts(candidates(&near, &there, &[], Family::V4)), ["10.0.0.9", "203.0.113.7", "203.0.113.9"]);
    let many: Vec<String> = (0..40).map(|n| format!("203.0.113.{n}")).collect();
    let many = end(2, &many.iter().map(String::as_str).collect::<Vec<_>>(), "203.0.113.9", None);
    assert_eq!(candidates(&far, &many, &[], Family::Any).len(), MAX_ADDRESSES);
}

#[test]
fn each_direction_has_its_own_key_and_a_reflector_started_by_hand_that_of_the_probe() {
    let (here, there) = (end(1, &[], "198.51.100.1", Some(862)), end(2, &[], "203.0.113.9", Some(862)));
    let keys = Keys { there: Some(key(1)), back: Some(key(2)) };
    let hex = |octet: &str| [0; 2].map(|_| octet.repeat(32));
    let uses = |spec: &ProbeSpec, keys: &Keys| {
        let all = expand(ProbeId::from_bits(7), spec, &here, &there, keys);
        [used(&all, 1), used(&all, 2)]
    };
    let mut spec = probe();
    assert_eq!(uses(&spec, &keys), [hex("01"), hex("02")]);
    spec.options.set(&KEY, OptionValue::Text("by hand".to_owned()));
    assert_eq!(uses(&spec, &keys), [hex("01"), hex("02")], "it is for a reflector that is named");
    spec.options.set(&REFLECTOR, OptionValue::Whole(9000));
    assert_eq!(uses(&spec, &keys), [["by hand"; 2].map(str::to_owned), hex("02")]);
    spec.options.set(&KEY, OptionValue::Text(String::new()));
    assert_eq!(uses(&spec, &keys), [hex("01"), hex("02")], "a port that leads to the agent's own reflector");
    assert_eq!(uses(&spec, &Keys::default()), [hex(""), hex("")], "older agents");
}

#[test]
fn keys_are_in_the_document_and_in_no_output_of_debugging() {
    let (here, there) = (end(1, &[], "198.51.100.1", Some(862)), end(2, &[], "203.0.113.9", Some(862)));
    let keys = Keys { there: Some(key(0xcd)), back: Some(key(0xcd)) };
    let probes = expand(ProbeId::from_bits(7), &probe(), &here, &there, &keys).into_iter().map(|(_, part)| part);
    let sender = Sender { addresses: vec![address("192.0.2.1")], keys: vec![key(0xcd)] };
    let assignment = Assignment { probes: probes.collect(), senders: vec![sender], ..Assignment::default() };
    let secret = "cd".repeat(32);
    let document = serde_json::to_string(&assignment).expect("a document");
    assert_eq!(document.matches(&secret).count(), 5, "two checks, two simulations, one sender: {document}");
    assert_eq!(serde_json::from_str::<Assignment>(&document).expect("it is read back"), assignment);
    for shown in [format!("{assignment:?}"), format!("{assignment:#?}"), format!("{keys:?}")] {
        assert!(!shown.contains("cdcd") && shown.contains("hidden"), "{shown}");
    }
    // What a server of an older version says.
    let older: Assignment =
        serde_json::from_str(r#"{"revision":1,"probes":[],"allow":[],"deny":[]}"#).expect("it is read");
    assert_eq!((older.reflect, older.senders), (vec![], vec![]));
}

#[test]
fn a_throughput_test_is_made_by_one_end_and_served_by_the_other() {
    let here = end(0xa1, &["10.1.0.1"], "198.51.100.1", None);
    let there = end(0xb2, &["203.0.113.7"], "203.0.113.9", Some(8863));
    let mut spec = ProbeSpec::new(ProbeKind::Throughput, "00000000000000b2");
    spec.options.set(&throughput::ADDRESSES, OptionValue::Texts(vec!["192.0.2.80".to_owned()]));
    spec.check().expect("an agent is a target");
    let parts = |there: &End| expand(ProbeId::from_bits(7), &spec, &here, there, &Keys::default());
    let [(agent, part)] = parts(&there).try_into().expect("one part");
    assert_eq!((agent, part.peer), (here.agent, Some(there.agent)));
    assert_eq!(part.spec.target, "00000000000000b2.netwatch.internal:8863");
    assert_eq!(part.spec.options.texts(&throughput::ADDRESSES), ["192.0.2.80", "203.0.113.7", "203.0.113.9"]);
    part.spec.check().expect("it can be run");
    let older = End { throughput: None, ..there };
    assert_eq!(parts(&older)[0].1.spec.target, "00000000000000b2.netwatch.internal", "somebody may have started one");
    assert_eq!(target_of(&ProbeSpec::new(ProbeKind::Throughput, "iperf.example.org")), None);
}
