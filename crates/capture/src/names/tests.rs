use proptest::prelude::*;

use super::*;

const START: i64 = 1_700_000_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(START + seconds)
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn tell(cache: &NameCache, when: i64, client: &str, address: &str, name: &str, ttl: u32) {
    cache.learn(at(when), ip(client), &Answer { address: ip(address), name: name.into(), ttl });
}

fn name(cache: &NameCache, address: &str, client: &str, start: i64) -> Option<String> {
    cache.lookup(ip(address), ip(client), at(start)).map(|name| name.raw().to_owned())
}

#[test]
fn each_client_gets_the_name_that_it_was_told_last() {
    let cache = NameCache::new(100);
    tell(&cache, 0, "10.0.0.1", "192.0.2.1", "a.example", 300);
    tell(&cache, 1, "10.0.0.2", "192.0.2.1", "b.example", 300);
    tell(&cache, 50, "10.0.0.1", "192.0.2.1", "c.example", 300);
    let ask = |client, start| name(&cache, "192.0.2.1", client, start);
    assert_eq!(
        ask("10.0.0.1", 10).as_deref(),
        Some("a.example"),
        "what was told later is not the name of an earlier flow"
    );
    assert_eq!(ask("10.0.0.1", 60).as_deref(), Some("c.example"));
    assert_eq!(ask("10.0.0.2", 60).as_deref(), Some("b.example"));
    assert_eq!(ask("10.0.0.3", 60).as_deref(), Some("c.example"), "another client: the last that anybody was told");
    assert_eq!(name(&cache, "192.0.2.2", "10.0.0.1", 60), None);
}

#[test]
fn a_refreshed_name_stays_that_of_earlier_flows() {
    let cache = NameCache::new(100);
    tell(&cache, 0, "10.0.0.1", "192.0.2.1", "a.example", 60);
    tell(&cache, 500, "10.0.0.1", "192.0.2.1", "a.example", 60);
    assert_eq!(name(&cache, "192.0.2.1", "10.0.0.1", 5).as_deref(), Some("a.example"));
    assert_eq!(name(&cache, "192.0.2.1", "10.0.0.1", 1100).as_deref(), Some("a.example"));
}

#[test]
fn time_to_live_is_clamped_and_judged_by_the_start_of_the_flow() {
    let cache = NameCache::new(100);
    let grace = i64::try_from(GRACE.as_secs()).unwrap();
    tell(&cache, 0, "10.0.0.1", "192.0.2.1", "short.example", 0);
    tell(&cache, 0, "10.0.0.1", "192.0.2.2", "long.example", u32::MAX);
    assert_eq!(name(&cache, "192.0.2.1", "10.0.0.2", 60 + grace).as_deref(), Some("short.example"));
    assert_eq!(name(&cache, "192.0.2.1", "10.0.0.1", 61 + grace), None);
    assert_eq!(name(&cache, "192.0.2.2", "10.0.0.2", 86_400 + grace).as_deref(), Some("long.example"));
    assert_eq!(name(&cache, "192.0.2.2", "10.0.0.1", 86_401 + grace), None);
    assert_eq!(
        name(&cache, "192.0.2.1", "10.0.0.1", -2).as_deref(),
        Some("short.example"),
        "another worker saw it late"
    );
    assert_eq!(name(&cache, "192.0.2.1", "10.0.0.1", -3), None);
}

#[test]
fn a_conversation_that_goes_on_keeps_its_name() {
    let cache = NameCache::new(100);
    tell(&cache, 0, "10.0.0.1", "192.0.2.1", "a.example", 60);
    for record in 0..100 {
        let found = name(&cache, "192.0.2.1", "10.0.0.1", record * 1800);
        assert_eq!(
            found.as_deref(),
            Some("a.example"),
            "record {record}, each begun half an hour after the one before"
        );
    }
    assert_eq!(name(&cache, "192.0.2.1", "10.0.0.1", 99 * 1800 + 3601), None);
}

#[test]
fn mapped_addresses_are_the_same() {
    let cache = NameCache::new(100);
    tell(&cache, 0, "::ffff:10.0.0.1", "192.0.2.1", "a.example", 60);
    tell(&cache, 0, "10.0.0.9", "192.0.2.1", "b.example", 60);
    assert_eq!(name(&cache, "::ffff:192.0.2.1", "10.0.0.1", 0).as_deref(), Some("a.example"));
}

#[test]
fn a_flood_of_answers_takes_no_more_memory_and_spares_what_is_used() {
    let cache = NameCache::new(160);
    tell(&cache, 0, "10.0.0.1", "192.0.2.1", "kept.example", 3600);
    for n in 0..10_000_u32 {
        let answer =
            Answer { address: IpAddr::V6((u128::from(n) * 0x9e37_79b9).into()), name: "x.example".into(), ttl: 60 };
        cache.learn(at(1), ip("10.0.0.9"), &answer);
        if n % 8 == 0 {
            assert_eq!(name(&cache, "192.0.2.1", "10.0.0.1", 1).as_deref(), Some("kept.example"), "after {n}");
        }
    }
    for n in 0..100 {
        tell(&cache, 2, "10.0.0.1", "192.0.2.1", &format!("n{n}.example"), 60);
    }
    let counters = cache.counters();
    assert!(counters.addresses <= 160, "{counters:?}");
    assert_eq!(counters.learned, 10_101);
    assert_eq!(counters.addresses_evicted, 10_001 - counters.addresses);
    assert_eq!(counters.names_evicted, 101 - NAMES_PER_ADDRESS as u64);
}

proptest! {
    /// Against a plain list of what was told, each time another name.
    #[test]
    fn agrees_with_a_plain_list(
        told in prop::collection::vec((0_i64..2000, 0_u8..3, 0_u8..4, 0_u32..400), 0..=NAMES_PER_ADDRESS),
        asked in prop::collection::vec((0_i64..8000, 0_u8..4, 0_u8..4), 1..20),
    ) {
        let address = |n: u8| IpAddr::from([192, 0, 2, n]);
        let client = |n: u8| IpAddr::from([10, 0, 0, n]);
        for (start, who, what) in asked {
            let cache = NameCache::new(1000); // each on its own, because to ask keeps a name alive
            for (number, (when, who, what, ttl)) in told.iter().enumerate() {
                let name = Untrusted::new(&format!("{number}.example"));
                cache.learn(at(*when), client(*who), &Answer { address: address(*what), name, ttl: *ttl });
            }
            let holds = |entry: &&(i64, u8, u8, u32)| {
                let (when, _, of, ttl) = **entry;
                of == what && when <= start + 2 && start <= when + i64::from(ttl.max(60)) + 3600
            };
            let rank = |entry: &(i64, u8, u8, u32)| (entry.1 == who, entry.0);
            let want = told.iter().filter(holds).map(rank).max();
            let found = cache.lookup(address(what), client(who), at(start));
            let number = found.map(|name| name.raw().split_once('.').unwrap().0.parse::<usize>().unwrap());
            prop_assert_eq!(number.map(|number| rank(&told[number])), want);
        }
    }
}
