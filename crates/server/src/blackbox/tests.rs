//! Modules as they are read, what they refuse, and what a run is called.

use std::path::Path;

use netwatch_model::probe::kind::dns::{Dns, DnsAnswer, DnsSections, DnsServer};
use netwatch_model::probe::kind::http::{Http, HttpHop, HttpPhases};
use netwatch_model::probe::kind::tls::{Certificate, TlsSession};
use netwatch_model::probe::{Detail, Failure, FailureReason, Family, ProbeKind, ProbeResult, ProbeSpec, Trigger};
use netwatch_model::{AgentId, Timestamp, Untrusted};
use proptest::prelude::*;

use super::*;

fn modules(text: &str) -> Modules {
    Modules::parse(text, Path::new("/nowhere")).unwrap_or_else(|faults| panic!("{faults:?}"))
}

fn faults(text: &str) -> Vec<String> {
    Modules::parse(text, Path::new("/nowhere")).unwrap_err().iter().map(ToString::to_string).collect()
}

fn one(keys: &str) -> Modules {
    modules(&format!("modules:\n  m:\n{keys}"))
}

fn ready(modules: &Modules) -> &Module {
    modules.get("m").unwrap().unwrap_or_else(|faults| panic!("{faults:?}"))
}

fn refusal(keys: &str) -> String {
    let modules = one(keys);
    let faults = modules.get("m").unwrap().err().unwrap_or_else(|| panic!("it is not refused: {keys}"));
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

#[test]
fn those_that_are_there_without_a_file_can_all_be_run() {
    let built_in = Modules::built_in();
    assert_eq!(built_in.refused().count(), 0);
    let names: Vec<&str> = built_in.names().collect();
    assert_eq!(
        names,
        ["dns", "dns_tcp", "http_2xx", "http_post_2xx", "icmp", "icmp_ttl5", "tcp_connect", "tls_connect"]
    );
}

#[test]
fn a_module_says_what_is_measured() {
    let web = one(
        "    prober: http\n    timeout: 1m30s\n    http:\n      preferred_ip_protocol: ip4\n      method: POST\n      \
                   headers: {Host: shop.example, X-A: b}\n      valid_status_codes: [200, 404]\n      enable_http2: false\n",
    );
    let module = ready(&web);
    let spec = module.probe("192.0.2.1/a", 4.0);
    assert_eq!((spec.kind, spec.target.as_str(), spec.timeout), (ProbeKind::Http, "http://192.0.2.1/a", 4.0));
    assert_eq!((spec.family, module.has_fallback(), module.timeout()), (Family::V4, true, Some(90.0)));
    let options = serde_json::to_value(&spec.options).unwrap();
    assert_eq!(
        options,
        serde_json::json!({"method": "POST", "headers": ["Host: shop.example", "X-A: b"], "expect_status": ["200", "404"],
                           "version": "1.1", "server_name": "shop.example"})
    );
    assert_eq!(module.probe("HTTPS://a.example/", 1.0).target, "https://a.example/");
    let dns = one(
        "    prober: dns\n    dns: {query_name: example.org, query_type: SOA, transport_protocol: tcp, dns_over_tls: true}\n",
    );
    let spec = ready(&dns).probe("192.0.2.53:5353", 1.0);
    assert_eq!(spec.target, "example.org");
    let options = serde_json::to_value(&spec.options).unwrap();
    assert_eq!(options, serde_json::json!({"record": "SOA", "transport": "tls", "servers": ["192.0.2.53:5353"]}));
    let tcp =
        one("    prober: tcp\n    tcp: {source_ip_address: 192.0.2.9, tls_config: {insecure_skip_verify: true}}\n");
    assert_eq!(ready(&tcp).probe("192.0.2.1:80", 1.0).check(), Ok(()));
}

#[test]
fn what_the_exporter_does_not_know_spoils_the_file_with_its_place() {
    for (text, says) in [
        ("modules:\n  m: {prober: http, http: {metod: GET}}", "2:28: unknown key `metod`: did you mean `method`?"),
        ("modules:\n  m: {prober: htp}", "2:15: unknown key `htp`: did you mean `http`?"),
        ("modules:\n  m: {timeout: 5s}", "2:6: a module needs the key `prober`"),
        ("modules:\n  m: {prober: icmp, timeout: 5}", "timeout: expected a duration"),
        ("modules:\n  m: {prober: http, http: {fail_if_ssl: perhaps}}", "2:28: fail_if_ssl: expected true or false"),
        ("modules:\n  m: {prober: dns, dns: {query_type: A}}", "`query_name` is missing"),
        ("modles: {}", "did you mean `modules`?"),
        ("- a", "expected `modules:`"),
        ("a: [", "1:"),
    ] {
        let found = faults(text);
        assert!(found.iter().any(|fault| fault.contains(says)), "{text}: {found:?}");
    }
}

#[test]
fn what_our_probes_cannot_do_refuses_the_module_with_its_place() {
    for (keys, says) in [
        ("    prober: grpc\n", "3:13: there is no probe of Netwatch for the prober `grpc`"),
        ("    prober: tcp\n    tcp:\n      query_response: [{expect: '^SSH'}]\n", "5:7: query_response:"),
        ("    prober: http\n    http: {method: PURGE}\n", "method: `PURGE` is not one of GET"),
        ("    prober: http\n    http: {fail_if_body_not_matches_regexp: [a, b]}\n", "one expression"),
        (
            "    prober: http\n    http: {fail_if_body_matches_regexp: ['a(?!b)']}\n",
            "regular expression cannot be used",
        ),
        ("    prober: http\n    http: {tls_config: {ca_file: missing.pem}}\n", "/nowhere/missing.pem cannot be read"),
        ("    prober: http\n    http: {tls_config: {cert_file: a, key_file: b}}\n", "no certificate of their own"),
        ("    prober: http\n    http: {proxy_url: 'http://p:1'}\n", "proxy"),
        ("    prober: dns\n    dns: {query_name: example.org}\n", "`query_type` is missing"),
        ("    prober: dns\n    dns: {query_name: example.org, query_type: CAA}\n", "query_type: `CAA`"),
        ("    prober: dns\n    dns: {query_name: ., query_type: NS}\n", "the target"),
        ("    prober: icmp\n    icmp: {payload_size: 1}\n", "payload_size: a probe takes 16 to"),
    ] {
        let found = refusal(keys);
        assert!(found.contains(says), "{keys}: {found}");
    }
    let mixed = modules("modules:\n  m: {prober: grpc}\n  web: {prober: http}\n");
    assert!(mixed.get("web").is_some_and(|module| module.is_ok()), "the others can be run");
}

fn result(kind: ProbeKind, detail: Option<Detail>, failure: Option<Failure>) -> ProbeResult {
    let start = Timestamp::from_secs(1_700_000_000);
    ProbeResult {
        probe: None,
        agent: AgentId(1),
        kind,
        target: "t".to_owned(),
        address: Some("192.0.2.1".parse().unwrap()),
        source: None,
        scheduled: start,
        start,
        duration: 0.5,
        trigger: Trigger::Request,
        late: false,
        failure,
        detail,
    }
}

fn page(module: &Module, result: Option<&ProbeResult>) -> String {
    let now = Timestamp::from_secs(1_700_000_000);
    write(&Scrape { module, result, duration: 0.75, timeout: 9.5, now }).1
}

/// The value of a series in a page; none when it is not there.
fn value<'a>(page: &'a str, series: &str) -> Option<&'a str> {
    page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))
}

