//! Sockets that leave where a probe says: bound to an interface or an address, with its DSCP.
//!
//! A source is checked before anything is sent, so that a result never names a source that it did not use.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use netwatch_model::probe::{Failure, FailureReason, ProbeSpec, Source};
use socket2::{SockAddr, SockRef, Socket};

/// Binds a socket to the source of a probe and gives it the probe's DSCP. `v6` is the family of the socket.
///
/// # Errors
/// When the interface or address is not there, not up, or not of the family; it is named.
pub fn prepare(socket: &Socket, spec: &ProbeSpec, v6: bool) -> Result<(), Failure> {
    bind(socket, spec.source.as_ref(), v6, 0)?;
    if spec.dscp != 0 {
        let traffic_class = u32::from(spec.dscp) << 2; // RFC 2474: the upper six bits
        let set = set_class(&SockRef::from(socket), v6, traffic_class);
        set.map_err(|error| agent(&format!("DSCP {} cannot be set on a socket: {error}", spec.dscp)))?;
    }
    Ok(())
}

/// Sets type of service or traffic class of what a socket sends.
pub(crate) fn set_class(socket: &SockRef<'_>, v6: bool, class: u32) -> io::Result<()> {
    if !v6 {
        return socket.set_tos_v4(class);
    }
    #[cfg(unix)]
    return socket.set_tclass_v6(class);
    // Windows takes it from a policy of the host alone.
    #[cfg(not(unix))]
    Err(io::ErrorKind::Unsupported.into())
}

/// Binds a socket to a source, and to a port (the identifier of a datagram socket for ICMP) unless it is 0.
///
/// # Errors
/// When the interface or address is not there, not up, or not of the family; it is named. A port that is taken is one of them.
pub fn bind(socket: &Socket, source: Option<&Source>, v6: bool, port: u16) -> Result<(), Failure> {
    if let Some(Source::Interface(name)) = source {
        bind_interface(socket, name)?;
    }
    let unspecified = if v6 { IpAddr::from(Ipv6Addr::UNSPECIFIED) } else { Ipv4Addr::UNSPECIFIED.into() };
    match source {
        Some(Source::Address(address)) => bind_address(socket, *address, v6, port),
        _ if port == 0 => Ok(()),
        _ => bind_address(socket, unspecified, v6, port),
    }
}

/// The address that a connected or bound socket sends from.
#[must_use]
pub fn local_address(socket: &Socket) -> Option<IpAddr> {
    let address = socket.local_addr().ok()?.as_socket()?.ip();
    (!address.is_unspecified()).then_some(address)
}

/// The address that the routing table would send from, found without a packet.
#[must_use]
pub fn source_for(target: SocketAddr, spec: &ProbeSpec) -> Option<IpAddr> {
    if let Some(Source::Address(address)) = spec.source {
        return Some(address);
    }
    let socket = Socket::new(socket2::Domain::for_address(target), socket2::Type::DGRAM, None).ok()?;
    prepare(&socket, spec, target.is_ipv6()).ok()?;
    let port = if target.port() == 0 { 9 } else { target.port() };
    socket.connect(&SockAddr::from(SocketAddr::new(target.ip(), port))).ok()?;
    local_address(&socket)
}

/// Why a system call on the way to a target failed, in the words of a result.
#[must_use]
pub fn failure_of(error: &io::Error, what: &str) -> Failure {
    use io::ErrorKind as K;
    let reason = match error.kind() {
        K::TimedOut => FailureReason::Timeout,
        K::ConnectionRefused => FailureReason::Refused,
        K::HostUnreachable | K::NetworkUnreachable | K::NetworkDown => FailureReason::Unreachable,
        K::ConnectionReset | K::ConnectionAborted | K::BrokenPipe | K::UnexpectedEof => FailureReason::Reset,
        K::PermissionDenied => FailureReason::NoRight,
        K::AddrNotAvailable | K::AddrInUse => FailureReason::Source,
        _ => FailureReason::Agent,
    };
    Failure::new(reason, &format!("{what}: {error}"))
}

#[cfg(target_os = "linux")]
fn bind_interface(socket: &Socket, name: &str) -> Result<(), Failure> {
    let index = rustix::net::netdevice::name_to_index(socket, name);
    if index.is_err() {
        return Err(source(&format!("there is no interface `{name}` here: see `netwatch interfaces`")));
    }
    let bound = socket.bind_device(Some(name.as_bytes()));
    bound.map_err(|error| source(&format!("the probe cannot be bound to interface `{name}`: {error}")))
}

/// Never another interface than the one that was asked for.
#[cfg(not(target_os = "linux"))]
fn bind_interface(_: &Socket, name: &str) -> Result<(), Failure> {
    Err(source(&format!(
        "a probe cannot be bound to interface `{name}` on this system: give one of its addresses instead"
    )))
}

fn bind_address(socket: &Socket, address: IpAddr, v6: bool, port: u16) -> Result<(), Failure> {
    if address.is_ipv6() != v6 {
        return Err(source(&format!("the source {address} is not of the family of the target's address")));
    }
    let bound = socket.bind(&SockAddr::from(SocketAddr::new(address, port)));
    bound.map_err(|error| {
        source(&format!("the source {address} cannot be used: {error}; is it an address of this host?"))
    })
}

fn source(message: &str) -> Failure {
    Failure::new(FailureReason::Source, message)
}

fn agent(message: &str) -> Failure {
    Failure::new(FailureReason::Agent, message)
}
