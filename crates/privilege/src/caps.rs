//! Capabilities: what this process may do, in words, and how it gives that up.
//!
//! Why: a right that is gone cannot be misused. What: [`Capabilities`] shows the five sets of capabilities(7);
//! [`drop_all`] empties them and closes the ways by which rights come back.
//!
//! Limits: the kernel keeps capabilities for each thread, and none of these calls reaches another thread. So dropping is
//! refused when more than one thread runs: call it first thing in `main`.

use std::fmt;
use std::io;

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use rustix::thread::{CapabilitySet, CapabilitySets};
use rustix::thread::{
    clear_ambient_capability_set, remove_capability_from_bounding_set, set_capabilities, set_no_new_privs,
};

use crate::status::Status;

/// A full set that lacks at most so many is shown by what it lacks.
const FEW: u32 = 5;

/// A set of capabilities. Its [`Display`](fmt::Display) is `none`, `all`, `all but …`, or names joined by commas.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct CapSet(u64);

impl CapSet {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// May open sockets that see every packet.
    pub const NET_RAW: Self = Self(CapabilitySet::NET_RAW.bits());
    /// May read what other users' processes have open.
    pub const SYS_PTRACE: Self = Self(CapabilitySet::SYS_PTRACE.bits());
    /// May read every file and directory.
    pub const DAC_READ_SEARCH: Self = Self(CapabilitySet::DAC_READ_SEARCH.bits());
    /// May empty the bounding set.
    pub const SETPCAP: Self = Self(CapabilitySet::SETPCAP.bits());

    /// From the kernel's bits.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The kernel's bits.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Whether all of `other` is in it.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// What is in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether nothing is in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    fn flags(self) -> CapabilitySet {
        CapabilitySet::from_bits_retain(self.0)
    }

    fn write_names(self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for bit in (0..64).map(|n| 1_u64 << n).filter(|bit| self.0 & bit != 0) {
            f.write_str(separator)?;
            separator = ",";
            match CapabilitySet::from_bits_retain(bit).iter_names().next() {
                Some((name, _)) => write!(f, "cap_{}", name.to_ascii_lowercase())?,
                None => write!(f, "{}", bit.trailing_zeros())?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for CapSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("none");
        }
        let missing = Self((known() - self.flags()).bits());
        if missing.is_empty() {
            return f.write_str("all");
        }
        if missing.0.count_ones() <= FEW {
            f.write_str("all but ")?;
            return missing.write_names(f);
        }
        self.write_names(f)
    }
}

impl fmt::Debug for CapSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The capability sets of the calling thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Capabilities {
    /// What the kernel asks for when something is done.
    pub effective: CapSet,
    /// What can be made effective.
    pub permitted: CapSet,
    /// What a program that is started may inherit, if its file agrees.
    pub inheritable: CapSet,
    /// The limit of what a program that is started can gain.
    pub bounding: CapSet,
    /// What a program that is started has without being asked.
    pub ambient: CapSet,
}

impl Capabilities {
    /// As they are.
    ///
    /// # Errors
    /// `/proc` is not mounted.
    pub fn current() -> Result<Self, CapsError> {
        Ok(Self::from(Status::current().map_err(CapsError::Read)?))
    }
}

impl From<Status> for Capabilities {
    fn from(s: Status) -> Self {
        Self {
            effective: CapSet(s.effective),
            permitted: CapSet(s.permitted),
            inheritable: CapSet(s.inheritable),
            bounding: CapSet(s.bounding),
            ambient: CapSet(s.ambient),
        }
    }
}

/// Rights could not be read or given up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CapsError {
    /// No `/proc`.
    #[error("the capabilities of this process cannot be read: mount /proc")]
    Read(#[source] io::Error),
    /// Too late.
    #[error("rights can be given up only before the first thread starts, but {threads} threads run")]
    Threads {
        /// How many.
        threads: u32,
    },
    /// A step was refused.
    #[error("{step} was refused by the kernel: netwatch does not go on with rights that it should not have")]
    Step {
        /// What was tried.
        step: &'static str,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// Gives up every capability for good: no new privileges, no core dump, nobody may trace this process.
///
/// The bounding set can be emptied by a process with `CAP_SETPCAP` only (root); without it the set stays as it is, which
/// has no effect any more, since `no_new_privs` forbids gaining rights from a file. What is returned is what is left.
///
/// # Errors
/// More than one thread runs, or the kernel refuses: the caller should not go on.
pub fn drop_all() -> Result<Capabilities, CapsError> {
    keep_only(CapSet::NONE)
}

/// As [`drop_all`], but keeps `keep`, as far as it is permitted now, permitted and effective.
pub(crate) fn keep_only(keep: CapSet) -> Result<Capabilities, CapsError> {
    let before = Status::current().map_err(CapsError::Read)?;
    if before.threads > 1 {
        return Err(CapsError::Threads { threads: before.threads });
    }
    let kept = keep.intersection(CapSet(before.permitted)).flags();
    forbid_dumps().map_err(step("forbidding core dumps"))?;
    set_no_new_privs(true).map_err(step("setting no_new_privs"))?;
    if CapSet(before.ambient) != CapSet::NONE {
        clear_ambient_capability_set().map_err(step("emptying the ambient set"))?;
    }
    if CapSet(before.effective).contains(CapSet::SETPCAP) {
        empty_bounding_set(before.bounding).map_err(step("emptying the bounding set"))?;
    }
    let sets = CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() };
    set_capabilities(None, sets).map_err(step("dropping capabilities"))?;
    Capabilities::current()
}

fn forbid_dumps() -> rustix::io::Result<()> {
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
}

fn empty_bounding_set(bounding: u64) -> rustix::io::Result<()> {
    for bit in (0..64).map(|n| 1_u64 << n).filter(|bit| bounding & bit != 0) {
        remove_capability_from_bounding_set(CapabilitySet::from_bits_retain(bit))?;
    }
    Ok(())
}

/// Every capability that has a name here (Linux 5.9 added the last).
fn known() -> CapabilitySet {
    CapabilitySet::all().iter_names().map(|(_, flag)| flag).collect()
}

fn step(step: &'static str) -> impl FnOnce(rustix::io::Errno) -> CapsError {
    move |errno| CapsError::Step { step, source: errno.into() }
}

#[cfg(test)]
mod tests;
