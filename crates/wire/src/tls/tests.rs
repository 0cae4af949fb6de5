use proptest::prelude::*;

use super::*;
use crate::build::{self, HelloOptions};

fn hello(sni: &[u8], alpn: &[&str], key_share: usize) -> Vec<u8> {
    build::client_hello(&HelloOptions { sni: Some(sni), alpn, key_share })
}

fn complete(outcome: Hello) -> ClientHello {
    match outcome {
        Hello::Complete(hello) => hello,
        other => panic!("expected a whole hello, found {other:?}"),
    }
}

#[test]
fn name_and_protocols_in_one_record() {
    let stream = build::tls_records(&hello(b"WWW.Example.COM.", &["h2", "http/1.1"], 32), 1 << 14);
    let found = complete(client_hello(&stream));
    assert_eq!(found.sni, Some("www.example.com".into()));
    assert_eq!(found.alpn, ["h2".into(), "http/1.1".into()]);
    assert!(!found.encrypted);
}

#[test]
fn post_quantum_hello_over_two_segments_with_the_name_in_the_second() {
    let stream = build::tls_records(&hello(b"pq.example", &["h2"], 1216 + 400), 1 << 14);
    assert!(stream.len() > 1448);
    let Hello::NeedMore { at_least, so_far } = client_hello(&stream[..1448]) else { panic!("not whole yet") };
    assert_eq!(at_least, stream.len());
    assert_eq!(so_far, ClientHello::default());
    assert_eq!(complete(client_hello(&stream)).sni, Some("pq.example".into()));
}

#[test]
fn post_quantum_hello_of_chromium() {
    let stream = build::from_hex(include_str!("../../testdata/chromium-post-quantum-hello.hex"));
    let found = complete(client_hello(&stream));
    assert_eq!((found.sni, found.encrypted), (Some("tls.example".into()), true));
    assert_eq!(found.alpn, ["h2".into(), "http/1.1".into()]);
    assert!(matches!(client_hello(&stream[..1448]), Hello::NeedMore { .. }));
}

#[test]
fn what_is_known_of_a_cut_hello_is_given() {
    let mut message = hello(b"cut.example", &[], 0);
    message.truncate(message.len() - 3);
    let Hello::NeedMore { so_far, .. } = client_hello(&build::tls_records(&message, 1 << 14)) else { panic!("cut") };
    assert_eq!(so_far.sni, Some("cut.example".into()));
}

#[test]
fn encrypted_hello_shows_the_outer_name() {
    let mut message = hello(b"public.example", &[], 0);
    // Append the extension and correct the three lengths around it.
    message.extend([0xfe, 0x0d, 0, 1, 0]);
    let body = u32::try_from(message.len() - 4).unwrap().to_be_bytes();
    message[1..4].copy_from_slice(&body[1..]);
    let at = 4 + 2 + 32 + 33 + 6 + 2;
    let extensions = u16::try_from(message.len() - at - 2).unwrap().to_be_bytes();
    message[at..at + 2].copy_from_slice(&extensions);
    let found = complete(client_hello(&build::tls_records(&message, 1 << 14)));
    assert!(found.encrypted);
    assert_eq!(found.sni, Some("public.example".into()));
}

#[test]
fn other_streams_are_not_tls() {
    let server_hello = [22, 3, 3, 0, 4, 2, 0, 0, 0];
    for other in [&b"GET / HTTP/1.1\r\n"[..], b"SSH-2.0-x", &[22, 3, 9], &[22, 3, 1, 0xff, 0xff, 1], &server_hello] {
        assert_eq!(client_hello(other), Hello::NotTls, "{other:?}");
    }
    let alert_in_between = [&[22, 3, 1, 0, 1, 1][..], &[21, 3, 1, 0, 2, 1, 0]].concat();
    assert_eq!(client_hello(&alert_in_between), Hello::NotTls);
    assert_eq!(client_hello(&[22, 3, 1, 0, 4, 1, 0xff, 0xff, 0xff]), Hello::NotTls, "larger than the limit");
}

#[test]
fn hostile_names_stay_data() {
    for name in [&b"<b>x"[..], b"$(reboot)", b"\x1b[31m", "\u{202e}evil".as_bytes(), &[0xff, 0xfe], &[b'a'; 4000]] {
        let found = complete(client_hello(&build::tls_records(&hello(name, &[], 0), 1 << 14)));
        let kept = found.sni.unwrap();
        assert!(kept.raw().len() <= Untrusted::MAX_BYTES && !kept.is_empty());
    }
    assert_eq!(complete(client_hello(&build::tls_records(&hello(b"", &[], 0), 1 << 14))).sni, None);
}

proptest! {
    #[test]
    fn round_trip_through_any_records_and_any_cut(
        name in "[a-z0-9]([a-z0-9-]{0,20}\\.){0,4}[a-z]{1,10}",
        alpn in prop::collection::vec("[a-z0-9/.-]{1,12}", 0..MAX_ALPN),
        share in 0_usize..2000,
        fragment in 1_usize..3000,
        cut in any::<prop::sample::Index>(),
    ) {
        let protocols: Vec<&str> = alpn.iter().map(String::as_str).collect();
        let stream = build::tls_records(&hello(name.as_bytes(), &protocols, share), fragment);
        let found = complete(client_hello(&stream));
        prop_assert_eq!(found.sni.as_ref().map(Untrusted::raw), Some(name.as_str()));
        prop_assert_eq!(found.alpn.iter().map(Untrusted::raw).collect::<Vec<_>>(), protocols);

        let length = cut.index(stream.len());
        let Hello::NeedMore { at_least, so_far } = client_hello(&stream[..length]) else {
            return Err(TestCaseError::fail("a cut hello is not complete"));
        };
        prop_assert!(at_least > length && at_least <= stream.len());
        prop_assert!(so_far.sni.is_none() || so_far.sni == found.sni);
    }

    #[test]
    fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = client_hello(&bytes);
        let _ = handshake_hello(&bytes);
        let _ = client_hello(&[&[22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3], &bytes[..]].concat());
    }
}
