//! Servers of HTTP that answer as a script says.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use netwatch_egress::Policy;
use netwatch_model::probe::kind::http::{
    AUTHORITY, BASIC, BEARER, BODY, CONTAINS, FORBIDS, HEADERS, JSON, MATCHES, MAX_BODY, METHOD, REDIRECTS, STATUS,
    VERIFY, VERSION,
};
use netwatch_model::probe::{OptionField, OptionValue, ProbeKind, ProbeMetric, ProbeResult};
use tokio::net::TcpStream;

use super::*;
use crate::connect::testing::{
    Authority, SLOW, assert_well, closed_port, failure, head, probe, probe_with, say, serve, spec, text, texts, tools,
    with,
};

mod redirects;
mod versions;

/// What servers heard.
type Heard = Arc<Mutex<Vec<String>>>;

fn detail(result: &ProbeResult) -> &Http {
    match &result.detail {
        Some(Detail::Http(http)) => http,
        other => panic!("no request: {other:?}"),
    }
}

/// An answer with this status line, fields and body.
fn page(status: &str, fields: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{fields}content-length: {}\r\n\r\n{body}", body.len())
}

/// Answers every request with the same.
async fn always(answer: impl Into<Vec<u8>>) -> SocketAddr {
    let answer: Arc<[u8]> = answer.into().into();
    serve(move |mut stream, _| {
        let answer = Arc::clone(&answer);
        async move {
            head(&mut stream).await;
            say(&mut stream, &answer).await;
            linger(stream).await;
        }
    })
    .await
}

/// Answers every path as `answer` says, and notes what was asked.
async fn site(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> (SocketAddr, Heard) {
    let heard = Heard::default();
    let (noted, answer) = (Arc::clone(&heard), Arc::new(answer));
    let address = serve(move |mut stream, _| {
        let (noted, answer) = (Arc::clone(&noted), Arc::clone(&answer));
        async move {
            let asked = head(&mut stream).await;
            let path = asked.split(' ').nth(1).unwrap_or_default().to_owned();
            noted.lock().expect("nobody panics").push(asked);
            say(&mut stream, answer(&path)).await;
            linger(stream).await;
        }
    })
    .await;
    (address, heard)
}

/// Waits until the client has gone, so that its last words meet an open connection.
async fn linger(mut stream: TcpStream) {
    let mut room = [0_u8; 1024];
    while tokio::io::AsyncReadExt::read(&mut stream, &mut room).await.is_ok_and(|n| n > 0) {}
}

async fn get(target: impl ToString, options: &[(&OptionField, OptionValue)]) -> ProbeResult {
    let spec = spec(ProbeKind::Http, target);
    probe(&options.iter().fold(spec, |spec, (field, value)| with(spec, field, value.clone()))).await
}

#[tokio::test]
async fn an_answer_is_described() {
    let server = always(page("200 OK", "content-type: text/plain\r\n", "hello")).await;
    let result = get(format!("http://{server}/a?b=c"), &[]).await;
    assert_well(&result);
    let http = detail(&result);
    let [hop] = http.hops.as_slice() else { panic!("one request: {http:?}") };
    assert_eq!((hop.status, hop.version.as_deref(), hop.address), (Some(200), Some("HTTP/1.1"), Some(server.ip())));
    assert_eq!(hop.content_type.as_ref().map(Untrusted::raw), Some("text/plain"));
    assert_eq!((http.body_octets, http.body_cut), (5, false));
    assert_eq!(http.body_hash.as_deref(), Some("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"));
    assert_eq!(result.source, Some("127.0.0.1".parse().expect("an address")));
    assert_sums(&result);
}

/// The phases of all hops are the duration, to a millisecond.
fn assert_sums(result: &ProbeResult) {
    let phases = detail(result).hops.iter().map(|hop| hop.phases);
    let sum: f64 = phases.map(|p| p.resolve + p.connect + p.tls + p.first_byte + p.transfer).sum();
    assert!((sum - result.duration).abs() < 0.001, "{sum} is not {}: {result:?}", result.duration);
}

#[tokio::test]
async fn a_slow_phase_is_the_phase_that_is_slow() {
    let authority = Authority::new();
    let acceptor = authority.issue(&["127.0.0.1"], |_| ()).acceptor(&[b"http/1.1"]);
    for slow in ["tls", "first byte", "transfer"] {
        let acceptor = acceptor.clone();
        let pause = move |phase: &'static str| async move {
            if phase == slow {
                // waits: the slowness itself, which is measured
                tokio::time::sleep(SLOW).await;
            }
        };
        let server = serve(move |stream, _| {
            let acceptor = acceptor.clone();
            async move {
                pause("tls").await;
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                head(&mut stream).await;
                pause("first byte").await;
                say(&mut stream, "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nab").await;
                pause("transfer").await;
                say(&mut stream, "cd").await;
            }
        })
        .await;
        let result = get(format!("https://{server}/"), &[(&AUTHORITY, text(&authority.pem))]).await;
        assert_well(&result);
        assert_sums(&result);
        let phases = detail(&result).hops[0].phases;
        let of = |phase| match phase {
            "tls" => phases.tls,
            "first byte" => phases.first_byte,
            _ => phases.transfer,
        };
        // Half of it is enough to tell the phases apart, when this process does not get a processor at once.
        assert!(of(slow) >= SLOW.as_secs_f64() / 2.0, "{slow}: {phases:?}");
        assert!(phases.connect < result.duration - of(slow), "the rest is not in another phase: {phases:?}");
    }
}

