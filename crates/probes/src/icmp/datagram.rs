//! Datagrams on their way out and in, as the system calls see them.

use std::net::{IpAddr, SocketAddr};
use std::ops::Range;

/// A datagram to be sent: where its octets stand in the buffer of its batch, and how it travels.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Datagram {
    /// Its octets.
    pub(super) range: Range<usize>,
    /// Where to; the port is 0 for ICMP and raw sockets.
    pub(super) to: SocketAddr,
    /// Time to live; the system's when absent.
    pub(super) hop_limit: Option<u8>,
    /// The octet of traffic class (DSCP and ECN); the system's when absent.
    pub(super) traffic_class: Option<u8>,
}

/// A datagram that came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Received<'a> {
    /// Its octets, cut at the longest that is received.
    pub(super) bytes: &'a [u8],
    /// Who sent it, or for an error where the datagram should have gone.
    pub(super) from: Option<IpAddr>,
    /// The address of this host that it was sent to, where the socket was asked to tell.
    pub(super) local: Option<IpAddr>,
    /// Whether nothing was cut.
    pub(super) is_whole: bool,
    /// When the kernel got it, nanoseconds since 1970 by the wall clock.
    pub(super) stamp: Option<i64>,
    /// How many datagrams of this socket found no room so far, modulo 2³².
    pub(super) drops: Option<u32>,
    /// Time to live with which it came.
    pub(super) hop_limit: Option<u8>,
    /// The error that it came back with.
    pub(super) offender: Option<Offender>,
}

/// The error of a datagram that came back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Offender {
    /// Who sent the error; absent when this host did.
    pub(super) from: Option<IpAddr>,
    /// Type of ICMP.
    pub(super) kind: u8,
    /// Code of ICMP.
    pub(super) code: u8,
    /// MTU of the next link, if the error is about it.
    pub(super) info: u32,
    /// Where extensions begin in the octets; 0 when there are none.
    pub(super) extensions: usize,
}
