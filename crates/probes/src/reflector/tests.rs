//! A reflector at a real socket: what it answers, what it does not, and how.

use std::net::UdpSocket as StdSocket;

use netwatch_egress::Policy;
use netwatch_model::Timestamp;
use netwatch_model::probe::kind::simulation::KEY;
use netwatch_model::probe::pair::PairKey;
use netwatch_model::probe::{Detail, FailureReason, OptionValue, ProbeKind, ProbeSpec, Source};
use netwatch_wire::stamp::tlv::{answers, request};
use netwatch_wire::stamp::{LENGTH, Sent};
use proptest::prelude::*;

use super::*;
use crate::tools::{OwnRights, Tools};

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
    os::ask(&SockRef::from(&socket), false).expect("the kernel tells");
    for (room, tos, must) in [(100, 0, 10), (0, 46 << 2, 46)] {
        socket2::SockRef::from(&socket).set_tos_v4(tos).expect("a class");
        socket.send(&packet(1, room)).expect("it is sent");
        let mut buffer = [0; 200];
        let mut peek = [0; 1];
        socket.peek(&mut peek).expect("an answer");
        let received = os::receive(&SockRef::from(&socket), &mut buffer).expect("the answer");
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

/// What became of a stream of five packets from an address of this host.
async fn simulate(from: &str, to: SocketAddr, key: &str) -> Result<u32, FailureReason> {
    let policy = Policy { allow: vec!["127.0.0.0/8".parse().expect("a network")], deny: Vec::new() };
    let tools = Tools::new(Arc::new(policy), Arc::new(OwnRights));
    let source = Some(Source::from(from.to_owned()));
    let spec = ProbeSpec::new(ProbeKind::Simulation, &to.to_string());
    let mut spec = ProbeSpec { count: 5, spacing: 0.002, timeout: 0.2, source, ..spec };
    spec.options.set(&KEY, OptionValue::Text(key.to_owned()));
    let ran = crate::simulation::run(&spec, &tools).await;
    match (ran.failure, ran.detail) {
        (Some(failure), _) => Err(failure.reason),
        (None, Some(Detail::Simulation(detail))) => Ok(detail.received),
        other => panic!("no simulation: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn agents_meet_with_the_key_of_their_pair_alone() {
    let (to, handle) = start(local());
    let keys = [1, 2].map(|octet| PairKey::of(&[octet; 32]));
    let sender = |address: &str, key: &PairKey| {
        let addresses = vec![address.parse().expect("an address")];
        Sender { addresses, keys: vec![key.clone()] }
    };
    handle.allow(Vec::new(), &[sender("127.0.0.2", &keys[0]), sender("127.0.0.3", &keys[1])]);
    let [first, second] = keys.each_ref().map(PairKey::as_str);
    assert_eq!(simulate("127.0.0.2", to, first).await, Ok(5));
    assert_eq!(simulate("127.0.0.3", to, second).await, Ok(5));
    assert_eq!(handle.refused(Refusal::NotAuthentic), 0);
    // Another agent's key, none, and a key from an address that has none.
    assert_eq!(simulate("127.0.0.2", to, second).await, Err(FailureReason::Timeout));
    assert_eq!(simulate("127.0.0.2", to, "").await, Err(FailureReason::Timeout));
    assert!(handle.refused(Refusal::NotAuthentic) > 0 && handle.refused(Refusal::Stranger) == 0);
    let answered = handle.answered();
    assert!(simulate("127.0.0.1", to, first).await.is_err(), "this host is answered as it was: without a key");
    assert_eq!(simulate("127.0.0.1", to, "").await, Ok(5));
    // A new assignment without the pair closes the door again.
    handle.allow(vec!["192.0.2.0/24".parse().expect("a network")], &[]);
    assert_eq!(simulate("127.0.0.2", to, first).await, Err(FailureReason::Timeout));
    assert!(handle.answered() > answered && handle.refused(Refusal::Stranger) > 0);
}

/// Who records packets of a pair and sends them again, from wherever, gets nothing that is true later.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_recorded_packet_is_no_way_in() {
    let (to, handle) = start(local());
    let key = PairKey::of(&[1; 32]);
    let addresses = vec!["127.0.0.1".parse().expect("an address")];
    handle.allow(vec!["127.0.0.2".parse().expect("a network")], &[Sender { addresses, keys: vec![key.clone()] }]);
    let key = Key::new(key.as_str().as_bytes());
    let recorded = Sent { sequence: 3, error: ErrorEstimate::default(), ..Sent::default() }.encode(Some(&key));
    let socket = client(to);
    let answer = ask(&socket, recorded.as_ref());
    let first = Reflected::decode(&answer, Some(&key)).expect("an authentic answer");
    // Sent again it is answered to its sender alone, with the number after: the sender counts a duplicate.
    let again = Reflected::decode(&ask(&socket, recorded.as_ref()), Some(&key)).expect("an authentic answer");
    assert_eq!((first.sequence, again.sequence, again.sent.sequence), (0, 1, 3));
    // The reflector's own answer, sent back to it, is no packet of the sender that it has not seen: its words are the reflector's.
    let looped = Reflected::decode(&ask(&socket, &answer), Some(&key)).expect("an authentic answer");
    assert_ne!(looped.sent.time, first.sent.time, "no stamp of the sender: it does not count");
    // One octet changed, and it is nobody's.
    for at in 0..recorded.as_ref().len() {
        let mut forged = recorded.as_ref().to_vec();
        forged[at] ^= 1;
        socket.send(&forged).expect("it is sent");
    }
    while handle.refused(Refusal::NotAuthentic) < recorded.as_ref().len() as u64 {
        tokio::task::yield_now().await;
    }
    assert_eq!(handle.answered(), 3);
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
