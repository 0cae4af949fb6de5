//! The schedule with a clock that the test turns.

use netwatch_model::assignment::NarrowedProbes;
use netwatch_model::probe::kind::ping::Ping;
use netwatch_model::probe::{Delays, Detail, Failure, FailureReason, Wilson};
use netwatch_model::{AgentId, AssignedProbe, Timestamp};

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn id(n: u128) -> ProbeId {
    ProbeId::from_bits(n)
}

fn probe(n: u128, interval: f64) -> AssignedProbe {
    let spec = ProbeSpec { interval, ..ProbeSpec::new(ProbeKind::Ping, "192.0.2.1") };
    AssignedProbe { id: id(n), peer: None, spec }
}

fn assignment(probes: Vec<AssignedProbe>) -> Assignment {
    Assignment { revision: 1, probes, ..Assignment::default() }
}

fn result(due: &Due, rtt: Option<f64>) -> ProbeResult {
    let received = u32::from(rtt.is_some());
    let loss = 1.0 - f64::from(received);
    let rtt = rtt.and_then(|rtt| Delays::of(&[rtt]));
    let ping = Ping {
        lookup: None,
        sent: 1,
        received,
        loss,
        loss_interval: Wilson::of(1 - received, 1),
        duplicates: 0,
        reordered: 0,
        late: 0,
        rtt,
        kernel_stamps: true,
        hop_limit: None,
    };
    ProbeResult {
        probe: Some(due.id),
        agent: AgentId(1),
        kind: due.spec.kind,
        target: due.spec.target.clone(),
        address: None,
        source: None,
        scheduled: Timestamp::ZERO,
        start: Timestamp::ZERO,
        duration: 0.0,
        trigger: due.trigger,
        late: false,
        failure: (received == 0).then(|| Failure::new(FailureReason::Timeout, "no answer")),
        detail: Some(Detail::Ping(Box::new(ping))),
    }
}

/// Turns the clock second by second, up to `to`; each run ends at once with this round-trip time.
fn turn(schedule: &mut Schedule, from: u32, to: u32, rtt: Option<f64>) -> Vec<(u32, Trigger)> {
    let mut runs = Vec::new();
    for second in from + 1..=to {
        while let Some(due) = schedule.take(SECOND * second) {
            runs.push((second, due.trigger));
            schedule.ended(&due, &result(&due, rtt), SECOND * second);
        }
    }
    runs
}

#[test]
fn probes_of_one_interval_do_not_march_in_step() {
    let mut schedule = Schedule::new(7);
    schedule.apply(&assignment((0..1000).map(|n| probe(n, 10.0)).collect()), Duration::ZERO);
    let mut each = [0; 10];
    for second in 1..=10 {
        while let Some(due) = schedule.take(SECOND * second) {
            each[second as usize - 1] += 1;
            assert!(due.planned <= SECOND * second);
        }
    }
    assert_eq!(each.iter().sum::<i32>(), 1000);
    assert!(each.iter().all(|n| (60..=140).contains(n)), "{each:?}");
}

#[test]
fn a_probe_runs_once_an_interval() {
    let mut schedule = Schedule::new(1);
    schedule.apply(&assignment(vec![probe(1, 10.0)]), Duration::ZERO);
    let runs = turn(&mut schedule, 0, 100, Some(0.01));
    assert_eq!(runs.len(), 10);
    assert!(runs.windows(2).all(|pair| pair[1].0 - pair[0].0 == 10), "{runs:?}");
    assert_eq!(schedule.missed(), 0);
}

#[test]
fn a_changed_probe_goes_on_with_the_new_values() {
    let mut schedule = Schedule::new(1);
    schedule.apply(&assignment(vec![probe(1, 60.0)]), Duration::ZERO);
    let first = schedule.take(SECOND * 60).expect("it is due");
    let change = schedule.apply(&assignment(vec![probe(1, 5.0)]), SECOND * 60);
    assert_eq!(change, Change { changed: 1, ..Change::default() });
    assert!(schedule.ended(&first, &result(&first, Some(0.01)), SECOND * 60).is_none());
    assert_eq!(turn(&mut schedule, 60, 160, Some(0.01)).len(), 20);
}

#[test]
fn an_assignment_that_leaves_a_probe_as_it_is_leaves_its_schedule() {
    let mut schedule = Schedule::new(1);
    schedule.apply(&assignment(vec![probe(1, 60.0)]), Duration::ZERO);
    let due = schedule.next();
    let change = schedule.apply(&assignment(vec![probe(1, 60.0), probe(2, 60.0)]), SECOND);
    assert_eq!(change, Change { added: 1, ..Change::default() });
    let gone = schedule.apply(&assignment(vec![probe(1, 60.0)]), SECOND);
    assert_eq!((gone.removed, schedule.next(), schedule.len()), (1, due, 1));
}

#[test]
fn runs_of_one_probe_never_overlap_and_what_was_passed_over_is_counted() {
    let mut schedule = Schedule::new(1);
    schedule.apply(&assignment(vec![probe(1, 10.0)]), Duration::ZERO);
    let slow = schedule.take(SECOND * 10).expect("it is due");
    assert_eq!(schedule.take(SECOND * 20), None);
    assert_eq!(schedule.missed(), 1);
    schedule.ended(&slow, &result(&slow, Some(0.01)), SECOND * 21);
    assert!(schedule.take(SECOND * 30).is_some());
}

