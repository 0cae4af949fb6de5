//! Routers and a target of a script, behind a TUN device: what is routed into it is answered as a path would.
//!
//! The target is every address that is routed into the device. A packet whose time to live ends at the n-th hop is answered by that hop;
//! one that gets through is answered by its target: echo requests by replies, UDP by "port unreachable", SYN by SYN with ACK.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use netwatch_telemetry::clock;
use netwatch_testkit::netns::Namespace;
use netwatch_wire::icmp::Sum;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// One hop of the script.
#[derive(Clone, Debug)]
pub(crate) struct Router {
    /// Its addresses, or those of the routers that share the load: the flow decides.
    pub(crate) addresses: Vec<IpAddr>,
    /// It answers the first of so many packets; 0: none.
    pub(crate) answers_every: u32,
    /// Labels that it adds (RFC 4950): entries as on the wire.
    pub(crate) labels: Vec<[u8; 4]>,
    /// What the link behind it carries, octets, and whether it says so.
    pub(crate) mtu: Option<(usize, bool)>,
    /// It quotes no more than this of the transport header.
    pub(crate) quotes: usize,
}

impl Router {
    pub(crate) fn new(address: &str) -> Self {
        let addresses = vec![address.parse().expect("an address")];
        Self { addresses, answers_every: 1, labels: Vec::new(), mtu: None, quotes: 100 }
    }
}

/// What the target does besides answering.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mischief {
    /// Each so-manyth answer comes twice.
    pub(crate) duplicate_every: u32,
    /// Each so-manyth answer comes after the next one.
    pub(crate) swap_every: u32,
    /// Each so-manyth answer comes 150 ms late.
    pub(crate) late_every: u32,
    /// Answers have a changed token, or come from another address.
    pub(crate) forge: bool,
    /// It says nothing.
    pub(crate) silent: bool,
}

/// A running simulator; it ends when dropped.
pub(crate) struct Simulator {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Vec<Seen>>>,
}

/// A packet that came: what decides its way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Seen {
    pub(crate) ttl: u8,
    pub(crate) protocol: u8,
    /// Ports, or identifier and checksum.
    pub(crate) flow: [u8; 4],
    pub(crate) length: usize,
    pub(crate) traffic_class: u8,
}

impl Simulator {
    /// Makes the device in a namespace and routes everything into it.
    pub(crate) fn start(namespace: &Namespace, routers: Vec<Router>, mischief: Mischief) -> Self {
        let file = namespace.tun("tun0");
        namespace.enable_ipv6("tun0");
        namespace.ip("link set tun0 mtu 9000 txqueuelen 20000");
        for command in [
            "addr add 10.9.0.1/32 dev tun0",
            "addr add fd09::1/128 dev tun0 nodad",
            "route add default dev tun0",
            "-6 route add default dev tun0",
        ] {
            namespace.ip(command);
        }
        let stop = Arc::new(AtomicBool::new(false));
        let world = World {
            file,
            routers,
            mischief,
            counts: Vec::new(),
            echoes: 0,
            held: None,
            later: BinaryHeap::new(),
            seen: Vec::new(),
        };
        let told = Arc::clone(&stop);
        let thread = std::thread::spawn(move || world.run(&told));
        Self { stop, thread: Some(thread) }
    }

    /// Ends it, and what it has seen.
    pub(crate) fn end(mut self) -> Vec<Seen> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().expect("it runs").join().expect("the simulator does not panic")
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

struct World {
    file: File,
    routers: Vec<Router>,
    mischief: Mischief,
    counts: Vec<u32>,
    echoes: u32,
    held: Option<Vec<u8>>,
    later: BinaryHeap<Reverse<(Duration, Vec<u8>)>>,
    seen: Vec<Seen>,
}

/// A packet that came, in parts.
struct Packet<'a> {
    whole: &'a [u8],
    source: IpAddr,
    target: IpAddr,
    ttl: u8,
    protocol: u8,
    traffic_class: u8,
    transport: &'a [u8],
}

