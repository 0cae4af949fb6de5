//! The system calls of capture that no safe library has: packet socket options, the ring's memory map, binding by index.
//!
//! Everything here is one call with its arguments checked by types; what the calls are for is told by their callers
//! ([`crate::ring`], [`crate::interface`], [`crate::bpf`]). Polling, event descriptors and netlink sockets come from `rustix`.

use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr::NonNull;

use crate::bpf::Program;

/// A raw packet socket that receives nothing until it is bound.
pub(crate) fn packet_socket() -> io::Result<OwnedFd> {
    // SAFETY: no pointer is passed.
    let fd = check(unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) })?;
    // SAFETY: the kernel has just given this descriptor to us alone.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Sets an option of level `SOL_PACKET`; `T` is the plain C type of the option.
pub(crate) fn set_packet_option<T: Copy>(socket: &OwnedFd, option: libc::c_int, value: &T) -> io::Result<()> {
    set_option(socket, libc::SOL_PACKET, option, value)
}

/// Reads an option of level `SOL_PACKET` whose value is a number.
pub(crate) fn packet_option(socket: &OwnedFd, option: libc::c_int) -> io::Result<libc::c_int> {
    let (mut value, mut length) = (0, length_of::<libc::c_int>());
    // SAFETY: `value` and `length` live through the call, and `length` is the size of `value`.
    check(unsafe {
        libc::getsockopt(socket.as_raw_fd(), libc::SOL_PACKET, option, (&raw mut value).cast(), &raw mut length)
    })?;
    Ok(value)
}

/// The counters of a `TPACKET_V3` socket since they were last read.
pub(crate) fn packet_statistics(socket: &OwnedFd) -> io::Result<libc::tpacket_stats_v3> {
    let mut stats = libc::tpacket_stats_v3 { tp_packets: 0, tp_drops: 0, tp_freeze_q_cnt: 0 };
    let mut length = length_of::<libc::tpacket_stats_v3>();
    let option = libc::PACKET_STATISTICS;
    // SAFETY: `stats` and `length` live through the call, and `length` is the size of `stats`.
    check(unsafe {
        libc::getsockopt(socket.as_raw_fd(), libc::SOL_PACKET, option, (&raw mut stats).cast(), &raw mut length)
    })?;
    Ok(stats)
}

/// Lets the socket see only what `program` accepts.
pub(crate) fn attach_filter(socket: &OwnedFd, program: &Program) -> io::Result<()> {
    let instructions = program.instructions();
    let length = u16::try_from(instructions.len()).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    // The kernel copies the program and writes nothing, though its type says `mut`.
    let program = libc::sock_fprog { len: length, filter: instructions.as_ptr().cast_mut().cast() };
    set_option(socket, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program)
}

/// Receives the frames of all protocols of one interface from now on.
pub(crate) fn bind_packet(socket: &OwnedFd, ifindex: u32) -> io::Result<()> {
    // SAFETY: all octets zero is a valid `sockaddr_ll`.
    let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    address.sll_family = libc::AF_PACKET as libc::c_ushort;
    address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
    address.sll_ifindex = index(ifindex)?;
    let length = length_of::<libc::sockaddr_ll>();
    // SAFETY: `address` lives through the call, and `length` is its size.
    check(unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) })?;
    Ok(())
}

/// The index of the interface that the socket is bound to; the kernel forgets it when the interface is deleted.
pub(crate) fn bound_index(socket: &OwnedFd) -> io::Result<u32> {
    // SAFETY: all octets zero is a valid `sockaddr_ll`.
    let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    let mut length = length_of::<libc::sockaddr_ll>();
    // SAFETY: `address` and `length` live through the call, and `length` is the size of `address`.
    check(unsafe { libc::getsockname(socket.as_raw_fd(), (&raw mut address).cast(), &raw mut length) })?;
    u32::try_from(address.sll_ifindex).map_err(|_| io::ErrorKind::NotConnected.into())
}

/// Asks the interface to receive frames for other stations too, until the socket is closed.
pub(crate) fn join_promiscuous(socket: &OwnedFd, ifindex: u32) -> io::Result<()> {
    let membership = libc::packet_mreq {
        mr_ifindex: index(ifindex)?,
        mr_type: libc::PACKET_MR_PROMISC as libc::c_ushort,
        mr_alen: 0,
        mr_address: [0; 8],
    };
    set_packet_option(socket, libc::PACKET_ADD_MEMBERSHIP, &membership)
}

/// Maps the ring of a packet socket, `octets` long, for reading and writing.
pub(crate) fn map_shared(socket: &OwnedFd, octets: usize) -> io::Result<NonNull<u8>> {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: the kernel chooses a free range; nothing else is mapped there.
    let map = unsafe { libc::mmap(std::ptr::null_mut(), octets, access, libc::MAP_SHARED, socket.as_raw_fd(), 0) };
    if map == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    NonNull::new(map.cast()).ok_or_else(|| io::ErrorKind::OutOfMemory.into())
}

/// Ends a map.
///
/// # Safety
/// `map` and `octets` come from [`map_shared`], and nothing borrows the memory any more.
pub(crate) unsafe fn unmap(map: NonNull<u8>, octets: usize) {
    // SAFETY: as the caller promises. The only error is a wrong range, which the promise excludes.
    unsafe { libc::munmap(map.as_ptr().cast(), octets) };
}

fn set_option<T: Copy>(socket: &OwnedFd, level: libc::c_int, option: libc::c_int, value: &T) -> io::Result<()> {
    let length = length_of::<T>();
    // SAFETY: `value` lives through the call, and `length` is its size.
    check(unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, std::ptr::from_ref(value).cast(), length) })?;
    Ok(())
}

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

fn index(ifindex: u32) -> io::Result<libc::c_int> {
    libc::c_int::try_from(ifindex).map_err(|_| io::ErrorKind::InvalidInput.into())
}

/// The size of a small C structure, as socket calls want it.
const fn length_of<T>() -> libc::socklen_t {
    size_of::<T>() as libc::socklen_t
}
