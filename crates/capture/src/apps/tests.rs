use std::time::Duration;

use super::*;

fn table() -> AppTable {
    AppTable::load(None).unwrap()
}

fn by_ports(table: &AppTable, protocol: Protocol, initiator: u16, responder: u16) -> Arc<str> {
    table.name(table.by_ports(protocol, initiator, responder))
}

#[test]
fn the_embedded_file_is_right() {
    let table = table();
    assert!(table.len() > 150 && table.len() < AppId::LIMIT, "{}", table.len());
    let hints = [Hint::Tls, Hint::Quic, Hint::Http, Hint::Ssh, Hint::Bittorrent, Hint::Vnc, Hint::Ssdp];
    for name in hints.map(Hint::as_str).into_iter().chain(["netwatch", "dns", "iperf3", "ipfix"]) {
        assert!(table.by_name(name).is_some(), "{name}");
    }
}

#[test]
fn the_responders_port_tells_best() {
    let table = table();
    let cases = [
        (Protocol::TCP, 40000, 443, "https"),
        (Protocol::UDP, 40000, 443, "quic"),
        (Protocol::TCP, 443, 50001, "https"),
        (Protocol::TCP, 22, 443, "https"),
        (Protocol::UDP, 51820, 40000, "unknown"),
        (Protocol::UDP, 51820, 51820, "wireguard"),
        (Protocol::UDP, 5353, 5353, "mdns"),
        (Protocol::TCP, 40000, 6885, "bittorrent"),
        (Protocol::SCTP, 40000, 4739, "ipfix"),
        (Protocol(50), 0, 0, "ipsec"),
        (Protocol::ICMP, 0, 2048, "icmp"),
        (Protocol::TCP, 40000, 40001, "unknown"),
    ];
    for (protocol, initiator, responder, want) in cases {
        assert_eq!(&*by_ports(&table, protocol, initiator, responder), want, "{protocol} {initiator} {responder}");
    }
}

#[test]
fn our_own_port_has_our_name() {
    let mut table = table();
    table.label_own_port(8470);
    assert_eq!(&*by_ports(&table, Protocol::TCP, 40000, 8470), "netwatch");
    assert_eq!(&*by_ports(&table, Protocol::UDP, 40000, 8470), "unknown");
}

#[test]
fn payload_refines_general_names_only() {
    let table = table();
    type Case<'a> = (&'a str, Option<Hint>, &'a [&'a str], Option<&'a str>, &'a str);
    let cases: [Case<'_>; 16] = [
        ("unknown", Some(Hint::Tls), &[], None, "tls"),
        ("unknown", Some(Hint::Tls), &["h2", "http/1.1"], None, "https"),
        ("https", Some(Hint::Tls), &[], Some("example.com"), "https"),
        ("https", Some(Hint::Tls), &["h2"], Some("www.youtube.com"), "youtube"),
        ("https", Some(Hint::Tls), &["dot"], Some("dns.google"), "dns-over-tls"),
        ("https", Some(Hint::Tls), &["h2"], Some("dns.google"), "dns-over-https"),
        ("https", Some(Hint::Tls), &["h2"], Some("notyoutube.com"), "https"),
        ("https", Some(Hint::Ssh), &[], None, "ssh"),
        ("https", Some(Hint::Http), &[], None, "http"),
        ("http", Some(Hint::Tls), &[], None, "tls"),
        ("quic", Some(Hint::Quic), &["h3"], Some("a.example"), "http3"),
        ("quic", Some(Hint::Quic), &["doq"], None, "dns-over-quic"),
        ("imaps", Some(Hint::Tls), &["h2"], Some("www.youtube.com"), "imaps"),
        ("prometheus", Some(Hint::Http), &[], None, "prometheus"),
        ("https", Some(Hint::Tls), &["\u{202e}", "mqtt"], None, "mqtt"),
        ("unknown", None, &[], None, "unknown"),
    ];
    for (before, hint, alpn, name, want) in cases {
        let alpn: Vec<Untrusted> = alpn.iter().map(|protocol| Untrusted::new(protocol)).collect();
        let name = name.map(Untrusted::new);
        let app = table.by_name(before).unwrap();
        assert_eq!(&*table.name(table.refine(app, hint, &alpn, name.as_ref())), want, "{before} {hint:?} {name:?}");
    }
}

