//! What both agents are given, and in which order addresses are tried.

use super::*;
use crate::probe::Source;

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn end(agent: u64, addresses: &[&str], seen: &str, reflector: Option<u16>) -> End {
    let addresses = addresses.iter().map(|text| address(text)).collect();
    End { agent: AgentId(agent), addresses, seen: Some(address(seen)), reflector }
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
    let all = expand(ProbeId::from_bits(7), &probe(), &here, &there, Some("hunter2"));
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
    assert_eq!(simulated.options.text(&simulation::KEY), "hunter2");
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
    let all = expand(ProbeId::from_bits(7), &spec, &here, &there, None);
    assert_eq!(kinds(&all, 1), [ProbeKind::Agent, ProbeKind::Ping, ProbeKind::Simulation]);
    assert!(kinds(&all, 2).is_empty());
    assert!(expand(ProbeId::from_bits(7), &spec, &here, &here, None).is_empty(), "an agent is no target of its own");
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
