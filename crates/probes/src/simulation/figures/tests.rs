//! Sessions through a path that loses, delays, doubles and turns round exactly what a test says, in virtual time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use netwatch_model::Timestamp;
use netwatch_model::probe::kind::simulation::Simulation;
use netwatch_model::voice::Codec;
use netwatch_wire::stamp::time::{ErrorEstimate, StampTime};
use netwatch_wire::stamp::{Reflected, Sent};
use proptest::prelude::*;

use super::super::session::{FIRST, Incoming, Plan, Session, Step};
use super::way::Bursts;

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// When the copies of the n-th packet arrive after it left; none when it is lost.
type Way<'a> = &'a dyn Fn(u32) -> Vec<Duration>;

/// A path and a reflector at its end.
struct Lab<'a> {
    /// By the sender's number, less that of the stream's first packet; negative numbers wrap.
    forward: Way<'a>,
    /// By the number of the packet that is answered.
    reverse: Way<'a>,
    is_stateful: bool,
    /// How far the clock of the reflector is ahead.
    ahead: Duration,
    is_synchronised: bool,
}

#[derive(PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
enum Event {
    There(u32, i64),
    Back { sequence: u32, number: u32, sent: i64, t2: i64 },
}

impl Lab<'_> {
    const BEGIN: i64 = 1_795_000_000_000_000_000;

    fn run(&self, plan: Plan) -> Simulation {
        let own = self.is_synchronised.then_some(0.001);
        self.session(plan).finish(own, None)
    }

    fn session(&self, plan: Plan) -> Session {
        let mut session = Session::new(plan);
        let (mut now, mut counter) = (Duration::from_secs(5), 0);
        let mut queue: BinaryHeap<Reverse<(Duration, u32, Event)>> = BinaryHeap::new();
        let mut order = 0;
        loop {
            let until = match session.step(now) {
                Step::Done => return session,
                Step::Send(sequence) => {
                    let stamp = wall(now);
                    session.sent(sequence, now, stamp);
                    for delay in (self.forward)(sequence.wrapping_sub(FIRST)) {
                        order += 1;
                        queue.push(Reverse((now + delay, order, Event::There(sequence, stamp.nanos()))));
                    }
                    continue;
                }
                Step::Wait(until) => until,
            };
            let is_next = queue.peek().is_some_and(|Reverse((time, ..))| *time <= until);
            let next = if is_next { queue.pop() } else { None };
            let Some(Reverse((time, _, event))) = next else {
                now = until;
                continue;
            };
            now = time.max(now);
            match event {
                Event::There(sequence, sent) => {
                    let number = if self.is_stateful { counter } else { sequence };
                    counter += 1;
                    let t2 = (wall(now) + self.ahead).nanos();
                    for delay in (self.reverse)(sequence.wrapping_sub(FIRST)) {
                        order += 1;
                        let event = Event::Back { sequence, number, sent, t2 };
                        queue.push(Reverse((now + delay, order, event)));
                    }
                }
                Event::Back { sequence, number, sent, t2 } => {
                    let error = ErrorEstimate::of(ms(1), self.is_synchronised);
                    let stamp = |nanos| StampTime::ntp(Timestamp::from_nanos(nanos));
                    let sent = Sent { sequence, time: stamp(sent), error, session: 1 };
                    let answer =
                        Reflected { sequence: number, time: stamp(t2), error, received: stamp(t2), sent, ttl: 255 };
                    session.receive(&Incoming { now, stamp: wall(now), answer, dscp: Some(46), class: None });
                }
            }
        }
    }
}

fn wall(now: Duration) -> Timestamp {
    Timestamp::from_nanos(Lab::BEGIN) + now
}

fn plan(count: u32) -> Plan {
    Plan { count, spacing: ms(20), timeout: ms(1000), codec: Codec::G711Plc, buffer: ms(40) }
}

fn clean(delay: u64) -> impl Fn(u32) -> Vec<Duration> {
    move |_| vec![ms(delay)]
}

/// Loses the packets of the stream for which `lost` is true.
fn lossy(delay: u64, lost: impl Fn(u32) -> bool) -> impl Fn(u32) -> Vec<Duration> {
    move |n| if lost(n) { vec![] } else { vec![ms(delay)] }
}

