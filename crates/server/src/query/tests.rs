//! Whole questions to whole stores, against a plain model.

mod flood;
mod model;
mod pages;
mod rates;
mod talkers;

use std::sync::Arc;
use std::time::Duration;

use netwatch_api::flow::{FlowSort, FlowStatus, SortOrder};
use netwatch_api::traffic::{Dimension, TopSort};
use netwatch_model::filter::Filter;
use netwatch_model::{FlowRecord, Timestamp};

use super::*;
use crate::store::{batch_of, record};

/// A second to which tests are relative.
const T: i64 = 1_700_000_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_secs(T + second)
}

fn range(from: i64, to: i64) -> TimeRange {
    TimeRange { from: at(from), to: at(to) }
}

fn filter(text: &str) -> Option<Arc<Filter>> {
    Some(Arc::new(Filter::parse(text).unwrap()))
}

/// All flows of the hour before second `to`.
fn flows_until(to: i64) -> FlowsRequest {
    FlowsRequest {
        range: range(to - 3600, to),
        filter: None,
        status: FlowStatus::All,
        sort: FlowSort::Bytes,
        order: SortOrder::Desc,
        limit: 1000,
        cursor: None,
    }
}

fn top_of(by: Dimension, range: TimeRange) -> TopRequest {
    TopRequest { range, by, limit: 10, filter: None, sort: TopSort::Bytes }
}

/// A flow that carried that many octets forward in the seconds `from` to `to`.
fn flow(n: u32, from: i64, to: i64, octets: u64) -> FlowRecord {
    let mut r = record(n, T + from);
    (r.end, r.forward.octets, r.forward.l2_octets) = (at(to), octets, octets + 14 * r.forward.packets);
    r.interface_octets = [r.reverse.octets, r.forward.octets];
    r
}

#[test]
fn a_file_of_years_ago_is_kept_as_if_it_were_now() {
    let config = StoreConfig { time_base: TimeBase::Records, ..StoreConfig::default() };
    let store = LiveStore::new(config);
    let today = at(200_000_000);
    store.apply(&batch_of(1, (0..100).map(|n| flow(n, n.into(), n.into(), 100))), today);
    let newest = store.newest().unwrap();
    assert_eq!(newest, at(99));
    let page = store.flows(&flows_until(100), newest).unwrap();
    assert_eq!(page.matched, Some(100));
    assert_eq!(store.top(&top_of(Dimension::Host, range(0, 100)), newest).unwrap().total.flows, 200);
}

#[test]
fn what_ended_before_the_window_is_gone() {
    let store = LiveStore::new(StoreConfig::default());
    let ended = |n, s| FlowRecord { end_reason: Some(netwatch_model::EndReason::EndOfFlow), ..flow(n, s, s, 10) };
    store.apply(&batch_of(1, [ended(1, 0), ended(2, 1000)]), at(1000));
    assert_eq!(store.flows(&flows_until(1001), at(1001)).unwrap().matched, Some(2));
    store.apply(&batch_of(2, [ended(3, 3601)]), at(3601));
    let page = store.flows(&FlowsRequest { range: range(-9999, 3602), ..flows_until(3602) }, at(3602)).unwrap();
    assert_eq!(page.matched, Some(2));
    assert!(store.flow(record(1, 0).id, at(3602)).is_none());
}

#[test]
fn the_archive_keeps_its_budget_and_tells_what_it_dropped() {
    let config = StoreConfig { archive_bytes: 400_000, segment_rows: 1000, ..StoreConfig::default() };
    let store = LiveStore::new(config);
    let ended = |n: u32| FlowRecord {
        end_reason: Some(netwatch_model::EndReason::EndOfFlow),
        ..flow(n, n.into(), n.into(), 10)
    };
    for batch in 0..30_u32 {
        store.apply(
            &batch_of(u64::from(batch) + 1, (0..1000).map(|n| ended(batch * 100 + n % 100 + n * 65_536))),
            at(3000),
        );
        let s = store.statistics(at(3000)).store;
        assert!(s.archive_bytes <= s.archive_budget, "{} of {}", s.archive_bytes, s.archive_budget);
        assert_eq!(s.archived_flows + s.archive_dropped, (u64::from(batch) + 1) * 1000);
    }
    let s = store.statistics(at(3000)).store;
    assert!(s.archive_dropped > 0 && s.archived_flows > 0);
    assert!(s.oldest.unwrap() > at(0));
}

