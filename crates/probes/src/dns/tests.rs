//! Name servers that answer as a script says, and a real one.

use std::net::SocketAddr;
use std::process::{Command, Stdio};

use hickory_proto::op::{Message, OpCode, ResponseCode};
use hickory_proto::rr::rdata::{A, CNAME, TXT};
use hickory_proto::rr::{Name, RData, Record};
use netwatch_model::probe::kind::dns::{AUTHORITY, SERVERS, TRANSPORT};
use netwatch_model::probe::{Family, OptionField, OptionValue, ProbeKind, ProbeResult};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::connect::testing::{
    Authority, answer, assert_well, failure, head, probe, say, serve, skip, spec, text, texts, with,
};

const NAME: &str = "www.example.org";

/// The answer to a question with these addresses.
fn addresses(question: &[u8], addresses: &[[u8; 4]]) -> Vec<u8> {
    reply(question, |message, name| {
        for [a, b, c, d] in addresses {
            message.add_answer(Record::from_rdata(name.clone(), 60, RData::A(A::new(*a, *b, *c, *d))));
        }
    })
}

fn reply(question: &[u8], change: impl FnOnce(&mut Message, Name)) -> Vec<u8> {
    let asked = Message::from_vec(question).expect("a question");
    let mut message = Message::response(asked.metadata.id, OpCode::Query);
    let name = asked.queries[0].name.clone();
    message.add_queries(asked.queries);
    change(&mut message, name);
    message.to_vec().expect("it can be written")
}

fn detail(result: &ProbeResult) -> &Dns {
    match &result.detail {
        Some(Detail::Dns(dns)) => dns,
        other => panic!("no answers: {other:?}"),
    }
}

async fn ask(server: impl ToString, options: &[(&OptionField, OptionValue)]) -> ProbeResult {
    let spec = with(spec(ProbeKind::Dns, NAME), &SERVERS, texts(&[&server.to_string()]));
    probe(&options.iter().fold(spec, |spec, (field, value)| with(spec, field, value.clone()))).await
}

#[tokio::test]
async fn an_answer_is_shown_and_compared_with_what_is_expected() {
    let server = answer(|question, _| {
        vec![reply(question, |message, name| {
            let alias = Name::from_ascii("cdn.example.").expect("a name");
            message.metadata.authoritative = true;
            message.metadata.authentic_data = true;
            message.add_answer(Record::from_rdata(name, 30, RData::CNAME(CNAME(alias.clone()))));
            message.add_answer(Record::from_rdata(alias, 60, RData::A(A::new(192, 0, 2, 7))));
        })]
    })
    .await;
    let result = ask(server, &[(&EXPECT, texts(&["192.0.2.7"])), (&DNSSEC, OptionValue::Flag(true))]).await;
    assert_well(&result);
    let [told] = detail(&result).servers.as_slice() else { panic!("one server: {result:?}") };
    assert!(told.authenticated && told.authoritative && !told.truncated);
    assert_eq!((told.code, told.answers.len(), told.answers[0].value.raw()), (Some(0), 2, "cdn.example."));
    assert!(told.time.is_some_and(|time| time > 0.0 && time < 10.0));
    let (reason, message) = failure(&ask(server, &[(&EXPECT, texts(&["192.0.2.8"]))]).await);
    assert_eq!(reason, FailureReason::Unexpected);
    assert!(message.contains("`192.0.2.8`"), "{message}");
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_a_failure_with_its_code() {
    let server = answer(|question, _| {
        vec![reply(question, |message, _| message.metadata.response_code = ResponseCode::NXDomain)]
    })
    .await;
    let result = ask(server, &[]).await;
    let (reason, message) = failure(&result);
    assert_eq!(reason, FailureReason::Unexpected);
    assert!(message.contains("NXDOMAIN"), "{message}");
    assert_eq!(detail(&result).servers[0].code, Some(3));
    let empty = answer(|question, _| vec![addresses(question, &[])]).await;
    assert!(failure(&ask(empty, &[]).await).1.contains("no record of type A"));
    let unsigned = answer(|question, _| vec![addresses(question, &[[192, 0, 2, 1]])]).await;
    assert!(failure(&ask(unsigned, &[(&DNSSEC, OptionValue::Flag(true))]).await).1.contains("validated"));
}

#[tokio::test]
async fn guesses_are_dropped_and_the_answer_counts() {
    let server = answer(|question, _| {
        let right = addresses(question, &[[192, 0, 2, 1]]);
        let mut wrong = addresses(question, &[[203, 0, 113, 66]]);
        wrong[0] ^= 0xff;
        vec![b"noise".to_vec(), wrong, right]
    })
    .await;
    let result = ask(server, &[]).await;
    assert_well(&result);
    assert_eq!(detail(&result).servers[0].answers[0].value.raw(), "192.0.2.1");
}

#[tokio::test]
async fn only_guesses_are_no_answer() {
    let server = answer(|_, _| vec![b"noise".to_vec()]).await;
    let spec = ProbeSpec { timeout: 0.2, ..with(spec(ProbeKind::Dns, NAME), &SERVERS, texts(&[&server.to_string()])) };
    assert_eq!(failure(&probe(&spec).await).0, FailureReason::Malformed);
}

#[tokio::test]
async fn an_answer_that_is_cut_is_asked_for_again_by_tcp() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("the loopback is there");
    let address = listener.local_addr().expect("it is bound");
    let socket = tokio::net::UdpSocket::bind(address).await.expect("the same port by UDP");
    tokio::spawn(async move {
        let mut room = [0_u8; 512];
        let (length, from) = socket.recv_from(&mut room).await.expect("a question");
        let cut = reply(&room[..length], |message, _| message.metadata.truncation = true);
        socket.send_to(&cut, from).await.expect("it is sent");
        let (stream, _) = listener.accept().await.expect("a connection");
        one_by_stream(stream).await;
    });
    let result = ask(address, &[]).await;
    assert_well(&result);
    let told = &detail(&result).servers[0];
    assert!(told.truncated);
    assert_eq!(told.answers[0].value.raw(), "192.0.2.1");
}

