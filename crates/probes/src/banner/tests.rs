//! Mail servers that follow a script.

use netwatch_model::probe::{OptionValue, ProbeResult};
use proptest::prelude::*;
use tokio::io::AsyncReadExt as _;

use super::*;
use crate::connect::testing::{Authority, assert_well, failure, probe, say, serve, spec, text, with};

/// What each line is answered with; nothing else is understood.
type Script = &'static [(&'static str, &'static str)];

const SMTP: Script = &[
    ("EHLO [127.0.0.1]", "250-mail.example greets you\r\n250-SIZE 1000\r\n250-STARTTLS\r\n250 PIPELINING\r\n"),
    ("STARTTLS", "220 go\r\n"),
    ("QUIT", "221 bye\r\n"),
];
const IMAP: Script = &[
    ("c1 CAPABILITY", "* CAPABILITY IMAP4rev2 STARTTLS IDLE\r\nc1 OK done\r\n"),
    ("t1 STARTTLS", "t1 OK go\r\n"),
    ("l1 LOGOUT", "* BYE\r\nl1 OK done\r\n"),
];

/// Answers lines by the script until the client leaves or asks for TLS; says which lines came.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, script: Script) -> Vec<String> {
    let mut came = Vec::new();
    loop {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            match stream.read_u8().await {
                Ok(octet) => line.push(octet),
                Err(_) => return came,
            }
        }
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        let answer = script.iter().find(|(wanted, _)| *wanted == line).map_or("500 what?\r\n", |(_, answer)| answer);
        say(stream, answer).await;
        came.push(line.clone());
        if line.ends_with("STARTTLS") {
            return came;
        }
    }
}

fn detail(result: &ProbeResult) -> &Banner {
    match &result.detail {
        Some(Detail::Smtp(banner) | Detail::Imap(banner)) => banner,
        other => panic!("no greeting: {other:?}"),
    }
}

#[tokio::test]
async fn a_server_is_greeted_asked_and_left_politely() {
    let (tell, mut told) = tokio::sync::mpsc::channel(4);
    let address = serve(move |mut stream, _| {
        let tell = tell.clone();
        async move {
            say(&mut stream, "220-mail.example\r\n220 ESMTP ready\r\n").await;
            let _gone = tell.send(converse(&mut stream, SMTP).await).await;
        }
    })
    .await;
    let result = probe(&with(spec(ProbeKind::Smtp, address), &EXPECT, text("ESMTP"))).await;
    assert_well(&result);
    let banner = detail(&result);
    assert_eq!(banner.greeting.as_ref().map(Untrusted::raw), Some("220-mail.example"));
    assert_eq!(
        banner.capabilities.iter().map(Untrusted::raw).collect::<Vec<_>>(),
        ["SIZE 1000", "STARTTLS", "PIPELINING"]
    );
    assert!(banner.greeting_time.is_some() && banner.connect.is_some() && banner.tls.is_none());
    assert_eq!(told.recv().await.expect("it was spoken with"), ["EHLO [127.0.0.1]", "QUIT"]);
    let (reason, message) = failure(&probe(&with(spec(ProbeKind::Smtp, address), &EXPECT, text("Exchange"))).await);
    assert_eq!(reason, FailureReason::Unexpected);
    assert!(message.contains("`Exchange`"), "{message}");
}

#[tokio::test]
async fn tls_is_entered_and_what_was_said_before_does_not_count() {
    let authority = Authority::new();
    let identity = authority.issue(&["127.0.0.1"], |_| ());
    for (kind, greeting, script) in [(ProbeKind::Smtp, "220 mail\r\n", SMTP), (ProbeKind::Imap, "* OK mail\r\n", IMAP)]
    {
        for security in ["plain", "starttls", "tls"] {
            let acceptor = identity.acceptor(&[]);
            let address = serve(move |mut stream, _| {
                let acceptor = acceptor.clone();
                async move {
                    if security != "tls" {
                        say(&mut stream, greeting).await;
                        converse(&mut stream, script).await;
                    }
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    if security == "tls" {
                        say(&mut stream, greeting).await;
                    }
                    converse(&mut stream, script).await;
                }
            })
            .await;
            let spec = with(spec(kind, address), &SECURITY, text(security));
            let result = probe(&with(spec.clone(), &AUTHORITY, text(&authority.pem))).await;
            assert_well(&result);
            assert_eq!(detail(&result).tls.is_some(), security != "plain");
            assert!(detail(&result).capabilities.iter().any(|word| word.raw() == "STARTTLS"));
            if security != "plain" {
                let distrusted = probe(&spec).await;
                assert_eq!(failure(&distrusted).0, FailureReason::Tls);
                assert!(detail(&distrusted).tls.is_some(), "it is shown in any case");
                assert_well(&probe(&with(spec, &VERIFY, OptionValue::Flag(false))).await);
            }
        }
    }
}

#[tokio::test]
async fn who_is_no_mail_server_is_said_to_be_none() {
    for (words, reason) in [
        ("SSH-2.0-OpenSSH_9.2\r\n", FailureReason::Malformed),
        ("554 no service\r\n", FailureReason::Unexpected),
        ("220-a\r\n250 b\r\n", FailureReason::Malformed),
        ("", FailureReason::Reset),
    ] {
        let address = serve(move |mut stream, _| async move { say(&mut stream, words).await }).await;
        let result = probe(&spec(ProbeKind::Smtp, address)).await;
        assert_eq!(failure(&result).0, reason, "{words:?}: {result:?}");
    }
    let address = serve(|mut stream, _| async move { say(&mut stream, "* BYE overloaded\r\n").await }).await;
    let (reason, message) = failure(&probe(&spec(ProbeKind::Imap, address)).await);
    assert_eq!(reason, FailureReason::Unexpected);
    assert!(message.contains("overloaded"), "{message}");
}

proptest! {
    #[test]
    fn no_capabilities_are_too_many(lines in prop::collection::vec("\\PC{0,40}", 0..100)) {
        prop_assert!(extensions(&lines).len() <= MAX_CAPABILITIES);
        let listed: Vec<String> = lines.iter().map(|line| format!("* CAPABILITY {line}")).collect();
        prop_assert!(capabilities(&listed).len() <= MAX_CAPABILITIES);
    }
}
