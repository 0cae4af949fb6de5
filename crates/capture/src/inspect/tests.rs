use netwatch_wire::build::{self, DnsRecord, HelloOptions};
use netwatch_wire::quic::Version;
use proptest::prelude::*;

use super::*;

fn inspector() -> Inspector {
    Inspector::new(Arc::new(NameCache::new(1000)), 16)
}

/// One flow whose packets are offered one after the other.
struct Flow {
    inspector: Inspector,
    payload: Payload<'static>,
}

impl Flow {
    fn new(protocol: Protocol, responder_port: u16) -> Self {
        let payload = Payload {
            flow: 7,
            looked: 0,
            protocol,
            ports: [40_000, responder_port],
            from_initiator: true,
            receiver: "10.0.0.1".parse().unwrap(),
            time: Timestamp::from_secs(1000),
            sequence: 1,
            segment_size: 0,
            bytes: b"",
        };
        Self { inspector: inspector(), payload }
    }

    fn offer(&mut self, sequence: u32, bytes: &[u8]) -> Verdict {
        let verdict = self.inspector.inspect(&Payload { sequence, bytes, ..self.payload });
        self.payload.looked += 1;
        verdict
    }

    fn answer(&mut self, bytes: &[u8]) -> Verdict {
        self.answer_at(self.payload.sequence, bytes)
    }

    fn answer_at(&mut self, sequence: u32, bytes: &[u8]) -> Verdict {
        let verdict = self.inspector.inspect(&Payload { from_initiator: false, sequence, bytes, ..self.payload });
        self.payload.looked += 1;
        verdict
    }
}

fn hello(name: &str, key_share: usize) -> Vec<u8> {
    build::client_hello(&HelloOptions { sni: Some(name.as_bytes()), alpn: &["h2"], key_share })
}

fn tls(name: &str, key_share: usize) -> Vec<u8> {
    build::tls_records(&hello(name, key_share), 1 << 14)
}

fn name_of(verdict: &Verdict) -> Option<(&str, NameSource)> {
    match verdict {
        Verdict::Done(Findings { name: Some((name, source)), .. }) => Some((name.raw(), *source)),
        _ => None,
    }
}

fn hint_of(verdict: &Verdict) -> Option<Hint> {
    match verdict {
        Verdict::Done(findings) => findings.hint,
        Verdict::More => None,
    }
}

#[test]
fn tls_in_one_segment() {
    let mut flow = Flow::new(Protocol::TCP, 443);
    let verdict = flow.offer(1, &tls("a.example", 0));
    assert_eq!(name_of(&verdict), Some(("a.example", NameSource::Tls)));
    let Verdict::Done(findings) = verdict else { panic!("done") };
    assert_eq!((findings.alpn, findings.hint), (vec!["h2".into()], Some(Hint::Tls)));
}

#[test]
fn post_quantum_hello_in_two_segments_in_order_late_and_over_the_end_of_numbers() {
    let stream = tls("pq.example", 1700);
    let (a, b) = stream.split_at(1448);
    let first = u32::MAX - 100;
    let mut flow = Flow::new(Protocol::TCP, 443);
    assert_eq!(flow.offer(first, a), Verdict::More);
    assert_eq!(flow.answer(b"\x16\x03\x03"), Verdict::More);
    assert_eq!(flow.offer(first, a), Verdict::More, "a retransmission");
    assert_eq!(name_of(&flow.offer(first.wrapping_add(1448), b)), Some(("pq.example", NameSource::Tls)));
    assert!(flow.inspector.buffers.is_empty());

    let (a, rest) = stream.split_at(500);
    let (b, c) = rest.split_at(700);
    let mut flow = Flow::new(Protocol::TCP, 443);
    assert_eq!(flow.offer(1, a), Verdict::More);
    assert_eq!(flow.offer(1201, c), Verdict::More);
    assert_eq!(name_of(&flow.offer(501, b)), Some(("pq.example", NameSource::Tls)));
}

#[test]
fn starttls_after_a_greeting() {
    let mut flow = Flow::new(Protocol::TCP, 25);
    flow.answer(b"220 mail.example ESMTP\r\n");
    flow.offer(1, b"EHLO client.example\r\n");
    flow.answer(b"250-STARTTLS\r\n250 OK\r\n");
    flow.offer(22, b"STARTTLS\r\n");
    flow.answer(b"220 go ahead\r\n");
    assert_eq!(name_of(&flow.offer(32, &tls("mail.example", 0))), Some(("mail.example", NameSource::Tls)));
}

