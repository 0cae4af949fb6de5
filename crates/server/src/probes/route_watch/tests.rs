use netwatch_model::probe::kind::mtr::{Hop, Trace};
use netwatch_model::probe::{ProbeKind, Trigger};
use proptest::prelude::*;

use super::*;

const PROBE: ProbeId = ProbeId::from_bits(7);

fn address(host: u8) -> IpAddr {
    IpAddr::from([10, 0, 0, host])
}

/// A trace at a second to a target over these paths; host 0 is silent.
fn trace(second: i64, target: u8, paths: &[&[u8]]) -> ProbeResult {
    let hop = |(ttl, host): (u8, &u8)| Hop {
        ttl,
        address: (*host > 0).then(|| address(*host)),
        others: Vec::new(),
        name: None,
        asn: None,
        organization: None,
        mpls: Vec::new(),
        sent: 1,
        answered: 1,
        rate_limited: false,
        rtt: None,
    };
    let path = |hosts: &&[u8]| Path { id: String::new(), flow: 1, hops: (1..).zip(*hosts).map(hop).collect() };
    let start = Timestamp::from_secs(second);
    ProbeResult {
        probe: Some(PROBE),
        agent: AgentId(1),
        kind: ProbeKind::Mtr,
        target: "branch.example".to_owned(),
        address: Some(address(target)),
        source: None,
        scheduled: start,
        start,
        duration: 1.0,
        trigger: Trigger::Schedule,
        late: false,
        failure: None,
        detail: Some(Detail::Mtr(Box::new(Trace {
            lookup: None,
            reached: true,
            loss: 0.0,
            paths: paths.iter().map(path).collect(),
            path_mtu: None,
            black_hole_after: None,
        }))),
    }
}

/// The seconds at which a change is told, of traces of one path each.
fn told(traces: &[(i64, &[u8])]) -> Vec<i64> {
    let mut watch = RouteWatch::default();
    traces
        .iter()
        .filter_map(|(second, hosts)| watch.note(&trace(*second, 9, &[hosts])))
        .map(|change| change.time.secs())
        .collect()
}

const A: &[u8] = &[1, 2, 9];
const B: &[u8] = &[1, 3, 9];
const C: &[u8] = &[1, 4, 9];

#[test]
fn a_new_path_is_told_once_when_it_stays() {
    assert_eq!(told(&[(1, A), (2, A), (3, B), (4, B), (5, B), (6, B)]), [4]);
    assert_eq!(told(&[(1, A), (2, B), (3, A), (4, B), (5, A)]), [0; 0], "it never stayed");
    assert_eq!(told(&[(1, A), (2, B), (3, C), (4, B), (5, B)]), [5], "no two in a row before");
}

#[test]
fn a_path_that_was_seen_in_the_last_hour_is_no_change() {
    assert_eq!(told(&[(1, A), (2, B), (3, B), (4, A), (5, A), (6, B), (7, B)]), [3]);
    let later = 3 + 3_600;
    assert_eq!(told(&[(1, A), (2, B), (3, B), (later, A), (later + 60, A)]), [3, later + 60], "an hour has passed");
    assert_eq!(
        told(&[(1, A), (90_000, A), (180_000, B), (270_000, B)]),
        [270_000],
        "the route is known for as long as it is"
    );
}

#[test]
fn balancing_is_no_change() {
    let mut watch = RouteWatch::default();
    let seen = [&[A][..], &[A, B], &[B], &[B], &[C, A], &[C], &[C], &[B, C]];
    let changes = (1..).zip(seen).filter_map(|(second, paths)| watch.note(&trace(second, 9, paths)));
    assert_eq!(changes.count(), 0);
}

#[test]
fn a_silent_hop_is_no_change_and_is_learnt() {
    assert_eq!(told(&[(1, &[1, 0, 9]), (2, A), (3, &[1, 0, 9]), (4, &[1]), (5, &[0, 0, 9]), (6, A)]), [0; 0]);
    assert_eq!(told(&[(1, &[1, 0, 9]), (2, A), (3, B), (4, B)]), [4], "the place was taken by then");
    assert_eq!(told(&[(1, A), (2, &[0, 0, 0]), (3, &[])]), [0; 0], "who hears nothing knows nothing");
}

#[test]
fn what_comes_late_or_is_of_another_address_changes_nothing() {
    assert_eq!(told(&[(10, A), (9, B), (8, B), (10, B)]), [0; 0]);
    let mut watch = RouteWatch::default();
    let rotating = [(1, 9, A), (2, 8, &[1, 5, 8][..]), (3, 9, A), (4, 8, &[1, 5, 8]), (5, 8, &[1, 5, 8])];
    assert!(rotating.iter().all(|(second, target, hosts)| watch.note(&trace(*second, *target, &[hosts])).is_none()));
    watch.note(&trace(6, 8, &[&[1, 6, 8]]));
    assert!(watch.note(&trace(7, 8, &[&[1, 6, 8]])).is_some());
    watch.forget(PROBE);
    assert!(watch.of.is_empty());
}

#[test]
fn the_event_says_where_and_what() {
    let mut watch = RouteWatch::default();
    watch.note(&trace(1, 9, &[&[1, 2, 5, 9]]));
    watch.note(&trace(2, 9, &[&[1, 3, 0, 9]]));
    let event = watch.note(&trace(3, 9, &[&[1, 3, 0, 9]])).unwrap().event();
    let text = "The route to branch.example (10.0.0.9) from agent 0000000000000001 changed behind 10.0.0.1: \
                it was 10.0.0.2 > 10.0.0.5 > 10.0.0.9, it is 10.0.0.3 > * > 10.0.0.9";
    assert_eq!((event.text.raw(), event.subject.raw()), (text, &*PROBE.to_string()));
    assert_eq!((event.kind, event.severity, event.time.secs()), (EventKind::RouteChanged, Severity::Info, 3));
}

proptest! {
    #[test]
    fn what_is_remembered_is_bounded_and_every_change_has_two_sides(
        seen in proptest::collection::vec((0_i64..20_000, 1_u8..8, proptest::collection::vec(proptest::collection::vec(0_u8..40, 0..5), 0..4)), 0..60)
    ) {
        let mut watch = RouteWatch::default();
        for (second, target, paths) in &seen {
            let paths: Vec<&[u8]> = paths.iter().map(Vec::as_slice).collect();
            if let Some(change) = watch.note(&trace(*second, *target, &paths)) {
                prop_assert!(!fits(&change.before, &change.after), "{:?}", change);
                prop_assert!(!change.event().text.is_empty());
            }
            for targets in watch.of.values() {
                prop_assert!(targets.len() <= MOST_ADDRESSES);
                prop_assert!(targets.iter().all(|target| target.known.len() <= MOST_KNOWN + 1));
            }
        }
    }
}
