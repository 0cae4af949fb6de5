use jiff::tz::TimeZone;
use netwatch_api::uptime::UptimePeriod;
use proptest::prelude::*;

use super::periods::Calendar;
use super::quorum::agreed;
use super::timeline::{Runs, segments};
use super::*;

const MINUTE: i64 = 60;
const DAY: i64 = 86_400;

/// One run.
fn run(second: i64, state: RunState) -> Runs {
    let is = |wanted| u64::from(state == wanted);
    Runs {
        first: second * 1000,
        last: second * 1000,
        up: is(RunState::Up),
        degraded: is(RunState::Degraded),
        down: is(RunState::Down),
        unknown: is(RunState::Unknown),
        starts_down: state == RunState::Down,
        ends_down: state == RunState::Down,
    }
}

/// A run each minute, with the states of the letters: `u`p, de`g`raded, `d`own, `x` unknown, a blank for none.
fn minutely(letters: &str) -> Vec<Runs> {
    let state = |letter| match letter {
        'u' => Some(RunState::Up),
        'g' => Some(RunState::Degraded),
        'd' => Some(RunState::Down),
        'x' => Some(RunState::Unknown),
        _ => None,
    };
    (0..).zip(letters.chars()).filter_map(|(n, letter)| state(letter).map(|state| run(n * MINUTE, state))).collect()
}

fn line(letters: &str) -> Vec<Segment> {
    let minutes = i64::try_from(letters.len()).unwrap();
    segments(&minutely(letters), 60_000, (0, minutes * MINUTE))
}

/// Minutes of each state, as letters of one for each minute.
fn drawn(segments: &[Segment]) -> String {
    let letter = |state| match state {
        RunState::Up => "u",
        RunState::Degraded => "g",
        RunState::Down => "d",
        RunState::Unknown => "x",
    };
    segments.iter().map(|s| letter(s.state).repeat(usize::try_from((s.to - s.from) / MINUTE).unwrap())).collect()
}

#[test]
fn a_run_holds_until_the_next_one_and_a_gap_is_unknown() {
    assert_eq!(drawn(&line("uudduugu")), "uudduugu");
    assert_eq!(drawn(&line("uu uu")), "uuuuu", "one that is missing is no gap");
    assert_eq!(drawn(&line("uu  uuu")), "uuxxuuu");
    assert_eq!(drawn(&line("ud    du")), "udxxxxdu", "who is away does not say that it is down");
    assert_eq!(drawn(&line("uxuu")), "uxuu", "a run that says nothing about the target is unknown, not missing");
    assert_eq!(
        drawn(&line("  uu      ")),
        "xxuuxxxxxx",
        "nothing is known before the first run, nor long after the last"
    );
    assert_eq!(drawn(&line("    ")), "xxxx");
}

#[test]
fn a_run_before_the_span_tells_how_it_begins() {
    let found = segments(&[run(-30, RunState::Down), run(30, RunState::Up)], 60_000, (0, 60));
    assert_eq!(found[0], Segment { from: 0, to: 30, state: RunState::Down });
}

#[test]
fn a_probe_that_ran_more_slowly_before_was_not_away() {
    let slow: Vec<Runs> = (0..100).map(|n| run(n * 300, RunState::Up)).collect();
    let found = segments(&slow, 60_000, (0, 30_000));
    assert_eq!(found, [Segment { from: 0, to: 30_000, state: RunState::Up }], "its interval was five minutes then");
}

#[test]
fn an_hour_is_told_with_its_outage_where_it_was() {
    let hour = |n: i64, down, starts_down, ends_down| Runs {
        first: n * 3_600_000,
        last: n * 3_600_000 + 59 * 60_000,
        up: 60 - down,
        down,
        starts_down,
        ends_down,
        ..Runs::default()
    };
    let hours = [hour(0, 20, false, true), hour(1, 10, true, false), hour(2, 0, false, false)];
    let found = segments(&hours, 60_000, (0, 3 * 3600));
    assert_eq!(found.len(), 3, "one outage over the end of an hour: {found:?}");
    assert!((found[1].to - found[1].from - 1800).abs() <= 60, "{found:?}");
    let half = Runs { up: 30, ..hour(0, 0, false, false) };
    let sums = Ledger::new(&segments(&[half], 60_000, (0, 3600)), &[]).sums((0, 3600));
    assert_eq!((sums.up, sums.unknown), (1800, 1800), "half of the runs are missing");
}

