//! The system calls of the hub that no safe library has: batches of datagrams out and in, with stamps and errors, and socket options.
//!
//! Each function is one call with its arguments checked by types. Limits: at most [`BATCH`] datagrams a call, each cut at [`LONGEST`].

use std::ffi::CString;
use std::io;
use std::mem::{size_of, zeroed};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd};
use std::ptr;

use socket2::SockAddr;

use super::datagram::{Datagram, Offender, Received};

/// The most datagrams of one call.
pub(super) const BATCH: usize = 64;
/// The longest datagram that is received whole, octets: the longest ICMPv6 error (RFC 4443, 2.4) fits.
pub(super) const LONGEST: usize = 1500;

const CONTROL: usize = 64;
/// Room for a stamp, a drop counter, a hop limit and an extended error with the address of its sender.
const CONTROL_IN: usize = 256;
/// `SO_EE_ORIGIN_ICMP` and its IPv6 counterpart: the error came from the network.
const ORIGIN_ICMP: [u8; 2] = [2, 3];
/// `IP_RECVERR_RFC4884` and `IPV6_RECVERR_RFC4884`, which libc does not name: tell where extensions of an error begin.
const RECVERR_RFC4884: (libc::c_int, libc::c_int) = (26, 31);

/// Sends datagrams until the kernel refuses one; how many it took. The error is that of the first.
pub(super) fn send_batch(socket: &impl AsFd, datagrams: &[Datagram], bytes: &[u8]) -> io::Result<usize> {
    let count = datagrams.len().min(BATCH);
    // SAFETY: all octets zero is a valid value of each of these plain C structures.
    let (mut headers, mut vectors, mut controls) =
        unsafe { (zeroed::<[libc::mmsghdr; BATCH]>(), zeroed::<[libc::iovec; BATCH]>(), zeroed::<[Control; BATCH]>()) };
    let addresses: Vec<SockAddr> = datagrams.iter().take(count).map(|datagram| SockAddr::from(datagram.to)).collect();
    let parts = headers.iter_mut().zip(&mut vectors).zip(&mut controls);
    for (((header, vector), control), (datagram, address)) in parts.zip(datagrams.iter().zip(&addresses)) {
        let payload = bytes.get(datagram.range.clone()).unwrap_or_default();
        *vector = libc::iovec { iov_base: payload.as_ptr().cast_mut().cast(), iov_len: payload.len() };
        let message = &mut header.msg_hdr;
        message.msg_name = address.as_ptr().cast_mut().cast();
        message.msg_namelen = address.len();
        message.msg_iov = vector;
        message.msg_iovlen = 1;
        write_control(message, control, datagram);
    }
    // SAFETY: the first `count` headers point to addresses, vectors, payloads and controls that live through the call and are of the
    // lengths said; the kernel only reads them.
    let sent = unsafe {
        libc::sendmmsg(socket.as_fd().as_raw_fd(), headers.as_mut_ptr(), count as libc::c_uint, libc::MSG_DONTWAIT)
    };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Control([u8; CONTROL]);

/// Puts hop limit and traffic class of one datagram into its control data.
fn write_control(message: &mut libc::msghdr, control: &mut Control, datagram: &Datagram) {
    let (level, hops, class) = match datagram.to {
        SocketAddr::V4(_) => (libc::IPPROTO_IP, libc::IP_TTL, libc::IP_TOS),
        SocketAddr::V6(_) => (libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT, libc::IPV6_TCLASS),
    };
    let wanted = [(hops, datagram.hop_limit), (class, datagram.traffic_class)];
    let mut used = 0;
    for (kind, value) in wanted.into_iter().filter_map(|(kind, value)| Some((kind, value?))) {
        let header = libc::cmsghdr {
            cmsg_len: (size_of::<libc::cmsghdr>() + size_of::<libc::c_int>()) as _,
            cmsg_level: level,
            cmsg_type: kind,
        };
        // SAFETY: two entries of 24 octets each (header of 16, number of 4, filled up to 8) fit into `CONTROL` octets aligned to 8.
        unsafe {
            let at = control.0.as_mut_ptr().add(used);
            at.cast::<libc::cmsghdr>().write(header);
            at.add(size_of::<libc::cmsghdr>()).cast::<libc::c_int>().write(libc::c_int::from(value));
        }
        used += size_of::<libc::cmsghdr>() + 8;
    }
    if used > 0 {
        message.msg_control = control.0.as_mut_ptr().cast();
        message.msg_controllen = used as _;
    }
}

/// Room for datagrams that are received, used again and again.
pub(super) struct Inbox {
    bytes: Box<[[u8; LONGEST]; BATCH]>,
    controls: Box<[[u64; CONTROL_IN / 8]; BATCH]>,
    addresses: Box<[libc::sockaddr_storage; BATCH]>,
    headers: Box<[libc::mmsghdr; BATCH]>,
    vectors: Box<[libc::iovec; BATCH]>,
}

impl Inbox {
    pub(super) fn new() -> Self {
        // SAFETY: all octets zero is a valid value of each of these plain C structures.
        let (addresses, headers, vectors) = unsafe { (zeroed(), zeroed(), zeroed()) };
        Self {
            bytes: Box::new([[0; LONGEST]; BATCH]),
            controls: Box::new([[0; CONTROL_IN / 8]; BATCH]),
            addresses: Box::new(addresses),
            headers: Box::new(headers),
            vectors: Box::new(vectors),
        }
    }

    /// Receives what is there, at most `most` datagrams (or, with `errors`, what came back as errors); how many came.
    pub(super) fn receive(&mut self, socket: &impl AsFd, most: usize, errors: bool) -> io::Result<usize> {
        let most = most.min(BATCH);
        let parts = self.headers.iter_mut().zip(self.vectors.iter_mut()).zip(self.bytes.iter_mut());
        let parts = parts.zip(self.controls.iter_mut()).zip(self.addresses.iter_mut());
        for ((((header, vector), bytes), control), address) in parts.take(most) {
            *vector = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: LONGEST };
            let message = &mut header.msg_hdr;
            message.msg_name = ptr::from_mut(address).cast();
            message.msg_namelen = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
            message.msg_iov = vector;
            message.msg_iovlen = 1;
            message.msg_control = control.as_mut_ptr().cast();
            message.msg_controllen = CONTROL_IN as _;
            message.msg_flags = 0;
        }
        let flags = libc::MSG_DONTWAIT | if errors { libc::MSG_ERRQUEUE } else { 0 };
        let (fd, headers) = (socket.as_fd().as_raw_fd(), self.headers.as_mut_ptr());
        // SAFETY: the first `most` headers point to buffers of the lengths said, which this object owns and nobody else uses meanwhile.
        let got = unsafe { libc::recvmmsg(fd, headers, most as libc::c_uint, flags, ptr::null_mut()) };
        match usize::try_from(got) {
            Ok(count) => Ok(count),
            Err(_) => match io::Error::last_os_error() {
                error if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
                error => Err(error),
            },
        }
    }

    /// What came at a place below the number that [`Inbox::receive`] gave.
    pub(super) fn get(&self, index: usize) -> Option<Received<'_>> {
        let (header, address) = (self.headers.get(index)?, self.addresses.get(index)?);
        let message = &header.msg_hdr;
        let bytes = self.bytes.get(index)?.get(..(header.msg_len as usize).min(LONGEST))?;
        let is_whole = message.msg_flags & libc::MSG_TRUNC == 0;
        let mut received = Received {
            bytes,
            from: address_of(address),
            local: None,
            is_whole,
            stamp: None,
            drops: None,
            hop_limit: None,
            offender: None,
        };
        // SAFETY: the kernel has filled `msg_control` with entries up to `msg_controllen`, and the buffer lives as long as `self`.
        unsafe {
            let mut entry = libc::CMSG_FIRSTHDR(message);
            while !entry.is_null() {
                read_control(entry, &mut received);
                entry = libc::CMSG_NXTHDR(message, entry);
            }
        }
        Some(received)
    }
}