fn hop(url: &str, status: u16) -> HttpHop {
    HttpHop {
        url: Untrusted::new(url),
        address: Some("192.0.2.1".parse().unwrap()),
        status: Some(status),
        version: Some("HTTP/2".to_owned()),
        content_type: None,
        content_length: None,
        last_modified: Some(Timestamp::from_secs(1_600_000_000)),
        phases: HttpPhases { resolve: 0.25, connect: 0.5, tls: 1.0, first_byte: 2.0, transfer: 4.0 },
    }
}

fn certificate(end: i64) -> Certificate {
    Certificate {
        subject: Untrusted::new("CN=a\\\"b"),
        issuer: Untrusted::new("CN=root"),
        names: ["a.example", "192.0.2.1"].map(Untrusted::new).to_vec(),
        not_before: Timestamp::ZERO,
        not_after: Timestamp::from_secs(end),
        serial: "00ab".to_owned(),
        fingerprint: "ff".to_owned(),
        key: "EC 256".to_owned(),
        self_signed: false,
    }
}

fn web(hops: Vec<HttpHop>) -> Http {
    let tls = TlsSession {
        handshake: 1.0,
        version: "TLS 1.3".to_owned(),
        cipher: "TLS_AES_128_GCM_SHA256".to_owned(),
        alpn: None,
        trusted: true,
        distrust: None,
        // The second one has expired: it is in no chain that can be verified.
        chain: [1_800_000_000, 1_600_000_000].map(certificate).to_vec(),
        expires_in: 1.0,
    };
    Http { hops, body_octets: 12, body_cut: false, body_hash: None, tls: Some(tls) }
}

