//! Connections leave where the probe says, or not at all.

use netwatch_model::probe::{FailureReason, ProbeKind, Source};
use proptest::prelude::*;

use super::lines::{Lines, MAX_LINE, MAX_LINES};
use super::testing::{closed_port, serve, spec};
use super::*;

#[tokio::test]
async fn a_connection_leaves_from_the_address_that_the_probe_names() {
    let address = serve(|stream, _| async move { drop(stream) }).await;
    let spec = ProbeSpec { source: Some(Source::from("127.0.0.9".to_owned())), ..spec(ProbeKind::Tcp, address) };
    let connected = tcp(address, &spec, Deadline::of(&spec)).await.expect("the loopback has the address");
    assert_eq!(connected.source, Some("127.0.0.9".parse().expect("an address")));
    let (_socket, source) = udp(address, &spec).expect("datagrams, too");
    assert_eq!(source, connected.source);
}

#[tokio::test]
async fn a_source_that_is_not_there_is_named_and_nothing_is_sent() {
    let address = closed_port().await;
    for (source, name) in [("192.0.2.77", "192.0.2.77"), ("nosuchif0", "nosuchif0"), ("::1", "::1")] {
        let spec = ProbeSpec { source: Some(Source::from(source.to_owned())), ..spec(ProbeKind::Tcp, address) };
        let failure = tcp(address, &spec, Deadline::of(&spec)).await.expect_err("no such source");
        assert_eq!(failure.reason, FailureReason::Source, "{failure:?}");
        assert!(failure.message.raw().contains(name), "{failure:?}");
        assert_eq!(udp(address, &spec).expect_err("no such source").reason, FailureReason::Source);
    }
}

#[tokio::test]
async fn dscp_is_set_on_the_socket() {
    let address = serve(|stream, _| async move { drop(stream) }).await;
    let spec = ProbeSpec { dscp: 46, ..spec(ProbeKind::Tcp, address) };
    let connected = tcp(address, &spec, Deadline::of(&spec)).await.expect("it connects");
    assert_eq!(socket2::SockRef::from(&connected.stream).tos_v4().expect("it can be read"), 46 << 2);
}

#[tokio::test]
async fn tries_are_made_at_their_times_and_not_all_at_once() {
    let spec = ProbeSpec { count: 3, spacing: 0.04, ..spec(ProbeKind::Tcp, "127.0.0.1:1") };
    let began = clock::monotonic();
    let at = paced(&spec, |index| async move { (index, clock::monotonic()) }).await;
    for (index, at) in &at {
        assert!(at.saturating_sub(began) >= Duration::from_millis(40) * *index, "try {index} begins too early");
    }
    assert_eq!(at.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [0, 1, 2]);
}

fn talk(said: &[u8]) -> Lines<tokio::io::DuplexStream> {
    let (ours, mut theirs) = tokio::io::duplex(said.len().max(1));
    let said = said.to_vec();
    tokio::spawn(async move { testing::say(&mut theirs, said).await });
    Lines::new(ours, Deadline::of(&spec(ProbeKind::Smtp, "x")), "x")
}

#[tokio::test]
async fn a_conversation_is_read_in_lines_of_bounded_length_and_number() {
    let mut lines = talk(b"one\r\ntwo\n");
    assert_eq!(lines.line().await.expect("a line"), "one");
    assert_eq!(lines.line().await.expect("a line"), "two");
    assert_eq!(lines.line().await.expect_err("it is closed").reason, FailureReason::Reset);
    let mut endless = talk(&vec![b'x'; MAX_LINE * 3]);
    assert_eq!(endless.line().await.expect_err("it does not end").reason, FailureReason::Malformed);
    let mut many = talk(&b"a\n".repeat(MAX_LINES + 2));
    for _ in 0..MAX_LINES {
        many.line().await.expect("a line");
    }
    assert_eq!(many.line().await.expect_err("too many").reason, FailureReason::Malformed);
}

#[tokio::test]
async fn words_before_tls_do_not_count_under_tls() {
    let mut lines = talk(b"220 go\r\n250 injected\r\n");
    lines.line().await.expect("a line");
    assert_eq!(lines.into_stream().expect_err("something is left").reason, FailureReason::Malformed);
}

proptest! {
    #[test]
    fn no_words_break_a_conversation(said in prop::collection::vec(any::<u8>(), 0..2000)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let mut lines = talk(&said);
            while lines.line().await.is_ok() {}
        });
    }
}
