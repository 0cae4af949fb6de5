//! What the first payload of a flow tells: whose service it is, and which protocol it speaks.
//!
//! A worker offers the payload of a flow's packets until the answer is [`Verdict::Done`]. Most flows are done after one look at a few
//! bytes. A TLS or QUIC hello or an HTTP head that is not complete waits in a buffer of a bounded pool ([`buffers`]). DNS answers go to
//! the [`NameCache`] that all workers share; flows of DNS are never done, because each answer counts.
//!
//! Limits: [`MAX_LOOKED`] payload packets of a flow, [`DNS_PER_SECOND`] DNS messages for each inspector, the pool's capacity.
//! DNS over TCP (`tcp_answers`) is put together from segments, for messages up to a window's size. Only the initiator's bytes
//! are read for hellos and heads. A flow seen from its middle tells nothing. Nothing is allocated for flows that are not TLS,
//! QUIC, HTTP or DNS.

pub mod buffers;
mod tcp_answers;

#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::sync::Arc;

use netwatch_model::{NameSource, Protocol, Timestamp, Untrusted};
use netwatch_wire::http::{self, Head};
use netwatch_wire::quic::{self, Initial};
use netwatch_wire::tls::{self, ClientHello, Hello};
use netwatch_wire::{dns, quic::InitialReassembly};

use self::buffers::{Buffers, Content, Stream};
use crate::apps::{AppId, AppTable, Hint};
use crate::names::NameCache;

/// Payload packets of a flow that are looked at, both directions together: enough for STARTTLS after a greeting.
pub const MAX_LOOKED: u8 = 12;

/// DNS messages that an inspector reads in a second of packet time. A flood of answers costs no more.
pub const DNS_PER_SECOND: u32 = 20_000;

/// Hellos and heads that may wait at once: at most 5 MB.
pub const DEFAULT_BUFFERS: usize = 1024;

const DNS: u16 = 53;
const MDNS: u16 = 5353;
const LLMNR: u16 = 5355;
const SSDP: u16 = 1900;

/// One packet's payload and where it belongs.
#[derive(Clone, Copy, Debug)]
pub struct Payload<'a> {
    /// The flow's place in the worker's table.
    pub flow: u32,
    /// Payload packets of this flow that were offered before.
    pub looked: u8,
    /// The flow's protocol.
    pub protocol: Protocol,
    /// The initiator's port, the responder's port.
    pub ports: [u16; 2],
    /// Whether the initiator sent it.
    pub from_initiator: bool,
    /// To whom it was sent: the client that a DNS answer is for.
    pub receiver: IpAddr,
    /// When it was seen.
    pub time: Timestamp,
    /// TCP: sequence number of the first byte.
    pub sequence: u32,
    /// UDP: octets of each datagram when this is a super-frame of segmentation offload, else zero.
    pub segment_size: u16,
    /// The captured bytes of the transport payload.
    pub bytes: &'a [u8],
}

/// Whether more of the flow is wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Offer the next payload packet too.
    More,
    /// That is all: offer no more of this flow.
    Done(Findings),
}

impl Verdict {
    const NOTHING: Self = Self::Done(Findings { name: None, alpn: Vec::new(), hint: None });
}

/// What the payload told.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Findings {
    /// The name that the client called, and where it stood.
    pub name: Option<(Untrusted, NameSource)>,
    /// Application protocols that the client offered.
    pub alpn: Vec<Untrusted>,
    /// What the payload begins with.
    pub hint: Option<Hint>,
}

impl Findings {
    fn hint(hint: Hint) -> Self {
        Self { hint: Some(hint), ..Self::default() }
    }

    fn hello(hello: ClientHello, source: NameSource, hint: Hint) -> Self {
        Self { name: named(hello.sni, source), alpn: hello.alpn, hint: Some(hint) }
    }

    fn request(request: Option<http::Request>) -> Self {
        let host = request.and_then(|request| request.host);
        Self { name: named(host, NameSource::Http), alpn: Vec::new(), hint: Some(Hint::Http) }
    }

    /// The application by ports, made better by what was found.
    #[must_use]
    pub fn refine(&self, apps: &AppTable, by_ports: AppId) -> AppId {
        apps.refine(by_ports, self.hint, &self.alpn, self.name.as_ref().map(|(name, _)| name))
    }
}

/// An address in place of a name names nothing.
fn named(name: Option<Untrusted>, source: NameSource) -> Option<(Untrusted, NameSource)> {
    name.filter(|name| name.raw().parse::<IpAddr>().is_err()).map(|name| (name, source))
}