/// Reads one entry of control data.
///
/// # Safety
/// `entry` points to an entry that the kernel has written, with as many octets as its length says.
unsafe fn read_control(entry: *const libc::cmsghdr, received: &mut Received<'_>) {
    // SAFETY: as this function demands.
    let (header, data) = unsafe { (*entry, libc::CMSG_DATA(entry)) };
    let length = header.cmsg_len.saturating_sub(size_of::<libc::cmsghdr>());
    match (header.cmsg_level, header.cmsg_type) {
        (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) if length >= size_of::<libc::timespec>() => {
            // SAFETY: the entry holds a `timespec`, as its type and length say.
            let stamp = unsafe { data.cast::<libc::timespec>().read_unaligned() };
            received.stamp = Some(stamp.tv_sec.saturating_mul(1_000_000_000).saturating_add(stamp.tv_nsec));
        }
        (libc::IPPROTO_IP, libc::IP_PKTINFO) if length >= size_of::<libc::in_pktinfo>() => {
            // SAFETY: the entry holds an `in_pktinfo`, as its type and length say.
            let info = unsafe { data.cast::<libc::in_pktinfo>().read_unaligned() };
            received.local = Some(Ipv4Addr::from(u32::from_be(info.ipi_addr.s_addr)).into());
        }
        (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) if length >= size_of::<libc::in6_pktinfo>() => {
            // SAFETY: the entry holds an `in6_pktinfo`, as its type and length say.
            let info = unsafe { data.cast::<libc::in6_pktinfo>().read_unaligned() };
            received.local = Some(Ipv6Addr::from(info.ipi6_addr.s6_addr).into());
        }
        (libc::SOL_SOCKET, libc::SO_RXQ_OVFL) if length >= size_of::<u32>() => {
            // SAFETY: the entry holds a number, as its type and length say.
            received.drops = Some(unsafe { data.cast::<u32>().read_unaligned() });
        }
        (libc::IPPROTO_IP, libc::IP_TTL) | (libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT)
            if length >= size_of::<libc::c_int>() =>
        {
            // SAFETY: the entry holds a number, as its type and length say.
            let hops = unsafe { data.cast::<libc::c_int>().read_unaligned() };
            received.hop_limit = u8::try_from(hops).ok();
        }
        (libc::IPPROTO_IP, libc::IP_RECVERR) | (libc::IPPROTO_IPV6, libc::IPV6_RECVERR)
            if length >= size_of::<libc::sock_extended_err>() + size_of::<libc::sockaddr_in>() =>
        {
            // SAFETY: the entry holds an extended error, and behind it an address of the family that the address says.
            let (error, from) = unsafe {
                let error = data.cast::<libc::sock_extended_err>().read_unaligned();
                let mut from: libc::sockaddr_storage = zeroed();
                let room = length - size_of::<libc::sock_extended_err>();
                let behind = data.add(size_of::<libc::sock_extended_err>());
                ptr::copy_nonoverlapping(
                    behind,
                    ptr::from_mut(&mut from).cast(),
                    room.min(size_of::<libc::sockaddr_storage>()),
                );
                (error, from)
            };
            let [low, high, ..] = error.ee_data.to_ne_bytes();
            received.offender = Some(Offender {
                from: address_of(&from).filter(|_| ORIGIN_ICMP.contains(&error.ee_origin)),
                kind: error.ee_type,
                code: error.ee_code,
                info: error.ee_info,
                extensions: usize::from(u16::from_ne_bytes([low, high])),
            });
        }
        _ => {}
    }
}

