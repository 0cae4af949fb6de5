//! Who measures what, and what both ends are told.

use std::net::IpAddr;
use std::time::Duration;

use netwatch_model::Timestamp;
use netwatch_model::people::{AgentInfo, AgentOrigin, AgentSeen};
use netwatch_model::probe::kind::agent::BOTH_WAYS;
use netwatch_model::probe::{OptionValue, ProbeKind};

use crate::agents::registry::AgentRules;

use super::*;

const OURS: WorkspaceId = WorkspaceId::from_bits(1);
const THEIRS: WorkspaceId = WorkspaceId::from_bits(2);

fn probe(id: u128, workspace: WorkspaceId, agents: AgentSelector) -> Probe {
    Probe {
        id: ProbeId::from_bits(id),
        workspace,
        name: format!("p{id}").parse().unwrap(),
        spec: ProbeSpec::new(ProbeKind::Ping, "192.0.2.1"),
        agents,
        enabled: true,
        objective: None,
        quorum: None,
        created: Timestamp::from_secs(0),
    }
}

fn agent(global: bool) -> Agent {
    Agent {
        id: AgentId(9),
        workspace: OURS,
        name: "a".parse().unwrap(),
        origin: AgentOrigin::Enrolled,
        key: None,
        enabled: true,
        global,
        labels: [].into(),
        group: None,
        location: None,
        created: Timestamp::from_secs(0),
    }
}

fn plan() -> Plan {
    let all = || AgentSelector { all: true, ..AgentSelector::default() };
    let named = || AgentSelector { ids: vec![AgentId(9)], ..AgentSelector::default() };
    Plan::of([
        probe(1, OURS, all()),
        probe(2, OURS, AgentSelector::default()),
        Probe { enabled: false, ..probe(3, OURS, all()) },
        probe(4, OURS, named()),
        probe(5, THEIRS, all()),
        probe(6, THEIRS, named()),
    ])
}

fn ids(agent: &Agent) -> Vec<u128> {
    plan().assigned(agent, |_, _| false).iter().map(|probe| probe.id.bits()).collect()
}

#[test]
fn an_agent_measures_for_its_workspace_and_a_global_one_for_those_that_name_it() {
    assert_eq!(ids(&agent(false)), [1, 4]);
    assert_eq!(ids(&agent(true)), [1, 4, 6]);
    assert_eq!(ids(&Agent { id: Agent::OWN, ..agent(false) }), [1, 2]);
}

#[test]
fn probes_of_a_workspace_that_narrows_them_stand_apart() {
    let only = ProbeNetworks { only: vec!["192.0.2.0/24".to_owned()], deny: Vec::new() };
    let networks = [(OURS, ProbeNetworks::default()), (THEIRS, only.clone())].into();
    let plan = Plan { networks, ..plan() };
    let (free, narrowed) = plan.narrowed(plan.assigned(&agent(true), |_, _| false));
    assert_eq!(free.iter().map(|probe| probe.id.bits()).collect::<Vec<_>>(), [1, 4]);
    assert_eq!(narrowed.len(), 1);
    assert_eq!((&narrowed[0].to, narrowed[0].probes[0].id.bits(), narrowed[0].probes.len()), (&only, 6, 1));
}

#[test]
fn a_probe_to_an_agent_is_measured_from_both_ends() {
    let other = Agent { id: AgentId(0xb2), name: "b".parse().unwrap(), ..agent(false) };
    let foreign = Agent { id: AgentId(0xc3), name: "c".parse().unwrap(), workspace: THEIRS, ..agent(false) };
    let mut registry = Registry::new(AgentRules::default(), Duration::ZERO);
    let seen = |agent: &Agent, address: &str| {
        let info = AgentInfo { addresses: vec![address.parse().unwrap()], ..AgentInfo::default() };
        let (agent, workspace, last_seen) = (agent.id, agent.workspace, Timestamp::from_secs(1));
        AgentSeen { agent, workspace, last_seen, info, peer: None, cloned_at: None }
    };
    for (agent, address) in [(&agent(false), "203.0.113.1"), (&other, "203.0.113.2"), (&foreign, "203.0.113.3")] {
        assert_eq!(registry.put(agent.clone(), Some(seen(agent, address))), None);
    }
    let to = |id: u128, target: &str| Probe {
        spec: ProbeSpec::new(ProbeKind::Agent, target),
        ..probe(id, OURS, AgentSelector { ids: vec![AgentId(9)], ..AgentSelector::default() })
    };
    let plan = Plan::of([to(1, "00000000000000b2"), to(2, "00000000000000c3")]);
    let kinds = |agent: &Agent| -> Vec<(u128, ProbeKind)> {
        plan.expanded(agent, &registry, &[]).probes.iter().map(|part| (part.id.bits(), part.spec.kind)).collect()
    };
    use ProbeKind as K;
    let there = [(1, K::Agent), (1, K::Mtr), (1, K::Ping)];
    assert_eq!(kinds(&agent(false)), [&there[..], &[(2, K::Agent)]].concat(), "an agent of others stays unknown");
    assert_eq!(kinds(&other), there);
    assert_eq!(kinds(&foreign), []);
}