impl World {
    fn run(mut self, stop: &AtomicBool) -> Vec<Seen> {
        self.counts = vec![0; self.routers.len()];
        let mut buffer = vec![0; 65_536];
        while !stop.load(Ordering::Relaxed) {
            let wait = Timespec { tv_sec: 0, tv_nsec: 5_000_000 };
            let ready = poll(&mut [PollFd::new(&self.file, PollFlags::IN)], Some(&wait)).expect("poll");
            while self.later.peek().is_some_and(|Reverse((at, _))| *at <= clock::monotonic()) {
                let Reverse((_, packet)) = self.later.pop().expect("it was peeked at");
                self.put(&packet);
            }
            if ready > 0 {
                let length = self.file.read(&mut buffer).expect("a packet");
                let packet = buffer[..length].to_vec();
                if let Some(packet) = parse(&packet) {
                    self.take(&packet);
                }
            }
        }
        self.seen
    }

    fn put(&mut self, packet: &[u8]) {
        self.file.write_all(packet).expect("the device takes the packet");
    }

    fn take(&mut self, packet: &Packet<'_>) {
        let flow = flow_of(packet);
        let Packet { ttl, protocol, traffic_class, .. } = *packet;
        self.seen.push(Seen { ttl, protocol, flow, length: packet.whole.len(), traffic_class });
        for place in 0..self.routers.len() {
            let router = self.routers[place].clone();
            let address = router.addresses[hash(flow) % router.addresses.len()];
            let quote = quote(packet, router.quotes);
            if usize::from(packet.ttl) == place + 1 {
                self.counts[place] += 1;
                if router.answers_every > 0 && (self.counts[place] - 1).is_multiple_of(router.answers_every) {
                    let kind = if address.is_ipv6() { [3, 0] } else { [11, 0] };
                    self.put(&error(packet, address, kind, 0, &quote, &router.labels));
                }
                return;
            }
            if let Some((mtu, says_so)) = router.mtu.filter(|(mtu, _)| packet.whole.len() > *mtu) {
                let kind = if address.is_ipv6() { [2, 0] } else { [3, 4] };
                if says_so {
                    self.put(&error(packet, address, kind, mtu, &quote, &[]));
                }
                return;
            }
        }
        if !self.mischief.silent {
            self.answer(packet);
        }
    }

    /// The target's answer.
    fn answer(&mut self, packet: &Packet<'_>) {
        let v6 = packet.target.is_ipv6();
        match packet.protocol {
            1 | 58 => self.answer_echo(packet, v6),
            17 => {
                let kind = if v6 { [1, 4] } else { [3, 3] };
                self.put(&error(packet, packet.target, kind, 0, &quote(packet, 100), &[]));
            }
            // The kernel resets what nobody has opened: only a SYN is answered.
            6 if packet.transport.get(13) == Some(&2) => {
                let mut segment = [0; 20];
                segment[..2].copy_from_slice(&packet.transport[2..4]);
                segment[2..4].copy_from_slice(&packet.transport[..2]);
                let sequence = u32::from_be_bytes(packet.transport[4..8].try_into().expect("four octets"));
                segment[8..12].copy_from_slice(&sequence.wrapping_add(1).to_be_bytes());
                (segment[12], segment[13]) = (5 << 4, 0x12);
                let sum = Sum::new().pseudo_header(packet.target, packet.source, 6, 20).octets(&segment).finish();
                segment[16..18].copy_from_slice(&sum.to_be_bytes());
                self.put(&ip(packet.target, packet.source, 6, &segment));
            }
            _ => {}
        }
    }

    fn answer_echo(&mut self, packet: &Packet<'_>, v6: bool) {
        let mut message = packet.transport.to_vec();
        message[0] = if v6 { 129 } else { 0 };
        self.echoes += 1;
        let count = self.echoes;
        let is_each = |every: u32| every > 0 && count.is_multiple_of(every);
        if self.mischief.forge && self.echoes.is_multiple_of(2) {
            message[20] ^= 1;
        }
        let from = if self.mischief.forge && self.echoes % 2 == 1 { [203, 0, 113, 9].into() } else { packet.target };
        let answer = ip(from, packet.source, packet.protocol, &with_checksum(message, from, packet.source));
        if is_each(self.mischief.late_every) {
            self.later.push(Reverse((clock::monotonic() + Duration::from_millis(150), answer)));
            return;
        }
        if is_each(self.mischief.swap_every) {
            self.held = Some(answer);
            return;
        }
        self.put(&answer);
        if is_each(self.mischief.duplicate_every) {
            self.put(&answer);
        }
        if let Some(held) = self.held.take() {
            self.put(&held);
        }
    }
}

