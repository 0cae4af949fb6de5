//! The sockets of a hub: one for each family, source and purpose, however many targets there are.
//!
//! Where the system allows datagram sockets for ICMP, errors come through their error queue; else a raw socket receives answers and
//! errors, and a program in the kernel keeps foreign ones away. UDP is sent from ordinary sockets; its errors come through a raw socket
//! for ICMP or, without that right, through their error queues. TCP needs a raw socket.
//!
//! Limits: [`MAX_CHANNELS`] sockets; unused ones make room for new ones.

use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};

use netwatch_model::probe::kind::mtr::MAX_PATHS;
use netwatch_model::probe::{Failure, FailureReason, Source};
use socket2::{Domain, Socket, Type};

use super::{filter, keys, os};
use crate::socket;
use crate::tools::Rights;

/// The most sockets of a hub.
pub(super) const MAX_CHANNELS: usize = 128;
/// Room for datagrams that wait in a socket, octets: those of a burst of some ten thousand.
const ROOM: i32 = 8 << 20;

/// What a socket is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Road {
    /// Echo requests and answers; a datagram socket carries one flow.
    Echo(Option<u8>),
    /// Datagrams of one flow of UDP.
    Udp(u8),
    /// SYN segments and answers.
    Tcp,
    /// Errors about UDP and TCP, received only.
    Errors,
}

/// What a socket is.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct ChannelKey {
    pub(super) v6: bool,
    /// Where packets leave, with the index of an interface: one that was made anew under its name is another.
    pub(super) source: Option<(Source, u32)>,
    pub(super) dont_fragment: bool,
    pub(super) road: Road,
}

/// An open socket.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) key: ChannelKey,
    socket: Socket,
    /// Whether packets begin with an IP header.
    pub(super) has_ip_header: bool,
    /// Whether errors come through the error queue.
    pub(super) has_error_queue: bool,
    /// Identifiers or ports, one for each flow that it carries.
    pub(super) flow_keys: Vec<u16>,
    /// Sockets that keep the ports of TCP flows from being given to others.
    _kept: Vec<Socket>,
    /// Jobs that use it.
    pub(super) users: u32,
    /// Datagrams that found no room, as the kernel counts them.
    pub(super) drops: u32,
}

impl Channel {
    /// Opens the socket of a key. `identifier` is that of pings in a raw socket.
    pub(super) fn open(mut key: ChannelKey, rights: &dyn Rights, identifier: u16) -> Result<Self, Failure> {
        let v6 = key.v6;
        let socket = match key.road {
            Road::Echo(_) => rights.icmp(v6).map_err(|error| no_right("a ping", &error))?,
            Road::Errors => rights.raw_icmp(v6).map_err(|error| no_right("a trace", &error))?,
            Road::Tcp => rights.raw_tcp(v6).map_err(|error| no_right("a trace by TCP", &error))?,
            Road::Udp(_) => Socket::new(domain(v6), Type::DGRAM, None).map_err(|error| agent("open", &error))?,
        };
        let is_raw = socket.r#type().is_ok_and(|kind| kind == Type::RAW);
        let port = match key.road {
            Road::Echo(Some(flow)) if !is_raw => keys::identifier(flow),
            Road::Udp(flow) => keys::port(flow),
            _ => 0,
        };
        if let (true, Road::Echo(flow)) = (is_raw, &mut key.road) {
            *flow = None;
        }
        bind(&socket, key.source.as_ref().map(|(source, _)| source), v6, port)?;
        let mut channel = Self {
            has_ip_header: is_raw && !v6,
            has_error_queue: false,
            flow_keys: Vec::new(),
            _kept: Vec::new(),
            users: 0,
            drops: 0,
            socket,
            key,
        };
        channel.prepare(is_raw, identifier).map_err(|error| agent("prepare", &error))?;
        Ok(channel)
    }

    fn prepare(&mut self, is_raw: bool, identifier: u16) -> std::io::Result<()> {
        let v6 = self.key.v6;
        let local = |socket: &Socket| socket.local_addr().ok().and_then(|address| address.as_socket());
        os::make_room(&self.socket, ROOM);
        os::receive_stamps(&self.socket)?;
        if matches!(self.key.road, Road::Echo(_)) {
            os::receive_hop_limits(&self.socket, v6)?;
        }
        if matches!(self.key.road, Road::Echo(_)) && !self.has_ip_header {
            os::receive_local(&self.socket, v6)?;
        }
        match self.key.road {
            Road::Echo(_) if is_raw => {
                let types: &[u8] = if v6 { &[129, 1, 2, 3, 4] } else { &[0, 3, 11] };
                os::only_types(&self.socket, v6, types)?;
                self.socket.attach_filter(&filter::echoes(v6, identifier))?;
                self.flow_keys = (0..=u8::MAX).take(MAX_PATHS).map(keys::identifier).collect();
            }
            Road::Errors => {
                os::only_types(&self.socket, v6, if v6 { &[1, 2, 3, 4] } else { &[3, 11] })?;
                self.socket.attach_filter(&filter::errors(v6))?;
            }
            Road::Tcp => {
                self._kept = (0..=u8::MAX).take(MAX_PATHS).filter_map(|flow| keep_port(v6, flow)).collect();
                self.flow_keys = self._kept.iter().filter_map(local).map(|address| address.port()).collect();
                self.socket.attach_filter(&filter::ports(v6, &self.flow_keys))?;
            }
            Road::Echo(_) | Road::Udp(_) => {
                if matches!(self.key.road, Road::Echo(_)) {
                    self.use_error_queue()?;
                }
                self.flow_keys = local(&self.socket).map(|address| address.port()).into_iter().collect();
            }
        }
        if self.key.road != Road::Errors {
            os::set_fragmentation(&self.socket, v6, self.key.dont_fragment)?;
        }
        Ok(())
    }