#[test]
fn hostile_names_cost_little_and_find_nothing() {
    let table = table();
    let dots = Untrusted::new(&".".repeat(255));
    let deep = Untrusted::new(&format!("{}youtube.com", "a.".repeat(100)));
    let app = table.by_name("https").unwrap();
    assert_eq!(table.refine(app, None, &[], Some(&dots)), app);
    assert_eq!(&*table.name(table.refine(app, None, &[], Some(&deep))), "youtube");
}

#[test]
fn a_users_file_replaces_and_extends() {
    let text = "[[application]]\nname = \"billing\"\ntcp = [443, \"9000-9002\"]\n\n\
                [[application]]\nname = \"ssh\"\ntcp = [2200]\n";
    let table = AppTable::from_texts(Some(("mine.toml", text))).unwrap();
    let cases = [(443, "billing"), (9001, "billing"), (2200, "ssh"), (22, "unknown"), (80, "http")];
    for (port, want) in cases {
        assert_eq!(&*by_ports(&table, Protocol::TCP, 40000, port), want, "{port}");
    }
}

#[test]
fn complaints_name_file_line_and_key() {
    let head = "[[application]]\nname = \"a\"\n";
    let cases = [
        (
            format!("{head}tcp = [1, 70000]\n"),
            "mine.toml, line 3, `tcp`: invalid value: integer `70000`, expected a port",
        ),
        (
            format!("{head}tcp = [\"9-3\"]\n"),
            "mine.toml, line 3, `tcp`: invalid value: string \"9-3\", expected a port",
        ),
        (format!("{head}prot = 1\n"), "mine.toml, line 3, `prot`: unknown field `prot`, expected one of"),
        (format!("{head}tcp = [5]\nudp = [5, 6, 5]\n"), "mine.toml, line 4, `udp`: port 5 already belongs to `a`"),
        (format!("{head}{head}"), "mine.toml, line 4, `name`: `a` is there twice"),
        (
            format!("{head}domains = [\n\"ok.example\",\n\".bad\"]\n"),
            "mine.toml, line 5, `domains`: `.bad` is not usable",
        ),
        ("[[application]]\nname = \"A b\"\n".to_owned(), "mine.toml, line 2, `name`: write 1 to 32"),
        ("[[application]]\nname = \"unknown\"\n".to_owned(), "mine.toml, line 2, `name`: this name is for"),
        ("[[application]\n".to_owned(), "mine.toml, line 1, "),
    ];
    for (text, want) in cases {
        let found = AppTable::from_texts(Some(("mine.toml", &text))).unwrap_err().to_string();
        assert!(found.starts_with(want), "{found}\n{want}");
    }
    let missing = AppTable::load(Some(Path::new("/nonexistent/applications.toml"))).unwrap_err().to_string();
    assert!(missing.starts_with("cannot read the application file /nonexistent/applications.toml"), "{missing}");
}

#[test]
fn too_many_applications_are_refused() {
    let text: String = (0..AppId::LIMIT).map(|n| format!("[[application]]\nname = \"a{n}\"\n")).collect();
    let found = AppTable::from_texts(Some(("mine.toml", &text))).unwrap_err().to_string();
    assert!(found.contains("too many"), "{found}");
}

/// Starting must take less than a second: the table may take a small part of it, also in a debug build on a busy machine.
#[test]
fn loading_is_fast() {
    let (_, spent) = cpu_time_of(|| AppTable::load(None).unwrap());
    assert!(spent < Duration::from_millis(200), "{spent:?}");
}

/// CPU time of this thread, so that a busy machine changes nothing.
fn cpu_time_of<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let now = || {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Duration::new(u64::try_from(time.tv_sec).unwrap(), u32::try_from(time.tv_nsec).unwrap())
    };
    let start = now();
    let done = work();
    (done, now() - start)
}
