//! What this process uses, as the statistics show it; a figure that cannot be read is zero.

use std::fs;

use netwatch_api::statistics::ProcessStatistics;
use netwatch_telemetry::clock;

/// Reads `/proc/self` (proc_pid_status(5)).
pub(crate) fn read() -> ProcessStatistics {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = resident.and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0);
    // Less the one that lists them.
    let open_files = fs::read_dir("/proc/self/fd").map_or(0, |list| list.count().saturating_sub(1)) as u64;
    ProcessStatistics { resident_bytes: kibibytes * 1024, cpu_seconds: clock::process_cpu().as_secs_f64(), open_files }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_running_process_uses_something() {
        let used = super::read();
        assert!(used.resident_bytes > 1 << 20 && used.cpu_seconds > 0.0 && used.open_files >= 3, "{used:?}");
    }
}