/// What an inspector did since it was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct InspectCounters {
    /// Payload packets offered.
    pub packets: u64,
    /// Flows whose payload gave a name.
    pub named: u64,
    /// Hellos and heads that had to give way before they were complete.
    pub buffers_evicted: u64,
    /// DNS responses read.
    pub dns_responses: u64,
    /// DNS messages that were not DNS, or damaged.
    pub dns_malformed: u64,
    /// DNS messages beyond [`DNS_PER_SECOND`], and those over TCP that are too long.
    pub dns_skipped: u64,
}

/// Looks at payload for one worker.
#[derive(Debug)]
pub struct Inspector {
    names: Arc<NameCache>,
    buffers: Buffers,
    counters: InspectCounters,
    dns_second: (i64, u32),
}

impl Inspector {
    /// Puts DNS answers into `names`; at most `buffers` hellos and heads wait at once.
    #[must_use]
    pub fn new(names: Arc<NameCache>, buffers: usize) -> Self {
        let (counters, dns_second) = (InspectCounters::default(), (0, 0));
        Self { names, buffers: Buffers::new(buffers), counters, dns_second }
    }

    /// Whether payload of this protocol can tell anything.
    #[must_use]
    pub const fn wants(protocol: Protocol) -> bool {
        matches!(protocol, Protocol::TCP | Protocol::UDP)
    }

    /// Looks at the next payload packet of a flow.
    pub fn inspect(&mut self, payload: &Payload<'_>) -> Verdict {
        self.counters.packets += 1;
        let verdict = match payload.protocol {
            Protocol::TCP => self.tcp(payload),
            Protocol::UDP => self.udp(payload),
            _ => Verdict::NOTHING,
        };
        if let Verdict::Done(findings) = &verdict {
            self.counters.named += u64::from(findings.name.is_some());
            self.buffers.remove(payload.flow);
        }
        verdict
    }

    /// The flow has ended, and its place may go to another: gives back what waits for it.
    pub fn forget(&mut self, flow: u32) {
        self.buffers.remove(flow);
    }

    /// What it did so far.
    #[must_use]
    pub fn counters(&self) -> InspectCounters {
        InspectCounters { buffers_evicted: self.buffers.evicted(), ..self.counters }
    }

    /// The names that it fills.
    #[must_use]
    pub const fn names(&self) -> &Arc<NameCache> {
        &self.names
    }

    fn tcp(&mut self, payload: &Payload<'_>) -> Verdict {
        if payload.ports.contains(&DNS) {
            return self.dns_over_tcp(payload);
        }
        let last = payload.looked.saturating_add(1) >= MAX_LOOKED;
        if payload.looked > 0
            && payload.from_initiator
            && let Some(Content::Stream(kind, stream)) = self.buffers.get(payload.flow)
        {
            stream.add(payload.sequence, payload.bytes);
            return read(*kind, stream.bytes(), last || stream.is_full()).unwrap_or(Verdict::More);
        }
        if let Some(hint) = banner(payload.bytes) {
            return Verdict::Done(Findings::hint(hint));
        }
        if let Some(kind) = Kind::of(payload.bytes).filter(|_| payload.from_initiator) {
            return self.stream_start(payload, kind, last);
        }
        if last { self.last_words(payload.flow) } else { Verdict::More }
    }

    fn stream_start(&mut self, payload: &Payload<'_>, kind: Kind, last: bool) -> Verdict {
        if let Some(verdict) = read(kind, payload.bytes, last) {
            // It only looked like one: what follows may be one.
            return if verdict == Verdict::NOTHING && !last { Verdict::More } else { verdict };
        }
        let mut stream = Stream::new(payload.sequence);
        stream.add(payload.sequence, payload.bytes);
        self.buffers.insert(payload.flow, Content::Stream(kind, stream));
        Verdict::More
    }

    /// The flow has used up its packets: what waits is told as far as it goes.
    fn last_words(&mut self, flow: u32) -> Verdict {
        match self.buffers.get(flow) {
            Some(Content::Stream(kind, stream)) => read(*kind, stream.bytes(), true).unwrap_or(Verdict::NOTHING),
            _ => Verdict::NOTHING,
        }
    }

