//! What this process may do, for `netwatch doctor`.
//!
//! Why: "why do I see no packets?" must have an answer with a command in it. What: [`PrivilegeReport::now`] looks, and tries a
//! packet socket for real; its rows are for people, its fields for programs. Limits: it tells of this process at this moment,
//! so ask before rights are dropped.

use std::fmt;
use std::io;

use crate::broker::try_packet_socket;
use crate::caps::{CapSet, Capabilities};
use crate::grant::Grant;
use crate::sandbox::landlock_abi;
use crate::status::Status;

mod file_caps;
#[cfg(test)]
mod tests;

pub use file_caps::FileCaps;

/// See the module.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PrivilegeReport {
    /// Real user id.
    pub uid: u32,
    /// Effective user id.
    pub euid: u32,
    /// Capability sets of the process.
    pub capabilities: Capabilities,
    /// What the program's file grants, if anything.
    pub file: Option<FileCaps>,
    /// Whether rights of files are ignored for this process and its children.
    pub no_new_privs: bool,
    /// Seccomp: 0 none, 1 strict, 2 filtered.
    pub seccomp: u32,
    /// Version of the kernel's Landlock interface, if it has one.
    pub landlock: Option<u32>,
    /// Whether packets can be captured.
    pub capture: Capture,
    /// Whose processes can be named.
    pub processes: Processes,
    /// How to grant what is missing.
    pub grant: Grant,
}

/// Whether packets can be captured.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Capture {
    /// Tried, and it works.
    Granted,
    /// The right is missing.
    Denied,
    /// Something else, in the kernel's words.
    Failed(String),
}

/// Whose processes can be named as the owners of connections.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Processes {
    /// Everybody's.
    All,
    /// Those of the same user.
    Own,
}

/// One line of the report.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// What it is about.
    pub name: &'static str,
    /// What is so.
    pub value: String,
    /// Whether Netwatch can do its whole work with that.
    pub good: bool,
}

impl PrivilegeReport {
    /// As it is now.
    ///
    /// # Errors
    /// `/proc` is not mounted.
    pub fn now() -> io::Result<Self> {
        let status = Status::current()?;
        let grant = Grant::for_this_program()?;
        let capabilities = Capabilities::from(status);
        let looking = CapSet::SYS_PTRACE.union(CapSet::DAC_READ_SEARCH);
        Ok(Self {
            uid: rustix::process::getuid().as_raw(),
            euid: rustix::process::geteuid().as_raw(),
            capabilities,
            file: FileCaps::of(grant.program()).unwrap_or(None),
            no_new_privs: status.no_new_privs,
            seccomp: status.seccomp,
            landlock: landlock_abi(),
            capture: capture(),
            processes: if capabilities.effective.contains(looking) { Processes::All } else { Processes::Own },
            grant,
        })
    }

    /// What to do, when something is missing.
    #[must_use]
    pub fn advice(&self) -> Option<String> {
        if self.capture == Capture::Granted && self.processes == Processes::All {
            return None;
        }
        let granted = self.file.is_some_and(|file| file.permitted.contains(CapSet::NET_RAW));
        if granted && self.capture == Capture::Denied {
            let why = if self.no_new_privs { "no_new_privs is set" } else { "its file system is mounted with nosuid" };
            return Some(format!("the program's file grants the right, but the kernel ignores that: {why}"));
        }
        Some(self.grant.to_string())
    }

    /// The lines, the most important first.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        let caps = self.capabilities;
        let row = |name, value: String, good| Row { name, value, good };
        let landlock = self.landlock.map_or_else(|| "not available".to_owned(), |abi| format!("version {abi}"));
        let mut rows = vec![
            row("capture packets", self.capture.to_string(), self.capture == Capture::Granted),
            row("name processes", self.processes.to_string(), self.processes == Processes::All),
            row("user", user(self.uid, self.euid), true),
            row("effective capabilities", caps.effective.to_string(), true),
            row("permitted capabilities", caps.permitted.to_string(), true),
            row("bounding set", caps.bounding.to_string(), true),
            row("file capabilities", self.file.map_or_else(|| "none".to_owned(), |file| file.to_string()), true),
            row("no_new_privs", if self.no_new_privs { "set" } else { "not set" }.to_owned(), true),
            row("seccomp", seccomp(self.seccomp).to_owned(), true),
            row("Landlock", landlock, self.landlock.is_some()),
        ];
        rows.extend(self.advice().map(|advice| row("to do", advice, false)));
        rows
    }
}

impl fmt::Display for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Granted => f.write_str("yes"),
            Self::Denied => f.write_str("no: CAP_NET_RAW is missing; capture files can still be read"),
            Self::Failed(why) => write!(f, "no: {why}"),
        }
    }
}

impl fmt::Display for Processes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::All => "of all users",
            Self::Own => "of this user only: CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH are missing",
        })
    }
}

impl fmt::Display for PrivilegeReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Row { name, value, good } in self.rows() {
            writeln!(f, "{} {name:<23} {value}", if good { ' ' } else { '!' })?;
        }
        Ok(())
    }
}

fn capture() -> Capture {
    match try_packet_socket() {
        Ok(()) => Capture::Granted,
        Err(e) if e.kind() == io::ErrorKind::PermissionDenied => Capture::Denied,
        Err(e) => Capture::Failed(e.to_string()),
    }
}

fn user(uid: u32, euid: u32) -> String {
    if uid == euid { uid.to_string() } else { format!("{uid}, acting as {euid}") }
}

fn seccomp(mode: u32) -> &'static str {
    match mode {
        0 => "off",
        1 => "strict",
        _ => "filtered",
    }
}
