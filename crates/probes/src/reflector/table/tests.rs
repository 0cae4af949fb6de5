use netwatch_model::Timestamp;
use netwatch_wire::stamp::time::{ErrorEstimate, StampTime};

use super::*;

fn packet(sequence: u32, session: u16, key: Option<&Key>) -> Vec<u8> {
    let time = StampTime::ntp(Timestamp::from_secs(1_795_000_000));
    Sent { sequence, time, error: ErrorEstimate::default(), session }.encode(key).as_ref().to_vec()
}

fn at(text: &str) -> SocketAddr {
    text.parse().expect("an address with a port")
}

fn table(allowed: &[&str], limits: Limits) -> Table {
    Table::new(limits, allowed.iter().map(|net| net.parse().expect("a network")).collect())
}

const NOW: Duration = Duration::from_secs(100);

#[test]
fn an_empty_list_knows_this_host_alone() {
    let mut table = table(&[], Limits::default());
    let mut admit = |from: &str| table.admit(NOW, at(from), &packet(0, 1, None), None).map(|admitted| admitted.number);
    assert_eq!(admit("127.0.0.1:9"), Ok(0));
    assert_eq!(admit("[::1]:9"), Ok(0));
    assert_eq!(admit("[::ffff:127.0.0.1]:9"), Ok(1), "the same source in the other family's form");
    assert_eq!(admit("192.0.2.1:9"), Err(Refusal::Stranger));
    assert_eq!(admit("[2001:db8::1]:9"), Err(Refusal::Stranger));
}

#[test]
fn only_sources_of_the_list_are_known() {
    let mut table = table(&["192.0.2.0/24"], Limits::default());
    assert!(table.admit(NOW, at("192.0.2.9:9"), &packet(0, 1, None), None).is_ok());
    assert_eq!(table.admit(NOW, at("127.0.0.1:9"), &packet(0, 1, None), None), Err(Refusal::Stranger));
    table.allow(vec!["198.51.100.0/24".parse().expect("a network")]);
    assert_eq!(table.admit(NOW, at("192.0.2.9:9"), &packet(1, 1, None), None), Err(Refusal::Stranger));
    assert!(table.sources.is_empty(), "whom we do not know any more is forgotten");
}

/// Who says hello from a new address begins a session of its own, and takes over none.
#[test]
fn sessions_are_told_apart_by_address_port_and_identifier() {
    let mut table = table(&["192.0.2.0/24"], Limits::default());
    let mut number =
        |from: &str, session| table.admit(NOW, at(from), &packet(0, session, None), None).map(|a| a.number);
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
        let admitted = table.admit(NOW, at("127.0.0.1:9"), &packet(0, 1, None)[..length], None);
        assert_eq!(admitted.is_ok(), length >= 41, "{length} octets");
    }
}

#[test]
fn with_a_key_nothing_else_is_admitted() {
    let (key, other) = (Key::new(b"ours"), Key::new(b"another"));
    let mut table = table(&[], Limits::default());
    let mut admit =
        |bytes: &[u8]| table.admit(NOW, at("127.0.0.1:9"), bytes, Some(&key)).map(|admitted| admitted.number);
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
    let mut admit = |now: Duration, from: &str| table.admit(now, at(from), &packet(0, 1, None), None).is_ok();
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
        table.admit(now, from, &packet(0, 1, None), None).map(|admitted| admitted.number)
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
    assert_eq!(table.admit(NOW, at("127.0.0.1:9"), &bytes, None), Err(Refusal::Malformed));
}
