use netwatch_model::Timestamp;
use netwatch_model::probe::pair::PairKey;
use netwatch_wire::stamp::time::{ErrorEstimate, StampTime};
use proptest::prelude::*;

use super::*;

fn packet(sequence: u32, session: u16, key: Option<&Key>) -> Vec<u8> {
    let time = StampTime::ntp(Timestamp::from_secs(1_795_000_000));
    Sent { sequence, time, error: ErrorEstimate::default(), session }.encode(key).as_ref().to_vec()
}

fn at(text: &str) -> SocketAddr {
    text.parse().expect("an address with a port")
}

fn table(allowed: &[&str], limits: Limits) -> Table {
    Table::new(limits, networks(allowed), None)
}

fn networks(texts: &[&str]) -> Vec<Network> {
    texts.iter().map(|net| net.parse().expect("a network")).collect()
}

/// The number of the answer.
fn admit(table: &mut Table, now: Duration, from: &str, bytes: &[u8]) -> Result<u32, Refusal> {
    table.admit(now, at(from), bytes).map(|admitted| admitted.number)
}

fn pair_key(octet: u8) -> PairKey {
    PairKey::of(&[octet; 32])
}

fn key(octet: u8) -> Key {
    Key::new(pair_key(octet).as_str().as_bytes())
}

fn sender(addresses: &[&str], keys: &[u8]) -> Sender {
    let addresses = addresses.iter().map(|address| address.parse().expect("an address")).collect();
    Sender { addresses, keys: keys.iter().map(|octet| pair_key(*octet)).collect() }
}

const NOW: Duration = Duration::from_secs(100);

#[test]
fn an_empty_list_knows_this_host_alone() {
    let mut table = table(&[], Limits::default());
    let mut admit = |from: &str| admit(&mut table, NOW, from, &packet(0, 1, None));
    assert_eq!(admit("127.0.0.1:9"), Ok(0));
    assert_eq!(admit("[::1]:9"), Ok(0));
    assert_eq!(admit("[::ffff:127.0.0.1]:9"), Ok(1), "the same source in the other family's form");
    assert_eq!(admit("192.0.2.1:9"), Err(Refusal::Stranger));
    assert_eq!(admit("[2001:db8::1]:9"), Err(Refusal::Stranger));
}

#[test]
fn only_sources_of_the_list_are_known() {
    let mut table = table(&["192.0.2.0/24"], Limits::default());
    assert_eq!(admit(&mut table, NOW, "192.0.2.9:9", &packet(0, 1, None)), Ok(0));
    assert_eq!(admit(&mut table, NOW, "127.0.0.1:9", &packet(0, 1, None)), Err(Refusal::Stranger));
    table.allow(networks(&["198.51.100.0/24"]), &[]);
    assert_eq!(admit(&mut table, NOW, "192.0.2.9:9", &packet(1, 1, None)), Err(Refusal::Stranger));
    assert!(table.sources.is_empty(), "whom we do not know any more is forgotten");
}

/// Who says hello from a new address begins a session of its own, and takes over none.
#[test]
fn sessions_are_told_apart_by_address_port_and_identifier() {
    let mut table = table(&["192.0.2.0/24"], Limits::default());
    let mut number = |from: &str, session| admit(&mut table, NOW, from, &packet(0, session, None));
    for must in 0..5 {
        assert_eq!(number("192.0.2.1:9", 1), Ok(must));
    }
    for other in [("192.0.2.2:9", 1), ("192.0.2.1:10", 1), ("192.0.2.1:9", 2)] {
        assert_eq!(number(other.0, other.1), Ok(0));
    }
    assert_eq!(number("192.0.2.1:9", 1), Ok(5), "nobody has disturbed it");
}

#[test]
fn a_packet_that_an_answer_would_be_longer_than_is_refused() {
    let mut table = table(&[], Limits::default());
    for length in 0..44 {
        let admitted = admit(&mut table, NOW, "127.0.0.1:9", &packet(0, 1, None)[..length]);
        assert_eq!(admitted.is_ok(), length >= 41, "{length} octets");
    }
}

