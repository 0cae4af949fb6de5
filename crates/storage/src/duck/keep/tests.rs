//! What is flushed while a file is rewritten is neither lost nor doubled.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use netwatch_model::{
    AgentId, Batch, BatchKey, BootId, Label, Metric, Record, Sample, Series, Timestamp, Untrusted, Value,
};

use super::*;
use crate::config::StoreConfig;
use crate::duck::engine::Engine;
use crate::tenant::Window;
use crate::testing::DAY_START;

const WINDOW: Window = Window {
    samples_from: i64::MIN,
    flows_from: i64::MIN,
    events_from: i64::MIN,
    results_from: i64::MIN,
    to: i64::MAX,
};

fn tenant(folder: &Path) -> Tenant {
    let config = StoreConfig::new(folder);
    let engine = Arc::new(Engine::start(&config).unwrap());
    Tenant::open(engine, &config, folder.join("one"), 0, &HashMap::new(), 0).unwrap().0
}

/// Takes in and writes a sample for each of those seconds of the day.
fn write(tenant: &Tenant, position: u64, seconds: Range<i64>) {
    let series = Arc::new(Series { metric: Metric::RingFill, labels: vec![Label::Interface(Untrusted::new("eth0"))] });
    let sample = |n: i64| {
        let (series, time) = (Arc::clone(&series), Timestamp::from_secs(DAY_START + n));
        Record::Sample(Sample { series, time, value: Value::Integer(n.unsigned_abs()) })
    };
    let key = BatchKey { agent: AgentId(1), boot: BootId(1), sequence: position };
    tenant.append(position, Batch { key, records: seconds.map(sample).collect() }, WINDOW).unwrap();
    tenant.flush().unwrap();
}

/// Samples of the day, and in how many chunks.
fn there(tenant: &Tenant, connection: &Connection, partition: Partition) -> (i64, i64) {
    let file = tenant.files.lease(partition).unwrap().unwrap();
    let sql = format!("SELECT sum(count)::BIGINT, count(*)::BIGINT FROM {}.chunk", file.alias);
    connection.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
}

#[test]
fn what_is_flushed_after_the_file_was_read_is_not_lost() {
    let folder = tempfile::tempdir().unwrap();
    let tenant = tenant(folder.path());
    let connection = tenant.engine.connect().unwrap();
    let partition = Partition::at(Kind::Samples, DAY_START * 1000);
    write(&tenant, 1, 0..10);
    let rewritten = rewrite(&tenant, &connection, partition).unwrap().unwrap();
    write(&tenant, 2, 10..20);
    assert!(!put_in_place(&tenant, &rewritten).unwrap(), "the new file lacks ten samples");
    assert!(!rewritten.path.exists());
    assert_eq!(there(&tenant, &connection, partition), (20, 2));
    assert!(!lock(&tenant.compacted).contains(&partition), "it is tried again");
    assert!(compact(&tenant, &connection, partition).unwrap());
    assert_eq!(there(&tenant, &connection, partition), (20, 1));
    write(&tenant, 3, 20..30);
    assert_eq!(there(&tenant, &connection, partition), (30, 2), "a file in its place is written to");
    assert!(!lock(&tenant.compacted).contains(&partition));
}

#[test]
fn a_file_that_somebody_reads_stays_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let tenant = tenant(folder.path());
    let connection = tenant.engine.connect().unwrap();
    let partition = Partition::at(Kind::Samples, DAY_START * 1000);
    write(&tenant, 1, 0..10);
    let reader = tenant.files.lease(partition).unwrap();
    assert!(!compact(&tenant, &connection, partition).unwrap());
    drop(reader);
    assert!(compact(&tenant, &connection, partition).unwrap());
    assert_eq!(there(&tenant, &connection, partition), (10, 1));
}
