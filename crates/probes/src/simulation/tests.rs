//! Real sockets on this host: the sender beside our reflector, a path between them that does what a test says, and strangers.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket as StdSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use netwatch_egress::Policy;
use netwatch_model::probe::kind::simulation::{KEY, SIZE, Simulation};
use netwatch_model::probe::{Detail, FailureReason, OptionValue, ProbeKind, ProbeSpec, Source};
use netwatch_wire::stamp::Key;

use super::run;
use crate::reflector::{Config, Handle, Reflector, Refusal};
use crate::run::Ran;
use crate::tools::{OwnRights, Tools};

fn tools() -> Tools {
    let any = ["0.0.0.0/0", "::/0"].map(|net| net.parse().expect("a network"));
    Tools::new(Arc::new(Policy { allow: any.to_vec(), deny: Vec::new() }), Arc::new(OwnRights))
}

fn spec(to: SocketAddr, count: u32) -> ProbeSpec {
    let spec = ProbeSpec::new(ProbeKind::Simulation, &to.to_string());
    ProbeSpec { count, spacing: 0.002, timeout: 2.0, ..spec }
}

/// A reflector of this host in the background.
fn reflector(address: &str, key: Option<&[u8]>) -> (SocketAddr, Handle) {
    let listen = vec![address.parse().expect("an address with a port")];
    let reflector =
        Reflector::bind(Config { listen, key: key.map(Key::new), ..Config::default() }).expect("it listens");
    let (address, handle) = (reflector.addresses()[0], reflector.handle());
    tokio::spawn(reflector.run());
    (address, handle)
}

fn simulation(ran: Ran) -> Simulation {
    assert_eq!(ran.failure, None);
    match ran.detail {
        Some(Detail::Simulation(detail)) => *detail,
        other => panic!("not a simulation: {other:?}"),
    }
}

/// Between a sender and a reflector: does with packets what it is told, and counts. A thread for each direction.
struct Between {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    threads: [std::thread::JoinHandle<u32>; 2],
}

/// What becomes of a packet on its way.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Pass,
    Lose,
    Double,
    /// It waits until the next one has passed.
    Overtaken,
}

/// Of a direction (0 there, 1 back) and the n-th packet of the stream.
type Decide = fn(usize, u32) -> Fate;