#[test]
fn a_page_of_http_has_the_exporters_names_and_sums() {
    let modules =
        one("    prober: http\n    http: {fail_if_body_not_matches_regexp: [x], valid_http_versions: [HTTP/2.0]}\n");
    let http = web(vec![hop("https://a.example/", 301), hop("https://b.example/", 200)]);
    let detail = Some(Detail::Http(Box::new(http)));
    let good = page(ready(&modules), Some(&result(ProbeKind::Http, detail.clone(), None)));
    for (series, must) in [
        ("probe_success", "1"),
        ("probe_duration_seconds", "0.75"),
        ("probe_timeout_seconds", "9.5"),
        ("probe_dns_lookup_time_seconds", "0.25"),
        ("probe_ip_protocol", "4"),
        // FNV-1a of c0 00 02 01.
        ("probe_ip_addr_hash", "1969986452"),
        ("probe_http_duration_seconds{phase=\"resolve\"}", "0.5"),
        ("probe_http_duration_seconds{phase=\"transfer\"}", "8"),
        ("probe_http_content_length", "-1"),
        ("probe_http_uncompressed_body_length", "12"),
        ("probe_http_redirects", "1"),
        ("probe_http_status_code", "200"),
        ("probe_http_version", "2"),
        ("probe_http_ssl", "1"),
        ("probe_http_last_modified_timestamp_seconds", "1600000000"),
        ("probe_ssl_earliest_cert_expiry", "1600000000"),
        ("probe_ssl_last_chain_expiry_timestamp_seconds", "1800000000"),
        ("probe_tls_version_info{version=\"TLS 1.3\"}", "1"),
        ("probe_failed_due_to_regex", "0"),
    ] {
        assert_eq!(value(&good, series), Some(must), "{series}\n{good}");
    }
    assert!(good.contains("subjectalternative=\"a.example\",serialnumber=\"ab\"} 1"), "{good}");
    let unexpected = Failure::new(FailureReason::Unexpected, "the body does not match");
    let bad = page(ready(&modules), Some(&result(ProbeKind::Http, detail, Some(unexpected))));
    assert_eq!((value(&bad, "probe_success"), value(&bad, "probe_failed_due_to_regex")), (Some("0"), Some("1")));
}

#[test]
fn what_only_the_module_knows_is_judged() {
    let success = |keys: &str, url: &str| {
        let modules = one(keys);
        let detail = Some(Detail::Http(Box::new(web(vec![hop(url, 200)]))));
        value(&page(ready(&modules), Some(&result(ProbeKind::Http, detail, None))), "probe_success").unwrap() == "1"
    };
    assert!(!success("    prober: http\n    http: {fail_if_ssl: true}\n", "https://a.example/"));
    assert!(success("    prober: http\n    http: {fail_if_ssl: true}\n", "http://a.example/"));
    assert!(!success("    prober: http\n    http: {fail_if_not_ssl: true}\n", "http://a.example/"));
    assert!(!success("    prober: http\n    http: {valid_http_versions: [HTTP/1.1]}\n", "http://a.example/"));
    assert!(success("    prober: http\n", "http://a.example/"));
}

fn answered(code: u16, values: &[&str]) -> ProbeResult {
    let answer = |value: &&str| DnsAnswer {
        name: Untrusted::new("example.org."),
        record: "A".to_owned(),
        value: Untrusted::new(value),
        ttl: 60,
    };
    let server = DnsServer {
        server: "192.0.2.53".to_owned(),
        time: Some(0.5),
        connect: Some(0.125),
        lookup: None,
        code: Some(code),
        answers: values.iter().map(answer).collect(),
        sections: Some(DnsSections { answer: 2, authority: 1, additional: 3 }),
        authenticated: false,
        authoritative: true,
        truncated: false,
        problem: None,
    };
    let detail = Dns { record: "A".to_owned(), servers: vec![server], agree: true };
    let failure = Failure::new(FailureReason::Unexpected, "what our probe thinks");
    result(ProbeKind::Dns, Some(Detail::Dns(Box::new(detail))), Some(failure))
}