    fn udp(&mut self, payload: &Payload<'_>) -> Verdict {
        let [initiator, responder] = payload.ports;
        let is_dns = |port| matches!(port, DNS | MDNS | LLMNR);
        if is_dns(initiator) || is_dns(responder) {
            let from = if payload.from_initiator { initiator } else { responder };
            if is_dns(from) {
                self.dns(payload, payload.bytes);
            }
            return Verdict::More;
        }
        if payload.from_initiator
            && (quic::is_initial(payload.bytes) || payload.looked > 0 && self.has_quic(payload.flow))
        {
            return self.quic(payload);
        }
        if payload.ports.contains(&SSDP) && http::request_head(payload.bytes) != Head::NotHttp {
            return Verdict::Done(Findings::hint(Hint::Ssdp));
        }
        if payload.bytes.starts_with(b"d1:ad2:id20:") {
            return Verdict::Done(Findings::hint(Hint::Bittorrent)); // a query of the DHT (BEP 5)
        }
        // A client that resumes may send 0-RTT packets first, and the server's first packets may be seen in between.
        const LONG_HEADER: u8 = 0x80;
        let may_follow =
            payload.bytes.first().is_some_and(|first| first & LONG_HEADER != 0) || self.has_quic(payload.flow);
        if may_follow && payload.looked < quic::MAX_DATAGRAMS { Verdict::More } else { Verdict::NOTHING }
    }

    fn has_quic(&mut self, flow: u32) -> bool {
        matches!(self.buffers.get(flow), Some(Content::Quic(_)))
    }

    fn quic(&mut self, payload: &Payload<'_>) -> Verdict {
        if !self.has_quic(payload.flow) {
            self.buffers.insert(payload.flow, Content::Quic(Box::default()));
        }
        let outcome = match self.buffers.get(payload.flow) {
            Some(Content::Quic(reassembly)) => quic_datagrams(reassembly, payload),
            _ => Initial::NotQuic,
        };
        let last = payload.looked >= MAX_LOOKED;
        let found = |hello| Verdict::Done(Findings::hello(hello, NameSource::Quic, Hint::Quic));
        match outcome {
            Initial::NeedMore(_) if !last => Verdict::More,
            Initial::Complete(hello) | Initial::NeedMore(hello) => found(hello),
            Initial::NotQuic => Verdict::NOTHING,
        }
    }

    fn dns(&mut self, payload: &Payload<'_>, message: &[u8]) {
        const RESPONSE: u8 = 0x80;
        if message.get(2).is_none_or(|flags| flags & RESPONSE == 0) {
            return;
        }
        let second = payload.time.secs();
        if self.dns_second.0 != second {
            self.dns_second = (second, 0);
        }
        if self.dns_second.1 >= DNS_PER_SECOND {
            self.counters.dns_skipped += 1;
            return;
        }
        self.dns_second.1 += 1;
        let Ok(message) = dns::message(message) else {
            self.counters.dns_malformed += 1;
            return;
        };
        self.counters.dns_responses += 1;
        for answer in &message.answers {
            self.names.learn(payload.time, payload.receiver, answer);
        }
    }
}

/// What a TCP stream begins with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A TLS ClientHello.
    Tls,
    /// An HTTP request head.
    Http,
}

impl Kind {
    /// What the bytes may be, by the first of them.
    fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [22] | [22, 3, ..] => Some(Self::Tls),
            [b'A'..=b'Z', ..] => Some(Self::Http),
            _ => None,
        }
    }
}

/// Reads a stream's first bytes; `None` when more are needed, unless these are the `last`.
fn read(kind: Kind, bytes: &[u8], last: bool) -> Option<Verdict> {
    let findings = match kind {
        Kind::Tls => match tls::client_hello(bytes) {
            Hello::NeedMore { .. } if !last => return None,
            Hello::NotTls => return Some(Verdict::NOTHING),
            Hello::Complete(hello) | Hello::NeedMore { so_far: hello, .. } => {
                Findings::hello(hello, NameSource::Tls, Hint::Tls)
            }
        },
        Kind::Http => match http::request_head(bytes) {
            Head::NeedMore(_) if !last => return None,
            Head::NotHttp | Head::NeedMore(None) => return Some(Verdict::NOTHING),
            Head::Complete(request) | Head::NeedMore(Some(request)) => Findings::request(Some(request)),
        },
    };
    Some(Verdict::Done(findings))
}

/// What either side may begin with.
fn banner(bytes: &[u8]) -> Option<Hint> {
    const BANNERS: [(&[u8], Hint); 3] =
        [(b"SSH-", Hint::Ssh), (b"RFB 00", Hint::Vnc), (b"\x13BitTorrent protocol", Hint::Bittorrent)];
    BANNERS.iter().find(|(start, _)| bytes.starts_with(start)).map(|(_, hint)| *hint)
}

fn quic_datagrams(reassembly: &mut InitialReassembly, payload: &Payload<'_>) -> Initial {
    let size = match payload.segment_size {
        0 => payload.bytes.len().max(1),
        size => usize::from(size),
    };
    let mut outcome = Initial::NotQuic;
    for datagram in payload.bytes.chunks(size) {
        outcome = reassembly.datagram(datagram);
        if !matches!(outcome, Initial::NeedMore(_)) {
            break;
        }
    }
    outcome
}
