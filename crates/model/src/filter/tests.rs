//! What the language accepts, what it means, and that nothing breaks it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::*;

fn record() -> FlowRecord {
    FlowRecord {
        id: FlowId::new(0, 1, 1),
        interface: "eth0".into(),
        source: "10.1.2.3".parse().unwrap(),
        destination: "192.0.2.7".parse().unwrap(),
        source_port: 50_000,
        destination_port: 443,
        protocol: Protocol::TCP,
        icmp_id: 0,
        vlan: [100, 200].into_iter().collect(),
        tunnel: None,
        start: Timestamp::from_secs(1000),
        end: Timestamp::from_secs(1010),
        forward: Counters { packets: 10, octets: 1_000, l2_octets: 1_140 },
        reverse: Counters { packets: 20, octets: 1_500_000, l2_octets: 1_500_280 },
        interface_octets: [1_500_000, 1_000],
        state: FlowState::Established,
        tcp: Some(TcpMetrics {
            server_rtt: Some(Duration::from_millis(40)),
            client_rtt: Some(Duration::from_millis(20)),
            retransmitted: 2,
            reverse_retransmitted: 3,
            ..TcpMetrics::default()
        }),
        end_reason: None,
        application: Arc::from("https"),
        name: Some(("www.Example.com".into(), NameSource::Tls)),
        process: Some(Arc::new(Process { pid: 42, name: "curl".into(), user: "root".into(), container: None })),
        conversations: 1,
    }
}

#[track_caller]
fn holds(text: &str) -> bool {
    Filter::parse(text).unwrap_or_else(|e| panic!("{text}: {e} at {}", e.position)).matches(&record())
}

#[test]
fn selects_what_it_says() {
    for yes in [
        "",
        "  ",
        "src in 10.0.0.0/8 and port 443",
        "src in 10.0.0.0/8 and not port 80",
        "host 10.1.2.3 and host = 192.0.2.7 and ip in (1.1.1.1, 192.0.2.0/24)",
        "host != 1.1.1.1 && src not in 11.0.0.0/8",
        "sni ~ \"*.example.com\" and sni ~ *.EXAMPLE.com and name = \"WWW.example.com\"",
        "bytes > 1MB and octets<2MB and bytes >= 1501000",
        "process = \"curl\" and process curl and process != Curl and process ~ CUR?",
        "vlan 100 and vlan = 200 and vlan in (1-4, 200) and vlan != 300",
        "tcp and TCP AND protocol = 6 and proto tcp and protocol in (udp, tcp) and not udp",
        "active and not ended and end_reason != idle_timeout and end_reason != any",
        "dport == 443 and sport >= 32768 and src port 50000 and dst port in 443 and dst host 192.0.2.7",
        "rtt > 50ms and server_rtt = 40ms and client_rtt <= 20000us",
        "retransmitted = 5 and out_of_order = 0 and packets = 30",
        "duration = 10s and rate > 1Mbit and rate < 1.3Mbit/s",
        "start < 2026-11-21T04:00:00Z and end > 1970-01-01T00:16:49.5Z",
        "state = established and state in (reset, established)",
        "bytes_in = 1.5MB and bytes_out = 1kB and forward_bytes = 1kB and reverse_packets = 20",
        "user root and container != any and container != \"x\" and not container ~ *",
        "interface = 'eth0' and application HTTPS and pid 42 and id = 0000000100000001",
        "tcp or udp and port 80",
        "! (udp || icmp)",
        "name_source = tls and not tunnel and tunnel != vxlan",
    ] {
        assert!(holds(yes), "should hold: {yes}");
    }
    for no in [
        "port != 443",
        "(tcp or udp) and port 80",
        "dns = \"www.example.com\"",
        "http_host ~ *",
        "tunnel",
        "icmp_type = 1",
        "response_time > 0s",
        "response_time <= 1h",
        "interface = ETH0",
        "host in ::/0",
        "not (tcp and active)",
    ] {
        assert!(!holds(no), "should not hold: {no}");
    }
}

#[test]
fn absent_values_fit_nothing_and_differ_from_everything() {
    let mut r = record();
    (r.name, r.process, r.tcp) = (None, None, None);
    let ask = |text: &str| Filter::parse(text).unwrap().matches(&r);
    assert!(!ask("name ~ *") && ask("name !~ *") && ask("name != x") && !ask("name = any"));
    assert!(!ask("pid >= 0") && ask("pid != 1") && ask("pid not in (1, 2)") && !ask("retransmitted = 0"));
    r.protocol = Protocol::ICMP;
    (r.source_port, r.destination_port) = (0, 8 * 256);
    let ask = |text: &str| Filter::parse(text).unwrap().matches(&r);
    assert!(ask("icmp and icmp_type = 8 and icmp_code = 0 and dport = 2048") && !ask("port 2048"));
}

