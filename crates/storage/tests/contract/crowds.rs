//! More addresses than sums are kept of: answers stay exact as long as flow records are kept, and say by how much they may be short
//! after that.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use netwatch_model::filter::Filter;
use netwatch_model::{FlowId, FlowRecord, Record};
use netwatch_storage::{Dimension, Explore, Explored, Keep, Kind, Measure, Resolution, TelemetryStore};

use crate::support::{Bench, HOUR, at, counters, ended, flow, minutes, question};

/// Hosts that talk with the server, once an hour.
const HOSTS: u32 = 2500;
const HOURS: i64 = 3;

/// What host n sends each time.
type Octets = fn(u32) -> u64;

/// Few carry nearly everything.
fn skewed(n: u32) -> u64 {
    100 * u64::from(1 + 1_000_000 / (n + 1))
}

/// All carry nearly the same, and others most in each hour.
fn even(n: u32) -> u64 {
    100_000 + 100 * u64::from(n.wrapping_mul(2_654_435_761) % 50)
}

/// Who carries nearly everything is nobody special in other hours.
fn nobody_twice(n: u32) -> u64 {
    if n.is_multiple_of(311) { 40_000_000 + u64::from(n) } else { 1000 + u64::from(n) }
}

fn talk(n: u32, hour: i64, octets: u64) -> Record {
    let base = flow(1, hour * HOUR + 60, hour * HOUR + 61 + i64::from(n % 1800), 0);
    let id = FlowId::new(0, n, u32::try_from(hour).unwrap_or(0) + 1);
    let source = IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + n));
    let record = FlowRecord {
        id,
        source,
        forward: counters(octets),
        reverse: counters(100),
        interface_octets: [100, octets],
        ..base
    };
    ended(record)
}

fn hour_of(hour: i64, octets: Octets) -> Vec<Record> {
    (0..HOSTS).map(|n| talk(n, hour, octets(n.wrapping_add(u32::try_from(hour).unwrap_or(0) * 7 % 5)))).collect()
}

fn crowd(octets: Octets) -> Bench {
    let mut bench = Bench::new();
    bench.now = at(HOURS * HOUR + 600);
    for hour in 0..HOURS {
        bench.put(hour_of(hour, octets));
        bench.flush();
    }
    bench
}

fn by(dimension: Dimension, measure: Measure) -> Explore {
    Explore { dimensions: vec![dimension], measure, limit: 20, ..question(0, HOURS * HOUR) }
}

fn of_slices(bench: &Bench, query: &Explore) -> Explored {
    let all = Filter::parse("bytes >= 0").expect("a filter");
    bench.explore(&Explore { filter: Some(Arc::new(all)), ..query.clone() })
}

/// Every question has the answer that the slices give; gives what the first was made of.
fn agrees(bench: &Bench) -> Resolution {
    let mut first = None;
    for dimension in [Dimension::Source, Dimension::Host, Dimension::Port] {
        for measure in [Measure::Octets, Measure::Flows] {
            for step in [None, Some(minutes(5)), Some(minutes(60))] {
                let query = Explore { step, previous: step.is_some(), ..by(dimension, measure) };
                let (is, must) = (bench.explore(&query), of_slices(bench, &query));
                let what = format!("{dimension:?} {measure:?} {step:?}");
                assert_eq!((&is.groups, &is.other, &is.total), (&must.groups, &must.other, &must.total), "{what}");
                assert_eq!((is.previous, is.short_by), (must.previous, 0), "{what}");
                first.get_or_insert(is.resolution);
            }
        }
    }
    first.expect("there were questions")
}

#[test]
fn what_is_rolled_up_says_what_the_slices_say() {
    for (octets, resolution) in [(skewed as Octets, Resolution::Hour), (even, Resolution::Raw)] {
        let bench = crowd(octets);
        assert_eq!(agrees(&bench), Resolution::Raw, "minutes have no sums of so many addresses");
        assert!(bench.store.upkeep(bench.now).expect("upkeep").rolled_hours >= 3);
        assert_eq!(agrees(&bench), resolution);
    }
}

#[test]
fn a_range_that_begins_and_ends_within_an_hour_is_exact() {
    let bench = crowd(skewed);
    bench.store.upkeep(bench.now).expect("upkeep");
    let query = Explore { span: crate::support::span(900, 2 * HOUR + 900), ..by(Dimension::Source, Measure::Octets) };
    let (is, must) = (bench.explore(&query), of_slices(&bench, &query));
    assert_eq!((is.groups, is.other, is.total), (must.groups, must.other, must.total));
}

