use hickory_proto::op;
use hickory_proto::rr::rdata::{A, AAAA, CNAME};
use hickory_proto::rr::{self, RData, RecordType};
use proptest::prelude::*;

use super::*;
use crate::build::{self, DnsRecord};

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn addresses_get_the_name_that_was_asked_for() {
    let bytes = build::dns_response(
        Some("WWW.Example.com"),
        &[
            DnsRecord::Alias("www.example.com", 300, "edge.cdn.example"),
            DnsRecord::Alias("edge.cdn.example", 20, "x.cdn.example"),
            DnsRecord::Address("x.cdn.example", 60, ip("192.0.2.1")),
            DnsRecord::Address("x.cdn.example", 10, ip("2001:db8::1")),
            DnsRecord::Address("other.example", 60, ip("192.0.2.9")),
        ],
    );
    let found = message(&bytes).unwrap();
    assert!(found.is_response && !found.is_truncated);
    assert_eq!((found.rcode, found.question), (0, Some("www.example.com".into())));
    let name: Untrusted = "www.example.com".into();
    let want = [
        Answer { address: ip("192.0.2.1"), name: name.clone(), ttl: 20 },
        Answer { address: ip("2001:db8::1"), name, ttl: 10 },
    ];
    assert_eq!(found.answers, want, "an address that the question does not lead to is left out");
}

#[test]
fn alias_loops_end() {
    let bytes = build::dns_response(
        Some("a.example"),
        &[
            DnsRecord::Alias("a.example", 5, "b.example"),
            DnsRecord::Alias("b.example", 5, "a.example"),
            DnsRecord::Address("b.example", 5, ip("192.0.2.1")),
        ],
    );
    assert_eq!(message(&bytes).unwrap().answers.len(), 1);
}

#[test]
fn multicast_answers_name_themselves() {
    let mut bytes = build::dns_response(None, &[DnsRecord::Address("printer.local", 120, ip("192.0.2.7"))]);
    let class = bytes.len() - 4 - 2 - 4 - 2;
    bytes[class] |= 0x80; // cache flush
    let answers = message(&bytes).unwrap().answers;
    assert_eq!(answers, [Answer { address: ip("192.0.2.7"), name: "printer.local".into(), ttl: 120 }]);
}

#[test]
fn errors_and_queries_have_no_answers() {
    let mut bytes = build::dns_response(Some("a.example"), &[DnsRecord::Address("a.example", 1, ip("192.0.2.1"))]);
    bytes[3] |= 3;
    assert_eq!(message(&bytes).map(|m| (m.rcode, m.answers.len())), Ok((3, 0)));
    bytes[2] &= 0x7f;
    assert_eq!(message(&bytes).map(|m| (m.is_response, m.answers.len())), Ok((false, 0)));
}

#[test]
fn compression_points_backwards_only() {
    let with_name = |name: &[u8]| [&[0, 1, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0], name, &[0, 1, 0, 1]].concat();
    let question = |name: &[u8]| message(&with_name(name)).map(|m| m.question.unwrap().raw().to_owned());
    assert_eq!(question(&[1, b'a', 0]), Ok("a".to_owned()));
    assert_eq!(question(&[0]), Ok(".".to_owned()));
    assert_eq!(question(&[0xc0, 12]), Err(DnsError::Name), "to itself");
    assert_eq!(question(&[1, b'a', 0xc0, 12]), Err(DnsError::Name), "to its own start");
    assert_eq!(question(&[0xc0, 14, 0]), Err(DnsError::Name), "forwards");
    assert_eq!(question(&[0x40, 0]), Err(DnsError::Name), "reserved label type");
    assert_eq!(question(&[1, b'a', 5, b'x']), Err(DnsError::Short));
    let long = [63; 64].repeat(4);
    assert_eq!(question(&[&long[..], &[0]].concat()), Err(DnsError::Name), "257 bytes");
}

#[test]
fn odd_bytes_in_labels_stay_data() {
    let bytes =
        [&[0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0][..], &[6, b'a', b'.', b'\\', 0x1b, b'<', 0xff, 1, b'B', 0, 0, 1, 0, 1]];
    let question = message(&bytes.concat()).unwrap().question.unwrap();
    assert_eq!(question.raw(), "a\\.\\\\\u{1b}<\u{fffd}.b");
}