/// The predecessors read the expected status and never compared it.
#[tokio::test]
async fn the_status_is_compared() {
    let server = always(page("404 Not Found", "", "")).await;
    let url = format!("http://{server}/");
    let (reason, message) = failure(&get(&url, &[]).await);
    assert_eq!(reason, FailureReason::Unexpected);
    assert!(message.contains("404"), "{message}");
    for (expected, is_well) in [("404", true), ("4xx", true), ("400-404", true), ("200", false), ("405-499", false)] {
        let result = get(&url, &[(&STATUS, texts(&["500", expected]))]).await;
        assert_eq!(result.is_success(), is_well, "{expected}");
        assert!(result.measures().iter().any(|m| m.metric == ProbeMetric::StatusCode && m.value == 404.0));
    }
    for wrong in ["2x", "abc", "299-200", "99", "0xx", ""] {
        let (reason, message) = failure(&get(&url, &[(&STATUS, texts(&[wrong]))]).await);
        assert_eq!(reason, FailureReason::Agent, "{wrong}");
        assert!(message.contains("expect_status"), "{message}");
    }
}

#[tokio::test]
async fn the_body_is_compared() {
    let body = r#"{"state": "ok", "items": [{"n": 1}, {"n": 2.0}], "empty": []}"#;
    let server = always(page("200 OK", "", body)).await;
    let cases: [(&OptionField, &str, bool); 14] = [
        (&CONTAINS, "\"ok\"", true),
        (&CONTAINS, "error", false),
        (&MATCHES, r#""n":\s*\d"#, true),
        (&MATCHES, "^ok$", false),
        (&FORBIDS, "(?i)ERROR", true),
        (&FORBIDS, "state", false),
        (&JSON, "$.state", true),
        (&JSON, "$.missing", false),
        (&JSON, "$.empty[*]", false),
        (&JSON, "$.state == ok", true),
        (&JSON, "$.state == \"bad\"", false),
        (&JSON, "$.items[*].n == 2", true),
        (&JSON, "$.items[?@.n == 1].n == 1", true),
        (&JSON, "$.items[?@.n == 9]", false),
    ];
    for (field, value, is_well) in cases {
        let result = get(format!("http://{server}/"), &[(field, text(value))]).await;
        assert_eq!(result.is_success(), is_well, "{} {value}: {result:?}", field.name);
    }
    for (field, value) in [(&MATCHES, "("), (&FORBIDS, r"\w{900}{900}"), (&JSON, "state")] {
        let (reason, message) = failure(&get(format!("http://{server}/"), &[(field, text(value))]).await);
        assert_eq!(reason, FailureReason::Agent, "{value}");
        assert!(message.contains(field.name), "{message}");
    }
    let server = always(page("200 OK", "", "<html>")).await;
    assert_eq!(failure(&get(format!("http://{server}/"), &[(&JSON, text("$.a"))]).await).0, FailureReason::Malformed);
}

#[tokio::test]
async fn an_endless_body_is_cut() {
    let server = serve(|mut stream, _| async move {
        head(&mut stream).await;
        say(&mut stream, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
        let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
        while tokio::io::AsyncWriteExt::write_all(&mut stream, chunk.as_bytes()).await.is_ok() {}
    })
    .await;
    let result =
        get(format!("http://{server}/"), &[(&MAX_BODY, OptionValue::Whole(100_000)), (&CONTAINS, text("xxx"))]).await;
    assert_well(&result);
    assert_eq!((detail(&result).body_octets, detail(&result).body_cut), (100_000, true));
    let result = get(format!("http://{server}/"), &[(&MAX_BODY, OptionValue::Whole(0))]).await;
    assert_well(&result);
    assert_eq!((detail(&result).body_octets, detail(&result).body_cut), (0, true));
}

#[tokio::test]
async fn a_body_of_gzip_is_read_when_the_probe_asks_for_it_and_is_no_bomb() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut packed, &vec![b'a'; 4 << 20]).expect("it is packed");
    std::io::Write::write_all(&mut packed, b"needle").expect("it is packed");
    let packed = packed.finish().expect("it is packed");
    let mut answer =
        format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", packed.len()).into_bytes();
    answer.extend_from_slice(&packed);
    let url = format!("http://{}/", always(answer).await);
    let asks = (&HEADERS, texts(&["Accept-Encoding: gzip"]));
    assert!(!get(&url, &[(&CONTAINS, text("aaaa"))]).await.is_success(), "nobody asked for gzip: it is not decoded");
    assert_well(&get(&url, &[asks.clone(), (&CONTAINS, text("aaaa"))]).await);
    let cut = get(&url, &[asks.clone(), (&CONTAINS, text("needle"))]).await;
    assert_eq!(failure(&cut).0, FailureReason::Unexpected, "not more than `max_body` comes out");
    assert_well(&get(&url, &[asks, (&CONTAINS, text("needle")), (&MAX_BODY, OptionValue::Whole(8 << 20))]).await);
}

