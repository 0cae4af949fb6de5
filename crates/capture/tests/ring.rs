//! Real rings on real interfaces, in namespaces of their own: what is counted must be what was sent.

use std::io::Write;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use netwatch_capture::frame::{Frame, InterfaceIndex, LinkType, OffloadedTag};
use netwatch_capture::ring::{Fanout, Ring, RingSettings, RingStatistics, RingTarget, open_socket};
use netwatch_model::Direction;
use netwatch_telemetry::clock::monotonic;
use netwatch_testkit::netns::Namespace;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// The UDP port whose packets end a recording.
const LAST: u16 = 9;

/// A frame that outlives its block.
#[derive(Clone, Debug)]
struct Kept {
    data: Vec<u8>,
    wire_length: u32,
    tag: Option<OffloadedTag>,
    segment_size: u16,
    direction: Direction,
}

impl Kept {
    /// The destination port of an IPv4 packet without options in Ethernet without tags.
    fn port(&self) -> Option<u16> {
        let ip = self.data.get(12..14)? == [8, 0] && matches!(self.data.get(23)?, 6 | 17);
        ip.then(|| u16::from_be_bytes([self.data[36], self.data[37]]))
    }
}

impl From<&Frame<'_>> for Kept {
    fn from(frame: &Frame<'_>) -> Self {
        let Frame { wire_length, tag, segment_size, direction, .. } = *frame;
        Self { data: frame.data.to_vec(), wire_length, tag, segment_size, direction }
    }
}

fn open(interface: &str, fanout: Fanout, settings: &RingSettings) -> Ring {
    let socket = open_socket().unwrap();
    let ifindex = rustix::net::netdevice::name_to_index(&socket, interface).unwrap();
    let loopback = interface == "lo";
    let target = RingTarget { ifindex, interface: InterfaceIndex(0), link: LinkType::Ethernet, loopback };
    Ring::open(socket, target, fanout, settings).unwrap()
}

fn small() -> RingSettings {
    RingSettings { block_size: 128 << 10, block_count: 16, retire: Duration::from_millis(5), ..RingSettings::default() }
}

/// Everything up to the first packet to port [`LAST`].
fn until_last(ring: &mut Ring) -> Vec<Kept> {
    until(ring, |kept| kept.iter().any(|frame| frame.port() == Some(LAST)))
}

/// Everything until `enough` says so; it is asked after each read.
fn until(ring: &mut Ring, enough: impl Fn(&[Kept]) -> bool) -> Vec<Kept> {
    let mut kept = Vec::new();
    loop {
        while let Some(block) = ring.next_block() {
            block.for_each_batch(|frames| kept.extend(frames.iter().map(Kept::from)));
        }
        if enough(&kept) {
            return kept;
        }
        let mut wait = [PollFd::new(ring, PollFlags::IN)];
        let ready = poll(&mut wait, Some(&Timespec { tv_sec: 5, tv_nsec: 0 })).unwrap();
        assert_ne!(ready, 0, "not enough within 5 s: {} frames, {:?}", kept.len(), ring.statistics());
    }
}

fn send(from: &UdpSocket, to: &str, count: usize, octets: usize) {
    for _ in 0..count {
        from.send_to(&vec![7; octets], to).unwrap();
    }
}

/// Two namespaces joined by `a0` (10.0.0.1) and `b0` (10.0.0.2), with fixed neighbours.
fn pair(test: &str) -> Option<(Namespace, Namespace)> {
    let (a, b) = (Namespace::new_or_skip(test)?, Namespace::new_or_skip(test)?);
    a.connect("a0", &b, "b0");
    join(&a, "a0", "10.0.0.1", "02:00:00:00:00:0a", &b, "b0", "10.0.0.2", "02:00:00:00:00:0b");
    Some((a, b))
}

#[expect(clippy::too_many_arguments, reason = "two ends with name, address and station")]
fn join(a: &Namespace, a_name: &str, a_ip: &str, a_mac: &str, b: &Namespace, b_name: &str, b_ip: &str, b_mac: &str) {
    for (ns, name, ip, mac) in [(a, a_name, a_ip, a_mac), (b, b_name, b_ip, b_mac)] {
        ns.ip(&format!("link set {name} address {mac}"));
        ns.ip(&format!("address add {ip}/24 dev {name}"));
    }
    a.ip(&format!("neighbour replace {b_ip} lladdr {b_mac} dev {a_name} nud permanent"));
    b.ip(&format!("neighbour replace {a_ip} lladdr {a_mac} dev {b_name} nud permanent"));
}