fn parse(packet: &[u8]) -> Option<Packet<'_>> {
    let whole = packet;
    match packet.first()? >> 4 {
        4 => Some(Packet {
            whole,
            source: Ipv4Addr::from(<[u8; 4]>::try_from(packet.get(12..16)?).ok()?).into(),
            target: Ipv4Addr::from(<[u8; 4]>::try_from(packet.get(16..20)?).ok()?).into(),
            ttl: packet[8],
            protocol: packet[9],
            traffic_class: packet[1],
            transport: packet.get(20..)?,
        }),
        6 => Some(Packet {
            whole,
            source: Ipv6Addr::from(<[u8; 16]>::try_from(packet.get(8..24)?).ok()?).into(),
            target: Ipv6Addr::from(<[u8; 16]>::try_from(packet.get(24..40)?).ok()?).into(),
            ttl: packet[7],
            protocol: packet[6],
            traffic_class: (packet[0] << 4) | (packet[1] >> 4),
            transport: packet.get(40..)?,
        }),
        _ => None,
    }
    // The kernel's own multicast is no probe.
    .filter(|packet| !packet.target.is_multicast() && packet.transport.len() >= 8)
}

fn flow_of(packet: &Packet<'_>) -> [u8; 4] {
    let of = |places: [usize; 4]| places.map(|place| packet.transport[place]);
    match packet.protocol {
        1 | 58 => of([2, 3, 4, 5]),
        _ => of([0, 1, 2, 3]),
    }
}

/// As a router hashes a flow: each bit of it matters.
fn hash(flow: [u8; 4]) -> usize {
    let hash = flow.iter().fold(0x811c_9dc5_u32, |hash, octet| (hash ^ u32::from(*octet)).wrapping_mul(0x0100_0193));
    usize::try_from(hash >> 20).expect("a small number")
}

fn quote(packet: &Packet<'_>, most: usize) -> Vec<u8> {
    let header = packet.whole.len() - packet.transport.len();
    packet.whole[..packet.whole.len().min(header + most)].to_vec()
}

fn error(packet: &Packet<'_>, from: IpAddr, kind: [u8; 2], mtu: usize, quote: &[u8], labels: &[[u8; 4]]) -> Vec<u8> {
    let mtu = u16::try_from(mtu).expect("an MTU").to_be_bytes();
    let mut message = vec![kind[0], kind[1], 0, 0, 0, 0, mtu[0], mtu[1]];
    message.extend_from_slice(quote);
    if !labels.is_empty() {
        // RFC 4884: the quote is filled up to 128 octets, and its length told.
        message.resize(8 + 128, 0);
        message[if from.is_ipv6() { 4 } else { 5 }] = if from.is_ipv6() { 16 } else { 32 };
        let length = u8::try_from(4 + 4 * labels.len()).expect("a short stack");
        let mut extension = vec![0x20, 0, 0, 0, 0, length, 1, 1];
        labels.iter().for_each(|label| extension.extend(label));
        let sum = Sum::new().octets(&extension).finish().to_be_bytes();
        extension[2..4].copy_from_slice(&sum);
        message.extend(extension);
    }
    let protocol = if from.is_ipv6() { 58 } else { 1 };
    ip(from, packet.source, protocol, &with_checksum(message, from, packet.source))
}

fn with_checksum(mut message: Vec<u8>, from: IpAddr, to: IpAddr) -> Vec<u8> {
    message[2..4].fill(0);
    let start = if from.is_ipv6() {
        Sum::new().pseudo_header(from, to, 58, u16::try_from(message.len()).expect("a short message"))
    } else {
        Sum::new()
    };
    let sum = start.octets(&message).finish().to_be_bytes();
    message[2..4].copy_from_slice(&sum);
    message
}

fn ip(from: IpAddr, to: IpAddr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let length = |header: usize| u16::try_from(header + payload.len()).expect("a short packet").to_be_bytes();
    let mut packet = match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let [high, low] = length(20);
            let mut header = vec![0x45, 0, high, low, 0, 0, 0, 0, 64, protocol, 0, 0];
            header.extend(from.octets());
            header.extend(to.octets());
            let sum = Sum::new().octets(&header).finish().to_be_bytes();
            header[10..12].copy_from_slice(&sum);
            header
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            let [high, low] = length(0);
            let mut header = vec![0x60, 0, 0, 0, high, low, protocol, 64];
            header.extend(from.octets());
            header.extend(to.octets());
            header
        }
        _ => panic!("two families in one packet"),
    };
    packet.extend_from_slice(payload);
    packet
}