#[test]
fn a_flow_has_its_own_chart_while_it_lives_and_after() {
    let store = LiveStore::new(StoreConfig::default());
    for (sequence, second, octets) in [(1, 10, 100), (2, 11, 150), (3, 20, 1150)] {
        store.apply(&batch_of(sequence, [flow(7, 10, second, octets)]), at(second));
    }
    let points = |now| -> Vec<(i64, u64)> {
        let detail = store.flow(record(7, 0).id, at(now)).unwrap();
        assert_eq!(detail.step, 1.0);
        detail.points.iter().map(|p| (p.time.secs() - T, p.octets)).collect()
    };
    let told = vec![(10, 100), (11, 50), (20, 1000)];
    assert_eq!(points(21), told);
    let end = FlowRecord { end_reason: Some(netwatch_model::EndReason::IdleTimeout), ..flow(7, 10, 20, 1150) };
    store.apply(&batch_of(4, [end]), at(80));
    assert_eq!(points(81), told);
}

#[test]
fn a_new_run_of_the_agent_ends_what_was_active() {
    let store = LiveStore::new(StoreConfig::default());
    store.apply(&batch_of(1, [flow(1, 0, 5, 100)]), at(5));
    let mut second = batch_of(1, [flow(1, 8, 9, 50)]);
    second.key.boot = netwatch_model::BootId(2);
    store.apply(&second, at(9));
    let items = store.flows(&flows_until(10), at(10)).unwrap().items;
    assert_eq!(items.len(), 2);
    assert_eq!(items[0].end_reason.as_deref(), Some("forced_end"));
    assert!(store.apply(&batch_of(2, [flow(3, 9, 9, 1)]), at(9)).repeated, "the run before is over");
}

#[test]
fn a_host_tells_whom_it_talked_with() {
    let store = LiveStore::new(StoreConfig::default());
    let mut named = flow(3, 10, 10, 5000);
    named.name = Some(("www.example.com".into(), netwatch_model::NameSource::Tls));
    store.apply(&batch_of(1, [named.clone(), flow(1003, 11, 12, 70), flow(4, 10, 10, 9)]), at(20));
    let client = store.host(named.source, range(0, 20), at(20)).unwrap();
    assert_eq!((client.total.flows, client.peers.len(), client.names.len()), (2, 1, 0));
    assert_eq!((client.first_seen, client.last_seen), (Some(at(10)), Some(at(12))));
    assert!(client.local, "what it sends goes out");
    assert_eq!(client.total.octets_out, 5070);
    let server = store.host(named.destination, range(0, 20), at(20)).unwrap();
    assert_eq!(server.names, ["www.example.com"]);
    assert!(!server.local);
    assert!(store.host("192.0.2.250".parse().unwrap(), range(0, 20), at(20)).is_none());
}

#[test]
fn an_idle_store_gives_its_view_up_and_makes_it_again() {
    let store = LiveStore::new(StoreConfig::default());
    store.apply(&batch_of(1, [flow(1, 0, 0, 10)]), at(0));
    assert_eq!(store.flows(&flows_until(1), at(1)).unwrap().items.len(), 1);
    let later = at(1) + Duration::from_secs(60);
    store.apply(&batch_of(2, [flow(2, 60, 60, 10)]), later);
    assert_eq!(store.flows(&flows_until(62), at(62)).unwrap().items.len(), 2);
}