#[test]
fn with_a_key_nothing_else_is_admitted() {
    let (key, other) = (Key::new(b"ours"), Key::new(b"another"));
    let mut table = Table::new(Limits::default(), Vec::new(), Some(key.clone()));
    let mut admit = |bytes: &[u8]| admit(&mut table, NOW, "127.0.0.1:9", bytes);
    assert_eq!(admit(&packet(0, 1, Some(&key))), Ok(0));
    assert_eq!(admit(&packet(1, 1, Some(&other))), Err(Refusal::NotAuthentic));
    assert_eq!(admit(&packet(1, 1, None)), Err(Refusal::Size));
    let mut forged = packet(1, 1, None);
    forged.resize(200, 0);
    assert_eq!(admit(&forged), Err(Refusal::NotAuthentic));
    assert_eq!(admit(&packet(1, 1, Some(&key))), Ok(1), "forgeries are not counted as packets of the session");
}

#[test]
fn each_source_has_its_rate() {
    let mut table = table(&[], Limits { rate: 10, ..Limits::default() });
    let mut admit = |now: Duration, from: &str| admit(&mut table, now, from, &packet(0, 1, None)).is_ok();
    let passed = (0..100).filter(|_| admit(NOW, "127.0.0.1:9")).count();
    assert_eq!(passed, 20, "two seconds' worth at once");
    assert!(admit(NOW, "127.0.0.2:9"), "another source is not held up");
    let later = (1..=100).filter(|step| admit(NOW + Duration::from_millis(100) * *step, "127.0.0.1:9")).count();
    assert_eq!(later, 100, "ten a second are always answered");
}

#[test]
fn memory_is_bounded_and_comes_back() {
    let limits = Limits { sources: 3, sessions: 4, idle: Duration::from_secs(60), ..Limits::default() };
    let mut table = table(&["192.0.2.0/24"], limits);
    let mut admit = |now, host: u8, port: u16| {
        let from = SocketAddr::from(([192, 0, 2, host], port));
        admit(&mut table, now, &from.to_string(), &packet(0, 1, None))
    };
    for port in 1..=4 {
        assert_eq!(admit(NOW, 1, port), Ok(0));
    }
    assert_eq!(admit(NOW, 1, 5), Err(Refusal::Full));
    for host in 2..=3 {
        assert_eq!(admit(NOW, host, 1), Ok(0));
    }
    assert_eq!(admit(NOW, 4, 1), Err(Refusal::Full));
    let later = NOW + Duration::from_secs(61);
    assert_eq!(admit(later, 1, 1), Ok(0), "after a long silence it is another session");
    assert_eq!(admit(later, 1, 6), Ok(0), "silent sessions make room");
    assert_eq!(admit(later, 4, 1), Ok(0), "silent sources make room");
}

#[test]
fn a_peer_without_an_error_estimate_is_refused() {
    let mut table = table(&[], Limits::default());
    let mut bytes = packet(0, 1, None);
    bytes[13] = 0;
    assert_eq!(admit(&mut table, NOW, "127.0.0.1:9", &bytes), Err(Refusal::Malformed));
}

const BERLIN: &str = "192.0.2.1:9";

#[test]
fn a_source_with_a_key_is_answered_in_authenticated_mode_alone() {
    let mut table = table(&["192.0.2.0/24"], Limits::default());
    table.allow(networks(&["192.0.2.0/24"]), &[sender(&["192.0.2.1", "2001:db8::1"], &[1])]);
    let mut plain = packet(0, 1, None);
    plain.resize(200, 0);
    assert_eq!(admit(&mut table, NOW, BERLIN, &plain), Err(Refusal::NotAuthentic), "although its network is answered");
    assert_eq!(admit(&mut table, NOW, BERLIN, &packet(0, 1, Some(&key(2)))), Err(Refusal::NotAuthentic));
    let admitted = table.admit(NOW, at(BERLIN), &packet(0, 1, Some(&key(1)))).expect("it is authentic");
    assert!(admitted.number == 0 && admitted.key.is_some(), "the answer is authenticated, too: {admitted:?}");
    assert_eq!(admit(&mut table, NOW, "[2001:db8::1]:9", &packet(0, 1, Some(&key(1)))), Ok(0));
    // Who stands in the list without a key keeps its mode.
    let by_hand = table.admit(NOW, at("192.0.2.7:9"), &plain).expect("it is in the list");
    assert!(by_hand.key.is_none());
}