fn lab<'a>(forward: Way<'a>, reverse: Way<'a>) -> Lab<'a> {
    Lab { forward, reverse, is_stateful: true, ahead: ms(5000), is_synchronised: false }
}

fn near(is: f64, must: f64) {
    assert!((is - must).abs() < 1e-6, "{is} is not {must}");
}

#[test]
fn a_clean_path_has_no_faults() {
    let all = lab(&clean(20), &clean(10)).run(plan(100));
    assert_eq!((all.sent, all.received, all.late, all.duplicates, all.reordered), (100, 100, 0, 0, 0));
    let rtt = all.rtt.expect("there are answers");
    near(rtt.min, 0.030);
    near(rtt.max, 0.030);
    for way in [all.forward.expect("stateful"), all.reverse.expect("stateful")] {
        assert_eq!((way.sent, way.lost, way.bursts, way.reordered, way.duplicates), (100, 0, 0, 0, 0));
        near(way.jitter, 0.0);
        near(way.burst_ratio, 1.0);
        assert_eq!(way.delay, None, "the clocks are not synchronised");
        let voice = way.voice.expect("there is a codec");
        assert!(voice.delay_estimated && voice.mos > 4.4, "{voice:?}");
        near(voice.delay, 0.015 + 0.040 + 0.020);
    }
}

#[test]
fn loss_is_given_to_the_direction_that_lost() {
    let forward = lossy(20, |n| n < 500 && n % 10 == 3);
    let all = lab(&forward, &clean(10)).run(plan(500));
    let (there, back) = (all.forward.expect("there"), all.reverse.expect("back"));
    assert_eq!((there.sent, there.lost, back.sent, back.lost), (500, 50, 450, 0));
    assert_eq!((there.bursts, there.longest_burst), (50, 1));
    let reverse = lossy(10, |n| n < 500 && n % 20 == 3);
    let all = lab(&clean(20), &reverse).run(plan(500));
    let (there, back) = (all.forward.expect("there"), all.reverse.expect("back"));
    assert_eq!((there.sent, there.lost, back.sent, back.lost), (500, 0, 500, 25));
    assert_eq!((all.sent, all.received, all.lost_somewhere), (500, 475, 0));
}

#[test]
fn loss_both_ways_is_counted_exactly() {
    let (forward, reverse) = (lossy(20, |n| n % 7 == 3 && n < 300), lossy(10, |n| n % 11 == 5 && n < 300));
    let all = lab(&forward, &reverse).run(plan(300));
    let lost_there = (0..300).filter(|n| n % 7 == 3).count() as u32;
    let lost_back = (0..300).filter(|n| n % 7 != 3 && n % 11 == 5).count() as u32;
    let (there, back) = (all.forward.expect("there"), all.reverse.expect("back"));
    assert_eq!((there.lost, back.lost, back.sent), (lost_there, lost_back, 300 - lost_there));
    assert_eq!(all.received, 300 - lost_there - lost_back);
}

#[test]
fn separate_bursts_stay_apart() {
    let forward = lossy(20, |n| (10..13).contains(&n) || (20..25).contains(&n) || n == 40);
    let all = lab(&forward, &clean(10)).run(plan(100));
    let there = all.forward.expect("there");
    assert_eq!((there.lost, there.bursts, there.longest_burst), (9, 3, 5));
    near(there.burst_ratio, 3.0 * 0.91);
    assert_eq!(Bursts::of([].into_iter()).ratio(), 1.0);
    assert_eq!(Bursts::of([false, false].into_iter()).ratio(), 1.0);
}

#[test]
fn loss_at_the_end_finds_its_direction() {
    let forward = lossy(20, |n| (95..100).contains(&n));
    let all = lab(&forward, &clean(10)).run(plan(100));
    let (there, back) = (all.forward.expect("there"), all.reverse.expect("back"));
    assert_eq!((there.lost, back.lost, all.lost_somewhere), (5, 0, 0));
    let reverse = lossy(10, |n| (95..100).contains(&n));
    let all = lab(&clean(20), &reverse).run(plan(100));
    let (there, back) = (all.forward.expect("there"), all.reverse.expect("back"));
    assert_eq!((there.lost, back.lost, all.lost_somewhere), (0, 5, 0));
}