#[test]
fn faults_are_named_and_placed() {
    #[track_caller]
    fn fault(text: &str, at: std::ops::Range<usize>, message: &str) {
        let e = Filter::parse(text).expect_err(text);
        assert!(e.message.contains(message), "{text}: {}", e.message);
        assert_eq!(e.position..e.position + e.length, at, "{text}: {}", e.message);
    }
    fault("prot 443", 0..4, "did you mean `port`?");
    fault("tcp and srv 1.1.1.1", 8..11, "did you mean `src`?");
    fault("xyzzy = 1", 0..5, "fields are for example");
    fault("port 99999", 5..10, "from 0 to 65535");
    fault("port = ", 7..8, "found the end");
    fault("port", 4..5, "for example port 443");
    fault("port and tcp", 5..8, "expected a value of `port`");
    fault("(tcp", 0..1, "never closed");
    fault("tcp)", 3..4, "closes nothing");
    fault("tcp udp", 4..7, "expected `and`, `or` or the end, found `udp`");
    fault("src = example.com", 6..17, "names are asked for with `name`");
    fault("sni > 5", 0..6, "does not take `>`");
    fault("port ~ 4*", 0..7, "does not take `~`");
    fault("sni = *.example.com", 6..19, "write `~` instead");
    fault("bytes > 1XB", 8..11, "10kB");
    fault("rtt > 5", 6..7, "50ms");
    fault("state = establishd", 8..18, "did you mean `established`");
    fault("start > yesterday", 8..17, "RFC 3339");
    fault("port in (1, 2", 8..9, "never closed");
    fault("port in (1 2)", 11..12, "expected `,` or `)`");
    fault("port in 9-1", 8..11, "smaller value stands first");
    fault("name = \"abc", 7..11, "no end");
    fault("name = \"a\\qc\"", 9..10, "unknown escape");
    fault("tcp & udp", 4..5, "write `and`");
    fault("tcp or", 6..7, "expected a field");
    fault("\"x\"", 0..3, "quoted text is no condition");
    fault("tcp \u{202e}", 4..7, "`\\u{202e}`");
    fault(&"(".repeat(65), 65..66, "deeper than 64");
    fault(&"x".repeat(5000), 4096..5000, "longer than 4096");
    fault(&format!("port in ({})", vec!["1"; 300].join(",")), 9 + 512..9 + 513, "more than 256 values");
}

