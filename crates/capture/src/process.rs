//! Which local process owns a flow's socket.
//!
//! A [`Snapshot`] tells the sockets of this network namespace with their processes. It is taken by an [`OwnerLookup`]: [`ProcLookup`] in
//! this process, or, because it needs the right to look into other users' processes, the same in a more privileged one, from which the
//! snapshot comes as bytes ([`Snapshot::encode`], [`Snapshot::decode`]). An [`Attributor`] decides when the next one is due and puts it
//! into the [`ProcessTable`], which all workers share and ask when they make a record.
//!
//! A snapshot is taken when a flow begins whose owner is not known ([`Beginnings`]), and while some flow's owner is missing once a second;
//! both so seldom that they take less than a hundredth of a core. The first packet of a flow is seen up to 25 ms after it passed, when
//! the kernel's ring hands it over; a socket that is closed by then, or while there is no credit for a snapshot, may stay without an
//! owner: this is a sample, not an audit.
//!
//! Limits: sockets of this network namespace only; [`MAX_SOCKETS`], [`MAX_PROCESSES`], [`MAX_ADDRESSES`]. What does not fit is counted.
//! Sockets bound to an interface or a VRF are found like any other; raw and packet sockets have no flows.

mod attributor;
mod beginnings;
mod container;
mod lookup;
mod netlink;
mod os;
mod snapshot;
mod table;

#[cfg(test)]
mod tests;

pub use attributor::{Attributor, BURST, MAX_INTERVAL, MIN_GAP, MIN_INTERVAL, Wanted};
pub use beginnings::{Beginnings, PER_SECOND};
pub use lookup::ProcLookup;
pub use snapshot::{DecodeError, Snapshot, SocketOwner};
pub use table::{ProcessCounters, ProcessTable};

/// Sockets in a snapshot.
pub const MAX_SOCKETS: usize = 65_536;

/// Processes in a snapshot.
pub const MAX_PROCESSES: usize = 8192;

/// Local addresses in a snapshot.
pub const MAX_ADDRESSES: usize = 4096;

/// The longest encoded snapshot, in bytes: what does not fit is left out and counted.
pub const MAX_ENCODED: usize = 4 << 20;

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// No netlink socket.
    #[error("cannot ask the kernel for sockets: flows get no process names")]
    Open(#[source] std::io::Error),
    /// The kernel did not answer, or refused.
    #[error("the kernel did not list {what}: flows get no process names (is the module inet_diag there?)")]
    Dump {
        /// Sockets or addresses.
        what: &'static str,
        /// What it said.
        #[source]
        source: std::io::Error,
    },
    /// No process list.
    #[error("cannot list processes in {}: flows get no process names", path.display())]
    Processes {
        /// The directory.
        path: std::path::PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A snapshot came from elsewhere and is damaged.
    #[error("the list of socket owners cannot be read")]
    Decode(#[from] DecodeError),
    /// The process that looks for us does not answer.
    #[error("the list of socket owners did not come")]
    Remote(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Who can tell the owners of the local sockets.
pub trait OwnerLookup: Send {
    /// All sockets and their owners now.
    ///
    /// # Errors
    /// When the kernel or the other process does not tell.
    fn snapshot(&mut self) -> Result<Snapshot, LookupError>;
}