fn address_of(storage: &libc::sockaddr_storage) -> Option<IpAddr> {
    match libc::c_int::from(storage.ss_family) {
        libc::AF_INET => {
            // SAFETY: the family says that it is an address of IPv4, and the storage is large enough for any.
            let address = unsafe { ptr::from_ref(storage).cast::<libc::sockaddr_in>().read() };
            Some(Ipv4Addr::from(u32::from_be(address.sin_addr.s_addr)).into())
        }
        libc::AF_INET6 => {
            // SAFETY: the same for IPv6.
            let address = unsafe { ptr::from_ref(storage).cast::<libc::sockaddr_in6>().read() };
            Some(Ipv6Addr::from(address.sin6_addr.s6_addr).into())
        }
        _ => None,
    }
}

/// Asks for the time of arrival of each datagram, and for a count of those that found no room.
pub(super) fn receive_stamps(socket: &impl AsFd) -> io::Result<()> {
    set(socket, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, &1)?;
    set(socket, libc::SOL_SOCKET, libc::SO_RXQ_OVFL, &1)
}

/// Asks for the time to live (hop limit) with which each datagram comes.
pub(super) fn receive_hop_limits(socket: &impl AsFd, v6: bool) -> io::Result<()> {
    let (level, option) =
        if v6 { (libc::IPPROTO_IPV6, libc::IPV6_RECVHOPLIMIT) } else { (libc::IPPROTO_IP, libc::IP_RECVTTL) };
    set(socket, level, option, &1)
}

/// Asks for the address of this host that each datagram was sent to.
pub(super) fn receive_local(socket: &impl AsFd, v6: bool) -> io::Result<()> {
    if v6 {
        return set(socket, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, &1);
    }
    set(socket, libc::IPPROTO_IP, libc::IP_PKTINFO, &1)
}

/// Makes room for datagrams that wait, above the system's limit where the process may.
pub(super) fn make_room(socket: &impl AsFd, octets: i32) {
    for option in [(libc::SO_RCVBUFFORCE, libc::SO_RCVBUF), (libc::SO_SNDBUFFORCE, libc::SO_SNDBUF)] {
        // Less room is no failure: what is lost for want of it is counted.
        if set(socket, libc::SOL_SOCKET, option.0, &octets).is_err() {
            let _ = set(socket, libc::SOL_SOCKET, option.1, &octets);
        }
    }
}

