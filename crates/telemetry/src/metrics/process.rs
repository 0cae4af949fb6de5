//! The process's own figures, read when somebody asks.

use std::fmt;
use std::fs;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use crate::clock;

/// Reads `/proc/self`; a figure that cannot be read is left out.
#[derive(Debug)]
pub(super) struct ProcessCollector;

impl Collector for ProcessCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let cpu = ConstCounter::new(clock::process_cpu().as_secs_f64());
        let help = "Processor time used by all threads";
        cpu.encode(encoder.encode_descriptor("process_cpu", help, Some(&Unit::Seconds), cpu.metric_type())?)?;

        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let resident = number(&status, "VmRSS:").map(|kibibytes| kibibytes.saturating_mul(1024));
        let fds = most_open_files();
        let gauges = [
            ("process_resident_memory", "Memory in use", Some(Unit::Bytes), resident),
            ("process_threads", "Threads", None, number(&status, "Threads:")),
            ("process_open_fds", "Open file descriptors", None, open_fds()),
            ("process_max_fds", "Limit of open file descriptors", None, fds.and_then(|n| i64::try_from(n).ok())),
        ];
        for (name, help, unit, value) in gauges {
            let Some(value) = value else { continue };
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, unit.as_ref(), gauge.metric_type())?)?;
        }
        Ok(())
    }
}

/// The number after `name`, see proc_pid_status(5).
fn number(status: &str, name: &str) -> Option<i64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Without the one that lists them.
fn open_fds() -> Option<i64> {
    let open = fs::read_dir("/proc/self/fd").ok()?.count();
    i64::try_from(open.saturating_sub(1)).ok()
}

#[cfg(unix)]
fn most_open_files() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current
}

/// Handles of Windows have no such limit.
#[cfg(not(unix))]
const fn most_open_files() -> Option<u64> {
    None
}