#[tokio::test]
async fn the_request_is_what_the_probe_says() {
    let (server, heard) = site(|_| page("200 OK", "", "")).await;
    let options = [
        (&METHOD, text("POST")),
        (&BODY, text("{}")),
        (&HEADERS, texts(&["X-One: 1", "Host: virtual.example", "Content-Type: application/json"])),
        (&BASIC, text("user:pa:ss")),
    ];
    assert_well(&get(format!("http://{server}/p%20q?x={{y}}"), &options).await);
    assert_well(&get(format!("http://{server}/"), &[(&BEARER, text("t0ken"))]).await);
    let heard = heard.lock().expect("nobody panics").clone();
    assert!(heard[0].starts_with("POST /p%20q?x=%7By%7D HTTP/1.1\r\n"), "{}", heard[0]);
    for line in [
        "host: virtual.example",
        "x-one: 1",
        "authorization: Basic dXNlcjpwYTpzcw==",
        "content-length: 2",
        "accept: */*",
    ] {
        assert!(heard[0].contains(&format!("{line}\r\n")), "{line} is not in {}", heard[0]);
    }
    assert!(
        heard[1].contains(&format!("host: {server}\r\n")) && heard[1].contains("authorization: Bearer t0ken\r\n"),
        "{}",
        heard[1]
    );
}