#[test]
fn counts_every_packet_once_with_its_direction() {
    let Some((a, b)) = pair("counts_every_packet_once_with_its_direction") else { return };
    let mut ring = b.enter(|| open("b0", Fanout::Alone, &small()));
    let (from_a, from_b) = (a.enter(udp), b.enter(udp));
    send(&from_a, "10.0.0.2:5000", 1000, 100);
    send(&from_b, "10.0.0.1:5001", 300, 50);
    send(&from_a, "10.0.0.2:9", 1, 1);
    let kept = until_last(&mut ring);
    let count = |port, direction| kept.iter().filter(|f| f.port() == Some(port) && f.direction == direction).count();
    assert_eq!((count(5000, Direction::In), count(5000, Direction::Out)), (1000, 0));
    assert_eq!((count(5001, Direction::In), count(5001, Direction::Out)), (0, 300));
    let wire = kept.iter().filter(|f| f.port() == Some(5000)).all(|f| f.wire_length == 142);
    assert!(wire, "14 Ethernet + 20 IP + 8 UDP + 100");
    let stats = ring.statistics().unwrap();
    assert_eq!((stats.received, stats.dropped), (kept.len() as u64, 0));
    assert_eq!(ring.statistics().unwrap(), RingStatistics::default(), "reading resets");
}

#[test]
fn capture_length_cuts_data_and_no_count() {
    let Some((a, b)) = pair("capture_length_cuts_data_and_no_count") else { return };
    let settings = |capture_length| RingSettings { capture_length, ..small() };
    let mut rings = [64, 1500].map(|octets| b.enter(|| open("b0", Fanout::Alone, &settings(octets))));
    let from_a = a.enter(udp);
    for octets in [1, 22, 23, 500, 1472] {
        send(&from_a, "10.0.0.2:5000", 10, octets);
    }
    send(&from_a, "10.0.0.2:9", 1, 1);
    let [short, long] = rings.each_mut().map(until_last);
    assert_eq!(short.len(), long.len());
    let wire = |frames: &[Kept]| frames.iter().map(|f| f.wire_length).collect::<Vec<_>>();
    assert_eq!(wire(&short), wire(&long));
    assert!(short.iter().all(|f| f.data.len() == f.wire_length.min(64) as usize));
    assert!(long.iter().all(|f| f.data.len() == f.wire_length.min(1500) as usize));
}

#[test]
fn vlan_tags_are_kept_beside_and_inside_the_frame() {
    let Some((a, b)) = pair("vlan_tags_are_kept_beside_and_inside_the_frame") else { return };
    let mut ring = b.enter(|| open("b0", Fanout::Alone, &small()));
    let sender = a.sender("a0");
    let frame = |tags: &[u8], port: u16| {
        let mut frame = vec![2, 0, 0, 0, 0, 0x0b, 2, 0, 0, 0, 0, 0x0a];
        frame.extend(tags);
        frame.extend([0x08, 0x00, 0x45, 0, 0, 128, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0x30, 0x39]);
        frame.extend(port.to_be_bytes());
        frame.resize(142 + tags.len(), 0);
        frame
    };
    (0..5).for_each(|_| sender.send(&frame(&[0x81, 0x00, 0x60, 100], 5000)));
    (0..5).for_each(|_| sender.send(&frame(&[0x88, 0xa8, 0x00, 200, 0x81, 0x00, 0x01, 0x2c], 5000)));
    sender.send(&frame(&[], LAST));
    let kept = until_last(&mut ring);
    let tagged = |tpid, id| {
        kept.iter()
            .filter(move |f| f.tag.is_some_and(|tag| tag.tpid == tpid && tag.tci & 0xfff == id))
            .collect::<Vec<_>>()
    };
    let one = tagged(0x8100, 100);
    assert_eq!(one.len(), 5);
    assert!(one.iter().all(|f| f.wire_length == 142 && f.port() == Some(5000)), "the tag is not part of the length");
    let two = tagged(0x88a8, 200);
    assert_eq!(two.len(), 5);
    assert!(two.iter().all(|f| f.wire_length == 146 && f.data[12..16] == [0x81, 0, 0x01, 0x2c]), "the inner tag stays");
}