async fn one_by_stream<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin>(mut stream: S) {
    let length = stream.read_u16().await.expect("a length");
    let mut question = vec![0_u8; usize::from(length)];
    stream.read_exact(&mut question).await.expect("a question");
    let answer = addresses(&question, &[[192, 0, 2, 1]]);
    stream.write_u16(u16::try_from(answer.len()).expect("short")).await.expect("it is sent");
    say(&mut stream, answer).await;
    let _closed = stream.read_u8().await;
}

#[tokio::test]
async fn tcp_and_tls_and_https_are_spoken_and_certificates_matter() {
    let authority = Authority::new();
    let identity = authority.issue(&["127.0.0.1"], |_| ());
    let by_tcp = serve(|stream, _| one_by_stream(stream)).await;
    assert_well(&ask(by_tcp, &[(&TRANSPORT, text("tcp"))]).await);

    let acceptor = identity.acceptor(&[b"dot"]);
    let by_tls = serve(move |stream, _| {
        let acceptor = acceptor.clone();
        async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                one_by_stream(stream).await;
            }
        }
    })
    .await;
    let trusted = [(&TRANSPORT, text("tls")), (&AUTHORITY, text(&authority.pem))];
    assert_well(&ask(by_tls, &trusted).await);
    assert_eq!(failure(&ask(by_tls, &trusted[..1]).await).0, FailureReason::Tls);

    let acceptor = identity.acceptor(&[b"http/1.1"]);
    let by_https = serve(move |stream, _| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            let asked = head(&mut stream).await;
            assert!(asked.starts_with("POST /ask?x=1 HTTP/1.1\r\n"), "{asked}");
            let length = asked.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
            let mut question = vec![0_u8; length.parse().expect("a number")];
            stream.read_exact(&mut question).await.expect("a question");
            assert_eq!(question[..2], [0, 0], "the id is zero (RFC 8484, 4.1)");
            let answer = addresses(&question, &[[192, 0, 2, 1]]);
            say(&mut stream, format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", answer.len())).await;
            say(&mut stream, answer).await;
        }
    })
    .await;
    assert_well(&ask(format!("https://{by_https}/ask?x=1"), &[(&AUTHORITY, text(&authority.pem))]).await);
}

#[tokio::test]
async fn all_servers_are_asked_and_compared() {
    let one = |last: u8| answer(move |question, _| vec![addresses(question, &[[192, 0, 2, last], [192, 0, 2, 9]])]);
    let (a, b, c) = (one(1).await, one(1).await, one(2).await);
    let closed = crate::connect::testing::closed_port().await;
    let ask = |servers: [SocketAddr; 3]| {
        let names = servers.map(|server| server.to_string());
        let spec = with(spec(ProbeKind::Dns, NAME), &SERVERS, texts(&names.each_ref().map(String::as_str)));
        async move { probe(&spec).await }
    };
    let result = ask([a, b, a]).await;
    assert_well(&result);
    assert!(detail(&result).agree);
    let result = ask([a, b, c]).await;
    assert_well(&result);
    assert!(!detail(&result).agree, "one of three has another answer");
    let result = ask([a, closed, b]).await;
    assert_eq!(failure(&result).0, FailureReason::Refused);
    assert!(detail(&result).agree, "who does not answer does not disagree");
    assert!(detail(&result).servers[1].problem.is_some() && detail(&result).servers[2].problem.is_none());
}

