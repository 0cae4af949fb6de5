//! What `/proc/self/status` says about this process: the one source that also shows what there is no system call for.

use std::fs;
use std::io;

/// The lines of interest; see proc_pid_status(5).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Status {
    /// Threads of the process.
    pub threads: u32,
    /// Capability sets, as bits.
    pub inheritable: u64,
    pub permitted: u64,
    pub effective: u64,
    pub bounding: u64,
    pub ambient: u64,
    pub no_new_privs: bool,
    /// 0 none, 1 strict, 2 filter.
    pub seccomp: u32,
}

impl Status {
    /// Of the calling thread.
    pub(crate) fn current() -> io::Result<Self> {
        Self::parse(&fs::read_to_string("/proc/thread-self/status")?)
    }

    fn parse(text: &str) -> io::Result<Self> {
        let field = |name: &str| {
            let line = text.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(':'));
            line.map(str::trim).ok_or_else(|| invalid(name))
        };
        let bits = |name: &str| u64::from_str_radix(field(name)?, 16).map_err(|_| invalid(name));
        let number = |name: &str| field(name)?.parse::<u32>().map_err(|_| invalid(name));
        Ok(Self {
            threads: number("Threads")?,
            inheritable: bits("CapInh")?,
            permitted: bits("CapPrm")?,
            effective: bits("CapEff")?,
            bounding: bits("CapBnd")?,
            // Since Linux 4.3, 4.10 and 3.8: absent means none.
            ambient: bits("CapAmb").unwrap_or(0),
            no_new_privs: number("NoNewPrivs").unwrap_or(0) == 1,
            seccomp: number("Seccomp").unwrap_or(0),
        })
    }
}

fn invalid(field: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("no field {field} that can be read in /proc/thread-self/status"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_lines_of_interest() {
        let text = "Name:\tx\nThreads:\t3\nCapInh:\t0\nCapPrm:\t2000\nCapEff:\t2000\nCapBnd:\t1ff\nCapAmb:\t0\nNoNewPrivs:\t1\nSeccomp:\t2\n";
        let status = Status::parse(text).unwrap();
        assert_eq!((status.threads, status.permitted, status.bounding), (3, 0x2000, 0x1ff));
        assert!(status.no_new_privs);
        assert_eq!(status.seccomp, 2);
    }

    #[test]
    fn a_name_cannot_forge_a_line() {
        // The kernel escapes newlines in Name; a prefix of another field must not match either.
        assert!(Status::parse("Threadsx:\t3\n").is_err());
        assert!(Status::current().unwrap().threads >= 1);
    }
}
