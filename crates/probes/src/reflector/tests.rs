//! A reflector at a real socket: what it answers, what it does not, and how.

use std::net::UdpSocket as StdSocket;
use std::os::fd::AsFd as _;

use netwatch_model::Timestamp;
use netwatch_wire::stamp::tlv::{answers, request};
use netwatch_wire::stamp::{LENGTH, Sent};
use proptest::prelude::*;

use super::*;

fn start(config: Config) -> (SocketAddr, Handle) {
    let reflector = Reflector::bind(config).expect("it listens");
    let (address, handle) = (reflector.addresses()[0], reflector.handle());
    tokio::spawn(reflector.run());
    (address, handle)
}

fn local() -> Config {
    Config { listen: vec!["127.0.0.1:0".parse().expect("an address")], ..Config::default() }
}

fn client(to: SocketAddr) -> StdSocket {
    let socket = StdSocket::bind("127.0.0.1:0").expect("a socket");
    socket.connect(to).expect("it is connected");
    socket.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
    socket
}

fn packet(sequence: u32, room: usize) -> Vec<u8> {
    let time = StampTime::ntp(Timestamp::from_secs(1_795_000_000));
    let mut bytes = Sent { sequence, time, ..Sent::default() }.encode(None).as_ref().to_vec();
    request(&mut bytes, room, 10, sequence, None);
    bytes
}

/// Sends a packet and gives the answer.
fn ask(socket: &StdSocket, bytes: &[u8]) -> Vec<u8> {
    socket.send(bytes).expect("it is sent");
    let mut buffer = [0; 10_000];
    let length = socket.recv(&mut buffer).expect("an answer");
    buffer[..length].to_vec()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_answer_has_numbers_stamps_and_the_senders_words() {
    let (to, _handle) = start(local());
    let socket = client(to);
    for number in 0..3 {
        let before = clock::now();
        let bytes = ask(&socket, &packet(100 + number * 2, 100));
        let answer = Reflected::decode(&bytes, None).expect("an answer");
        assert_eq!((answer.sequence, answer.sent.sequence, answer.ttl), (number, 100 + number * 2, 64));
        assert_eq!(answer.sent.time, StampTime::ntp(Timestamp::from_secs(1_795_000_000)));
        let (received, sent) = (answer.received.to_timestamp(false, before), answer.time.to_timestamp(false, before));
        assert!(before <= received && received <= sent && sent <= clock::now(), "{before} {received} {sent}");
        assert_eq!(answer.error.is_synchronised(), os::clock_error().is_some());
        assert!(answer.error.is_valid());
        let class = answers(&bytes[LENGTH..], number, None).class_of_service.expect("it is answered");
        assert_eq!((class.wanted, class.arrived), (10, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_answer_leaves_with_the_class_that_was_asked_for() {
    let (to, _handle) = start(local());
    let socket = client(to);
    os::ask(socket.as_fd(), false).expect("the kernel tells");
    for (room, tos, must) in [(100, 0, 10), (0, 46 << 2, 46)] {
        socket2::SockRef::from(&socket).set_tos_v4(tos).expect("a class");
        socket.send(&packet(1, room)).expect("it is sent");
        let mut buffer = [0; 200];
        let mut peek = [0; 1];
        socket.peek(&mut peek).expect("an answer");
        let received = os::receive(socket.as_fd(), &mut buffer).expect("the answer");
        assert_eq!(received.traffic_class.map(|class| class >> 2), Some(must), "reflected when nothing is asked for");
        assert!(received.stamp.is_some() && received.ttl == Some(255));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn strangers_forgers_and_short_packets_get_nothing() {
    let stranger = Config { allow: vec!["192.0.2.0/24".parse().expect("a network")], ..local() };
    let keyed = Config { key: Some(Key::new(b"ours")), ..local() };
    for (config, bytes, why) in [
        (stranger, packet(0, 0), Refusal::Stranger),
        (keyed.clone(), packet(0, 100), Refusal::NotAuthentic),
        (keyed, packet(0, 0), Refusal::Size),
        (local(), packet(0, 0)[..14].to_vec(), Refusal::Size),
    ] {
        let (to, handle) = start(config);
        let socket = client(to);
        socket.send(&bytes).expect("it is sent");
        // A packet behind it that is answered by nobody either: once both are counted, an answer would have come.
        socket.send(&bytes).expect("it is sent");
        while handle.refused(why) < 2 {
            tokio::task::yield_now().await;
        }
        socket.set_nonblocking(true).expect("it does not wait");
        let nothing = socket.recv(&mut [0; 100]).expect_err("nobody answers");
        assert_eq!((nothing.kind(), handle.answered()), (io::ErrorKind::WouldBlock, 0), "{why:?}");
    }
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = StdSocket::bind("127.0.0.1:0").expect("a socket");
    let address = taken.local_addr().expect("it is bound");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let _guard = runtime.enter();
    let error = Reflector::bind(Config { listen: vec![address], ..Config::default() }).expect_err("it is taken");
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn an_answer_is_never_longer_than_its_request(mut bytes in proptest::collection::vec(any::<u8>(), 14..400)) {
        bytes[13] |= 1;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let _guard = runtime.enter();
        let (to, handle) = start(local());
        let socket = client(to);
        if bytes.len() >= 41 {
            let answer = ask(&socket, &bytes);
            prop_assert_eq!(answer.len(), bytes.len());
        } else {
            socket.send(&bytes).expect("it is sent");
            while handle.refused(Refusal::Size) == 0 {
                std::thread::yield_now();
            }
        }
    }
}
