use netwatch_api::probe::map::{MapEdge, MapNode, MapNodeKind};
use netwatch_model::probe::kind::mtr::{Hop, Path};
use netwatch_model::probe::{Delays, Failure, ProbeKind, Trigger};
use proptest::prelude::*;

use super::*;

const NOW: Timestamp = Timestamp::from_secs(100_000);
/// Packets to each hop.
const SENT: u32 = 10;

/// A hop of a test: the last octet of its address, 0 for silence, and how many packets it answers.
type Said = (u8, u32);

fn address(host: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, host])
}

fn hop(ttl: u8, (host, answered): Said) -> Hop {
    let answered = if host == 0 { 0 } else { answered };
    let rtts = vec![f64::from(ttl) / 1000.0; answered as usize];
    Hop {
        ttl,
        address: (host > 0).then(|| address(host)),
        others: Vec::new(),
        name: None,
        asn: None,
        organization: None,
        mpls: Vec::new(),
        sent: SENT,
        answered,
        rate_limited: false,
        rtt: Delays::of(&rtts),
    }
}

fn path(hops: &[Said]) -> Path {
    let hops: Vec<Hop> = (1..).zip(hops).map(|(ttl, said)| hop(ttl, *said)).collect();
    let id = format!("{:016x}", hops.iter().filter(|hop| hop.address.is_some()).count());
    Path { id, flow: 1, hops }
}

/// The trace of an agent to a host over these paths.
fn result(agent: u64, target: u8, paths: &[&[Said]]) -> ProbeResult {
    let paths: Vec<Path> = paths.iter().map(|hops| path(hops)).collect();
    let ends: Vec<&Hop> =
        paths.iter().filter_map(|path| path.hops.last()).filter(|hop| hop.address == Some(address(target))).collect();
    let (sent, answered) = ends.iter().fold((0, 0), |(sent, all), hop| (sent + hop.sent, all + hop.answered));
    let reached = !ends.is_empty();
    let loss = if reached { 1.0 - f64::from(answered) / f64::from(sent) } else { 1.0 };
    ProbeResult {
        probe: None,
        agent: AgentId(agent),
        kind: ProbeKind::Mtr,
        target: address(target).to_string(),
        address: Some(address(target)),
        source: None,
        scheduled: NOW,
        start: NOW,
        duration: 1.0,
        trigger: Trigger::Schedule,
        late: false,
        failure: (!reached).then(|| Failure::new(FailureReason::Timeout, "not reached")),
        detail: Some(Detail::Mtr(Box::new(Trace {
            lookup: None,
            reached,
            loss,
            paths,
            path_mtu: None,
            black_hole_after: None,
        }))),
    }
}

fn traced(results: &[ProbeResult]) -> Vec<Traced<'_>> {
    let one = |(n, result)| {
        let result: &ProbeResult = result;
        Traced { probe: ProbeId::from_bits(n), name: "probe", interval: Some(300.0), agent: result.agent, result }
    };
    (1..).zip(results).map(one).collect()
}

fn map(results: &[ProbeResult]) -> NetworkMap {
    network_map(&traced(results), &Names::new(), None, NOW)
}

fn node<'a>(map: &'a NetworkMap, id: &str) -> &'a MapNode {
    map.nodes.iter().find(|node| node.id == id).unwrap_or_else(|| panic!("no {id} in {:?}", ids(map)))
}

fn ip(host: u8) -> String {
    format!("ip:{}", address(host))
}

fn edge<'a>(map: &'a NetworkMap, from: &str, to: &str) -> &'a MapEdge {
    map.edges.iter().find(|edge| edge.from == from && edge.to == to).unwrap()
}

fn ids(map: &NetworkMap) -> Vec<&str> {
    map.nodes.iter().map(|node| &*node.id).collect()
}

const FIRST: &str = "agent:0000000000000001";

#[test]
fn hops_are_merged_by_address_whoever_traced_them() {
    let map = map(&[result(1, 9, &[&[(1, 10), (5, 10), (9, 10)]]), result(2, 8, &[&[(2, 10), (5, 10), (8, 10)]])]);
    assert_eq!(map.nodes.len(), 7, "{:?}", ids(&map));
    let shared = node(&map, &ip(5));
    assert_eq!((shared.traces, shared.kind, shared.distance), (2, MapNodeKind::Hop, 2));
    assert_eq!((shared.sent, shared.answered, shared.rtt, shared.state), (20, 20, Some(0.002), ProbeState::Up));
    assert_eq!(node(&map, &ip(9)).kind, MapNodeKind::Target);
    assert!((edge(&map, &ip(5), &ip(9)).share - 0.5).abs() < 1e-9, "two ways leave it");
}