#[test]
fn a_super_frame_tells_the_size_of_its_segments() {
    let Some((a, b)) = pair("a_super_frame_tells_the_size_of_its_segments") else { return };
    // Nobody reads during the transfer: blocks must not be closed by time before they are full.
    let settings = RingSettings { capture_length: 128, retire: Duration::from_secs(1), ..small() };
    let mut ring = b.enter(|| open("b0", Fanout::Alone, &settings));
    let listener = b.enter(|| TcpListener::bind("10.0.0.2:7000").unwrap());
    let octets = 4_000_000_u64;
    let stream = a.enter(|| TcpStream::connect("10.0.0.2:7000").unwrap());
    let received = std::thread::scope(|scope| {
        let reader = scope.spawn(|| std::io::copy(&mut listener.accept().unwrap().0, &mut std::io::sink()).unwrap());
        { stream }.write_all(&vec![1; octets as usize]).unwrap();
        reader.join().unwrap()
    });
    assert_eq!(received, octets);
    let kept = until(&mut ring, |kept| {
        let sent: u64 = kept.iter().filter(|f| f.direction == Direction::In).map(segments).sum();
        sent == a.enter(segments_sent)
    });
    let super_frames = kept.iter().filter(|f| f.segment_size != 0).count();
    assert!(super_frames > 10, "veth hands over super-frames: {super_frames} of {}", kept.len());
    assert!(kept.iter().all(|f| f.segment_size == 0 || f.segment_size == 1448));
}

/// The TCP segments that a frame stands for; none when it is not TCP.
fn segments(frame: &Kept) -> u64 {
    if frame.port().is_none() || frame.data[23] != 6 {
        return 0;
    }
    let payload = u64::from(frame.wire_length) - 14 - 20 - u64::from(frame.data[46] >> 4) * 4;
    payload.div_ceil(u64::from(frame.segment_size.max(1448))).max(1)
}

/// How many TCP segments the thread's namespace has sent, as its kernel counts them (`OutSegs`, RFC 4022).
fn segments_sent() -> u64 {
    let counters = std::fs::read_to_string("/proc/thread-self/net/snmp").unwrap();
    let mut rows = counters.lines().filter(|line| line.starts_with("Tcp:")).map(str::split_whitespace);
    let (names, values) = (rows.next().unwrap(), rows.next().unwrap());
    names.zip(values).find(|(name, _)| *name == "OutSegs").unwrap().1.parse().unwrap()
}

#[test]
fn loopback_shows_each_packet_once() {
    let Some(ns) = Namespace::new_or_skip("loopback_shows_each_packet_once") else { return };
    let mut ring = ns.enter(|| open("lo", Fanout::Alone, &small()));
    let socket = ns.enter(udp);
    send(&socket, "127.0.0.1:5000", 200, 10);
    send(&socket, "127.0.0.1:9", 1, 1);
    let kept = until_last(&mut ring);
    assert_eq!(kept.iter().filter(|f| f.port() == Some(5000)).count(), 200);
}

#[test]
fn drops_are_counted_when_nobody_reads() {
    let Some((a, b)) = pair("drops_are_counted_when_nobody_reads") else { return };
    let settings = RingSettings { block_size: 64 << 10, block_count: 2, ..small() };
    let mut ring = b.enter(|| open("b0", Fanout::Alone, &settings));
    assert!(ring.fill() < 0.1, "an empty ring: {}", ring.fill());
    // Without a receiver there would be answers by ICMP too.
    let _receiver = b.enter(|| UdpSocket::bind("10.0.0.2:5000").unwrap());
    send(&a.enter(udp), "10.0.0.2:5000", 1000, 1000);
    assert!(ring.fill() > 0.9, "a full ring: {}", ring.fill());
    let mut read = 0;
    while let Some(block) = ring.next_block() {
        read += block.frames().count() as u64;
    }
    let stats = ring.statistics().unwrap();
    assert_eq!((stats.received, stats.received + stats.dropped), (read, 1000));
    assert!(stats.dropped > 800 && stats.freezes > 0, "{stats:?}");
}