#[test]
fn loss_after_the_last_answer_belongs_to_nobody() {
    // The first packet has the number -2.
    let forward = lossy(20, |n| (60..1000).contains(&n));
    let all = lab(&forward, &clean(10)).run(plan(100));
    let (there, back) = (all.forward.expect("there"), all.reverse.expect("back"));
    assert_eq!((there.sent, there.lost, back.lost, all.lost_somewhere), (60, 0, 0, 40));
    assert_eq!((all.sent, all.received), (100, 60));
}

#[test]
fn a_lost_first_packet_changes_nothing() {
    for (forward, reverse) in [(true, false), (false, true)] {
        let forward = lossy(20, move |n| forward && n == 0_u32.wrapping_sub(FIRST) || n == 7);
        let reverse = lossy(10, move |n| reverse && n == 0_u32.wrapping_sub(FIRST) || n == 9);
        let all = lab(&forward, &reverse).run(plan(100));
        let (there, back) = (all.forward.expect("there"), all.reverse.expect("back"));
        assert_eq!((there.sent, there.lost, back.sent, back.lost), (100, 1, 99, 1));
    }
}

#[test]
fn order_and_duplicates_are_told_apart_by_direction() {
    let turned = |n: u32| if n == 30 { vec![ms(65)] } else { vec![ms(20)] };
    let doubled = |n: u32| if n == 50 || n == 99 { vec![ms(20), ms(21)] } else { vec![ms(20)] };
    let all = lab(&turned, &clean(10)).run(plan(100));
    let (there, back) = (all.forward.expect("there"), all.reverse.expect("back"));
    assert_eq!((there.reordered, back.reordered, all.reordered), (1, 0, 1));
    let all = lab(&clean(20), &turned).run(plan(100));
    let (there, back) = (all.forward.expect("there"), all.reverse.expect("back"));
    assert_eq!((there.reordered, back.reordered, there.lost, back.lost), (0, 1, 0, 0));
    let all = lab(&doubled, &clean(10)).run(plan(100));
    let (there, back) = (all.forward.expect("there"), all.reverse.expect("back"));
    assert_eq!((there.duplicates, back.duplicates, all.duplicates, there.lost, back.lost), (2, 0, 2, 0, 0));
    let all = lab(&clean(20), &doubled).run(plan(100));
    let (there, back) = (all.forward.expect("there"), all.reverse.expect("back"));
    assert_eq!((there.duplicates, back.duplicates, all.duplicates, all.received), (0, 2, 2, 100));
}

#[test]
fn jitter_is_that_of_each_direction() {
    let shaking = |n: u32| vec![ms(20 + u64::from(n % 2) * 8)];
    let all = lab(&shaking, &clean(10)).run(plan(100));
    let (there, back) = (all.forward.expect("there"), all.reverse.expect("back"));
    near(there.jitter, 0.008 * (1.0 - (15.0_f64 / 16.0).powi(99)));
    near(there.pdv_p95, 0.008);
    near(back.jitter, 0.0);
}

#[test]
fn a_late_answer_is_lost_where_it_was_slow() {
    let slow = |n: u32| vec![ms(if n == 10 { 1500 } else { 20 })];
    for is_forward in [true, false] {
        let (forward, reverse): (Way<'_>, Way<'_>) = if is_forward { (&slow, &clean(10)) } else { (&clean(10), &slow) };
        let all = lab(forward, reverse).run(plan(100));
        assert_eq!((all.received, all.late), (99, 1));
        let (there, back) = (all.forward.expect("there"), all.reverse.expect("back"));
        assert_eq!((there.lost, back.lost), (u32::from(is_forward), u32::from(!is_forward)));
    }
}

#[test]
fn one_way_delay_needs_clocks_that_agree() {
    let all = Lab { ahead: ms(0), is_synchronised: true, ..lab(&clean(20), &clean(10)) }.run(plan(50));
    let error = all.clock_error.expect("both say so");
    assert!((0.002..0.0021).contains(&error), "{error}");
    let (there, back) = (all.forward.expect("there"), all.reverse.expect("back"));
    near(there.delay.expect("it is known").median, 0.020);
    near(back.delay.expect("it is known").median, 0.010);
    let voice = there.voice.expect("there is a codec");
    assert!(!voice.delay_estimated);
    near(voice.delay, 0.080);
    // Delays that the clocks cannot tell are left out.
    let close = Lab { ahead: ms(0), is_synchronised: true, ..lab(&clean(1), &clean(1)) }.run(plan(50));
    assert_eq!(close.forward.expect("there").delay, None);
    let alone = lab(&clean(20), &clean(10)).session(plan(50)).finish(Some(0.001), None);
    assert_eq!((alone.clock_error, alone.forward.expect("there").delay), (None, None));
}

