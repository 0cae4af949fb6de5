//! What an answer means, by examples and against a simple model.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

const PLAN: Plan = Plan {
    count: 4,
    spacing: Duration::from_millis(100),
    timeout: Duration::from_millis(1000),
    start: Duration::from_millis(5000),
    ttl: None,
};

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A run whose requests left as planned.
fn all_sent() -> Echoes {
    let mut echoes = Echoes::new(PLAN);
    for i in 0..4 {
        assert_eq!(echoes.next(ms(5000)), Next::Send(ms(5000 + 100 * i)));
        echoes.sent(ms(5000 + 100 * i));
    }
    echoes
}

#[test]
fn a_late_answer_is_a_loss() {
    let mut echoes = all_sent();
    echoes.answered(0, ms(6000));
    echoes.answered(1, ms(6101));
    assert_eq!(echoes.next(ms(6200)), Next::Wait(ms(6300)));
    let tally = echoes.finish();
    assert_eq!((tally.rtts, tally.late), (vec![1.0], 1));
}

#[test]
fn a_duplicate_counts_once_and_is_no_round_trip() {
    let mut echoes = all_sent();
    for at in [5010, 5011, 5012] {
        echoes.answered(0, ms(at));
    }
    let tally = echoes.finish();
    assert_eq!((tally.duplicates, tally.rtts, tally.reordered), (2, vec![0.01], 0));
}

#[test]
fn an_overtaken_answer_is_reordered() {
    let mut echoes = all_sent();
    for number in [0, 3, 1, 2] {
        echoes.answered(number, ms(5400));
    }
    assert_eq!(echoes.finish().reordered, 2);
}

#[test]
fn a_run_ends_with_its_last_answer_and_not_with_its_timeout() {
    let mut echoes = all_sent();
    (0..4).for_each(|number| _ = echoes.answered(number, ms(5310)));
    assert_eq!(echoes.next(ms(5311)), Next::Wait(ms(5410)), "duplicates may still come");
    assert_eq!(echoes.next(ms(5410)), Next::Done);
}

#[test]
fn what_is_unanswered_is_waited_for() {
    let echoes = all_sent();
    assert_eq!(echoes.next(ms(6299)), Next::Wait(ms(6300)));
    assert_eq!(echoes.next(ms(6300)), Next::Done);
}

#[test]
fn who_was_held_up_does_not_catch_up_in_a_burst() {
    let mut echoes = Echoes::new(PLAN);
    echoes.sent(ms(9000));
    assert_eq!(echoes.next(ms(9000)), Next::Send(ms(9100)));
    echoes.sent(ms(9130));
    assert_eq!(echoes.next(ms(9130)), Next::Send(ms(9200)), "a little late is no reason to change the rhythm");
}

proptest! {
    /// Requests leave in order, each (number, delay) is an answer, in the order of arrival.
    #[test]
    fn the_tally_is_that_of_a_simple_model(count in 1_u32..20, answers in proptest::collection::vec((0_u32..25, 0_u64..1500), 0..60)) {
        let mut echoes = Echoes::new(Plan { count, ..PLAN });
        (0..count).for_each(|i| echoes.sent(ms(5000 + 100 * u64::from(i))));
        let mut arrivals: Vec<_> = answers.iter().map(|(n, delay)| (5000 + 100 * u64::from(*n) + delay, *n)).collect();
        arrivals.sort_unstable();
        let (mut seen, mut in_time, mut late, mut duplicates) = (BTreeSet::new(), Vec::new(), 0, 0);
        for (at, number) in arrivals {
            echoes.answered(number, ms(at));
            if number >= count { continue }
            match (seen.insert(number), at - 5000 - 100 * u64::from(number)) {
                (false, _) => duplicates += 1,
                (true, delay) if delay > 1000 => late += 1,
                (true, _) => in_time.push(number),
            }
        }
        let reordered = in_time.iter().enumerate().filter(|(i, n)| in_time[..*i].iter().any(|before| before > n)).count();
        let tally = echoes.finish();
        prop_assert_eq!((tally.sent, tally.late, tally.duplicates), (count, late, duplicates));
        prop_assert_eq!(tally.rtts.len(), in_time.len());
        prop_assert_eq!(tally.reordered as usize, reordered);
        prop_assert!(tally.rtts.iter().all(|rtt| *rtt <= 1.0));
    }
}
