//! What the system knows of a TCP connection: nothing that is asked for here.
//!
//! Limits: macOS and Windows. Figures of RFC 6349 that need it are left out, as on a Linux that does not tell.

use std::io;
use std::time::Duration;

use socket2::SockRef;

/// What Linux knows of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct TcpInfo {
    /// Smoothed round-trip time of what we send.
    pub rtt: Duration,
    /// Round-trip time of what we receive.
    pub receive_rtt: Duration,
    /// Segments sent again.
    pub retransmits: u32,
    /// Segments with data that were sent.
    pub segments: Option<u32>,
    /// Octets of payload in a full segment.
    pub segment: u32,
    /// Whether segments carry time stamps.
    pub has_timestamps: bool,
}

pub(super) fn tcp_info(_: &SockRef<'_>) -> io::Result<TcpInfo> {
    Err(io::ErrorKind::Unsupported.into())
}
