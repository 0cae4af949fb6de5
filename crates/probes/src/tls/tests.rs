//! Handshakes with servers whose certificates are right and wrong.

use netwatch_model::probe::{OptionField, OptionValue, ProbeKind, ProbeMetric, ProbeResult};
use rcgen::date_time_ymd;

use super::*;
use crate::connect::testing::{Authority, Identity, assert_well, failure, probe, say, serve, spec, text, texts, with};

/// A server that makes the handshake and closes.
async fn tls_server(identity: &Identity, alpn: &[&[u8]]) -> std::net::SocketAddr {
    let acceptor = identity.acceptor(alpn);
    serve(move |stream, _| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            let _closed = tokio::io::AsyncReadExt::read(&mut stream, &mut [0]).await;
        }
    })
    .await
}

fn session(result: &ProbeResult) -> &TlsSession {
    match &result.detail {
        Some(Detail::Tls(tls)) => tls.session.as_ref().unwrap_or_else(|| panic!("no session: {result:?}")),
        other => panic!("no handshake: {other:?}"),
    }
}

async fn of(identity: &Identity, options: &[(&OptionField, OptionValue)]) -> ProbeResult {
    let address = tls_server(identity, &[b"h2"]).await;
    let spec =
        options.iter().fold(spec(ProbeKind::Tls, address), |spec, (field, value)| with(spec, field, value.clone()));
    probe(&spec).await
}

#[tokio::test]
async fn a_session_is_described() {
    let authority = Authority::new();
    let identity = authority.issue(&["shop.example", "127.0.0.1", "2001:db8::1"], |params| {
        params.not_before = date_time_ymd(2020, 1, 2);
        params.not_after = date_time_ymd(2120, 3, 4);
        params.distinguished_name.push(rcgen::DnType::OrganizationName, "A, B + C");
    });
    let result = of(&identity, &[(&AUTHORITY, text(&authority.pem)), (&ALPN, texts(&["h2", "http/1.1"]))]).await;
    assert_well(&result);
    let session = session(&result);
    assert!(session.trusted && session.distrust.is_none());
    assert_eq!((session.version.as_str(), session.cipher.starts_with("TLS_")), ("TLS 1.3", true), "{}", session.cipher);
    assert_eq!(session.alpn.as_ref().map(ToString::to_string).as_deref(), Some("h2"));
    assert!(session.handshake > 0.0 && session.handshake < 10.0);
    let [own, above] = session.chain.as_slice() else { panic!("two certificates: {session:?}") };
    assert_eq!(
        own.names.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["shop.example", "127.0.0.1", "2001:db8::1"]
    );
    assert_eq!(own.subject.raw(), "O=A\\, B \\+ C,CN=rcgen self signed cert");
    assert!(own.issuer.raw().contains("CN=An authority"), "{}", own.issuer);
    assert_eq!((own.not_before.secs(), own.not_after.secs()), (1_577_923_200, 4_738_953_600));
    assert_eq!((own.key.as_str(), own.fingerprint.len(), own.self_signed), ("EC 256", 64, false));
    assert!(above.self_signed);
    let metrics: Vec<ProbeMetric> = result.measures().iter().map(|measure| measure.metric).collect();
    assert!(metrics.contains(&ProbeMetric::TlsHandshake) && metrics.contains(&ProbeMetric::CertificateExpiry));
}

/// The predecessors gave up at an expired certificate before it was looked at, so that nobody was told.
#[tokio::test]
async fn an_expired_certificate_fails_and_is_shown_all_the_same() {
    let authority = Authority::new();
    let expired = authority.issue(&["127.0.0.1"], |params| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    });
    let result = of(&expired, &[(&AUTHORITY, text(&authority.pem))]).await;
    let (reason, message) = failure(&result);
    assert_eq!(reason, FailureReason::Tls);
    assert!(message.contains("expired"), "{message}");
    let shown = session(&result);
    assert!(!shown.trusted && shown.expires_in < 0.0 && shown.chain.len() == 2);
    assert!(result.measures().iter().any(|m| m.metric == ProbeMetric::CertificateExpiry && m.value < 0.0));
    assert_well(&of(&expired, &[(&AUTHORITY, text(&authority.pem)), (&VERIFY, OptionValue::Flag(false))]).await);
}