#[test]
fn a_hello_that_never_ends_tells_what_it_has() {
    let message = hello("partial.example", 0);
    let stream = build::tls_records(&message, 1 << 14);
    let mut flow = Flow::new(Protocol::TCP, 443);
    assert_eq!(flow.offer(1, &stream[..stream.len() - 1]), Verdict::More);
    let last = (1..MAX_LOOKED).map(|_| flow.answer(b"x")).last().unwrap();
    assert_eq!(name_of(&last), Some(("partial.example", NameSource::Tls)));
    assert!(flow.inspector.buffers.is_empty());
}

#[test]
fn http_host_and_addresses_that_are_no_names() {
    let mut flow = Flow::new(Protocol::TCP, 80);
    assert_eq!(flow.offer(1, b"GE"), Verdict::More);
    let verdict = flow.offer(3, b"T / HTTP/1.1\r\nHost: b.example:80\r\n\r\n");
    assert_eq!((name_of(&verdict), hint_of(&verdict)), (Some(("b.example", NameSource::Http)), Some(Hint::Http)));
    let verdict = Flow::new(Protocol::TCP, 80).offer(1, b"GET / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n");
    assert_eq!((name_of(&verdict), hint_of(&verdict)), (None, Some(Hint::Http)));
}

#[test]
fn quic_in_three_datagrams_one_super_frame_and_after_early_data() {
    let hello = hello("q.example", 2000);
    let id = [1; 8];
    let initial = |number: u8, from: usize, to: usize| {
        build::quic_initial(Version::V1, &id, &id, number, &[(u32::try_from(from).unwrap(), &hello[from..to])])
    };
    let datagrams = [initial(0, 0, 900), initial(1, 900, 1800), initial(2, 1800, hello.len())];
    let mut flow = Flow::new(Protocol::UDP, 443);
    assert_eq!(flow.offer(0, &datagrams[2]), Verdict::More);
    assert_eq!(flow.offer(0, &datagrams[0]), Verdict::More);
    assert_eq!(flow.answer(&[0xc0, 0, 0, 0, 1]), Verdict::More);
    let verdict = flow.offer(0, &datagrams[1]);
    assert_eq!((name_of(&verdict), hint_of(&verdict)), (Some(("q.example", NameSource::Quic)), Some(Hint::Quic)));
    assert!(flow.inspector.buffers.is_empty());

    let mut flow = Flow::new(Protocol::UDP, 443);
    let whole = build::quic_initial(Version::V2, &id, &id, 0, &[(0, &hello)]);
    assert_eq!(name_of(&flow.offer(0, &whole)), Some(("q.example", NameSource::Quic)));
    assert!(flow.inspector.buffers.is_empty(), "one datagram");

    assert!(datagrams.iter().all(|datagram| datagram.len() == 1200));
    let mut flow = Flow::new(Protocol::UDP, 8443);
    assert_eq!(flow.offer(0, &[0xd0, 0, 0, 0, 1, 0, 0, 1, 9]), Verdict::More, "0-RTT first");
    flow.payload.segment_size = 1200;
    assert_eq!(name_of(&flow.offer(0, &datagrams.concat())), Some(("q.example", NameSource::Quic)));
}