#[test]
fn silent_hops_are_shared_by_those_with_the_same_neighbours_only() {
    let same = map(&[result(1, 9, &[&[(1, 10), (0, 0), (9, 10)]]), result(1, 9, &[&[(1, 10), (0, 0), (9, 10)]])]);
    let silent = |map: &NetworkMap| map.nodes.iter().filter(|node| node.kind == MapNodeKind::Silent).count();
    assert_eq!(silent(&same), 1);
    assert_eq!(node(&same, &format!("silent:{}>{}:1", ip(1), ip(9))).silent, Some(1));
    let other = map(&[result(1, 9, &[&[(1, 10), (0, 0), (9, 10)]]), result(1, 8, &[&[(1, 10), (0, 0), (8, 10)]])]);
    assert_eq!(silent(&other), 2, "they lead to different places");
    let longer =
        map(&[result(1, 9, &[&[(1, 10), (0, 0), (9, 10)]]), result(1, 9, &[&[(1, 10), (0, 0), (0, 0), (9, 10)]])]);
    assert_eq!(silent(&longer), 2, "two hops are not one");
    let first = map(&[result(1, 9, &[&[(0, 0), (9, 10)]]), result(2, 9, &[&[(0, 0), (9, 10)]])]);
    assert_eq!(silent(&first), 2, "agents are neighbours, too");
}

#[test]
fn a_hop_that_limits_its_answers_loses_nothing() {
    let map = map(&[result(1, 9, &[&[(1, 10), (2, 1), (9, 10)]])]);
    let limited = node(&map, &ip(2));
    assert_eq!((limited.state, limited.loss, limited.answered), (ProbeState::Up, Some(0.0), 1));
}

#[test]
fn loss_is_told_at_the_edge_where_it_begins() {
    let lossy = result(1, 9, &[&[(1, 10), (2, 6), (3, 8), (9, 8)]]);
    let map = map(&[lossy.clone(), result(2, 9, &[&[(4, 10), (3, 10), (9, 10)]])]);
    let near = |value: Option<f64>, wanted: f64| (value.unwrap() - wanted).abs() < 1e-9;
    let bad = edge(&map, &ip(1), &ip(2));
    assert!(near(bad.loss, 0.2) && bad.state == ProbeState::Degraded, "{bad:?}");
    for (from, to) in [(FIRST.to_owned(), ip(1)), (ip(2), ip(3)), (ip(3), ip(9))] {
        let good = edge(&map, &from, &to);
        assert!(near(good.loss, 0.0) && good.state == ProbeState::Up, "{good:?}");
    }
    assert_eq!(node(&map, &ip(2)).state, ProbeState::Degraded, "nothing passes it whole");
    assert_eq!(node(&map, &ip(3)).state, ProbeState::Up, "the other agent's packets pass it whole");
    let target = node(&map, &ip(9));
    assert!(near(target.loss, 0.2) && target.state == ProbeState::Degraded, "the worst of its traces: {target:?}");
    assert_eq!(node(&map, FIRST).state, ProbeState::Degraded);
}

#[test]
fn a_target_that_is_not_reached_is_down_behind_what_nobody_knows() {
    let map = map(&[result(1, 9, &[&[(1, 10), (2, 10)]])]);
    let gap = format!("silent:{}>{}:", ip(2), ip(9));
    assert_eq!(node(&map, &ip(9)).state, ProbeState::Down);
    assert_eq!((node(&map, &gap).silent, node(&map, &gap).state), (None, ProbeState::Down));
    assert_eq!(edge(&map, &ip(2), &gap).state, ProbeState::Down);
    assert_eq!(edge(&map, &gap, &ip(9)).state, ProbeState::Unknown, "nothing came there");
    assert_eq!(node(&map, &ip(2)).state, ProbeState::Up);
    assert_eq!(map.traces[0].paths[0].nodes, [FIRST.to_owned(), ip(1), ip(2), gap, ip(9)]);
}

