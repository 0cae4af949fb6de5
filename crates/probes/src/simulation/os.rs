//! The system calls behind test packets: datagrams with the kernel's receive stamp, traffic class, time to live and addresses, and how far
//! the kernel trusts its clock.

use std::io;
use std::mem::MaybeUninit;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsRawFd as _;
use std::time::Duration;

use libc::{c_int, c_void, cmsghdr, msghdr};
use netwatch_model::Timestamp;
use socket2::{SockAddr, SockRef};

/// A datagram that was received into a buffer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Received {
    /// Octets in the buffer.
    pub length: usize,
    /// It was longer than the buffer.
    pub is_cut: bool,
    /// Who sent it.
    pub source: SocketAddr,
    /// When the kernel received it.
    pub stamp: Option<Timestamp>,
    /// Type of service or traffic class of its header.
    pub traffic_class: Option<u8>,
    /// Time to live or hop limit of its header.
    pub ttl: Option<u8>,
    /// Our address that it was sent to, and the interface that it came by.
    pub local: Option<(IpAddr, u32)>,
}

/// Room for the control messages that [`ask`] asks for, which are below 200 octets.
#[repr(C, align(8))]
struct Control([u8; 256]);

/// Has the kernel tell stamp, traffic class, time to live and address of what a socket receives.
pub(crate) fn ask(socket: &SockRef<'_>, v6: bool) -> io::Result<()> {
    turn_on(socket, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS)?;
    let wanted = if v6 {
        [libc::IPV6_RECVTCLASS, libc::IPV6_RECVHOPLIMIT, libc::IPV6_RECVPKTINFO]
    } else {
        [libc::IP_RECVTOS, libc::IP_RECVTTL, libc::IP_PKTINFO]
    };
    let level = if v6 { libc::IPPROTO_IPV6 } else { libc::IPPROTO_IP };
    wanted.into_iter().try_for_each(|option| turn_on(socket, level, option))
}

fn turn_on(socket: &SockRef<'_>, level: c_int, option: c_int) -> io::Result<()> {
    let on: c_int = 1;
    let length = size_of::<c_int>() as libc::socklen_t;
    // SAFETY: `on` lives through the call, and `length` is its size.
    let done = unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, (&raw const on).cast(), length) };
    if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Receives one datagram without waiting.
pub(crate) fn receive(socket: &SockRef<'_>, buffer: &mut [u8]) -> io::Result<Received> {
    let mut control = Control([0; 256]);
    let mut vector = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    // SAFETY: all octets zero is a valid `msghdr`.
    let mut message: msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = &raw mut vector;
    message.msg_iovlen = 1;
    message.msg_control = control.0.as_mut_ptr().cast();
    message.msg_controllen = control.0.len();
    let receive = |storage: *mut _, length: *mut libc::socklen_t| {
        message.msg_name = storage as *mut c_void;
        // SAFETY: `length` is given by socket2 and holds the size of the storage.
        message.msg_namelen = unsafe { *length };
        // SAFETY: all pointers of `message` point to buffers of the lengths beside them, which live through the call.
        let received = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, libc::MSG_DONTWAIT) };
        // SAFETY: as above; the kernel has written the length of the address.
        unsafe { *length = message.msg_namelen };
        usize::try_from(received).map_err(|_| io::Error::last_os_error())
    };
    // SAFETY: `recvmsg` writes an address and its length, or fails.
    let (length, source) = unsafe { SockAddr::try_init(receive) }?;
    let source = source.as_socket().ok_or(io::ErrorKind::InvalidData)?;
    let is_cut = message.msg_flags & libc::MSG_TRUNC != 0;
    let mut received = Received { length, is_cut, source, stamp: None, traffic_class: None, ttl: None, local: None };
    read_control(&message, &mut received);
    Ok(received)
}

fn read_control(message: &msghdr, received: &mut Received) {
    // SAFETY: `message` was filled by `recvmsg`, and its control buffer still lives in the caller.
    let mut next = unsafe { libc::CMSG_FIRSTHDR(message) };
    while !next.is_null() {
        // SAFETY: `next` is not null, and points into the control buffer.
        let header = unsafe { &*next };
        match (header.cmsg_level, header.cmsg_type) {
            (libc::SOL_SOCKET, libc::SO_TIMESTAMPNS) => received.stamp = data::<libc::timespec>(header).map(stamp_of),
            (libc::IPPROTO_IP, libc::IP_TOS) => received.traffic_class = data::<u8>(header),
            (libc::IPPROTO_IPV6, libc::IPV6_TCLASS) => received.traffic_class = data::<c_int>(header).map(low_octet),
            (libc::IPPROTO_IP, libc::IP_TTL) | (libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT) => {
                received.ttl = data::<c_int>(header).map(low_octet);
            }
            (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                received.local = data::<libc::in_pktinfo>(header).map(|info| {
                    let address = Ipv4Addr::from(info.ipi_spec_dst.s_addr.to_ne_bytes());
                    (address.into(), info.ipi_ifindex.cast_unsigned())
                });
            }
            (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                received.local = data::<libc::in6_pktinfo>(header).map(|info| {
                    let address = Ipv6Addr::from(info.ipi6_addr.s6_addr);
                    (address.into(), info.ipi6_ifindex)
                });
            }
            _ => {}
        }
        // SAFETY: `message` and `next` are those of this loop.
        next = unsafe { libc::CMSG_NXTHDR(message, header) };
    }
}