#[test]
fn after_a_standstill_a_probe_runs_once_and_keeps_its_phase() {
    let mut schedule = Schedule::new(1);
    schedule.apply(&assignment(vec![probe(1, 10.0)]), Duration::ZERO);
    let phase = schedule.next().expect("it is planned");
    assert!(schedule.take(phase + SECOND * 35).is_some());
    assert_eq!((schedule.missed(), schedule.next()), (3, Some(phase + SECOND * 40)));
}

#[test]
fn a_lossy_run_starts_a_burst_and_a_trace_once_in_the_cooldown() {
    let mut schedule = Schedule::new(1);
    schedule.apply(&assignment(vec![probe(1, 60.0)]), Duration::ZERO);
    let lossy = schedule.take(SECOND * 60).expect("it is due");
    let trace = schedule.ended(&lossy, &result(&lossy, None), SECOND * 60).expect("a trace is asked for");
    assert_eq!((trace.spec.kind, &*trace.spec.target, trace.own), (ProbeKind::Mtr, "192.0.2.1", false));
    let runs = turn(&mut schedule, 60, 240, None);
    let bursts = runs.iter().filter(|(_, trigger)| *trigger == Trigger::Burst).count();
    assert_eq!(bursts, 5, "{runs:?}");
    assert!((2..=3).contains(&(runs.len() - bursts)), "then it goes on at its interval: {runs:?}");
}

#[test]
fn a_run_that_says_nothing_about_the_target_starts_no_burst() {
    let mut schedule = Schedule::new(1);
    schedule.apply(&assignment(vec![probe(1, 60.0)]), Duration::ZERO);
    let due = schedule.take(SECOND * 60).expect("it is due");
    let unknown = ProbeResult { failure: Some(Failure::new(FailureReason::NoRight, "no")), ..result(&due, None) };
    assert_eq!(schedule.ended(&due, &unknown, SECOND * 60), None);
}

#[test]
fn a_probe_that_cannot_be_run_is_left_out() {
    let mut schedule = Schedule::new(1);
    let change = schedule.apply(&assignment(vec![probe(1, 0.1)]), Duration::ZERO);
    assert_eq!((change.refused, schedule.len()), (1, 0));
}

#[test]
fn another_bound_changes_no_time_and_holds_for_the_next_run_and_its_extra_trace() {
    let within = |deny: &str| {
        let to = ProbeNetworks { only: Vec::new(), deny: vec![deny.to_owned()] };
        let narrowed = vec![NarrowedProbes { to, probes: vec![probe(1, 60.0)] }];
        Assignment { revision: 1, narrowed, ..Assignment::default() }
    };
    let scope = |deny: &str| Scope::read(&[], &[deny.to_owned()]);
    let mut schedule = Schedule::new(1);
    assert_eq!(schedule.apply(&within("192.0.2.0/24"), Duration::ZERO).added, 1);
    let due_at = schedule.next();
    let change = schedule.apply(&within("198.51.100.0/24"), SECOND);
    assert_eq!((change, schedule.next()), (Change::default(), due_at));
    let due = schedule.take(SECOND * 60).expect("it is due");
    assert_eq!(*due.scope, scope("198.51.100.0/24"));
    let trace = schedule.ended(&due, &result(&due, None), SECOND * 60).expect("it asks for a trace");
    assert_eq!((trace.spec.kind, &*trace.scope), (ProbeKind::Mtr, &scope("198.51.100.0/24")));
    schedule.apply(&assignment(vec![probe(1, 60.0)]), SECOND * 61);
    let due = schedule.take(SECOND * 180).expect("it is due");
    assert_eq!(*due.scope, Scope::default());
}

#[test]
fn a_burst_is_no_faster_than_the_kind_allows() {
    let mut schedule = Schedule::new(1);
    let spec = ProbeSpec { interval: 120.0, ..ProbeSpec::new(ProbeKind::Throughput, "192.0.2.1") };
    schedule.apply(&assignment(vec![AssignedProbe { id: id(1), peer: None, spec }]), Duration::ZERO);
    let failed = schedule.take(SECOND * 120).expect("it is due");
    assert_eq!(schedule.ended(&failed, &result(&failed, None), SECOND * 120), None, "no trace is added");
    let next = schedule.next().expect("it is planned");
    assert!(next >= SECOND * 120 && next - SECOND * 120 <= SECOND * 60, "{next:?}");
    let first = schedule.take(next).expect("it is due");
    schedule.ended(&first, &result(&first, None), next);
    assert_eq!((first.trigger, schedule.next()), (Trigger::Burst, Some(next + SECOND * 60)));
}

#[test]
fn entries_of_one_probe_to_another_agent_run_apart_and_stay_when_one_changes() {
    let entry = |kind, interval| {
        let spec = ProbeSpec { interval, ..ProbeSpec::new(kind, "00000000000000b2.netwatch.internal") };
        AssignedProbe { id: id(1), peer: Some(AgentId(0xb2)), spec }
    };
    let mut schedule = Schedule::new(7);
    let both = |interval| assignment(vec![entry(ProbeKind::Mtr, 300.0), entry(ProbeKind::Ping, interval)]);
    assert_eq!(schedule.apply(&both(60.0), Duration::ZERO).added, 2);
    let change = schedule.apply(&both(30.0), SECOND);
    assert_eq!((change.added, change.changed, change.removed), (0, 1, 0));
    let mut kinds = Vec::new();
    while let Some(due) = schedule.take(Duration::from_secs(300)) {
        assert_eq!(due.id, id(1));
        kinds.push(due.spec.kind);
    }
    kinds.sort();
    assert_eq!(kinds, [ProbeKind::Ping, ProbeKind::Mtr]);
}