#[test]
fn a_name_that_has_no_address_is_a_target_all_the_same() {
    let mut unresolved = result(1, 9, &[]);
    unresolved.target = "Nowhere.example".to_owned();
    unresolved.address = None;
    unresolved.detail = None;
    unresolved.failure = Some(Failure::new(FailureReason::Unresolved, "no such name"));
    let map = map(&[unresolved]);
    assert_eq!(node(&map, "name:nowhere.example").state, ProbeState::Down);
    assert_eq!(map.nodes.len(), 3);
}

#[test]
fn paths_of_a_balanced_route_have_shares() {
    let a: &[Said] = &[(1, 10), (2, 10), (9, 10)];
    let b: &[Said] = &[(1, 10), (3, 10), (9, 10)];
    let mut balanced = result(1, 9, &[a, b]);
    if let Some(Detail::Mtr(trace)) = &mut balanced.detail {
        trace.paths[0].hops.iter_mut().for_each(|hop| (hop.sent, hop.answered) = (30, 30));
    }
    let map = map(&[balanced]);
    let share = |from: &str, to: &str| edge(&map, from, to).share;
    assert!((share(&ip(1), &ip(2)) - 0.75).abs() < 1e-9 && (share(&ip(1), &ip(3)) - 0.25).abs() < 1e-9);
    assert!((share(FIRST, &ip(1)) - 1.0).abs() < 1e-9);
    assert_eq!((node(&map, &ip(1)).traces, map.traces[0].paths.len()), (1, 2));
}

#[test]
fn old_traces_keep_their_place_and_say_nothing() {
    let mut old = result(1, 9, &[&[(1, 10), (9, 10)]]);
    old.start = NOW - Duration::from_secs(1_000);
    let alone = map(&[old.clone()]);
    assert!(alone.traces[0].old && alone.nodes.iter().all(|node| node.state == ProbeState::Unknown), "{alone:?}");
    assert_eq!((alone.edges[0].state, node(&alone, &ip(1)).rtt), (ProbeState::Unknown, Some(0.001)));
    let both = map(&[old, result(2, 9, &[&[(1, 10), (9, 5)]])]);
    assert_eq!((node(&both, &ip(9)).state, node(&both, &ip(9)).sent), (ProbeState::Degraded, 10));
    assert_eq!((node(&both, FIRST).state, node(&both, &ip(1)).traces), (ProbeState::Unknown, 2));
    let mut added = result(1, 9, &[&[(9, 10)]]);
    added.start = NOW - Duration::from_secs(1_000);
    let one = Traced { interval: None, ..traced(std::slice::from_ref(&added))[0] };
    assert!(!network_map(&[one], &Names::new(), None, NOW).traces[0].old, "a bad run adds one now and then");
}

#[test]
fn a_hop_that_is_somebody_s_target_is_a_target() {
    for order in [[0, 1], [1, 0]] {
        let both = [result(1, 9, &[&[(1, 10), (9, 10)]]), result(2, 1, &[&[(1, 2)]])];
        let map = map(&order.map(|at: usize| both[at].clone()));
        let target = node(&map, &ip(1));
        assert_eq!((target.kind, target.state, target.loss), (MapNodeKind::Target, ProbeState::Degraded, Some(0.8)));
    }
}

#[test]
fn loops_and_routers_that_answer_twice_in_a_row_do_no_harm() {
    let map = map(&[result(1, 9, &[&[(1, 10), (1, 10), (2, 10), (1, 10), (2, 10)]])]);
    assert!(map.edges.iter().all(|edge| edge.from != edge.to), "{:?}", map.edges);
    assert_eq!((edge(&map, &ip(2), &ip(1)).traces, node(&map, &ip(1)).distance), (1, 1));
}

#[test]
fn agents_have_names_and_targets_that_are_agents_are_known() {
    let mut there = result(1, 9, &[&[(9, 10)]]);
    there.source = Some(address(8));
    let mut back = result(2, 8, &[&[(8, 10)]]);
    back.source = Some(address(9));
    let results = [there, back];
    let names = Names::from([(AgentId(1), "Berlin".to_owned())]);
    let map = network_map(&traced(&results), &names, None, NOW);
    assert_eq!(node(&map, FIRST).name.as_deref(), Some("Berlin"));
    assert_eq!(node(&map, &ip(9)).agent.as_deref(), Some("0000000000000002"));
    let found = network_map(&traced(&results), &names, Some("BERL"), NOW);
    assert_eq!((found.traces.len(), found.left_out), (1, 0));
    for (text, count) in [("192.0.2.8", 1), ("PROBE", 2), ("nothing", 0), ("", 2)] {
        assert_eq!(network_map(&traced(&results), &names, Some(text), NOW).traces.len(), count, "{text}");
    }
}

