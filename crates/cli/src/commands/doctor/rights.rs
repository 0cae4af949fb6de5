//! What the kernel lets this process do.

use netwatch_privilege::report::{Capture, PrivilegeReport, Processes};

use super::{Row, line};

pub(super) fn rows() -> Vec<Row> {
    match PrivilegeReport::now() {
        Ok(report) => from(&report),
        Err(error) => vec![Row::fail("rights", line(&error), "mount /proc")],
    }
}

fn from(report: &PrivilegeReport) -> Vec<Row> {
    let advice = || report.advice().unwrap_or_else(|| report.grant.to_string());
    let capture = match &report.capture {
        Capture::Granted => Row::ok("capture", report.capture.to_string()),
        Capture::Denied => Row::fail("capture", report.capture.to_string(), advice()),
        Capture::Failed(_) => {
            Row::fail("capture", report.capture.to_string(), "load the kernel module: sudo modprobe af_packet")
        }
    };
    let processes = match report.processes {
        Processes::All => Row::ok("process names", report.processes.to_string()),
        Processes::Own => Row::warn("process names", report.processes.to_string(), advice()),
    };
    let landlock = match report.landlock {
        Some(abi) => Row::ok("Landlock", format!("version {abi} of the interface")),
        None => Row::warn(
            "Landlock",
            "this kernel does not have it, or it is off: Netwatch is confined by capabilities and seccomp alone",
            "start the kernel with lsm=landlock,… (Linux 5.13 or later)",
        ),
    };
    let user = format!("user {}, effective capabilities {}", report.euid, report.capabilities.effective);
    let file = report.file.map_or_else(|| "none on the program's file".to_owned(), |f| f.to_string());
    vec![capture, processes, Row::ok("capabilities", format!("{user}; file: {file}")), seccomp(), landlock]
}

/// Netwatch filters its system calls once it runs: the kernel must know how.
fn seccomp() -> Row {
    match std::fs::read_to_string("/proc/sys/kernel/seccomp/actions_avail") {
        Ok(actions) if actions.split_whitespace().any(|a| a == "errno") => Row::ok("seccomp", "available"),
        _ => Row::warn(
            "seccomp",
            "this kernel has no system call filters: Netwatch runs without that wall",
            "use a kernel with CONFIG_SECCOMP_FILTER",
        ),
    }
}