#[tokio::test]
async fn a_forbidden_server_is_not_asked() {
    let server = answer(|question, _| vec![addresses(question, &[[192, 0, 2, 1]])]).await;
    let spec = with(spec(ProbeKind::Dns, NAME), &SERVERS, texts(&[&server.to_string()]));
    let strict = crate::Tools { policy: std::sync::Arc::default(), ..crate::connect::testing::tools() };
    let result = crate::connect::testing::probe_with(&spec, &strict).await;
    assert_eq!(failure(&result).0, FailureReason::Forbidden);
}

#[test]
fn the_servers_of_the_system_are_read() {
    let text = "# nameserver 192.0.2.9\nsearch example.org\nnameserver 192.0.2.1\nnameserver  2001:db8::53 \nnameserver\nnameserver x\n";
    let found: Vec<String> = servers::nameservers(text).map(|address| address.to_string()).collect();
    assert_eq!(found, ["192.0.2.1", "2001:db8::53"]);
}

#[test]
fn servers_of_the_system_are_judged_by_the_workspace_alone() {
    let scope = netwatch_egress::Scope::read(&[], &["192.0.2.0/24".to_owned()]);
    let text = "nameserver 127.0.0.53\nnameserver 192.0.2.1\n";
    let found = servers::listed(text, servers::Transport::Udp, Family::Any, &scope);
    let reasons = found.iter().map(|server| server.address.as_ref().err().map(|failure| failure.reason));
    assert_eq!(reasons.collect::<Vec<_>>(), [None, Some(FailureReason::Forbidden)]);
}

#[test]
fn text_is_compared_without_quotes_and_names_without_case() {
    assert!(is_same(&Untrusted::new("v=spf1 -all"), "\"v=spf1 -all\"", RecordType::TXT));
    assert!(is_same(&Untrusted::new("Mail.Example."), "mail.example", RecordType::CNAME));
    assert!(!is_same(&Untrusted::new("A"), "a", RecordType::TXT));
    let value = RData::TXT(TXT::new(vec!["a".to_owned(), "b".to_owned()])).to_string();
    assert_eq!(value, "ab");
}

#[tokio::test]
async fn dnsmasq_answers_every_type_of_record() {
    let port = crate::connect::testing::closed_port().await.port();
    let arguments = [
        "--keep-in-foreground",
        "--no-resolv",
        "--no-hosts",
        "--bind-interfaces",
        "--listen-address=127.0.0.1",
        "--pid-file=",
        "--user=root",
        "--host-record=www.lab,192.0.2.1,2001:db8::1",
        "--mx-host=lab,mail.lab,10",
        "--txt-record=lab,hello",
        "--cname=alias.lab,www.lab",
        "--srv-host=_sip._udp.lab,www.lab,5060",
        "--ptr-record=1.2.0.192.in-addr.arpa,www.lab",
    ];
    let started = Command::new("dnsmasq")
        .args(arguments)
        .arg(format!("--port={port}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut server) = started else {
        skip("dnsmasq is not installed, so that no real name server is asked");
        return;
    };
    let address = format!("127.0.0.1:{port}");
    until_it_listens(&address).await;
    for (target, record, expected) in [
        ("www.lab", "A", "192.0.2.1"),
        ("www.lab", "AAAA", "2001:db8::1"),
        ("lab", "MX", "10 mail.lab"),
        ("lab", "TXT", "hello"),
        ("alias.lab", "CNAME", "www.lab"),
        ("_sip._udp.lab", "SRV", "0 0 5060 www.lab"),
        ("192.0.2.1", "PTR", "www.lab"),
    ] {
        for transport in ["udp", "tcp"] {
            let spec = with(spec(ProbeKind::Dns, target), &SERVERS, texts(&[&address]));
            let spec = with(with(spec, &RECORD, text(record)), &TRANSPORT, text(transport));
            let result = probe(&with(spec, &EXPECT, texts(&[expected]))).await;
            assert_eq!(result.failure, None, "{record} by {transport}: {result:?}");
        }
    }
    let _gone = server.kill();
    let _gone = server.wait();
}

async fn until_it_listens(address: &str) {
    for _ in 0..500 {
        if tokio::net::TcpStream::connect(address).await.is_ok() {
            return;
        }
        // waits: for another program to bind its port, of which it tells nobody
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("nobody listens at {address}");
}
