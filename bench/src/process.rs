//! What a process and its children have used, from `/proc` (proc(5)).

use std::fs;
use std::io;
use std::time::Duration;

use crate::error::BenchError;

/// CPU time and memory.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Usage {
    /// User and system time since the start.
    pub cpu: Duration,
    /// Largest resident memory, in bytes; of several processes the sum.
    pub peak_resident_bytes: u64,
    /// Resident memory now, in bytes.
    pub resident_bytes: u64,
    /// Open files, sockets included.
    pub open_files: usize,
}

impl Usage {
    /// Of this process.
    pub fn own() -> Result<Self, BenchError> {
        of_one(std::process::id()).map_err(BenchError::system("read /proc/self"))
    }

    /// Of a process and all that it has started, directly or not.
    pub fn of_tree(root: u32) -> Result<Self, BenchError> {
        let mut sum = of_one(root).map_err(BenchError::system("read /proc of the program"))?;
        // A child that has ended meanwhile is counted in its parent.
        for usage in descendants(root).into_iter().filter_map(|pid| of_one(pid).ok()) {
            sum.cpu += usage.cpu;
            sum.peak_resident_bytes += usage.peak_resident_bytes;
            sum.resident_bytes += usage.resident_bytes;
            sum.open_files += usage.open_files;
        }
        Ok(sum)
    }
}

/// `USER_HZ`, in which the kernel tells times to programs on every architecture that we build for.
const TICKS_PER_SECOND: u64 = 100;

fn of_one(pid: u32) -> io::Result<Usage> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields = fields(&stat);
    // utime, stime, and those of children that were waited for: fields 14 to 17, in clock ticks.
    let ticks: u64 = (11..15).filter_map(|at| fields.get(at)?.parse::<u64>().ok()).sum();
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let bytes = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap_or("");
        line.split_whitespace().next().and_then(|n| n.parse::<u64>().ok()).unwrap_or(0) * 1024
    };
    Ok(Usage {
        cpu: Duration::from_millis(ticks * (1000 / TICKS_PER_SECOND)),
        peak_resident_bytes: bytes("VmHWM:"),
        resident_bytes: bytes("VmRSS:"),
        open_files: fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count),
    })
}

/// All processes whose line of parents leads to `root`.
fn descendants(root: u32) -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let parents: Vec<(u32, u32)> = pids.filter_map(|pid| Some((pid, parent(pid)?))).collect();
    let mut found = vec![root];
    let mut at = 0;
    while let Some(&of) = found.get(at) {
        found.extend(parents.iter().filter(|(_, parent)| *parent == of).map(|(pid, _)| *pid));
        at += 1;
    }
    found.split_off(1)
}

fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    fields(&stat).get(1)?.parse().ok()
}

/// The fields after the name, which is in parentheses and can contain anything; the first one is the state.
fn fields(stat: &str) -> Vec<&str> {
    stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_is_part_of_the_tree() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        assert!(descendants(std::process::id()).contains(&child.id()));
        let (own, tree) = (Usage::own().unwrap(), Usage::of_tree(std::process::id()).unwrap());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(own.resident_bytes > 0 && own.peak_resident_bytes >= own.resident_bytes);
        assert!(tree.resident_bytes > own.resident_bytes);
    }

    #[test]
    fn a_name_with_spaces_and_parentheses_moves_no_field() {
        assert_eq!(fields("7 (a) b (c)) S 3 4")[..2], ["S", "3"]);
    }
}