    /// Receives errors through the error queue from now on.
    pub(super) fn use_error_queue(&mut self) -> std::io::Result<()> {
        if !self.has_error_queue {
            os::receive_errors(&self.socket, self.key.v6)?;
            self.has_error_queue = true;
        }
        Ok(())
    }

    /// The identifier or source port of a flow.
    pub(super) fn flow_key(&self, flow: u8) -> u16 {
        let place = if self.flow_keys.len() == 1 { 0 } else { usize::from(flow) };
        self.flow_keys.get(place).copied().unwrap_or_default()
    }

    /// Notes how many datagrams the kernel dropped so far; how many of them are new.
    pub(super) const fn note_drops(&mut self, drops: u32) -> u32 {
        let new = drops.wrapping_sub(self.drops);
        self.drops = drops;
        new
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// The index that belongs to a source: that of its interface, 0 for an address.
pub(super) fn check_source(source: &Source, v6: bool) -> Result<u32, Failure> {
    let Source::Interface(name) = source else { return Ok(0) };
    let socket = Socket::new(domain(v6), Type::DGRAM, None).map_err(|error| agent("open", &error))?;
    match os::interface(&socket, name) {
        Ok((index, true)) => Ok(index),
        Ok((_, false)) => Err(Failure::new(
            FailureReason::Source,
            &format!("interface `{name}` is down: bring it up with `ip link set {name} up`"),
        )),
        Err(_) => Err(Failure::new(
            FailureReason::Source,
            &format!("there is no interface `{name}` here: see `netwatch interfaces`"),
        )),
    }
}

/// The MTU of the way to a target as this host knows it: that of the interface, or what routers said to others before.
pub(crate) fn local_mtu(target: SocketAddr, source: Option<&Source>) -> Option<u16> {
    let v6 = target.is_ipv6();
    let socket = Socket::new(domain(v6), Type::DGRAM, None).ok()?;
    socket::bind(&socket, source, v6, 0).ok()?;
    socket.connect(&SocketAddr::new(target.ip(), 9).into()).ok()?;
    os::path_mtu(&socket, v6).ok()
}

/// Binds to the port of a flow, or to any when that one is taken.
fn bind(socket: &Socket, source: Option<&Source>, v6: bool, port: u16) -> Result<(), Failure> {
    if port != 0 && socket::bind(socket, source, v6, port).is_ok() {
        return Ok(());
    }
    socket::bind(socket, source, v6, 0)?;
    if port != 0 && source.is_none_or(|source| matches!(source, Source::Interface(_))) {
        let any = if v6 { IpAddr::from([0_u16; 8]) } else { IpAddr::from([0_u8; 4]) };
        socket.bind(&SocketAddr::new(any, 0).into()).map_err(|error| agent("bind", &error))?;
    }
    Ok(())
}

/// A socket that holds the source port of a TCP flow. Nobody listens: the kernel resets what a target opens.
fn keep_port(v6: bool, flow: u8) -> Option<Socket> {
    let any = if v6 { IpAddr::from([0_u16; 8]) } else { IpAddr::from([0_u8; 4]) };
    [keys::port(flow), 0].into_iter().find_map(|port| {
        let socket = Socket::new(domain(v6), Type::STREAM, None).ok()?;
        socket.bind(&SocketAddr::new(any, port).into()).ok().map(|()| socket)
    })
}

const fn domain(v6: bool) -> Domain {
    if v6 { Domain::IPV6 } else { Domain::IPV4 }
}

fn no_right(what: &str, error: &std::io::Error) -> Failure {
    let reason = match error.kind() {
        std::io::ErrorKind::PermissionDenied => FailureReason::NoRight,
        _ => FailureReason::Agent,
    };
    let message = format!(
        "{what} needs a socket that this process may not open ({error}): allow pings with `sysctl -w net.ipv4.ping_group_range=\"0 2147483647\"`, \
         or everything with `setcap cap_net_raw+ep` on the netwatch binary"
    );
    Failure::new(reason, &message)
}

fn agent(what: &str, error: &std::io::Error) -> Failure {
    Failure::new(FailureReason::Agent, &format!("cannot {what} a socket for probes: {error}"))
}
