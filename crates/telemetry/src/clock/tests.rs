use proptest::prelude::*;

use super::*;

const TICK: Duration = Duration::from_millis(250);

#[test]
fn the_system_clock_moves_on_and_agrees_with_the_library() {
    let before = monotonic();
    #[expect(clippy::disallowed_methods, reason = "the independent witness")]
    let witness = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let wall = Duration::from_nanos(u64::try_from(now().nanos()).unwrap());
    assert!(wall.abs_diff(witness) < Duration::from_secs(1), "{wall:?} against {witness:?}");
    assert!(monotonic() >= before);
}

#[test]
fn a_step_is_told_once_with_its_size_and_direction() {
    let clock = ManualClock::at(Timestamp::from_secs(1_700_000_000));
    let mut detector = StepDetector::default();
    assert_eq!(detector.observe(clock.reading()), None);
    clock.advance(TICK);
    assert_eq!(detector.observe(clock.reading()), None);

    clock.set_wall(clock.now() + Duration::from_secs(3600));
    clock.advance(TICK);
    let step = detector.observe(clock.reading()).expect("an hour forward is a step");
    assert_eq!((step.by, step.forward, step.time), (Duration::from_secs(3600), true, clock.now()));
    assert_eq!(step.to_string(), "the wall clock was set forward by 3600.000 s");
    clock.advance(TICK);
    assert_eq!(detector.observe(clock.reading()), None, "told once");

    clock.set_wall(clock.now() - Duration::from_millis(2001));
    let step = detector.observe(clock.reading()).expect("back by more than the threshold");
    assert!(!step.forward);
    assert_eq!(step.by, Duration::from_millis(2001));
}

#[test]
fn a_long_sleep_is_no_step() {
    let clock = ManualClock::at(Timestamp::from_secs(1));
    let mut detector = StepDetector::default();
    detector.observe(clock.reading());
    clock.advance(Duration::from_secs(8 * 3600));
    assert_eq!(detector.observe(clock.reading()), None);
}

#[test]
fn slewing_for_hours_is_no_step() {
    let mut detector = StepDetector::default();
    for tick in 0_u32..100_000 {
        let slew = Duration::from_micros(125) * tick; // 500 ppm of a tick
        let reading = Reading { wall: Timestamp::ZERO + TICK * tick + slew, monotonic: TICK * tick };
        assert_eq!(detector.observe(reading), None, "tick {tick}");
    }
}

proptest! {
    #[test]
    fn any_two_readings_give_a_step_exactly_when_the_clocks_part(
        wall in any::<i64>(), mono in 0_u64..=u64::MAX / 2, moved in any::<i64>(), passed in any::<u32>(),
    ) {
        let mut detector = StepDetector::default();
        let first = Reading { wall: Timestamp::from_nanos(wall), monotonic: Duration::from_nanos(mono) };
        let second = Reading {
            wall: Timestamp::from_nanos(wall.saturating_add(moved)),
            monotonic: Duration::from_nanos(mono + u64::from(passed)),
        };
        detector.observe(first);
        let off = i128::from(second.wall.nanos()) - i128::from(wall) - i128::from(passed);
        let step = detector.observe(second);
        prop_assert_eq!(step.is_some(), off.unsigned_abs() > STEP_THRESHOLD.as_nanos());
        if let Some(step) = step {
            prop_assert_eq!(step.forward, off > 0);
        }
    }
}