#[tokio::test]
async fn what_cannot_be_sent_is_said_without_its_secrets() {
    let wrong = [
        (&HEADERS, texts(&["hunter2"]), "Name: value"),
        (&HEADERS, texts(&["A B: hunter2"]), "`A B`"),
        (&HEADERS, texts(&["X: hunter2\r\nY: z"]), "`x`"),
        (&HEADERS, texts(&["Transfer-Encoding: hunter2"]), "transfer-encoding"),
        (&BEARER, text("hunter2\n"), "bearer_token"),
    ];
    for (field, value, says) in wrong {
        let (reason, message) = failure(&get("http://127.0.0.1:1/", &[(field, value)]).await);
        assert_eq!(reason, FailureReason::Agent);
        assert!(message.contains(says) && !message.contains("hunter2"), "{message}");
    }
    let both = [(&BASIC, text("a:b")), (&BEARER, text("c"))];
    assert!(failure(&get("http://127.0.0.1:1/", &both).await).1.contains("not both"));
    let (_, message) = failure(&get("http://user:hunter2@127.0.0.1:1/", &[]).await);
    assert!(message.contains("user name") && !message.contains("hunter2"), "{message}");
}

#[tokio::test]
async fn reasons_of_failure_are_told_apart() {
    let refused = get(format!("http://{}/", closed_port().await), &[]).await;
    assert_eq!(failure(&refused).0, FailureReason::Refused);
    assert_eq!(detail(&refused).hops.len(), 1, "the step that failed is shown");
    assert_sums(&refused);
    let closes = serve(|mut stream, _| async move { drop(head(&mut stream).await) }).await;
    assert_eq!(failure(&get(format!("http://{closes}/"), &[]).await).0, FailureReason::Reset);
    let talks = always("SSH-2.0-OpenSSH_9.2\r\n\r\n").await;
    assert_eq!(failure(&get(format!("http://{talks}/"), &[]).await).0, FailureReason::Malformed);
    let large = always(format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(exchange::MAX_HEADER * 2))).await;
    assert_eq!(failure(&get(format!("http://{large}/"), &[]).await).0, FailureReason::Malformed);
    let short = always("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhi").await;
    let short = probe(&ProbeSpec { timeout: 0.3, ..spec(ProbeKind::Http, format!("http://{short}/")) }).await;
    let (reason, message) = failure(&short);
    assert_eq!(reason, FailureReason::Timeout);
    assert!(message.contains("the body"), "{message}");
    assert!(detail(&short).hops[0].phases.transfer >= 0.2, "the time is in the phase that took it: {short:?}");
    assert_sums(&short);
}

#[tokio::test]
async fn a_server_that_is_not_trusted_is_told_nothing() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let acceptor = stranger.issue(&["127.0.0.1"], |_| ()).acceptor(&[]);
    let heard = Heard::default();
    let noted = Arc::clone(&heard);
    let server = serve(move |stream, _| {
        let (acceptor, noted) = (acceptor.clone(), Arc::clone(&noted));
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            let asked = head(&mut stream).await;
            noted.lock().expect("nobody panics").push(asked);
            say(&mut stream, page("200 OK", "", "")).await;
        }
    })
    .await;
    let url = format!("https://{server}/");
    let trusts = [(&AUTHORITY, text(&authority.pem)), (&BEARER, text("t0ken"))];
    let result = get(&url, &trusts).await;
    assert_eq!(failure(&result).0, FailureReason::Tls);
    assert!(
        detail(&result).tls.as_ref().is_some_and(|tls| !tls.trusted && !tls.chain.is_empty()),
        "the certificate is shown"
    );
    assert!(heard.lock().expect("nobody panics").iter().all(String::is_empty), "the token stays here");
    assert_well(&get(&url, &[(&VERIFY, OptionValue::Flag(false))]).await);
}