#[test]
fn a_reflector_answers_those_that_measure_its_agent() {
    let other = Agent { id: AgentId(0xb2), name: "b".parse().unwrap(), ..agent(false) };
    let (own, theirs): (IpAddr, IpAddr) = ("203.0.113.1".parse().unwrap(), "203.0.113.2".parse().unwrap());
    let registry = known([(agent(false), own), (other.clone(), theirs)]);
    let spec = ProbeSpec::new(ProbeKind::Agent, "00000000000000b2");
    let to = Probe { spec, ..probe(1, OURS, AgentSelector { ids: vec![AgentId(9)], ..AgentSelector::default() }) };
    let reflected = |both: bool| {
        let mut to = to.clone();
        to.spec.options.set(&BOTH_WAYS, OptionValue::Flag(both));
        let plan = Plan::of([to]);
        [&agent(false), &other].map(|agent| plan.expanded(agent, &registry, &[]).reflect)
    };
    assert_eq!(reflected(true), [vec![theirs], vec![own]]);
    assert_eq!(reflected(false), [vec![], vec![own]]);
}

#[test]
fn a_throughput_test_is_served_by_the_agent_that_is_named_for_those_that_make_it() {
    let other = Agent { id: AgentId(0xb2), name: "b".parse().unwrap(), ..agent(false) };
    let (own, theirs): (IpAddr, IpAddr) = ("203.0.113.1".parse().unwrap(), "203.0.113.2".parse().unwrap());
    let registry = known([(agent(false), own), (other.clone(), theirs)]);
    let spec = ProbeSpec::new(ProbeKind::Throughput, "00000000000000b2");
    let to = Probe { spec, ..probe(1, OURS, AgentSelector { ids: vec![AgentId(9)], ..AgentSelector::default() }) };
    let plan = Plan::of([to]);
    assert!(plan.has_pairs());
    let [here, there] = [&agent(false), &other].map(|agent| plan.expanded(agent, &registry, &[]));
    assert_eq!((here.probes.len(), here.testers), (1, vec![]));
    assert_eq!(here.probes[0].spec.target, "00000000000000b2.netwatch.internal:8863");
    assert_eq!((there.probes.len(), there.testers), (0, vec![own]));
}

#[test]
fn results_go_where_their_probe_is_and_nowhere_else() {
    let place = |global, probe: u128| plan().place_of(&agent(global), Some(ProbeId::from_bits(probe)));
    assert_eq!([1, 2, 6, 99].map(|probe| place(false, probe)), [Some(OURS), Some(OURS), None, Some(OURS)]);
    assert_eq!([1, 5, 6, 99].map(|probe| place(true, probe)), [Some(OURS), None, Some(THEIRS), None]);
    assert_eq!(plan().place_of(&agent(true), None), Some(OURS));
}

/// Agents at these addresses, each with a reflector and a server of throughput tests.
fn known(agents: [(Agent, IpAddr); 2]) -> Registry {
    let mut registry = Registry::new(AgentRules::default(), Duration::ZERO);
    for (agent, address) in agents {
        let info = AgentInfo {
            addresses: vec![address],
            reflector_port: Some(8862),
            throughput_port: Some(8863),
            ..AgentInfo::default()
        };
        let (id, workspace, last_seen) = (agent.id, agent.workspace, Timestamp::from_secs(1));
        let seen = AgentSeen { agent: id, workspace, last_seen, info, peer: None, cloned_at: None };
        assert_eq!(registry.put(agent, Some(seen)), None);
    }
    registry
}

/// Two agents with reflectors, of which the second one is another workspace's.
fn across(is_offered: bool) -> (Agent, Agent, Registry) {
    let foreign = Agent { id: AgentId(0xc3), workspace: THEIRS, name: "c".parse().unwrap(), ..agent(is_offered) };
    let [ours, theirs] = ["203.0.113.1", "203.0.113.3"].map(|address| address.parse().unwrap());
    let registry = known([(agent(false), ours), (foreign.clone(), theirs)]);
    (agent(false), foreign, registry)
}

/// A probe of ours to the foreign agent, with a label.
fn to_foreign(id: u128, kind: ProbeKind) -> Probe {
    let labels = [("customer".to_owned(), "secret".to_owned())].into();
    let spec = ProbeSpec { labels, ..ProbeSpec::new(kind, "00000000000000c3") };
    Probe { spec, ..probe(id, OURS, AgentSelector { ids: vec![AgentId(9)], ..AgentSelector::default() }) }
}

