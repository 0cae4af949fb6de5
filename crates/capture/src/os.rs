//! The system calls of capture that no safe library has: packet socket options, the ring's memory map, binding by index.
//!
//! Everything here is one call with its arguments checked by types; what the calls are for is told by their callers
//! ([`crate::ring`], [`crate::interface`], [`crate::bpf`]). Polling, event descriptors and netlink sockets come from `rustix`.

use std::ffi::CStr;
use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr::NonNull;

use crate::bpf::{Instruction, Program};

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

/// libpcap's `struct bpf_program`.
#[repr(C)]
struct BpfProgram {
    length: libc::c_uint,
    instructions: *mut Instruction,
}

/// A libpcap capture, which we only pass around.
#[repr(C)]
pub(crate) struct PcapT {
    private: [u8; 0],
}

/// libpcap, loaded at run time. The functions live as long as the library, which is never unloaded while this value lives.
pub(crate) struct Libpcap {
    open_dead: unsafe extern "C" fn(libc::c_int, libc::c_int) -> *mut PcapT,
    create: unsafe extern "C" fn(*const libc::c_char, *mut libc::c_char) -> *mut PcapT,
    activate: unsafe extern "C" fn(*mut PcapT) -> libc::c_int,
    datalink: unsafe extern "C" fn(*mut PcapT) -> libc::c_int,
    compile: unsafe extern "C" fn(*mut PcapT, *mut BpfProgram, *const libc::c_char, libc::c_int, u32) -> libc::c_int,
    freecode: unsafe extern "C" fn(*mut BpfProgram),
    geterr: unsafe extern "C" fn(*mut PcapT) -> *const libc::c_char,
    close: unsafe extern "C" fn(*mut PcapT),
    _library: libloading::Library,
}

/// An open handle of libpcap.
pub(crate) struct PcapHandle<'l> {
    library: &'l Libpcap,
    pcap: NonNull<PcapT>,
}

/// The largest frame that a handle expects (`MAXIMUM_SNAPLEN` of libpcap).
const SNAP_LENGTH: libc::c_int = 262_144;
/// `PCAP_NETMASK_UNKNOWN`.
const NETMASK_UNKNOWN: u32 = u32::MAX;
/// `PCAP_ERRBUF_SIZE`.
const ERROR_SIZE: usize = 256;

impl Libpcap {
    /// Loads the library by the name that Debian gives it, else by upstream's.
    pub(crate) fn load() -> Result<Self, libloading::Error> {
        // SAFETY: libpcap has no constructors that could harm us; the names are those of that library alone.
        let library = unsafe {
            libloading::Library::new("libpcap.so.0.8").or_else(|_| libloading::Library::new("libpcap.so.1"))
        }?;
        // SAFETY: the types are those of pcap/pcap.h, stable since libpcap 1.0.
        unsafe {
            Ok(Self {
                open_dead: *library.get(b"pcap_open_dead\0")?,
                create: *library.get(b"pcap_create\0")?,
                activate: *library.get(b"pcap_activate\0")?,
                datalink: *library.get(b"pcap_datalink\0")?,
                compile: *library.get(b"pcap_compile\0")?,
                freecode: *library.get(b"pcap_freecode\0")?,
                geterr: *library.get(b"pcap_geterr\0")?,
                close: *library.get(b"pcap_close\0")?,
                _library: library,
            })
        }
    }

    /// A handle that only compiles, for frames that begin as `link_type` says.
    pub(crate) fn open_dead(&self, link_type: libc::c_int) -> Result<PcapHandle<'_>, String> {
        // SAFETY: no pointer is passed.
        let pcap = NonNull::new(unsafe { (self.open_dead)(link_type, SNAP_LENGTH) });
        Ok(PcapHandle { library: self, pcap: pcap.ok_or("libpcap has no memory")? })
    }

    /// A handle that captures on an interface, which it does until it is dropped.
    pub(crate) fn open_live(&self, interface: &CStr, link_type: libc::c_int) -> Result<PcapHandle<'_>, String> {
        let mut error: [libc::c_char; ERROR_SIZE] = [0; ERROR_SIZE];
        // SAFETY: `interface` ends with NUL, and `error` has the size that libpcap asks for.
        let pcap = NonNull::new(unsafe { (self.create)(interface.as_ptr(), error.as_mut_ptr()) });
        let Some(pcap) = pcap else {
            // SAFETY: libpcap has written a text that ends with NUL; the array was zero before.
            return Err(unsafe { CStr::from_ptr(error.as_ptr()) }.to_string_lossy().into_owned());
        };
        let handle = PcapHandle { library: self, pcap };
        // SAFETY: the handle is open and not yet active.
        if unsafe { (self.activate)(handle.pcap.as_ptr()) } < 0 {
            return Err(handle.error());
        }
        // SAFETY: the handle is active.
        let actual = unsafe { (self.datalink)(handle.pcap.as_ptr()) };
        if actual == link_type { Ok(handle) } else { Err(format!("libpcap captures it with link type {actual}")) }
    }
}

impl PcapHandle<'_> {
    /// The program of an expression, or libpcap's words.
    pub(crate) fn compile(&self, expression: &CStr) -> Result<Vec<Instruction>, String> {
        let mut program = BpfProgram { length: 0, instructions: std::ptr::null_mut() };
        let (pcap, text) = (self.pcap.as_ptr(), expression.as_ptr());
        // SAFETY: the handle is open, `program` lives through the call, and the expression ends with NUL.
        if unsafe { (self.library.compile)(pcap, &raw mut program, text, 1, NETMASK_UNKNOWN) } != 0 {
            return Err(self.error());
        }
        // SAFETY: libpcap says that so many instructions stand there; `Instruction` has the layout of `struct bpf_insn`.
        let compiled = unsafe { std::slice::from_raw_parts(program.instructions, program.length as usize) }.to_vec();
        // SAFETY: the program is the one that was compiled, and is not used any more.
        unsafe { (self.library.freecode)(&raw mut program) };
        Ok(compiled)
    }

    fn error(&self) -> String {
        // SAFETY: the handle is open; libpcap gives a text that ends with NUL and lives as long as the handle.
        unsafe { CStr::from_ptr((self.library.geterr)(self.pcap.as_ptr())) }.to_string_lossy().into_owned()
    }
}

impl Drop for PcapHandle<'_> {
    fn drop(&mut self) {
        // SAFETY: the handle is open and is not used any more.
        unsafe { (self.library.close)(self.pcap.as_ptr()) };
    }
}

/// Keeps `SIGXFSZ` from ending a test that meets a limit of file size.
#[cfg(test)]
pub(crate) fn block_file_size_signal() {
    // SAFETY: an empty set is made before it is read; blocking a signal of this thread harms no memory.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGXFSZ);
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
    }
}