#[test]
fn a_stateless_reflector_tells_only_of_the_round_trip() {
    let forward = lossy(20, |n| n == 5);
    let all = Lab { is_stateful: false, ..lab(&forward, &clean(10)) }.run(plan(100));
    assert_eq!((all.stateful, all.sent, all.received), (false, 100, 99));
    assert!(all.rtt.is_some() && all.forward.is_none() && all.reverse.is_none());
}

#[test]
fn packets_too_late_for_the_buffer_are_lost_for_the_listener() {
    let shaking = |n: u32| vec![ms(if n % 10 == 4 { 90 } else { 20 })];
    let all = lab(&shaking, &clean(10)).run(plan(100));
    let (there, back) = (all.forward.expect("there"), all.reverse.expect("back"));
    assert_eq!(there.lost, 0);
    let (voice, other) = (there.voice.expect("a codec"), back.voice.expect("a codec"));
    near(voice.loss, 0.1);
    near(other.loss, 0.0);
    assert!(voice.mos < 3.5 && other.mos > 4.3, "{voice:?} {other:?}");
}

#[test]
fn nothing_back_is_no_figure() {
    let nothing = |_: u32| Vec::new();
    let all = lab(&nothing, &clean(10)).run(plan(20));
    assert_eq!((all.sent, all.received, all.rtt, all.stateful), (20, 0, None, false));
}

#[test]
fn an_answer_of_another_session_is_none_of_ours() {
    let mut session = lab(&clean(20), &clean(10)).session(plan(10));
    let before = session.finish(None, None);
    let error = ErrorEstimate::default();
    // The right number with the stamp of another run, and a number that was never sent.
    for sequence in [FIRST, 5000] {
        let sent = Sent { sequence, time: StampTime::ntp(Timestamp::from_secs(1)), error, session: 1 };
        let answer = Reflected { sequence: 90, error, sent, ..Reflected::default() };
        session.receive(&Incoming { now: ms(9000), stamp: wall(ms(9000)), answer, dscp: None, class: None });
    }
    assert_eq!(session.finish(None, None), before);
    assert_eq!(session.foreign, 2);
}

#[test]
fn a_step_of_the_clock_makes_no_delay() {
    let session = |step: Duration| {
        let mut session = Session::new(plan(1));
        session.step(ms(0));
        let sent_at = wall(ms(0));
        session.sent(0, ms(0), sent_at);
        session.sent(FIRST, ms(1), sent_at);
        let error = ErrorEstimate::default();
        let sent = Sent { sequence: FIRST, time: StampTime::ntp(sent_at), error, session: 1 };
        let far = StampTime::ntp(sent_at);
        let answer = Reflected { sequence: 1, time: far, error, received: far, sent, ttl: 1 };
        session.receive(&Incoming { now: ms(31), stamp: wall(ms(30)) - step, answer, dscp: None, class: None });
        session.finish(None, None).rtt.expect("an answer").median
    };
    near(session(ms(0)), 0.030);
    near(session(Duration::from_secs(3600)), 0.030);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_loss_is_counted_once_and_in_its_direction(
        there in proptest::collection::vec(0_u8..4, 40), back in proptest::collection::vec(0_u8..4, 40)
    ) {
        let is_lost = |list: &[u8], n: u32| list.get(n as usize).is_some_and(|roll| *roll == 0);
        let (forward, reverse) = (lossy(20, |n| is_lost(&there, n)), lossy(10, |n| is_lost(&back, n)));
        let all = lab(&forward, &reverse).run(plan(40));
        let lost_there = (0..40).filter(|n| is_lost(&there, *n)).count() as u32;
        let lost_back = (0..40).filter(|n| !is_lost(&there, *n) && is_lost(&back, *n)).count() as u32;
        prop_assert_eq!(all.received, 40 - lost_there - lost_back);
        prop_assert_eq!(all.lost_somewhere, 0);
        let (Some(there), Some(back)) = (all.forward, all.reverse) else { return Err(TestCaseError::fail("stateful")) };
        prop_assert_eq!((there.sent, there.lost, back.lost), (40, lost_there, lost_back));
    }
}