#[test]
fn maintenance_wins_and_what_failed_in_it_is_told_apart() {
    let ledger = Ledger::new(&line("uuddddux"), &[(3 * MINUTE, 5 * MINUTE)]);
    let sums = ledger.sums((0, 8 * MINUTE));
    let minutes = [sums.up, sums.down, sums.maintenance, sums.unknown, sums.maintenance_down].map(|s| s / MINUTE);
    assert_eq!((minutes, sums.outages), ([3, 2, 2, 1, 2], 2));
    assert_eq!(sums.availability(), Some(0.6));
    let (outages, more) = ledger.outages((0, 8 * MINUTE), 2);
    assert_eq!((outages.len(), more, outages[0].in_maintenance, outages[1].in_maintenance), (2, true, false, true));
}

#[test]
fn agents_agree_by_majority_or_by_the_number_that_is_asked_for() {
    let agents = [line("uudddu"), line("uuudxu"), line("uuuuux")];
    assert_eq!(drawn(&agreed(&agents, None)), "uuuduu", "of two that know, both must say so");
    assert_eq!(drawn(&agreed(&agents, Some(1))), "uudddu");
    assert_eq!(drawn(&agreed(&agents, Some(3))), "uuuuuu");
    assert_eq!(drawn(&agreed(&[line("uxd"), line("xxd")], Some(5))), "uxd", "all of those that know");
    assert_eq!(drawn(&agreed(&[line("ggu"), line("gdu"), line("uuu")], None)), "ggu");
    assert!(agreed(&[], None).is_empty());
}

#[test]
fn windows_are_joined() {
    assert_eq!(joined(vec![(5, 9), (1, 3), (3, 4), (8, 12), (20, 20)]), [(1, 4), (5, 12)]);
}

fn told(period: UptimePeriod, now: &str, zone: &str) -> Calendar {
    let now = now.parse::<jiff::Timestamp>().unwrap().as_second();
    Calendar::new(period, now, now, &TimeZone::get(zone).unwrap()).unwrap()
}

#[test]
fn days_are_as_long_as_they_are() {
    // Clocks in Berlin went forward on 2026-03-29 and back on 2026-10-25.
    for (now, hours) in [("2026-03-29T20:00:00Z", 23), ("2026-10-25T20:00:00Z", 25), ("2026-11-21T20:00:00Z", 24)] {
        let day = told(UptimePeriod::Day, now, "Europe/Berlin");
        assert_eq!((day.whole.1 - day.whole.0) / 3600, hours, "{now}");
        assert!(day.parts.iter().all(|(from, to)| to - from == 3600), "{now}");
    }
    let week = told(UptimePeriod::Week, "2026-03-29T21:59:00Z", "Europe/Berlin");
    assert_eq!((week.whole.1 - week.whole.0, week.parts.len()), (7 * DAY - 3600, 7), "Monday to Sunday");
    let march = told(UptimePeriod::Month, "2026-03-31T21:59:59Z", "Europe/Berlin");
    let short: Vec<_> = march.parts.iter().filter(|(from, to)| to - from == 23 * 3600).collect();
    assert_eq!((march.parts.len(), short.len()), (31, 1));
    let quarter = told(UptimePeriod::Quarter, "2026-11-21T12:00:00Z", "Asia/Kolkata");
    assert_eq!(quarter.whole.1 - quarter.whole.0, 92 * DAY);
    assert_eq!(told(UptimePeriod::Year, "2026-11-21T12:00:00Z", "UTC").parts.len(), 11);
}

#[test]
fn a_rolling_period_ends_now() {
    let month = told(UptimePeriod::LastMonth, "2026-11-05T11:30:15Z", "Europe/Berlin");
    assert_eq!(month.whole.1 - month.whole.0, 30 * DAY);
    assert_eq!((month.parts.len(), month.parts[0].0), (31, month.whole.0), "days, the first and the last cut");
    let day = told(UptimePeriod::LastDay, "2026-11-05T11:30:15Z", "Asia/Kolkata");
    assert_eq!((day.parts.len(), day.parts[1].0 % 3600), (25, 1800), "hours by the clock of the zone");
}