#[test]
fn a_message_cut_by_the_capture_keeps_what_it_has() {
    let records: Vec<_> =
        (0..4).map(|n| DnsRecord::Address("a.example", 9, Ipv4Addr::new(192, 0, 2, n).into())).collect();
    let bytes = build::dns_response(Some("a.example"), &records);
    let found = message(&bytes[..bytes.len() - 5]).unwrap();
    assert_eq!((found.answers.len(), found.is_truncated), (3, true));
}

#[test]
fn other_bytes_are_refused() {
    assert_eq!(message(b"short"), Err(DnsError::Short));
    assert_eq!(message(b"GET / HTTP/1.1\r\nHost"), Err(DnsError::NotDns));
}

#[test]
fn tcp_messages_stand_behind_their_length() {
    assert_eq!(tcp_message(&[0, 2, 7, 8, 9]), Some(&[7, 8][..]));
    assert_eq!(tcp_message(&[0, 2, 7]), None);
}

fn arbitrary_name() -> impl Strategy<Value = String> {
    prop::collection::vec("[a-zA-Z0-9_][a-zA-Z0-9_-]{0,14}", 1..5).prop_map(|labels| labels.join("."))
}

/// What the library reads of the same bytes: question, and the address records that the question leads to.
fn by_library(bytes: &[u8]) -> Option<(Option<String>, Vec<IpAddr>)> {
    let message = op::Message::from_vec(bytes).ok()?;
    let lower = |name: &rr::Name| name.to_lowercase().to_string().trim_end_matches('.').to_owned();
    let question = message.queries.first().map(|query| lower(query.name()));
    let mut chain = vec![question.clone()?];
    for _ in 0..MAX_ALIASES {
        let alias = message.answers.iter().find_map(|record| match &record.data {
            RData::CNAME(target) if Some(&lower(&record.name)) == chain.last() => Some(lower(&target.0)),
            _ => None,
        });
        chain.extend(alias);
    }
    let address = |record: &rr::Record| match &record.data {
        RData::A(A(v4)) if chain.contains(&lower(&record.name)) => Some(IpAddr::V4(*v4)),
        RData::AAAA(AAAA(v6)) if chain.contains(&lower(&record.name)) => Some(IpAddr::V6(*v6)),
        _ => None,
    };
    Some((question, message.answers.iter().filter_map(address).collect()))
}

proptest! {
    /// The library writes with name compression; both must read the same.
    #[test]
    fn reads_what_a_library_writes(
        names in prop::collection::vec(arbitrary_name(), 1..5),
        addresses in prop::collection::vec((any::<u32>(), any::<u128>(), 0_usize..5), 0..10),
    ) {
        let name = |index: usize| rr::Name::from_labels(names[index % names.len()].split('.').map(str::as_bytes)).unwrap();
        let mut written = op::Message::new(7, op::MessageType::Response, op::OpCode::Query);
        written.add_query(op::Query::query(name(0), RecordType::A));
        for index in 1..names.len() {
            written.add_answer(rr::Record::from_rdata(name(index - 1), 30, RData::CNAME(CNAME(name(index)))));
        }
        for (v4, v6, owner) in addresses {
            written.add_answer(rr::Record::from_rdata(name(owner), 30, RData::A(A(v4.into()))));
            written.add_answer(rr::Record::from_rdata(name(owner), 30, RData::AAAA(AAAA(v6.into()))));
        }
        let bytes = written.to_vec().unwrap();
        let ours = message(&bytes).unwrap();
        let (question, want) = by_library(&bytes).unwrap();
        prop_assert_eq!(ours.question.map(|name| name.raw().to_owned()), question);
        prop_assert_eq!(ours.answers.iter().map(|answer| answer.address).collect::<Vec<_>>(), want);
    }

    #[test]
    fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = message(&bytes);
        let _ = message(&[&[0, 1, 0x81, 0x80, 0, 1, 0, 9, 0, 0, 0, 9][..], &bytes].concat());
    }

    #[test]
    fn every_cut_is_harmless(cut in any::<prop::sample::Index>(), name in arbitrary_name()) {
        let bytes = build::dns_response(Some(&name), &[DnsRecord::Address(&name, 9, ip("192.0.2.1"))]);
        let found = message(&bytes[..cut.index(bytes.len())]);
        prop_assert!(found.is_err() || found.is_ok_and(|m| m.answers.is_empty() && m.is_truncated));
    }
}