/// What a control message holds; `None` when it is shorter than that.
fn data<T: Copy>(header: &cmsghdr) -> Option<T> {
    // SAFETY: computes a length alone.
    let least = unsafe { libc::CMSG_LEN(size_of::<T>() as u32) } as usize;
    if header.cmsg_len < least {
        return None;
    }
    let mut value = MaybeUninit::<T>::uninit();
    // SAFETY: the message holds at least `size_of::<T>()` octets behind its header, as was just seen; every `T` that this is called
    // with is plain data, for which any octets are valid.
    unsafe {
        let from = libc::CMSG_DATA(header);
        std::ptr::copy_nonoverlapping(from, value.as_mut_ptr().cast::<u8>(), size_of::<T>());
        Some(value.assume_init())
    }
}

fn stamp_of(time: libc::timespec) -> Timestamp {
    Timestamp::from_nanos(time.tv_sec.saturating_mul(1_000_000_000).saturating_add(time.tv_nsec))
}

const fn low_octet(value: c_int) -> u8 {
    (value & 0xff) as u8
}

/// Sends a datagram from one of our addresses with a traffic class.
pub(crate) fn send_from(
    socket: &SockRef<'_>,
    bytes: &[u8],
    to: SocketAddr,
    local: Option<(IpAddr, u32)>,
    traffic_class: u8,
) -> io::Result<usize> {
    let to = SockAddr::from(to);
    let mut control = Control([0; 256]);
    let mut vector = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    // SAFETY: all octets zero is a valid `msghdr`.
    let mut message: msghdr = unsafe { std::mem::zeroed() };
    message.msg_name = to.as_ptr() as *mut c_void;
    message.msg_namelen = to.len();
    message.msg_iov = &raw mut vector;
    message.msg_iovlen = 1;
    message.msg_control = control.0.as_mut_ptr().cast();
    message.msg_controllen = control.0.len();
    let mut used = 0;
    let class = c_int::from(traffic_class);
    let (level, kind) =
        if to.is_ipv6() { (libc::IPPROTO_IPV6, libc::IPV6_TCLASS) } else { (libc::IPPROTO_IP, libc::IP_TOS) };
    used += write_control(&message, used, level, kind, &class);
    match local {
        Some((IpAddr::V4(address), _)) if to.is_ipv4() => {
            let own = libc::in_addr { s_addr: u32::from_ne_bytes(address.octets()) };
            let info = libc::in_pktinfo { ipi_ifindex: 0, ipi_spec_dst: own, ipi_addr: libc::in_addr { s_addr: 0 } };
            used += write_control(&message, used, libc::IPPROTO_IP, libc::IP_PKTINFO, &info);
        }
        Some((IpAddr::V6(address), interface)) if to.is_ipv6() => {
            // Only an address of a link needs its interface; for others the routing table decides.
            let interface = if address.is_unicast_link_local() { interface } else { 0 };
            let own = libc::in6_addr { s6_addr: address.octets() };
            let info = libc::in6_pktinfo { ipi6_addr: own, ipi6_ifindex: interface };
            used += write_control(&message, used, libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, &info);
        }
        _ => {}
    }
    message.msg_controllen = used;
    // SAFETY: all pointers of `message` point to buffers of the lengths beside them, which live through the call.
    let sent = unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const message, libc::MSG_DONTWAIT) };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// Writes a control message behind those that take `used` octets; the octets that it takes.
fn write_control<T: Copy>(message: &msghdr, used: usize, level: c_int, kind: c_int, value: &T) -> usize {
    // SAFETY: computes lengths alone.
    let (space, length) = unsafe { (libc::CMSG_SPACE(size_of::<T>() as u32), libc::CMSG_LEN(size_of::<T>() as u32)) };
    let space = space as usize;
    if used + space > message.msg_controllen {
        return 0;
    }
    // SAFETY: `used + space` octets of the control buffer were just seen to be there; it is aligned for a header, and all messages take
    // a multiple of that alignment.
    unsafe {
        let header = message.msg_control.cast::<u8>().add(used).cast::<cmsghdr>();
        (*header).cmsg_level = level;
        (*header).cmsg_type = kind;
        (*header).cmsg_len = length as usize;
        std::ptr::copy_nonoverlapping((&raw const *value).cast::<u8>(), libc::CMSG_DATA(header), size_of::<T>());
    }
    space
}

/// By how much the wall clock is wrong at most, when the kernel says that something keeps it synchronised.
pub(crate) fn clock_error() -> Option<Duration> {
    // SAFETY: all octets zero is a valid `timex`, which asks for nothing to be changed.
    let mut state: libc::timex = unsafe { std::mem::zeroed() };
    // SAFETY: `state` lives through the call.
    let answer = unsafe { libc::adjtimex(&raw mut state) };
    let is_synchronised = answer >= 0 && answer != libc::TIME_ERROR && state.status & libc::STA_UNSYNC == 0;
    let micros = u64::try_from(state.maxerror).ok()?;
    is_synchronised.then(|| Duration::from_micros(micros))
}