/// Hours between, and minutes of the slices at either end, are read by themselves and added up.
#[test]
fn the_largest_of_ranges_within_hours_are_exact() {
    for octets in [skewed as Octets, even, nobody_twice] {
        let bench = crowd(octets);
        bench.store.upkeep(bench.now).expect("upkeep");
        for (from, to) in [(900, 2 * HOUR + 900), (0, 2 * HOUR + 1500), (1740, 3 * HOUR), (HOUR + 600, 3 * HOUR)] {
            for dimension in [Dimension::Source, Dimension::Host, Dimension::Destination] {
                for (measure, step) in
                    [(Measure::Octets, None), (Measure::Packets, None), (Measure::Octets, Some(minutes(5)))]
                {
                    let span = crate::support::span(from, to);
                    let query = Explore { span, limit: 1, step, previous: true, ..by(dimension, measure) };
                    let (is, must) = (bench.explore(&query), of_slices(&bench, &query));
                    let what = format!("{from} to {to}, {dimension:?} {measure:?} {step:?}");
                    assert_eq!((is.groups, is.other, is.total), (must.groups, must.other, must.total), "{what}");
                    assert_eq!((is.previous, is.short_by), (must.previous, 0), "{what}");
                }
            }
        }
    }
}

#[test]
fn late_records_are_in_hours_made_of_slices() {
    let mut bench = crowd(skewed);
    bench.store.upkeep(bench.now).expect("upkeep");
    let Record::Flow(mut late) = talk(5, 0, 1_000_000_000) else { panic!("a flow") };
    late.id = FlowId::new(1, 5, 9);
    bench.put([Record::Flow(late)]);
    bench.flush();
    agrees(&bench);
    assert_eq!(bench.store.upkeep(bench.now).expect("upkeep").rolled_hours, 1, "that hour alone");
    assert_eq!(agrees(&bench), Resolution::Hour);
    assert!(bench.explore(&by(Dimension::Source, Measure::Octets)).groups[0].total > 1_000_000_000);
}

#[test]
fn slices_that_are_lost_and_come_again_are_rolled_up_again() {
    let bench = crowd(skewed);
    bench.store.upkeep(bench.now).expect("upkeep");
    let before = bench.explore(&by(Dimension::Source, Measure::Octets));
    let slices = bench.files().into_iter().find(|p| p.to_string_lossy().contains("/flows-")).expect("a file");
    let Bench { store, folder, now, .. } = bench;
    let config = store.config().clone();
    drop(store);
    std::fs::write(&slices, b"not a database at all").expect("written");
    let lookups = Arc::new(netwatch_storage::Lookups::new(netwatch_storage::LookupPaths::default()));
    let (store, _) = netwatch_storage::DuckStore::open(config, lookups, now).expect("always starts");
    let mut bench = Bench::new();
    let spare = (std::mem::replace(&mut bench.store, store), std::mem::replace(&mut bench.folder, folder));
    bench.now = now;
    // Nothing is lost while the slices are not there, whenever the hours are looked at.
    bench.store.upkeep(bench.now).expect("upkeep");
    for hour in 0..HOURS {
        bench.put_at(u64::try_from(hour).unwrap_or(0) + 1, hour_of(hour, skewed));
    }
    bench.flush();
    agrees(&bench);
    assert_eq!(bench.store.upkeep(bench.now).expect("upkeep").rolled_hours, 3);
    assert_eq!(agrees(&bench), Resolution::Hour);
    assert_eq!(bench.explore(&by(Dimension::Source, Measure::Octets)).groups, before.groups);
    drop(spare);
}

#[test]
fn without_slices_an_answer_says_by_how_much_it_may_be_short() {
    for octets in [skewed as Octets, even] {
        let bench = crowd(octets);
        bench.store.upkeep(bench.now).expect("upkeep");
        let query = by(Dimension::Source, Measure::Octets);
        let must = of_slices(&bench, &query);
        let mut limits = bench.store.limits();
        limits.retention.set(Kind::Flows, Keep { age: Duration::from_secs(3600), bytes: u64::MAX });
        bench.store.set_limits(limits);
        bench.store.upkeep(at(50 * HOUR)).expect("upkeep");
        assert_eq!(of_slices(&bench, &query).total.total, 0, "no slices are left");
        let is = bench.explore(&query);
        assert_eq!(is.total, must.total);
        assert_eq!(is.groups.iter().map(|g| g.total).sum::<u64>() + is.other.total, is.total.total);
        if is.short_by == 0 {
            assert_eq!(is.groups, must.groups);
        }
        assert_eq!(is.short_by == 0, octets(0) == skewed(0), "the largest of a skewed crowd are known for sure");
        for (is, must) in is.groups.iter().zip(&must.groups) {
            assert!(is.total <= must.total && must.total - is.total <= is_short(&bench, &query), "{is:?} {must:?}");
        }
    }
}

fn is_short(bench: &Bench, query: &Explore) -> u64 {
    bench.explore(query).short_by
}

#[test]
fn hours_of_a_crowd_survive_being_rewritten() {
    let bench = crowd(skewed);
    bench.store.upkeep(bench.now).expect("upkeep");
    // The month is over as well.
    bench.store.upkeep(at(20 * 24 * HOUR)).expect("upkeep");
    assert_eq!(agrees(&bench), Resolution::Hour);
}