#[test]
fn what_finds_no_room_is_counted_and_bad_traces_come_first() {
    let hop = |n: u32, ttl: u8| Hop { address: Some(IpAddr::from(n.to_be_bytes())), ..hop(ttl, (1, 10)) };
    let many = (0..200_u32).map(|n| {
        let mut one = result(1, 9, &[&[(9, 10)]]);
        if let Some(Detail::Mtr(trace)) = &mut one.detail {
            let last = trace.paths[0].hops.pop().unwrap();
            trace.paths[0].hops = (0..20).map(|ttl| hop(0x0a00_0000 + n * 32 + u32::from(ttl), ttl + 1)).collect();
            trace.paths[0].hops.push(Hop { ttl: 21, ..last });
        }
        one
    });
    let mut all: Vec<_> = many.collect();
    all.push(result(2, 7, &[&[(1, 10)]]));
    let map = map(&all);
    assert!(map.nodes.len() <= MOST_NODES && map.edges.len() <= MOST_EDGES);
    assert_eq!((map.traces.len() + map.left_out as usize, map.traces[0].state), (201, ProbeState::Down));
    assert!(map.left_out > 100);
}

/// Traces of a small world, so that they meet.
fn worlds() -> impl Strategy<Value = Vec<ProbeResult>> {
    let path = proptest::collection::vec((0_u8..7, 0_u32..=SENT), 0..7);
    let one = (1_u64..4, 1_u8..10, proptest::collection::vec(path, 0..4), 0_u64..2_000).prop_map(
        |(agent, target, paths, age)| {
            let paths: Vec<&[Said]> = paths.iter().map(Vec::as_slice).collect();
            let mut one = result(agent, target, &paths);
            one.start = NOW - Duration::from_secs(age);
            one
        },
    );
    proptest::collection::vec(one, 0..12)
}

proptest! {
    #[test]
    fn every_map_is_sound(results in worlds()) {
        let map = map(&results);
        let nodes = ids(&map);
        prop_assert!(nodes.windows(2).all(|pair| pair[0] < pair[1]), "each once, in order: {nodes:?}");
        let mut leaving: HashMap<&str, f64> = HashMap::new();
        for edge in &map.edges {
            prop_assert!(nodes.contains(&&*edge.from) && nodes.contains(&&*edge.to) && edge.from != edge.to);
            prop_assert!(edge.loss.is_none_or(|loss| (0.0..=1.0).contains(&loss)));
            prop_assert!(edge.traces >= 1 && edge.traces as usize <= map.traces.len());
            *leaving.entry(&edge.from).or_default() += edge.share;
        }
        prop_assert!(leaving.values().all(|sum| (sum - 1.0).abs() < 1e-9), "{leaving:?}");
        for node in &map.nodes {
            prop_assert!(node.loss.is_none_or(|loss| (0.0..=1.0).contains(&loss)), "{node:?}");
            prop_assert!(node.answered <= node.sent && node.traces >= 1);
            prop_assert!(node.rtt.is_some() == (node.answered > 0) && node.rtt >= node.rtt_min.map(|least| least - 1e-12));
        }
        for trace in &map.traces {
            let shares: f64 = trace.paths.iter().map(|path| path.share).sum();
            prop_assert!((shares - 1.0).abs() < 1e-9);
            for path in &trace.paths {
                prop_assert!(path.nodes.windows(2).all(|pair| map.edges.iter().any(|e| e.from == pair[0] && e.to == pair[1])));
            }
        }
        prop_assert_eq!(map.traces.len(), results.len());
    }

    #[test]
    fn the_order_of_traces_changes_nothing_of_nodes_and_edges(results in worlds(), turn in 0_usize..12) {
        let of = |traced: &[Traced<'_>]| network_map(traced, &Names::new(), None, NOW);
        let mut turned = traced(&results);
        let before = of(&turned);
        let turn = turn % turned.len().max(1);
        turned.rotate_left(turn);
        let after = of(&turned);
        prop_assert_eq!((before.nodes, before.edges), (after.nodes, after.edges));
    }
}