#[test]
fn a_key_is_good_from_the_addresses_of_its_agent_alone() {
    let mut table = table(&[], Limits::default());
    table.allow(Vec::new(), &[sender(&["192.0.2.1"], &[1]), sender(&["192.0.2.2"], &[2])]);
    let recorded = packet(0, 1, Some(&key(1)));
    assert_eq!(admit(&mut table, NOW, BERLIN, &recorded), Ok(0));
    assert_eq!(admit(&mut table, NOW, "192.0.2.2:9", &recorded), Err(Refusal::NotAuthentic), "another agent's address");
    assert_eq!(admit(&mut table, NOW, "192.0.2.3:9", &recorded), Err(Refusal::Stranger), "nobody's address");
    table.allow(Vec::new(), &[sender(&["192.0.2.2"], &[2])]);
    assert_eq!(admit(&mut table, NOW, BERLIN, &recorded), Err(Refusal::Stranger), "its probe is gone");
}

#[test]
fn agents_behind_one_address_and_keys_before_a_change_are_told_apart() {
    let mut table = table(&[], Limits::default());
    table.allow(Vec::new(), &[sender(&["192.0.2.1"], &[1, 11]), sender(&["192.0.2.1"], &[2])]);
    for (port, octet) in [(1, 1), (2, 11), (3, 2)] {
        let from = SocketAddr::from(([192, 0, 2, 1], port));
        let admitted = table.admit(NOW, from, &packet(0, 1, Some(&key(octet)))).expect("one of its keys");
        let answer =
            netwatch_wire::stamp::Reflected { sent: admitted.sent, error: admitted.sent.error, ..Default::default() };
        let answer = answer.encode(admitted.key.as_ref());
        assert!(
            netwatch_wire::stamp::Reflected::decode(answer.as_ref(), Some(&key(octet))).is_ok(),
            "with the same key"
        );
    }
    assert_eq!(admit(&mut table, NOW, BERLIN, &packet(0, 1, Some(&key(3)))), Err(Refusal::NotAuthentic));
}

#[test]
fn a_replayed_packet_is_no_other_session_and_never_answered_to_somebody_else() {
    let mut table = table(&[], Limits { rate: 10, ..Limits::default() });
    table.allow(Vec::new(), &[sender(&["192.0.2.1"], &[1])]);
    let recorded = packet(7, 1, Some(&key(1)));
    assert_eq!(admit(&mut table, NOW, BERLIN, &recorded), Ok(0));
    // The sender sees two answers to packet 7, and counts a duplicate.
    assert_eq!(admit(&mut table, NOW, BERLIN, &recorded), Ok(1));
    assert_eq!(table.sources.values().map(|source| source.sessions.len()).sum::<usize>(), 1);
    let answered = (0..1000).filter(|_| admit(&mut table, NOW, BERLIN, &recorded).is_ok()).count();
    assert_eq!(answered, 18, "a flood of it meets the rate of its source");
}

proptest! {
    #[test]
    fn whatever_comes_from_a_source_with_a_key_is_answered_only_when_it_is_authentic(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let mut table = table(&["192.0.2.0/24"], Limits::default());
        table.allow(networks(&["192.0.2.0/24"]), &[sender(&["192.0.2.1"], &[1])]);
        prop_assert!(admit(&mut table, NOW, BERLIN, &bytes).is_err());
    }
}