fn any_state() -> impl Strategy<Value = RunState> {
    prop::sample::select(vec![RunState::Up, RunState::Degraded, RunState::Down, RunState::Unknown])
}

/// Runs of an agent: single ones and whole buckets, at any distance.
fn any_runs() -> impl Strategy<Value = Vec<Runs>> {
    let single = (1_i64..400_000, any_state()).prop_map(|(after, state)| (after, run(0, state)));
    let bucket = (0_u64..40, 0_u64..40, 0_u64..40, 0_u64..40, any::<bool>(), any::<bool>(), 0_i64..3_600_000);
    let bucket = bucket.prop_map(|(up, degraded, down, unknown, starts, ends, last)| {
        let (starts_down, ends_down) = (starts && down > 0, ends && down > 0);
        (1_000, Runs { first: 0, last, up, degraded, down, unknown, starts_down, ends_down })
    });
    prop::collection::vec(prop_oneof![4 => single, 1 => bucket], 0..120).prop_map(|parts| {
        let mut at = -100_000;
        let place = |(after, runs): (i64, Runs)| {
            let first = at + after;
            at = first + runs.last;
            Runs { first, last: at, ..runs }
        };
        parts.into_iter().map(place).collect()
    })
}

proptest! {
    #[test]
    fn the_seconds_of_every_period_add_up(
        agents in prop::collection::vec(any_runs(), 0..4),
        windows in prop::collection::vec((-5_000_i64..30_000, 0_i64..8_000), 0..6),
        cuts in prop::collection::btree_set(-1_000_i64..25_000, 2..12),
        interval in 1_000_i64..300_000,
        quorum in prop::option::of(1_u32..5),
    ) {
        let span = (0, 20_000);
        let lines: Vec<Vec<Segment>> = agents.iter().map(|runs| segments(runs, interval, span)).collect();
        for line in &lines {
            prop_assert_eq!((line[0].from, line.last().unwrap().to), span);
            prop_assert!(line.windows(2).all(|pair| pair[0].to == pair[1].from && pair[0].state != pair[1].state));
        }
        let windows = joined(windows.into_iter().map(|(from, length)| (from, from + length)).collect());
        let ledger = Ledger::new(&agreed(&lines, quorum), &windows);
        let whole = ledger.sums(span);
        prop_assert_eq!(whole.whole(), span.1 - span.0);
        prop_assert!(whole.maintenance_down <= whole.maintenance);
        let cuts: Vec<i64> = cuts.into_iter().collect();
        let mut parts = Sums::default();
        for pair in cuts.windows(2) {
            let sums = ledger.sums((pair[0], pair[1]));
            prop_assert_eq!(sums.whole(), pair[1] - pair[0]);
            parts.up += sums.up;
            parts.down += sums.down;
        }
        let all = ledger.sums((cuts[0], cuts[cuts.len() - 1]));
        prop_assert_eq!((parts.up, parts.down), (all.up, all.down));
    }

    #[test]
    fn the_parts_of_every_period_are_the_period(
        now in 0_i64..4_000_000_000,
        period in prop::sample::select(vec![
            UptimePeriod::Day, UptimePeriod::Week, UptimePeriod::Month, UptimePeriod::Quarter, UptimePeriod::Year,
            UptimePeriod::LastDay, UptimePeriod::LastWeek, UptimePeriod::LastMonth, UptimePeriod::LastQuarter,
        ]),
        zone in prop::sample::select(vec![
            "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo",
            "Pacific/Apia", "Africa/Cairo",
        ]),
    ) {
        let zone = TimeZone::get(zone).unwrap();
        let calendar = Calendar::new(period, now, now, &zone).unwrap();
        let (from, to) = calendar.whole;
        prop_assert!(from <= now && now <= to && from < to);
        let until = to.min(now);
        let told: i64 = calendar.parts.iter().map(|(from, to)| to - from).sum();
        prop_assert_eq!(told, until - from);
        prop_assert!(calendar.parts.windows(2).all(|pair| pair[0].1 == pair[1].0));
        prop_assert!(calendar.parts.first().is_none_or(|part| part.0 == from));
    }
}