#[test]
fn canonical_spelling() {
    #[track_caller]
    fn spells(text: &str, canonical: &str) {
        assert_eq!(Filter::parse(text).unwrap().to_string(), canonical);
    }
    spells("port 443", "port = 443");
    spells("SOURCE in 10.1.2.3/8 && ! PORT == 443", "src in 10.0.0.0/8 and not port = 443");
    spells("bytes>1000000 or bytes >1.5kB", "bytes > 1MB or bytes > 1500B");
    spells("(a_b or tcp)".replace("a_b", "udp").as_str(), "protocol = udp or protocol = tcp");
    spells(
        "tcp and (udp or (icmp and active))",
        "protocol = tcp and (protocol = udp or protocol = icmp and end_reason != any)",
    );
    spells("((tcp and udp) and icmp)", "protocol = tcp and protocol = udp and protocol = icmp");
    spells("rtt > 1500us", "rtt > 1500us");
    spells("duration > 120s", "duration > 2m");
    spells("name = 'a\"b\u{202e}\\u{1b}'".replace('\u{202e}', "\\u{202E}").as_str(), r#"name = "a\"b\u{202e}\u{1b}""#);
    spells("tunnel and tunnel vxlan", "tunnel = any and tunnel = vxlan");
    spells("port in (1, 5-9) and src in (10.0.0.1)", "port in (1, 5-9) and src = 10.0.0.1");
    spells("user not in (a, b) and user !~ a*", r#"user not in ("a", "b") and user !~ "a*""#);
}

#[test]
fn terms_are_filters_whose_and_is_the_filter() {
    let filter = Filter::parse("tcp and (port 1 or port 2) and not host 1.1.1.1").unwrap();
    assert_eq!(filter.terms(), ["protocol = tcp", "(port = 1 or port = 2)", "not host = 1.1.1.1"]);
    assert_eq!(Filter::parse(&filter.terms().join(" and ")).unwrap(), filter);
    assert_eq!(Filter::parse("tcp or udp").unwrap().terms(), ["(protocol = tcp or protocol = udp)"]);
    assert!(Filter::all().terms().is_empty() && Filter::parse("").unwrap().is_all());
}

#[test]
fn only_naming_the_tunnel_uses_it() {
    assert!(Filter::parse("tcp or not (tunnel.id = 5)").unwrap().uses_tunnel());
    assert!(!Filter::parse("tcp").unwrap().uses_tunnel());
}

#[test]
fn the_list_of_fields_is_in_order_and_its_examples_parse() {
    let mut names = std::collections::HashSet::new();
    for (i, d) in fields().iter().enumerate() {
        assert_eq!(d.field as usize, i, "{}", d.name);
        Filter::parse(d.example).unwrap_or_else(|e| panic!("{}: {e}", d.example));
        for name in std::iter::once(&d.name).chain(d.aliases) {
            assert!(names.insert(*name), "{name} stands twice");
            assert_eq!(Field::from_name(&name.to_uppercase()), Some(d.field));
        }
    }
    assert_eq!(fields().last().map(|d| d.field), Some(Field::Id));
}

#[test]
fn words_are_in_the_order_of_their_types() {
    for (i, state) in FlowState::ALL.iter().enumerate() {
        assert_eq!(*state as usize, i);
    }
    for (i, reason) in EndReason::ALL.iter().enumerate() {
        assert_eq!(field::reason_index(*reason), i as u64);
    }
    assert_eq!((TunnelKind::Gre as u64, TunnelKind::Vxlan as u64, TunnelKind::Ipip as u64), (0, 1, 2));
    assert_eq!((NameSource::Dns as u64, NameSource::Tls as u64), (0, 3));
}

fn number(kind: Kind) -> BoxedStrategy<u64> {
    match kind {
        Kind::Number(max) => (0..=max).boxed(),
        Kind::Word(list) => (0..list.len() as u64).boxed(),
        Kind::Protocol => (0..256_u64).boxed(),
        Kind::Time => (0..i64::MAX.unsigned_abs()).boxed(),
        Kind::Id => any::<u64>().boxed(),
        _ => prop_oneof![any::<u64>(), (0..100_u64).prop_map(|n| n * 1_000_000), (0..99_u64).prop_map(|n| n << 20)]
            .boxed(),
    }
}

fn condition(kind: Kind) -> BoxedStrategy<(bool, Condition)> {
    let texts = || prop::collection::vec("\\PC{0,6}|[\"\\\\*\u{202e}\n ]{0,4}", 1..4);
    match kind {
        Kind::Address => {
            let network = (any::<IpAddr>(), 0..=128_u8)
                .prop_map(|(a, bits)| Network::new(a, bits).unwrap_or_else(|| Network::new(a, bits % 33).unwrap()));
            (any::<bool>(), prop::collection::vec(network, 1..4).prop_map(Condition::Networks)).boxed()
        }
        Kind::Name | Kind::Text => prop_oneof![
            (any::<bool>(), texts().prop_map(Condition::Texts)),
            (any::<bool>(), "\\PC{0,8}|[*?\\\\a\"]{0,8}".prop_map(|t| Condition::Like(Glob::new(&t).unwrap()))),
        ]
        .boxed(),
        kind => {
            let single = (any::<bool>(), number(kind).prop_map(|n| Condition::Number(Comparison::Equal, n)));
            let range = (number(kind), number(kind))
                .prop_map(move |(a, b)| if kind.has_ranges() { (a.min(b), a.max(b)) } else { (a, a) });
            let ranges = (any::<bool>(), prop::collection::vec(range, 2..4).prop_map(Condition::Ranges));
            let ordered = number(kind).prop_map(|n| (false, Condition::Number(Comparison::LessOrEqual, n)));
            if kind.is_ordered() {
                prop_oneof![single, ranges, ordered].boxed()
            } else {
                prop_oneof![single, ranges].boxed()
            }
        }
    }
}

fn test_expr() -> impl Strategy<Value = Expr> {
    prop::sample::select(fields()).prop_flat_map(|d| {
        let present = any::<bool>().prop_map(|negated| (negated, Condition::Present));
        prop_oneof![5 => condition(d.kind), 1 => present]
            .prop_map(move |(negated, condition)| Expr::Test(Test { field: d.field, negated, condition }))
    })
}

/// Trees as the parser makes them: no `and` in an `and`, no `or` in an `or`.
fn tree() -> impl Strategy<Value = Expr> {
    test_expr().prop_recursive(5, 24, 3, |inner| {
        let list = || prop::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            inner.clone().prop_map(|e| Expr::Not(Box::new(e))),
            list().prop_map(|l| Expr::And(
                l.into_iter().map(|e| if matches!(e, Expr::And(_)) { Expr::Not(Box::new(e)) } else { e }).collect()
            )),
            list().prop_map(|l| Expr::Or(
                l.into_iter().map(|e| if matches!(e, Expr::Or(_)) { Expr::Not(Box::new(e)) } else { e }).collect()
            )),
        ]
    })
}

proptest! {
    #[test]
    fn canonical_text_parses_back(expr in tree()) {
        let filter = Filter::from(expr);
        let text = filter.to_string();
        prop_assume!(text.len() <= Filter::MAX_BYTES);
        prop_assert_eq!(Filter::parse(&text), Ok(filter.clone()), "{}", text);
        let _ = filter.matches(&record());
        prop_assert!(!text.chars().any(crate::untrusted::is_deceptive));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,60}") {
        let _ = Filter::parse(&text);
    }

    #[test]
    fn any_words_are_read_or_refused(words in prop::collection::vec(prop::sample::select(vec![
        "tcp", "port", "and", "or", "not", "(", ")", "in", "=", "!=", "~", "443", "10.0.0.0/8", "\"a\"", ",", "any", "bytes", ">", "1MB", "name", "!", "é", "\\",
    ]), 0..20)) {
        let text = words.join(" ");
        match Filter::parse(&text) {
            Ok(filter) => prop_assert_eq!(Filter::parse(&filter.to_string()).unwrap(), filter),
            Err(e) => prop_assert!(e.position <= text.len() && e.length >= 1),
        }
    }
}
