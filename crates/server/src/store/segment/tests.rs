use std::time::Duration;

use netwatch_api::flow::{FlowSort, SortOrder};
use netwatch_model::filter::Filter;
use netwatch_model::{EndReason, FlowRecord, VlanStack};
use proptest::prelude::*;

use super::*;
use crate::store::row::{Head, Plain, TextIds, Volume, Words};
use crate::store::testing::{FILTERS, any_record, record};
use crate::store::texts::{Processes, Texts};

fn rows(records: &[FlowRecord]) -> (Vec<(Head, Volume)>, Words) {
    let (mut texts, mut processes) = (Texts::new(1000), Processes::new(1000));
    let mut row = |r: &FlowRecord| {
        let name = r.process.as_ref().map_or(TextId::NONE, |p| texts.id(p.name.raw(), 0));
        let process = r.process.as_ref().map_or(TextId::NONE, |p| processes.same_or_id(TextId::NONE, p, name, 0));
        let ids = TextIds {
            interface: texts.id(r.interface.raw(), 0),
            application: texts.id(&r.application, 0),
            name: r.name.as_ref().map_or(TextId::NONE, |(n, _)| texts.id(n.raw(), 0)),
            process,
        };
        (Head::new(r, ids), Volume::new(&Plain { history: 7, ..Plain::of(r) }))
    };
    let rows = records.iter().map(&mut row).collect();
    (rows, Words { texts: texts.pages(), processes: processes.pages() })
}

fn sealed(records: &[FlowRecord]) -> (Segment, Words) {
    let (rows, words) = rows(records);
    let borrowed: Vec<(&Head, &Volume)> = rows.iter().map(|(h, v)| (h, v)).collect();
    (Segment::seal(1, &borrowed), words)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_field_comes_back(records in prop::collection::vec(any_record(), 1..80)) {
        let (segment, words) = sealed(&records);
        for (row, record) in records.iter().enumerate() {
            let (head, volume) = (segment.head(row), segment.volume(row));
            prop_assert_eq!(&volume.record(&head, &words), record);
            prop_assert_eq!((volume.history, segment.id(row)), (7, record.id));
            prop_assert!(segment.find(record.id).is_some());
        }
    }

    #[test]
    fn filters_mean_the_same_on_columns(records in prop::collection::vec(any_record(), 1..80)) {
        let (segment, words) = sealed(&records);
        for text in FILTERS {
            let filter = Filter::parse(text).unwrap();
            let found: Vec<usize> = segment.select(&filter, &words).iter().collect();
            let meant: Vec<usize> = (0..records.len()).filter(|row| filter.matches(&records[*row])).collect();
            prop_assert_eq!(found, meant, "{}", text);
        }
    }

    #[test]
    fn orders_begin_with_the_first(records in prop::collection::vec(any_record(), 1..80)) {
        let (segment, _) = sealed(&records);
        for sort in [FlowSort::Bytes, FlowSort::Packets, FlowSort::Duration, FlowSort::Rate, FlowSort::Start] {
            let keys = |order| -> Vec<u64> {
                segment.first(sort, order).iter().map(|row| segment.key(sort, *row as usize)).collect()
            };
            let (ascending, descending) = (keys(SortOrder::Asc), keys(SortOrder::Desc));
            prop_assert_eq!(ascending.len(), records.len());
            prop_assert!(ascending.is_sorted());
            prop_assert!(descending.is_sorted_by(|a, b| a >= b));
        }
    }
}

#[test]
fn a_usual_record_takes_less_than_fifty_bytes() {
    let records: Vec<FlowRecord> = (0..32_768_u32)
        .map(|n| {
            let mut r = record(n.wrapping_mul(2_654_435_761) >> 4, 1_700_000_000);
            r.end = r.start + Duration::from_micros(u64::from(n % 900) * 7000);
            r.end_reason = Some(EndReason::EndOfFlow);
            r
        })
        .collect();
    let (segment, _) = sealed(&records);
    let bytes = segment.bytes() / records.len();
    assert!(bytes < 50, "{bytes} bytes a record");
}

#[test]
fn an_empty_segment_is_harmless() {
    let (segment, words) = sealed(&[]);
    assert!(segment.select(&Filter::all(), &words).is_empty());
    assert_eq!(segment.first(FlowSort::Bytes, SortOrder::Desc).len(), 0);
}

#[test]
fn vlan_stacks_are_listed_once() {
    let with = |n: u32, ids: &[u16]| FlowRecord { vlan: ids.iter().copied().collect::<VlanStack>(), ..record(n, 0) };
    let (segment, _) = sealed(&[with(1, &[100, 200]), with(2, &[100, 200]), with(3, &[])]);
    assert_eq!(segment.vlan.values().len(), 2);
}