#[test]
fn an_agent_that_is_offered_to_all_answers_those_of_other_workspaces_and_hears_none_of_their_labels() {
    let plan = Plan::of([to_foreign(1, ProbeKind::Agent), to_foreign(2, ProbeKind::Throughput)]);
    let (_, foreign, registry) = across(true);
    let there = plan.expanded(&foreign, &registry, &[]);
    let ours: IpAddr = "203.0.113.1".parse().unwrap();
    assert_eq!((there.reflect, there.testers), (vec![ours], vec![ours]));
    let parts: Vec<_> = there.probes.iter().map(|part| (part.id.bits(), part.spec.kind)).collect();
    use ProbeKind as K;
    assert_eq!(parts, [K::Agent, K::Mtr, K::Ping, K::Simulation].map(|kind| (1, kind)), "it measures the way back");
    assert!(there.probes.iter().all(|part| part.spec.labels.is_empty()), "labels are nobody else's");
    // What it finds is ours, and nothing else of it is.
    assert_eq!(plan.place_of(&foreign, Some(ProbeId::from_bits(1))), Some(OURS));
    assert_eq!(plan.place_of(&foreign, Some(ProbeId::from_bits(2))), None, "it measures no throughput");
    // One that is not offered to all hears nothing.
    let (_, foreign, registry) = across(false);
    assert_eq!(plan.expanded(&foreign, &registry, &[]), Expanded::default());
    assert_eq!(plan.place_of(&foreign, Some(ProbeId::from_bits(1))), None);
}

#[test]
fn what_is_measured_once_is_expanded_and_answered_while_it_is_measured() {
    let (ours, foreign, registry) = across(true);
    let plan = Plan::default();
    let spec = to_foreign(1, ProbeKind::Agent).spec;
    let once = plan.once(OURS, ours.id, &spec, &registry).unwrap();
    let parts: Vec<_> = plan.parts(&once, &registry).into_iter().map(|(agent, spec)| (agent, spec.kind)).collect();
    use ProbeKind as K;
    let way = |agent: &Agent| [K::Agent, K::Mtr, K::Ping, K::Simulation].map(|kind| (agent.id, kind));
    assert_eq!(parts, [way(&ours), way(&foreign)].concat());
    let asked = plan.expanded(&foreign, &registry, std::slice::from_ref(&once));
    assert_eq!((asked.reflect.len(), asked.probes), (1, vec![]), "it answers, and has nothing of its own to do");
    assert_eq!(plan.expanded(&foreign, &registry, &[]), Expanded::default());
    assert_eq!(plan.once(OURS, foreign.id, &spec, &registry), None, "it would measure itself");
    // What is no agent of this workspace stays as it is.
    let (_, _, registry) = across(false);
    let once = plan.once(OURS, ours.id, &spec, &registry).unwrap();
    assert_eq!(plan.parts(&once, &registry), [(ours.id, spec)]);
}

#[test]
fn probes_that_an_agent_of_an_older_version_leaves_out_are_known() {
    let (mut ours, foreign, mut registry) = across(true);
    ours.origin = AgentOrigin::Enrolled;
    let only = ProbeNetworks { only: vec!["192.0.2.0/24".to_owned()], deny: Vec::new() };
    let own = probe(3, OURS, AgentSelector { ids: vec![AgentId(9)], ..AgentSelector::default() });
    let paused = Probe { enabled: false, ..probe(4, OURS, own.agents.clone()) };
    let back = to_foreign(1, ProbeKind::Agent);
    let all = [back.clone(), to_foreign(2, ProbeKind::Throughput), own.clone(), paused.clone()];
    let free = Plan::of(all.clone());
    let plan = Plan { networks: [(OURS, only)].into(), ..Plan::of(all) };
    let counts = |plan: &Plan, agent: &Agent| -> Vec<(ProbeKind, u64)> {
        plan.left_out_by(agent, OURS, &registry).into_iter().collect()
    };
    use ProbeKind as K;
    let mut expected = vec![(K::Agent, 1), (K::Ping, 1), (K::Throughput, 1)];
    expected.sort_unstable();
    assert_eq!(counts(&plan, &ours), expected);
    assert_eq!(counts(&plan, &foreign), [(K::Agent, 1)], "the way back");
    assert_eq!(plan.left_out_by(&foreign, THEIRS, &registry), [].into(), "the other workspace narrows nothing");
    assert_eq!(counts(&free, &ours), []);
    assert_eq!(plan.leaving_out(&back, &registry), [ours.id, foreign.id]);
    assert_eq!(plan.leaving_out(&own, &registry), [ours.id]);
    assert_eq!([&paused, &own].map(|probe| free.leaving_out(probe, &registry).len()), [0, 0]);
    assert_eq!(plan.leaving_out(&paused, &registry), []);
    // Once it is updated it runs them.
    assert!(registry.put_info(ours.id, AgentInfo { narrows: true, ..AgentInfo::default() }, None));
    assert_eq!((plan.left_out_by(&ours, OURS, &registry), plan.leaving_out(&own, &registry)), ([].into(), vec![]));
}