/// Keeps errors of the network for [`Inbox::receive`], with the place of their extensions where the kernel knows it (Linux 5.9).
pub(super) fn receive_errors(socket: &impl AsFd, v6: bool) -> io::Result<()> {
    if v6 {
        let _ = set(socket, libc::IPPROTO_IPV6, RECVERR_RFC4884.1, &1);
        return set(socket, libc::IPPROTO_IPV6, libc::IPV6_RECVERR, &1);
    }
    let _ = set(socket, libc::IPPROTO_IP, RECVERR_RFC4884.0, &1);
    set(socket, libc::IPPROTO_IP, libc::IP_RECVERR, &1)
}

/// Whether datagrams carry "don't fragment". The system's own knowledge of path MTUs is not used: it is what probes find out.
pub(super) fn set_fragmentation(socket: &impl AsFd, v6: bool, forbid: bool) -> io::Result<()> {
    if v6 {
        let value = if forbid { libc::IPV6_PMTUDISC_PROBE } else { libc::IPV6_PMTUDISC_DONT };
        return set(socket, libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, &value);
    }
    let value = if forbid { libc::IP_PMTUDISC_PROBE } else { libc::IP_PMTUDISC_DONT };
    set(socket, libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, &value)
}

/// Lets a raw ICMP socket see only messages of these types; cheaper than a filter program, because nothing is copied.
pub(super) fn only_types(socket: &impl AsFd, v6: bool, types: &[u8]) -> io::Result<()> {
    // `icmp_filter` of IPv4 and `icmp6_filter` of IPv6: a set bit blocks its type.
    if v6 {
        let mut blocked = [u32::MAX; 8];
        for kind in types {
            if let Some(word) = blocked.get_mut(usize::from(kind >> 5)) {
                *word &= !(1 << (kind & 31));
            }
        }
        return set(socket, libc::IPPROTO_ICMPV6, 1, &blocked);
    }
    let blocked = types.iter().filter(|kind| **kind < 32).fold(u32::MAX, |blocked, kind| blocked & !(1 << kind));
    set(socket, libc::SOL_RAW, 1, &blocked)
}

/// The MTU that the kernel knows of the path of a connected socket, octets.
pub(super) fn path_mtu(socket: &impl AsFd, v6: bool) -> io::Result<u16> {
    let (level, option) = if v6 { (libc::IPPROTO_IPV6, libc::IPV6_MTU) } else { (libc::IPPROTO_IP, libc::IP_MTU) };
    let (mut value, mut length): (libc::c_int, _) = (0, size_of::<libc::c_int>() as libc::socklen_t);
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: `value` and `length` live through the call, and `length` is the size of `value`.
    check(unsafe { libc::getsockopt(fd, level, option, (&raw mut value).cast(), &raw mut length) })?;
    Ok(u16::try_from(value).unwrap_or(u16::MAX))
}

/// Index of an interface, and whether it is up.
pub(super) fn interface(socket: &impl AsFd, name: &str) -> io::Result<(u32, bool)> {
    let text = CString::new(name)?;
    // SAFETY: all octets zero is a valid `ifreq`.
    let mut request: libc::ifreq = unsafe { zeroed() };
    let bytes = text.to_bytes();
    if bytes.len() >= request.ifr_name.len() {
        return Err(io::ErrorKind::NotFound.into());
    }
    for (to, from) in request.ifr_name.iter_mut().zip(bytes) {
        *to = *from as libc::c_char;
    }
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: `request` lives through the calls; each reads the name and writes one number.
    let (index, flags) = unsafe {
        check(libc::ioctl(fd, libc::SIOCGIFINDEX as _, &raw mut request))?;
        let index = request.ifr_ifru.ifru_ifindex;
        check(libc::ioctl(fd, libc::SIOCGIFFLAGS as _, &raw mut request))?;
        (index, libc::c_int::from(request.ifr_ifru.ifru_flags))
    };
    Ok((u32::try_from(index).unwrap_or(0), flags & libc::IFF_UP != 0))
}

fn set<T: Copy>(socket: &impl AsFd, level: libc::c_int, option: libc::c_int, value: &T) -> io::Result<()> {
    let (fd, length) = (socket.as_fd().as_raw_fd(), size_of::<T>() as libc::socklen_t);
    // SAFETY: `value` lives through the call, and `length` is its size.
    check(unsafe { libc::setsockopt(fd, level, option, ptr::from_ref(value).cast(), length) }).map(drop)
}

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
