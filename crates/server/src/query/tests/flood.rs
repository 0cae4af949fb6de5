//! A million conversations of one packet beside one heavy flow.

use netwatch_model::EndReason;

use super::*;

#[test]
fn a_flood_neither_grows_memory_nor_hides_the_heavy_flow() {
    let config =
        StoreConfig { live_rows: 4096, archive_bytes: 8 << 20, talker_bytes: 4 << 20, ..StoreConfig::default() };
    let store = LiveStore::new(config);
    let (mut n, mut carried) = (1_u32, 0);
    let heavy = u32::MAX;
    for second in 0..100_u32 {
        let now = i64::from(second);
        carried += 1_000_000;
        let mut flows: Vec<FlowRecord> = (0..10_000)
            .map(|_| {
                n += 1;
                let mut r = flow(n, now, now, 40);
                r.source = std::net::IpAddr::V4(n.wrapping_mul(2_654_435_761).into());
                // Half stay in the table until they time out, half end at once.
                r.end_reason = (n % 2 == 0).then_some(EndReason::EndOfFlow);
                r
            })
            .collect();
        let mut big = flow(heavy, 0, now, carried);
        big.source = "10.9.9.9".parse().unwrap();
        flows.push(big);
        store.apply(&batch_of(u64::from(second) + 1, flows), at(now));
    }
    let now = at(100);
    let statistics = store.statistics(now).store;
    assert!(statistics.live_flows <= 4096);
    assert!(statistics.archive_bytes <= 8 << 20);
    assert!(statistics.flows_unlisted > 0, "what has no row is counted");
    let heaviest = store.flows(&flows_until(101), now).unwrap().items.remove(0);
    assert_eq!((heaviest.source.as_str(), heaviest.octets), ("10.9.9.9", 100_000_000));
    let top = store.top(&top_of(Dimension::Host, range(0, 100)), now).unwrap();
    let host = top.items.iter().find(|t| t.key == "10.9.9.9").unwrap();
    assert_eq!(host.octets_out, 100_000_000);
    assert_eq!(host.flows, 1);
}
