use std::net::{IpAddr, Ipv4Addr};

use netwatch_api::traffic::Dimension;
use netwatch_model::FlowRecord;
use proptest::prelude::*;

use super::*;
use crate::store::history::Carried;
use crate::store::key::{Key, Subjects};
use crate::store::row::{Head, TextIds};
use crate::store::testing::record;

fn delta(host: u32, second: i64, octets: u64) -> Delta {
    let source = IpAddr::V4(Ipv4Addr::from_bits(host));
    let head = Head::new(&FlowRecord { source, ..record(1, 0) }, TextIds::default());
    let carried = Carried { octets: [octets, 0], packets: [1, 0] };
    let subjects = Subjects::new(&head, Default::default(), false);
    Delta { second, subjects, carried, ways: [0, octets], conversations: 1, is_new: [true; 4] }
}

fn add(talkers: &mut Talkers, deltas: Vec<Delta>) {
    let newest = deltas.iter().map(|d| d.second).max().unwrap();
    talkers.add(deltas.into_iter(), newest);
}

fn octets_of(bucket: &Bucket, wanted: Key) -> u64 {
    let mut octets = 0;
    bucket.tell(Dimension::Host, |key, tally| octets += if key == wanted { tally.octets } else { 0 });
    octets
}

fn sum(view: &TalkersView, from: i64, to: i64) -> u64 {
    view.cover(from, to).buckets.iter().map(|p| p.bucket.total.octets).sum()
}

proptest! {
    #[test]
    fn sums_of_aligned_ranges_are_exact(seconds in prop::collection::vec((0i64..50, 1u64..1000), 1..200)) {
        // Seconds grow by steps, with some coming late by up to half a minute.
        let mut talkers = Talkers::new(100, 1 << 20);
        let (mut now, mut truth, count) = (10_000_i64, BTreeMap::new(), seconds.len() as u64);
        for (late, octets) in seconds {
            now += 7;
            let second = now - late % 30;
            *truth.entry(align(second, 10)).or_insert(0) += octets;
            add(&mut talkers, vec![delta(7, second, octets), delta(8, second, 1)]);
            *truth.entry(align(second, 10)).or_insert(0) += 1;
        }
        let view = talkers.view();
        let all: u64 = truth.values().sum();
        prop_assert_eq!(sum(&view, 0, i64::MAX), all);
        // Buckets of ten seconds that have wholly left the last minute.
        for (ten, octets) in truth.range(..align(now - 70, 10)) {
            prop_assert_eq!(sum(&view, *ten, *ten + 10), *octets, "at {}", ten);
        }
        let light = Key::Host(IpAddr::V4(Ipv4Addr::from_bits(8)));
        let told: u64 = view.cover(0, i64::MAX).buckets.iter().map(|p| octets_of(p.bucket, light)).sum();
        prop_assert_eq!(told, count);
    }
}

#[test]
fn a_flood_of_hosts_keeps_the_heavy_one_and_the_budget() {
    let budget = 2 << 20;
    let mut talkers = Talkers::new(64, budget);
    let mut host = 1_u32;
    for second in 0..900 {
        let mut deltas: Vec<Delta> = (0..500)
            .map(|_| {
                host = host.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
                delta(host, 50_000 + second, 40)
            })
            .collect();
        deltas.push(delta(0x0a00_0001, 50_000 + second, 100_000));
        add(&mut talkers, deltas);
        assert!(talkers.closed_bytes <= budget);
    }
    let view = talkers.view();
    let heavy = Key::Host(IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0001)));
    let cover = view.cover(50_000, 51_000);
    let (mut told, mut total, mut missing) = (0, 0, 0);
    for part in &cover.buckets {
        told += octets_of(part.bucket, heavy);
        total += part.bucket.total.octets;
        missing += part.bucket.missing(Dimension::Host);
    }
    assert_eq!(told, 900 * 100_000);
    assert_eq!(total, 900 * (100_000 + 500 * 40));
    assert!(missing > 0, "what light hosts can miss is told");
}

#[test]
fn what_is_older_than_the_window_goes() {
    let mut talkers = Talkers::new(64, 1 << 20);
    for second in 0..2000 {
        add(&mut talkers, vec![delta(1, second, 1)]);
    }
    talkers.expire(1500);
    assert_eq!(sum(&talkers.view(), 0, i64::MAX), 500);
    let oldest = talkers.view().levels.iter().filter_map(|l| l.keys().next().copied()).min();
    assert_eq!(oldest, Some(1500));
}
