//! What the kernel knows of a TCP connection (`TCP_INFO`).

use std::io;
use std::os::fd::AsRawFd as _;
use std::time::Duration;

use socket2::SockRef;

/// Part of the kernel's `struct tcp_info`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct TcpInfo {
    /// Smoothed round-trip time of what we send.
    pub rtt: Duration,
    /// Round-trip time of what we receive; zero when it is not known.
    pub receive_rtt: Duration,
    /// Segments sent again since the connection began.
    pub retransmits: u32,
    /// Segments with data that were sent; `None` on a kernel before 4.6.
    pub segments: Option<u32>,
    /// Octets of payload in a full segment that we send.
    pub segment: u32,
    /// Whether segments carry time stamps (RFC 7323).
    pub has_timestamps: bool,
}

/// Octets of the structure that are read.
const LENGTH: usize = 192;
/// Where the fields stand in it; the kernel only ever adds fields at the end.
const OPTIONS: usize = 5;
const SEGMENT: usize = 16;
const RTT: usize = 68;
const RECEIVE_RTT: usize = 92;
const RETRANSMITS: usize = 100;
const DATA_SEGMENTS_OUT: usize = 156;
/// `TCPI_OPT_TIMESTAMPS`
const TIMESTAMPS: u8 = 1;

pub(super) fn tcp_info(socket: &SockRef<'_>) -> io::Result<TcpInfo> {
    let mut bytes = [0_u8; LENGTH];
    let mut length = LENGTH as libc::socklen_t;
    let to = bytes.as_mut_ptr().cast();
    // SAFETY: `bytes` has `length` octets, of which the kernel writes at most so many; both live through the call.
    let done = unsafe { libc::getsockopt(socket.as_raw_fd(), libc::IPPROTO_TCP, libc::TCP_INFO, to, &raw mut length) };
    if done < 0 {
        return Err(io::Error::last_os_error());
    }
    let written = bytes.get(..length as usize).unwrap_or_default();
    let field = |at: usize| written.get(at..)?.first_chunk::<4>().map(|octets| u32::from_ne_bytes(*octets));
    let micros = |at| Duration::from_micros(field(at).map_or(0, u64::from));
    Ok(TcpInfo {
        rtt: micros(RTT),
        receive_rtt: micros(RECEIVE_RTT),
        retransmits: field(RETRANSMITS).unwrap_or(0),
        segments: field(DATA_SEGMENTS_OUT),
        segment: field(SEGMENT).unwrap_or(0),
        has_timestamps: written.get(OPTIONS).is_some_and(|options| options & TIMESTAMPS != 0),
    })
}
