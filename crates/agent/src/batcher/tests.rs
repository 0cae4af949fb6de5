//! Batches are numbered without gaps, nothing is lost silently, and memory is bounded.

use proptest::prelude::*;

use super::*;

const CONFIG: Config = Config {
    interval: Duration::from_millis(250),
    batch_records: 3,
    backlog_batches: 2,
    intake_messages: 4,
    overflow: Overflow::DropOldest,
};

fn batcher(config: Config) -> Batcher {
    Batcher::new(config, AgentId(1), BootId(2), Duration::ZERO)
}

fn record(n: u64) -> Record {
    let series = Arc::new(Series { metric: Metric::FlowsStarted, labels: Vec::new() });
    Record::Sample(Sample { series, time: Timestamp::ZERO, value: Value::Integer(n) })
}

fn numbers(batch: &Batch) -> Vec<u64> {
    let number = |r: &Record| match r {
        Record::Sample(s) if s.series.metric == Metric::FlowsStarted => Some(s.value.as_u64()),
        _ => None,
    };
    batch.records.iter().filter_map(number).collect()
}

fn sent(b: &mut Batcher) -> Vec<Batch> {
    let mut out = Vec::new();
    b.drain(|batch| {
        out.push(batch);
        Ok(())
    });
    out
}

#[test]
fn a_batch_closes_by_time_or_size() {
    let mut b = batcher(CONFIG);
    b.push(vec![record(1)]);
    assert!(!b.is_due(Duration::from_millis(249)) && b.is_due(Duration::from_millis(250)));
    b.push(vec![record(2), record(3), record(4)]);
    assert!(b.is_due(Duration::ZERO));
    b.close(Duration::from_millis(10), Timestamp::ZERO);
    assert_eq!(b.deadline(), Duration::from_millis(260));
    let batches = sent(&mut b);
    assert_eq!(batches.iter().map(numbers).collect::<Vec<_>>(), [vec![1, 2, 3], vec![4]]);
    assert_eq!(batches.iter().map(|b| b.key.sequence).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(batches[0].key, BatchKey { agent: AgentId(1), boot: BootId(2), sequence: 1 });
    b.close(Duration::from_secs(1), Timestamp::ZERO);
    assert!(b.is_empty(), "no records, no batch");
}

#[test]
fn what_is_refused_is_sent_again_in_order() {
    let mut b = batcher(CONFIG);
    for n in 1..=2 {
        b.push(vec![record(n)]);
        b.close(Duration::ZERO, Timestamp::ZERO);
        b.drain(Err);
    }
    assert_eq!(sent(&mut b).iter().flat_map(numbers).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(b.dropped(), 0);
}

#[test]
fn when_full_the_oldest_goes_and_is_told_once() {
    let mut b = batcher(CONFIG);
    for n in 1..=5 {
        b.push(vec![record(n), record(n)]);
        b.close(Duration::ZERO, Timestamp::from_secs(7));
        b.drain(Err);
    }
    b.close(Duration::ZERO, Timestamp::from_secs(8));
    let mut batches = sent(&mut b);
    b.close(Duration::ZERO, Timestamp::from_secs(9));
    batches.extend(sent(&mut b));
    let records: Vec<&Record> = batches.iter().flat_map(|b| &b.records).collect();
    let dropped = records.iter().rev().find_map(|r| match r {
        Record::Sample(s) if s.series.metric == Metric::RecordsDropped => Some(s.value.as_u64()),
        _ => None,
    });
    assert_eq!(dropped, Some(b.dropped()));
    assert!(b.dropped() >= 6, "three batches of two: {}", b.dropped());
    let events = records.iter().filter(|r| matches!(r, Record::Event(_))).count();
    assert_eq!(events, 1);

    b.lost(4, Timestamp::ZERO);
    b.lost(4, Timestamp::ZERO);
    b.close(Duration::ZERO, Timestamp::ZERO);
    let mut again = sent(&mut b);
    b.close(Duration::ZERO, Timestamp::ZERO);
    again.extend(sent(&mut b));
    let events = again.iter().flat_map(|b| &b.records).filter(|r| matches!(r, Record::Event(_))).count();
    assert_eq!(events, 1, "a new loss after recovery is told again, once");
}

#[test]
fn who_can_wait_loses_nothing() {
    let mut b = batcher(Config { overflow: Overflow::Wait, ..CONFIG });
    for n in 1..=2 {
        b.push(vec![record(n)]);
        b.close(Duration::ZERO, Timestamp::ZERO);
        b.drain(Err);
    }
    assert!(b.is_full());
    b.drain(|_| Ok(()));
    assert!(!b.is_full() && b.dropped() == 0);
}

proptest! {
    /// Against a simple model: every record is sent once and in order, or counted as dropped.
    #[test]
    fn sent_plus_dropped_is_taken(steps in prop::collection::vec((0_usize..7, any::<bool>()), 1..60)) {
        let mut b = batcher(CONFIG);
        let (mut taken, mut got) = (0_u64, Vec::new());
        for (count, refuse) in steps {
            let first = taken + 1;
            taken += count as u64;
            b.push((first..=taken).map(record).collect());
            b.close(Duration::ZERO, Timestamp::ZERO);
            prop_assert!(b.backlog.len() <= CONFIG.backlog_batches);
            b.drain(|batch| if refuse { Err(batch) } else { got.push(batch); Ok(()) });
        }
        for _ in 0..2 {
            b.close(Duration::ZERO, Timestamp::ZERO);
            b.drain(|batch| { got.push(batch); Ok(()) });
        }
        prop_assert!(b.is_empty());
        let all: Vec<u64> = got.iter().flat_map(numbers).collect();
        prop_assert!(all.is_sorted_by(|a, b| a < b));
        prop_assert!(got.iter().map(|b| b.key.sequence).is_sorted_by(|a, b| a < b));
        // Events and samples of the agent itself may be dropped, too, and are counted then.
        prop_assert!(taken - all.len() as u64 <= b.dropped());
        let own = got.iter().map(|b| b.records.len()).sum::<usize>() - all.len();
        prop_assert!(b.dropped() == 0 || own > 0, "a loss is told");
    }
}