#[tokio::test]
async fn every_reason_of_distrust_is_said() {
    let (known, unknown) = (Authority::new(), Authority::new());
    let wrong_name = of(&known.issue(&["other.example"], |_| ()), &[(&AUTHORITY, text(&known.pem))]).await;
    assert!(failure(&wrong_name).1.contains("not for the name 127.0.0.1"), "{:?}", wrong_name.failure);
    let untrusted = of(&unknown.issue(&["other.example"], |_| ()), &[(&AUTHORITY, text(&known.pem))]).await;
    let (reason, message) = failure(&untrusted);
    assert_eq!(reason, FailureReason::Tls);
    assert!(message.contains("no trusted authority") && message.contains("not for the name"), "{message}");
    let named = [(&AUTHORITY, text(&known.pem)), (&SERVER_NAME, text("other.example"))];
    assert_well(&of(&known.issue(&["other.example"], |_| ()), &named).await);
}

#[tokio::test]
async fn a_certificate_that_ends_soon_is_a_failure_when_the_probe_says_so() {
    let authority = Authority::new();
    let now = clock_days();
    let soon =
        authority.issue(&["127.0.0.1"], |params| params.not_after = date_time_ymd(1970, 1, 1) + time_days(now + 10));
    let days = |days| [(&AUTHORITY, text(&authority.pem)), (&DAYS, OptionValue::Whole(days))];
    assert_well(&of(&soon, &days(5)).await);
    let (reason, message) = failure(&of(&soon, &days(20)).await);
    assert_eq!(reason, FailureReason::Tls);
    assert!(message.contains("less than 20"), "{message}");
}

fn clock_days() -> u64 {
    u64::try_from(netwatch_telemetry::clock::now().secs()).expect("after 1970") / 86_400
}

fn time_days(days: u64) -> std::time::Duration {
    std::time::Duration::from_secs(days * 86_400)
}

#[tokio::test]
async fn who_speaks_no_tls_fails_with_that_reason() {
    let address =
        serve(|mut stream, _| async move { say(&mut stream, "HTTP/1.1 400 Bad Request\r\n\r\n").await }).await;
    assert_eq!(failure(&probe(&spec(ProbeKind::Tls, address)).await).0, FailureReason::Tls);
    let address = serve(|stream, _| async move { drop(stream) }).await;
    let result = probe(&spec(ProbeKind::Tls, address)).await;
    assert_eq!(failure(&result).0, FailureReason::Reset, "{result:?}");
    assert!(matches!(&result.detail, Some(Detail::Tls(tls)) if tls.connect.is_some() && tls.session.is_none()));
}

#[tokio::test]
async fn mail_servers_change_to_tls() {
    let authority = Authority::new();
    let acceptor = authority.issue(&["127.0.0.1"], |_| ()).acceptor(&[]);
    let scripts: [(&str, &[(&str, &str)]); 3] = [
        (
            "smtp",
            &[("", "220 mail\r\n"), ("EHLO [127.0.0.1]", "250-mail\r\n250 STARTTLS\r\n"), ("STARTTLS", "220 go\r\n")],
        ),
        ("imap", &[("", "* OK mail\r\n"), ("t1 STARTTLS", "t1 OK go\r\n")]),
        ("pop3", &[("", "+OK mail\r\n"), ("STLS", "+OK go\r\n")]),
    ];
    for (name, script) in scripts {
        let acceptor = acceptor.clone();
        let address = serve(move |mut stream, _| {
            let acceptor = acceptor.clone();
            async move {
                if follow(&mut stream, script).await {
                    let _shaken = acceptor.accept(stream).await;
                }
            }
        })
        .await;
        let spec = with(spec(ProbeKind::Tls, address), &STARTTLS, text(name));
        assert_well(&probe(&with(spec, &AUTHORITY, text(&authority.pem))).await);
    }
}

#[tokio::test]
async fn a_mail_server_that_refuses_tls_is_quoted() {
    let script: &[(&str, &str)] =
        &[("", "220 mail\r\n"), ("EHLO [127.0.0.1]", "250 mail\r\n"), ("STARTTLS", "502 no\r\n")];
    let address = serve(move |mut stream, _| async move {
        follow(&mut stream, script).await;
    })
    .await;
    let (reason, message) = failure(&probe(&with(spec(ProbeKind::Tls, address), &STARTTLS, text("smtp"))).await);
    assert_eq!(reason, FailureReason::Unexpected);
    assert!(message.contains("`502 no`"), "{message}");
}

/// Waits for each line and answers it; false when another came.
async fn follow(stream: &mut TcpStream, script: &[(&str, &str)]) -> bool {
    for (wanted, answer) in script {
        if !wanted.is_empty() {
            let mut line = Vec::new();
            while !line.ends_with(b"\r\n") {
                match tokio::io::AsyncReadExt::read_u8(stream).await {
                    Ok(octet) => line.push(octet),
                    Err(_) => return false,
                }
            }
            if line.strip_suffix(b"\r\n") != Some(wanted.as_bytes()) {
                return false;
            }
        }
        say(stream, answer).await;
    }
    true
}