#[test]
fn answers_of_name_servers_are_judged_as_the_module_says() {
    let success = |more: &str, result: &ProbeResult| {
        let modules = one(&format!("    prober: dns\n    dns: {{query_name: example.org, query_type: A, {more}}}\n"));
        value(&page(ready(&modules), Some(result)), "probe_success").unwrap() == "1"
    };
    assert!(success("", &answered(0, &[])) && !success("", &answered(3, &[])));
    assert!(success("valid_rcodes: [NXDOMAIN]", &answered(3, &[])));
    let two = answered(0, &["192.0.2.1", "192.0.2.2"]);
    for (rule, must) in [
        (r"fail_if_matches_regexp: ['^example\.org\.\t60\tIN\tA\t192\.0\.2\.1$']", false),
        ("fail_if_matches_regexp: ['198']", true),
        ("fail_if_all_match_regexp: ['192']", true),
        ("fail_if_all_match_regexp: ['2\\.1$']", false),
        ("fail_if_not_matches_regexp: ['2\\.1$']", false),
        ("fail_if_none_matches_regexp: ['2\\.1$', 'x']", true),
        ("fail_if_none_matches_regexp: ['zz']", false),
    ] {
        assert_eq!(success(&format!("validate_answer_rrs: {{{rule}}}"), &two), must, "{rule}");
    }
    assert!(!success("validate_answer_rrs: {fail_if_not_matches_regexp: ['x']}", &answered(0, &[])));
    let modules = one("    prober: dns\n    dns: {query_name: example.org, query_type: A}\n");
    let text = page(ready(&modules), Some(&two));
    for (series, must) in [
        ("probe_dns_duration_seconds{phase=\"connect\"}", "0.125"),
        ("probe_dns_duration_seconds{phase=\"request\"}", "0.375"),
        ("probe_dns_answer_rrs", "2"),
        ("probe_dns_authority_rrs", "1"),
        ("probe_dns_additional_rrs", "3"),
        ("probe_dns_query_succeeded", "1"),
    ] {
        assert_eq!(value(&text, series), Some(must), "{series}");
    }
}

#[test]
fn a_run_that_did_not_end_is_a_failure_with_all_its_names() {
    for name in ["http_2xx", "tcp_connect", "icmp", "dns"] {
        let built_in = Modules::built_in();
        let text = page(built_in.get(name).unwrap().unwrap(), None);
        assert_eq!(value(&text, "probe_success"), Some("0"), "{name}");
        assert_eq!(value(&text, "probe_ip_protocol"), Some("0"), "{name}");
    }
}

#[test]
fn a_virtual_host_is_asked_for_once() {
    let built_in = Modules::built_in();
    let module = built_in.get("http_2xx").unwrap().unwrap().for_host("shop.example:8443").unwrap();
    let options = serde_json::to_value(&module.probe("https://192.0.2.1/", 1.0).options).unwrap();
    let must = serde_json::json!({"headers": ["Host: shop.example:8443"], "server_name": "shop.example"});
    assert_eq!(options, must);
    assert!(module.for_host("other.example").unwrap_err().contains("shop.example:8443"));
    assert!(module.for_host("shop.example:8443").is_ok());
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".{0,300}", key in "[a-z_]{1,20}", value in ".{0,20}") {
        let _ = Modules::parse(&text, Path::new("/nowhere"));
        for prober in ["http", "tcp", "icmp", "dns"] {
            let text = format!("modules: {{m: {{prober: {prober}, {prober}: {{{key}: {value:?}}}}}}}");
            let _ = Modules::parse(&text, Path::new("/nowhere"));
        }
    }

    #[test]
    fn no_target_makes_it_panic(target in ".{0,80}", host in ".{0,20}") {
        let built_in = Modules::built_in();
        for name in built_in.names() {
            let Some(Ok(module)) = built_in.get(name) else { continue };
            let spec: ProbeSpec = module.probe(&target, 1.0);
            let _ = spec.check();
            let _ = module.for_host(&host);
        }
    }
}