#[test]
fn banners_and_other_starts() {
    let cases: [(Protocol, u16, &[u8], Option<Hint>); 6] = [
        (Protocol::TCP, 2022, b"SSH-2.0-OpenSSH_9.2\r\n", Some(Hint::Ssh)),
        (Protocol::TCP, 5900, b"RFB 003.008\n", Some(Hint::Vnc)),
        (Protocol::TCP, 6881, b"\x13BitTorrent protocol\0\0", Some(Hint::Bittorrent)),
        (Protocol::UDP, 6881, b"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe", Some(Hint::Bittorrent)),
        (Protocol::UDP, 1900, b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\r\n", Some(Hint::Ssdp)),
        (Protocol::UDP, 40_001, b"anything", None),
    ];
    for (protocol, port, bytes, want) in cases {
        let verdict = Flow::new(protocol, port).offer(1, bytes);
        assert!(matches!(verdict, Verdict::Done(_)), "{bytes:?}");
        assert_eq!(hint_of(&verdict), want, "{bytes:?}");
    }
    let mut flow = Flow::new(Protocol::TCP, 22);
    assert_eq!(hint_of(&flow.answer(b"SSH-2.0-x\r\n")), Some(Hint::Ssh), "the server speaks first");
}

#[test]
fn dns_answers_name_the_addresses_for_the_client() {
    let response = build::dns_response(
        Some("www.example"),
        &[
            DnsRecord::Alias("www.example", 60, "cdn.example"),
            DnsRecord::Address("cdn.example", 60, "192.0.2.1".parse().unwrap()),
        ],
    );
    let mut query = response.clone();
    query[2] &= 0x7f;
    let framed = [&u16::try_from(response.len()).unwrap().to_be_bytes()[..], &response].concat();
    for (protocol, bytes) in [(Protocol::UDP, &response), (Protocol::TCP, &framed)] {
        let mut flow = Flow::new(protocol, 53);
        assert_eq!(flow.offer(1, &query), Verdict::More);
        assert_eq!(flow.answer(bytes), Verdict::More);
        let names = flow.inspector.names();
        let found = names.lookup("192.0.2.1".parse().unwrap(), flow.payload.receiver, flow.payload.time);
        assert_eq!(found, Some("www.example".into()));
        let counters = flow.inspector.counters();
        assert_eq!((counters.packets, counters.dns_responses, counters.dns_malformed), (2, 1, 0));
    }
    let mut flow = Flow::new(Protocol::UDP, 53);
    flow.offer(1, &response);
    assert_eq!(flow.inspector.counters().dns_responses, 0, "a client gives no answers");
}

/// DNS answers for `a0.example`, `a1.example` … as one stream, with their lengths.
fn answers(count: u8) -> Vec<u8> {
    let answer = |n: u8| {
        let name = format!("a{n}.example");
        let address = std::net::Ipv4Addr::new(192, 0, 2, n);
        let response = build::dns_response(Some(&name), &[DnsRecord::Address(&name, 60, address.into())]);
        [&u16::try_from(response.len()).unwrap().to_be_bytes()[..], &response].concat()
    };
    (0..count).map(answer).collect::<Vec<_>>().concat()
}

/// How many of these names a flow of DNS over TCP has learned.
fn learned(flow: &Flow, count: u8) -> usize {
    let knows = |n: &u8| {
        let address = std::net::Ipv4Addr::new(192, 0, 2, *n).into();
        flow.inspector.names().lookup(address, flow.payload.receiver, flow.payload.time).is_some()
    };
    (0..count).filter(knows).count()
}

#[test]
fn dns_over_tcp_in_any_segments() {
    let stream = answers(3);
    let mut flow = Flow::new(Protocol::TCP, 53);
    for (at, byte) in stream.iter().enumerate() {
        flow.answer_at(u32::MAX.wrapping_add(u32::try_from(at).unwrap()), &[*byte]);
    }
    assert_eq!((learned(&flow, 3), flow.inspector.buffers.len()), (3, 0), "byte by byte");

    let mut flow = Flow::new(Protocol::TCP, 53);
    let (cut, later) = (10, stream.len() - 20);
    for (from, to) in [(0, cut), (later, stream.len()), (cut, later)] {
        flow.answer_at(u32::try_from(from).unwrap(), &stream[from..to]);
    }
    assert_eq!((learned(&flow, 3), flow.inspector.buffers.len()), (3, 0), "out of order");
}

#[test]
fn dns_over_tcp_goes_on_after_what_is_too_long_or_lost() {
    let mut flow = Flow::new(Protocol::TCP, 53);
    let zone = [&60_000_u16.to_be_bytes()[..], &[0; 60_000]].concat();
    let stream = [zone, answers(2)].concat();
    for (n, part) in stream.chunks(1000).enumerate() {
        flow.answer_at(u32::try_from(n * 1000).unwrap(), part);
    }
    assert_eq!((learned(&flow, 2), flow.inspector.counters().dns_skipped), (2, 1));

    let mut flow = Flow::new(Protocol::TCP, 53);
    flow.answer_at(0, &answers(1)[..9]);
    flow.answer_at(9000, &answers(2));
    assert_eq!((learned(&flow, 2), flow.inspector.buffers.len()), (2, 0), "a segment was lost");
}

#[test]
fn a_flood_of_dns_answers_has_a_budget() {
    let mut flow = Flow::new(Protocol::UDP, 53);
    for _ in 0..DNS_PER_SECOND + 5 {
        flow.answer(&[0, 0, 0x80, 0]);
        flow.payload.looked = 1;
    }
    let counters = flow.inspector.counters();
    assert_eq!((counters.dns_malformed, counters.dns_skipped), (DNS_PER_SECOND.into(), 5));
    flow.payload.time = Timestamp::from_secs(1001);
    flow.answer(&[0, 0, 0x80, 0]);
    assert_eq!(flow.inspector.counters().dns_skipped, 5, "a new second, a new budget");
}

#[test]
fn a_flood_of_half_hellos_takes_no_more_memory() {
    let half = &tls("never.example", 500)[..300];
    let mut inspector = inspector();
    let start = Flow::new(Protocol::TCP, 443).payload;
    for flow in 0..1000 {
        assert_eq!(inspector.inspect(&Payload { flow, bytes: half, ..start }), Verdict::More);
    }
    assert_eq!((inspector.buffers.len(), inspector.counters().buffers_evicted), (16, 984));
    // A flow that lost its buffer ends without a name and without harm.
    let late = Payload { flow: 3, looked: MAX_LOOKED - 1, bytes: b"\0\0", sequence: 301, ..start };
    assert_eq!(inspector.inspect(&late), Verdict::NOTHING);
    inspector.forget(999);
    assert_eq!(inspector.buffers.len(), 15);
}

#[test]
fn the_budget_of_a_flow_ends() {
    let mut flow = Flow::new(Protocol::TCP, 9999);
    let verdicts: Vec<_> = (0..MAX_LOOKED).map(|_| flow.offer(1, b"\x01\x02\x03\x04")).collect();
    assert!(verdicts[..verdicts.len() - 1].iter().all(|verdict| *verdict == Verdict::More));
    assert_eq!(verdicts.last(), Some(&Verdict::NOTHING));
}

proptest! {
    #[test]
    fn any_cut_of_a_hello_gives_the_name(cuts in prop::collection::btree_set(1_usize..1900, 0..6), share in 0_usize..1800) {
        let stream = tls("cut.example", share);
        let mut edges = vec![0];
        edges.extend(cuts.into_iter().filter(|cut| *cut < stream.len()));
        edges.push(stream.len());
        let mut flow = Flow::new(Protocol::TCP, 443);
        let mut verdict = Verdict::More;
        for edge in edges.windows(2) {
            prop_assert_eq!(&verdict, &Verdict::More);
            verdict = flow.offer(u32::try_from(edge[0]).unwrap(), &stream[edge[0]..edge[1]]);
        }
        prop_assert_eq!(name_of(&verdict), Some(("cut.example", NameSource::Tls)));
    }

    #[test]
    fn never_panics_and_always_ends(
        packets in prop::collection::vec(
            (any::<bool>(), any::<u32>(), 0_u8..8, prop::collection::vec(any::<u8>(), 0..60)),
            1..40,
        ),
        port in prop::sample::select(vec![53_u16, 80, 443, 1900, 5353, 9999]),
        udp in any::<bool>(),
    ) {
        const STARTS: [&[u8]; 8] =
            [b"", b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/1.1\r\nHost: ", b"\xc0\0\0\0\x01", b"\x16", b"SS", b"\xff\0", b"P"];
        let protocol = if udp { Protocol::UDP } else { Protocol::TCP };
        let mut flow = Flow::new(protocol, port);
        for (from_initiator, sequence, start, bytes) in packets {
            flow.payload.from_initiator = from_initiator;
            let bytes = [STARTS[usize::from(start)], &bytes].concat();
            let looked = flow.payload.looked;
            let verdict = flow.offer(sequence, &bytes);
            let is_dns = matches!(port, 53 | 5353);
            prop_assert!(is_dns || looked + 1 < MAX_LOOKED || verdict != Verdict::More);
            if verdict != Verdict::More {
                break;
            }
        }
        flow.inspector.forget(7);
        prop_assert!(flow.inspector.buffers.is_empty());
    }
}