impl Between {
    fn start(reflector: SocketAddr, decide: Decide) -> Self {
        let socket = || Arc::new(StdSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket"));
        let (outer, inner, sender) = (socket(), socket(), Arc::new(OnceLock::new()));
        let address = outer.local_addr().expect("it is bound");
        let stop = Arc::new(AtomicBool::new(false));
        let there = Direction { way: 0, number_at: 0, stop: Arc::clone(&stop), decide };
        let back = Direction { way: 1, number_at: 24, ..there.clone() };
        let (first, second, known) = (Arc::clone(&outer), Arc::clone(&inner), Arc::clone(&sender));
        let there = move || {
            there.carry(&first, |packet, from| {
                sender.get_or_init(|| from);
                second.send_to(packet, reflector).expect("it is sent on");
            })
        };
        let back = move || {
            back.carry(&inner, |packet, _| {
                outer.send_to(packet, known.get().expect("somebody asked")).expect("it is sent back");
            })
        };
        Self { address, stop, threads: [std::thread::spawn(there), std::thread::spawn(back)] }
    }

    /// Packets lost there and back.
    fn end(self) -> [u32; 2] {
        self.stop.store(true, Ordering::Relaxed);
        self.threads.map(|thread| thread.join().expect("it does not panic"))
    }
}

#[derive(Clone)]
struct Direction {
    way: usize,
    /// Where the sender's number stands in a packet.
    number_at: usize,
    stop: Arc<AtomicBool>,
    decide: Decide,
}

impl Direction {
    fn carry(&self, from: &StdSocket, send: impl Fn(&[u8], SocketAddr)) -> u32 {
        let (mut lost, mut buffer, mut waiting) = (0, [0; 9216], None);
        from.set_read_timeout(Some(Duration::from_millis(50))).expect("a timeout");
        while !self.stop.load(Ordering::Relaxed) {
            let Ok((length, source)) = from.recv_from(&mut buffer) else { continue };
            let packet = &buffer[..length];
            let number = packet[self.number_at..].first_chunk().map(|bytes| u32::from_be_bytes(*bytes));
            // The stream begins with number 2.
            let nth = number.and_then(|n| n.checked_sub(2));
            match nth.map_or(Fate::Pass, |n| (self.decide)(self.way, n)) {
                Fate::Lose => lost += 1,
                Fate::Overtaken => waiting = Some(packet.to_vec()),
                fate => {
                    send(packet, source);
                    if fate == Fate::Double {
                        send(packet, source);
                    }
                    if let Some(overtaken) = waiting.take() {
                        send(&overtaken, source);
                    }
                }
            }
        }
        lost
    }
}

const fn lose(is_lost: bool) -> Fate {
    if is_lost { Fate::Lose } else { Fate::Pass }
}

#[tokio::test]
async fn a_session_with_our_reflector_is_whole() {
    for address in ["127.0.0.1:0", "[::1]:0"] {
        let (to, handle) = reflector(address, None);
        let mut spec = spec(to, 50);
        spec.dscp = 46;
        let ran = run(&spec, &tools()).await;
        assert_eq!((ran.address, ran.source), (Some(to.ip()), Some(to.ip())));
        let all = simulation(ran);
        assert_eq!((all.sent, all.received, all.stateful, all.duplicates), (50, 50, true, 0), "{all:?}");
        assert_eq!((all.dscp_there, all.dscp_back), (Some(46), Some(46)));
        let rtt = all.rtt.expect("there are answers");
        assert!(rtt.min > 0.0 && rtt.max < 1.0, "a LAN's round trip is neither nothing nor long: {rtt:?}");
        for way in [all.forward.expect("there"), all.reverse.expect("back")] {
            assert_eq!((way.sent, way.lost), (50, 0));
            assert!(way.voice.expect("a codec").mos > 4.3);
        }
        assert_eq!((handle.answered(), handle.refused(Refusal::Stranger)), (51, 0), "the stream and its first packet");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asymmetric_loss_is_given_to_the_right_direction_exactly() {
    for (decide, must) in [
        ((|way, n| lose(way == 0 && n % 10 == 4)) as Decide, [20, 0]),
        (|way, n| lose(way == 1 && n % 20 == 4), [0, 10]),
        (|way, n| lose(if way == 0 { (50..58).contains(&n) } else { n % 40 == 4 }), [8, 5]),
    ] {
        let (to, _handle) = reflector("127.0.0.1:0", None);
        let between = Between::start(to, decide);
        let all = simulation(run(&spec(between.address, 200), &tools()).await);
        let lost = between.end();
        let (there, back) = (all.forward.expect("there"), all.reverse.expect("back"));
        assert_eq!((lost, [there.lost, back.lost]), (must, must), "{there:?} {back:?}");
        assert_eq!(all.received, 200 - must[0] - must[1]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn order_and_duplicates_are_those_of_each_direction() {
    for (decide, must) in [
        ((|way, n| if way == 0 && n % 20 == 4 { Fate::Overtaken } else { Fate::Pass }) as Decide, [10, 0, 0, 0]),
        (|way, n| if way == 1 && n % 40 == 4 { Fate::Overtaken } else { Fate::Pass }, [0, 5, 0, 0]),
        (|way, n| if way == 0 && n % 20 == 4 { Fate::Double } else { Fate::Pass }, [0, 0, 10, 0]),
        (|way, n| if way == 1 && n % 40 == 4 { Fate::Double } else { Fate::Pass }, [0, 0, 0, 5]),
    ] {
        let (to, _handle) = reflector("127.0.0.1:0", None);
        let between = Between::start(to, decide);
        let all = simulation(run(&spec(between.address, 200), &tools()).await);
        between.end();
        let (there, back) = (all.forward.expect("there"), all.reverse.expect("back"));
        let figures = [there.reordered, back.reordered, there.duplicates, back.duplicates];
        assert_eq!((figures, there.lost, back.lost), (must, 0, 0), "{there:?} {back:?}");
    }
}

#[tokio::test]
async fn payload_has_the_size_that_was_asked_for_both_ways() {
    let (to, _handle) = reflector("127.0.0.1:0", None);
    for size in [44, 52, 172, 1400, 8000] {
        let seen = StdSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
        let between = seen.local_addr().expect("it is bound");
        let reflected = StdSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
        let thread = std::thread::spawn(move || {
            let mut buffer = [0; 9216];
            let (there, from) = seen.recv_from(&mut buffer).expect("a packet");
            reflected.send_to(&buffer[..there], to).expect("it is sent on");
            let back = reflected.recv(&mut buffer).expect("an answer");
            seen.send_to(&buffer[..back], from).expect("it is sent back");
            [there, back]
        });
        let mut spec = spec(between, 1);
        spec.options.set(&SIZE, OptionValue::Whole(size));
        run(&spec, &tools()).await;
        let size = usize::try_from(size).expect("a size");
        assert_eq!(thread.join().expect("it does not panic"), [size, size]);
    }
}

#[tokio::test]
async fn authenticated_mode_needs_the_same_key_on_both_sides() {
    let (to, handle) = reflector("127.0.0.1:0", Some(b"ours"));
    let with_key = |key: Option<&str>| {
        let mut spec = spec(to, 20);
        if let Some(key) = key {
            spec.options.set(&KEY, OptionValue::Text(key.to_owned()));
        }
        spec
    };
    let all = simulation(run(&with_key(Some("ours")), &tools()).await);
    assert_eq!((all.received, all.dscp_there), (20, Some(0)));
    for (key, refusal) in [(Some("another"), Refusal::NotAuthentic), (None, Refusal::NotAuthentic)] {
        let before = handle.refused(refusal);
        let failure = run(&with_key(key), &tools()).await.failure.expect("nobody answers");
        assert_eq!(failure.reason, FailureReason::Timeout);
        assert!(handle.refused(refusal) >= before + 20);
    }
}

#[tokio::test]
async fn a_port_where_nothing_listens_refuses_at_once() {
    let free = StdSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket").local_addr().expect("it is bound");
    let ran = run(&spec(free, 500), &tools()).await;
    let failure = ran.failure.expect("nothing listens");
    assert_eq!(failure.reason, FailureReason::Refused, "{failure:?}");
    let Some(Detail::Simulation(detail)) = ran.detail else { panic!("there is a detail") };
    assert!(detail.sent <= 2, "it gave up after {} packets", detail.sent);
}

#[tokio::test]
async fn a_reflector_that_repeats_numbers_gives_the_round_trip_alone() {
    let peer = StdSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    let to = peer.local_addr().expect("it is bound");
    peer.set_read_timeout(Some(Duration::from_millis(300))).expect("a timeout");
    // A TWAMP-light peer without state and without extensions: 41 octets, its own stamps zero but valid.
    let thread = std::thread::spawn(move || {
        let mut packet = [0; 2048];
        while let Ok((_, from)) = peer.recv_from(&mut packet) {
            let mut answer = [0; 41];
            answer[..14].copy_from_slice(&packet[..14]);
            answer[16..24].copy_from_slice(&packet[4..12]);
            answer[24..38].copy_from_slice(&packet[..14]);
            answer[40] = 255;
            peer.send_to(&answer, from).expect("it is sent back");
        }
    });
    let all = simulation(run(&spec(to, 30), &tools()).await);
    assert_eq!((all.received, all.stateful, all.dscp_there), (30, false, None));
    assert!(all.rtt.is_some() && all.forward.is_none());
    thread.join().expect("it does not panic");
}

#[tokio::test]
async fn a_source_that_is_not_there_is_named_before_anything_is_sent() {
    let (to, handle) = reflector("127.0.0.1:0", None);
    for source in [Source::Interface("nothere0".into()), Source::Address("192.0.2.77".parse().expect("an address"))] {
        let spec = ProbeSpec { source: Some(source), ..spec(to, 5) };
        let failure = run(&spec, &tools()).await.failure.expect("there is no such source");
        assert_eq!(failure.reason, FailureReason::Source, "{failure:?}");
    }
    assert_eq!(handle.answered(), 0);
}

#[tokio::test]
async fn a_target_that_the_policy_forbids_gets_no_packet() {
    let (to, handle) = reflector("127.0.0.1:0", None);
    let policy = Policy { allow: Vec::new(), deny: vec!["127.0.0.0/8".parse().expect("a network")] };
    let tools = Tools::new(Arc::new(policy), Arc::new(OwnRights));
    let failure = run(&spec(to, 5), &tools).await.failure.expect("it is forbidden");
    assert_eq!((failure.reason, handle.answered()), (FailureReason::Forbidden, 0));
}
