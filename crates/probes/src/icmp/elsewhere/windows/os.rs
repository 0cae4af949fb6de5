//! Echo requests by the IP helper library, which needs no right on Windows.

use std::ffi::c_void;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ptr;

use netwatch_telemetry::clock;
use netwatch_wire::icmp::{Cause, Unreachable};
use windows_sys::Win32::Foundation::{HANDLE, INVALID_HANDLE_VALUE};
use windows_sys::Win32::NetworkManagement::IpHelper::{
    ICMP_ECHO_REPLY, ICMPV6_ECHO_REPLY_LH, IP_OPTION_INFORMATION, Icmp6CreateFile, Icmp6SendEcho2, IcmpCloseHandle,
    IcmpCreateFile, IcmpSendEcho2Ex,
};
use windows_sys::Win32::Networking::WinSock::{AF_INET6, IN6_ADDR, IN6_ADDR_0, SOCKADDR_IN6, SOCKADDR_IN6_0};

use super::{Answer, Asked, Request};

/// Room for a reply besides the data that it repeats: its structure, an error message, and an I/O status block.
const ROOM: usize = 256;
/// `IP_FLAG_DF`
const DONT_FRAGMENT: u8 = 2;
/// The system's usual time to live.
const TTL: u8 = 128;

/// Codes of ipexport.h.
mod status {
    pub(super) const SUCCESS: u32 = 0;
    pub(super) const NETWORK: u32 = 11_002;
    pub(super) const HOST: u32 = 11_003;
    pub(super) const PROTOCOL: u32 = 11_004;
    pub(super) const PORT: u32 = 11_005;
    pub(super) const TOO_BIG: u32 = 11_009;
    pub(super) const TIMED_OUT: u32 = 11_010;
    pub(super) const TTL_EXPIRED: u32 = 11_013;
}

/// A handle of the library, closed when it is dropped.
struct Handle(HANDLE);

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the handle was opened by the library, and is closed once.
        unsafe { IcmpCloseHandle(self.0) };
    }
}

/// Asks, and waits for the answer.
pub(super) fn ask(request: &Request) -> io::Result<Asked> {
    // SAFETY: both calls have no arguments.
    let handle = unsafe { if request.to.is_ipv6() { Icmp6CreateFile() } else { IcmpCreateFile() } };
    if handle == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    let handle = Handle(handle);
    let data = vec![0_u8; request.octets];
    // Eight octets each, so that the structures at its start are aligned.
    let mut reply = vec![0_u64; (request.octets + ROOM).div_ceil(8)];
    let options = IP_OPTION_INFORMATION {
        Ttl: request.ttl.unwrap_or(TTL),
        Tos: request.traffic_class.unwrap_or(0),
        Flags: if request.dont_fragment { DONT_FRAGMENT } else { 0 },
        OptionsSize: 0,
        OptionsData: ptr::null_mut(),
    };
    let left = clock::monotonic();
    let count = send(&handle, request, &data, &options, &mut reply);
    let (came, error) = (clock::monotonic(), io::Error::last_os_error());
    let code = if count > 0 { None } else { error.raw_os_error().map(i32::cast_unsigned) };
    let answer = match (code, request.to) {
        (Some(status::TIMED_OUT), _) => Answer::Nothing,
        (Some(_), _) => return Err(error),
        (None, IpAddr::V4(_)) => {
            // SAFETY: the library has written a reply to the start of the buffer, which is aligned and longer than one.
            let reply = unsafe { reply.as_ptr().cast::<ICMP_ECHO_REPLY>().read() };
            let from = IpAddr::from(Ipv4Addr::from(reply.Address.to_ne_bytes()));
            answer(reply.Status, from, Some(reply.Options.Ttl))
        }
        (None, IpAddr::V6(_)) => {
            // SAFETY: as above.
            let reply = unsafe { reply.as_ptr().cast::<ICMPV6_ECHO_REPLY_LH>().read() };
            let words = reply.Address.sin6_addr;
            answer(reply.Status, IpAddr::from(Ipv6Addr::from(words.map(u16::from_be))), None)
        }
    };
    Ok(Asked { left, came, answer })
}

fn send(handle: &Handle, request: &Request, data: &[u8], options: &IP_OPTION_INFORMATION, reply: &mut [u64]) -> u32 {
    let timeout = u32::try_from(request.timeout.as_millis()).unwrap_or(u32::MAX).max(1);
    let (size, room) = (u16::try_from(data.len()).unwrap_or(u16::MAX), reply.len() * 8);
    let room = u32::try_from(room).unwrap_or(u32::MAX);
    let (data, reply) = (data.as_ptr().cast::<c_void>(), reply.as_mut_ptr().cast::<c_void>());
    match (request.to, request.from) {
        (IpAddr::V4(to), from) => {
            let any = Ipv4Addr::UNSPECIFIED;
            let from = if let Some(IpAddr::V4(from)) = from { from } else { any };
            let (from, to) = (u32::from_ne_bytes(from.octets()), u32::from_ne_bytes(to.octets()));
            // SAFETY: data, options and reply live through the call, which waits for the answer, and have the sizes said.
            unsafe {
                IcmpSendEcho2Ex(
                    handle.0,
                    ptr::null_mut(),
                    None,
                    ptr::null(),
                    from,
                    to,
                    data,
                    size,
                    options,
                    reply,
                    room,
                    timeout,
                )
            }
        }
        (IpAddr::V6(to), from) => {
            let from = if let Some(IpAddr::V6(from)) = from { from } else { Ipv6Addr::UNSPECIFIED };
            let (from, to) = (address(from), address(to));
            // SAFETY: the same; the addresses live through the call, too.
            unsafe {
                Icmp6SendEcho2(
                    handle.0,
                    ptr::null_mut(),
                    None,
                    ptr::null(),
                    &raw const from,
                    &raw const to,
                    data,
                    size,
                    options,
                    reply,
                    room,
                    timeout,
                )
            }
        }
    }
}

const fn address(of: Ipv6Addr) -> SOCKADDR_IN6 {
    SOCKADDR_IN6 {
        sin6_family: AF_INET6,
        sin6_port: 0,
        sin6_flowinfo: 0,
        sin6_addr: IN6_ADDR { u: IN6_ADDR_0 { Byte: of.octets() } },
        Anonymous: SOCKADDR_IN6_0 { sin6_scope_id: 0 },
    }
}

const fn answer(code: u32, from: IpAddr, ttl: Option<u8>) -> Answer {
    let cause = match code {
        status::SUCCESS => return Answer::Target(ttl),
        status::TIMED_OUT => return Answer::Nothing,
        status::TTL_EXPIRED => Cause::TimeExceeded,
        status::TOO_BIG => Cause::TooBig { mtu: None },
        status::NETWORK => Cause::Unreachable(Unreachable::Network),
        status::HOST => Cause::Unreachable(Unreachable::Host),
        status::PROTOCOL => Cause::Unreachable(Unreachable::Protocol),
        status::PORT => Cause::Unreachable(Unreachable::Port),
        _ => Cause::Unreachable(Unreachable::Other(0)),
    };
    Answer::Error(from, cause)
}