#[test]
fn fanout_keeps_both_directions_of_a_flow_together() {
    let Some((a, b)) = pair("fanout_keeps_both_directions_of_a_flow_together") else { return };
    let first = b.enter(|| open("b0", Fanout::Begin, &small()));
    let group = Fanout::Join(first.fanout_group().unwrap());
    let mut rings = [first, b.enter(|| open("b0", group, &small()))];
    let sockets: Vec<_> = (0..64).map(|_| (a.enter(udp), b.enter(udp))).collect();
    for (from_a, from_b) in &sockets {
        let port = |socket: &UdpSocket| socket.local_addr().unwrap().port();
        send(from_a, &format!("10.0.0.2:{}", port(from_b)), 3, 10);
        send(from_b, &format!("10.0.0.1:{}", port(from_a)), 3, 10);
    }
    let mut seen = std::collections::HashMap::new();
    let mut total = 0;
    while total < 64 * 6 {
        for (number, ring) in rings.iter_mut().enumerate() {
            let mut wait = [PollFd::new(&*ring, PollFlags::IN)];
            poll(&mut wait, Some(&Timespec { tv_sec: 0, tv_nsec: 10_000_000 })).unwrap();
            while let Some(block) = ring.next_block() {
                for frame in block.frames() {
                    let mut ports = [&frame.data[34..36], &frame.data[36..38]];
                    ports.sort_unstable();
                    seen.entry(ports.concat()).or_insert_with(Vec::new).push(number);
                    total += 1;
                }
            }
        }
    }
    assert_eq!((total, seen.len()), (64 * 6, 64));
    assert!(seen.values().all(|numbers| numbers.iter().all(|n| *n == numbers[0])), "a flow on two rings: {seen:?}");
    let on_first = seen.values().filter(|numbers| numbers[0] == 0).count();
    assert!((8..=56).contains(&on_first), "the rings share the flows: {on_first} of 64 on the first");
}

#[test]
fn fanout_keeps_an_ipv6_flow_together_whatever_its_labels() {
    let Some((a, b)) = pair("fanout_keeps_an_ipv6_flow_together_whatever_its_labels") else { return };
    let first = b.enter(|| open("b0", Fanout::Begin, &small()));
    let group = Fanout::Join(first.fanout_group().unwrap());
    let mut rings = [first, b.enter(|| open("b0", group, &small()))];
    let (to, from) = (a.sender("a0"), b.sender("b0"));
    // Each direction has a flow label of its own (RFC 6437), and one of them none.
    let frame = |label: u8, ends: [u8; 2], ports: [u8; 4]| {
        let mut frame =
            vec![2, 0, 0, 0, 0, ends[1], 2, 0, 0, 0, 0, ends[0], 0x86, 0xdd, 0x60, 0, 0, label, 0, 9, 17, 64];
        for end in ends {
            frame.extend([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, end]);
        }
        frame.extend(ports);
        frame.extend([0, 9, 0, 0, 1]);
        frame
    };
    for flow in 0..64 {
        to.send(&frame(flow, [0x0a, 0x0b], [10, flow, 0, 53]));
        from.send(&frame(0, [0x0b, 0x0a], [0, 53, 10, flow]));
    }
    let mut seen = std::collections::HashMap::new();
    let mut total = 0;
    let deadline = monotonic() + Duration::from_secs(5);
    while total < 128 && monotonic() < deadline {
        for (number, ring) in rings.iter_mut().enumerate() {
            while let Some(block) = ring.next_block() {
                for frame in block.frames() {
                    let mut ports = [&frame.data[54..56], &frame.data[56..58]];
                    ports.sort_unstable();
                    seen.entry(ports.concat()).or_insert_with(Vec::new).push(number);
                    total += 1;
                }
            }
        }
    }
    assert_eq!((total, seen.len()), (128, 64));
    let split = seen.values().filter(|numbers| numbers[0] != numbers[1]).count();
    assert_eq!(split, 0, "flows on two rings");
}

#[test]
fn a_missing_interface_is_an_error_that_names_it() {
    let Some(ns) = Namespace::new_or_skip("a_missing_interface_is_an_error_that_names_it") else { return };
    let error = ns.enter(|| {
        let target =
            RingTarget { ifindex: 4711, interface: InterfaceIndex(0), link: LinkType::Ethernet, loopback: false };
        Ring::open(open_socket().unwrap(), target, Fanout::Alone, &small()).unwrap_err()
    });
    assert_eq!(error.to_string(), "cannot bind the packet socket to interface number 4711");
}

/// A UDP socket of the thread's namespace.
fn udp() -> UdpSocket {
    UdpSocket::bind("0.0.0.0:0").unwrap()
}
