//! What every run shares: the policy that says what may be measured, and the right to open sockets.

use std::fmt;
use std::io;
use std::sync::Arc;

use netwatch_egress::{Policy, Scope};
use socket2::{Domain, Protocol, Socket, Type};

use crate::agent::Peers;
use crate::host::Host;
use crate::icmp::Hub;
use crate::trace::TraceMemory;

/// Opens the sockets that need a right.
pub trait Rights: Send + Sync + fmt::Debug {
    /// A socket for ICMP of IPv4 or (`v6`) IPv6: a datagram socket where the system allows it to this group, else a raw one.
    ///
    /// # Errors
    /// When neither may be opened.
    fn icmp(&self, v6: bool) -> io::Result<Socket>;

    /// A raw socket that receives ICMP errors, as traces need it.
    ///
    /// # Errors
    /// When it may not be opened.
    fn raw_icmp(&self, v6: bool) -> io::Result<Socket>;

    /// A raw socket for TCP segments, as traces by TCP need it.
    ///
    /// # Errors
    /// When it may not be opened.
    fn raw_tcp(&self, v6: bool) -> io::Result<Socket>;
}

/// The rights of this process.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct OwnRights;

impl Rights for OwnRights {
    fn icmp(&self, v6: bool) -> io::Result<Socket> {
        let (domain, protocol) = icmp_of(v6);
        Socket::new(domain, Type::DGRAM, Some(protocol)).or_else(|_| self.raw_icmp(v6))
    }

    fn raw_icmp(&self, v6: bool) -> io::Result<Socket> {
        let (domain, protocol) = icmp_of(v6);
        Socket::new(domain, Type::RAW, Some(protocol))
    }

    fn raw_tcp(&self, v6: bool) -> io::Result<Socket> {
        Socket::new(icmp_of(v6).0, Type::RAW, Some(Protocol::TCP))
    }
}

/// What every run shares.
#[derive(Clone, Debug)]
pub struct Tools {
    /// Which addresses may be measured.
    pub policy: Arc<Policy>,
    /// Which of them this run's workspace measures.
    pub scope: Arc<Scope>,
    /// Who opens sockets.
    pub rights: Arc<dyn Rights>,
    /// Who sends and receives pings and traces.
    pub hub: Arc<Hub>,
    /// What traces remember of routes and names.
    pub memory: Arc<TraceMemory>,
    /// What readings of the own host remember.
    pub host: Arc<Host>,
    /// Where other agents were reached.
    pub peers: Arc<Peers>,
}

impl Tools {
    /// Tools that measure what `policy` allows, with sockets from `rights`. Nothing is opened yet.
    #[must_use]
    pub fn new(policy: Arc<Policy>, rights: Arc<dyn Rights>) -> Self {
        let hub = Arc::new(Hub::new(Arc::clone(&rights)));
        let scope = Arc::default();
        Self { policy, scope, rights, hub, memory: Arc::default(), host: Arc::default(), peers: Arc::default() }
    }

    /// The same, for a run that may measure no more than this.
    #[must_use]
    pub fn within(&self, scope: Arc<Scope>) -> Self {
        Self { scope, ..self.clone() }
    }
}

const fn icmp_of(v6: bool) -> (Domain, Protocol) {
    if v6 { (Domain::IPV6, Protocol::ICMPV6) } else { (Domain::IPV4, Protocol::ICMPV4) }
}
