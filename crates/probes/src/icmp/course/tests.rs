//! A trace by examples and against arbitrary networks.

use netwatch_wire::icmp::Unreachable;
use proptest::prelude::*;

use super::*;

fn plan() -> Plan {
    Plan {
        target: host(9),
        cycles: 3,
        spacing: Duration::from_millis(100),
        timeout: Duration::from_millis(500),
        start: Duration::from_secs(10),
        max_hops: 10,
        flows: 1,
        large: false,
    }
}

fn host(n: u8) -> IpAddr {
    [10, 0, 0, n].into()
}

fn exceeded() -> Reply {
    Reply::Error(Cause::TimeExceeded, Vec::new())
}

/// Runs a trace in a network that answers at once; gives what it found and what it sent.
fn run(plan: Plan, mut network: impl FnMut(Shot) -> Option<(IpAddr, Reply)>) -> (Findings, Vec<Shot>) {
    let mut course = Course::new(plan);
    let (mut now, mut shots) = (plan.start, Vec::new());
    loop {
        match course.next(now) {
            Next::Send(at) => {
                now = now.max(at);
                let shot = course.shot();
                course.sent(now);
                shots.push(shot);
                if let Some((from, reply)) = network(shot) {
                    assert!(course.answered(shot.number, now + Duration::from_millis(1), from, reply.clone()));
                    assert!(!course.answered(shot.number, now + Duration::from_millis(1), from, reply), "a duplicate");
                }
            }
            Next::Wait(at) => now = at,
            Next::Done => return (course.finish(), shots),
        }
        assert!(shots.len() < 10_000, "it ends");
    }
}

/// Hops 1 to 3 with the addresses of their numbers, then the target.
fn four_hops(shot: Shot) -> Option<(IpAddr, Reply)> {
    Some(if shot.ttl < 4 { (host(shot.ttl), exceeded()) } else { (host(9), Reply::Target) })
}

#[test]
fn packets_end_at_the_target_once_it_is_known() {
    let (found, shots) = run(plan(), four_hops);
    // The packet after the one that the target answered was already due.
    assert_eq!(shots.iter().map(|shot| shot.ttl).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 1, 2, 3, 4, 1, 2, 3, 4]);
    let flow = &found.flows[0];
    assert_eq!((flow.reached, flow.hops.len()), (Some(4), 4));
    assert!(flow.hops.iter().all(|hop| (hop.sent, hop.answered) == (3, 3)));
}

#[test]
fn who_bars_the_way_ends_it() {
    let barred = Reply::Error(Cause::Unreachable(Unreachable::Host), Vec::new());
    let (found, _) =
        run(plan(), |shot| Some(if shot.ttl < 3 { (host(shot.ttl), exceeded()) } else { (host(2), barred.clone()) }));
    let flow = &found.flows[0];
    assert_eq!((flow.reached, flow.barred, flow.hops.len()), (None, Some(3), 2), "the router is shown once");
    assert!(matches!(found.trouble, Some(Trouble::Network { .. })));
}

#[test]
fn a_longer_route_is_followed() {
    let mut calls = 0;
    let (found, _) = run(plan(), |shot| {
        calls += 1;
        let end = if calls <= 4 { 4 } else { 6 };
        Some(if shot.ttl < end { (host(shot.ttl), exceeded()) } else { (host(9), Reply::Target) })
    });
    let flow = &found.flows[0];
    assert_eq!(flow.reached, Some(6));
    assert_eq!(flow.hops[3].addresses, [(host(9), 1), (host(4), 2)]);
}

#[test]
fn answers_after_the_timeout_and_of_unknown_packets_change_nothing() {
    let mut course = Course::new(plan());
    course.sent(Duration::from_secs(10));
    assert!(!course.answered(0, Duration::from_secs(11), host(1), exceeded()));
    assert!(!course.answered(7, Duration::from_secs(10), host(1), exceeded()));
    assert_eq!(course.finish().flows[0].hops, []);
}

#[test]
fn a_number_is_found_by_its_low_bits() {
    let mut course = Course::new(Plan { cycles: 10_000, ..plan() });
    assert_eq!(course.number_of(0, 0xffff), None);
    (0..70_000).for_each(|_| course.sent(Duration::from_secs(10)));
    assert_eq!(course.number_of(69_999 & 0xffff, 0xffff), Some(69_999));
    assert_eq!(course.number_of(65_000, 0xffff), Some(65_000));
    assert_eq!(course.number_of(70_001, u32::MAX), None);
}

proptest! {
    /// Whatever the network does, a trace ends, sends no more than it may, and answers are among packets.
    #[test]
    fn a_trace_ends_in_any_network(seed in proptest::collection::vec((0_u8..12, 0_u8..6), 1..200), flows in 1_u8..5, max_hops in 1_u8..20, large: bool) {
        let plan = Plan { flows, max_hops, large, ..plan() };
        let mut script = seed.iter().cycle();
        let (found, shots) = run(plan, |_| {
            let (who, what) = *script.next().unwrap();
            match what {
                0 => None,
                1 => Some((host(9), Reply::Target)),
                2 => Some((host(who), Reply::Error(Cause::Unreachable(Unreachable::Prohibited), Vec::new()))),
                3 => Some((host(who), Reply::Error(Cause::TooBig { mtu: Some(1400) }, Vec::new()))),
                _ => Some((host(who), exceeded())),
            }
        });
        prop_assert!(shots.len() <= 3 * usize::from(flows) * usize::from(max_hops) + CHECKS as usize);
        for flow in &found.flows {
            prop_assert!(flow.hops.len() <= usize::from(max_hops));
            prop_assert!(flow.hops.iter().all(|hop| hop.answered <= hop.sent && hop.sent <= 3));
        }
    }
}
