use netwatch_model::Untrusted;
use proptest::prelude::*;

use super::*;
use crate::build::{self, HelloOptions, from_hex};

const CLIENT_ID: [u8; 8] = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];

fn hello(name: &str, key_share: usize) -> Vec<u8> {
    build::client_hello(&HelloOptions { sni: Some(name.as_bytes()), alpn: &["h3"], key_share })
}

fn complete(outcome: Initial) -> ClientHello {
    match outcome {
        Initial::Complete(hello) => hello,
        other => panic!("expected a whole hello, found {other:?}"),
    }
}

/// RFC 9001 appendix A.2 and RFC 9369 appendix A.2: the same hello in both versions.
#[test]
fn client_initials_of_the_standards() {
    let vectors = [
        (Version::V1, include_str!("../../testdata/rfc9001-a2-client-initial.hex")),
        (Version::V2, include_str!("../../testdata/rfc9369-a2-client-initial.hex")),
    ];
    for (version, text) in vectors {
        let datagram = from_hex(text);
        assert_eq!(datagram.len(), 1200);
        assert!(is_initial(&datagram));
        let packet = LongPacket::parse(&datagram).unwrap();
        assert_eq!((packet.version, packet.destination, packet.number_at), (version, &CLIENT_ID[..], 18));
        let found = complete(InitialReassembly::new().datagram(&datagram));
        assert_eq!(found.sni, Some("example.com".into()), "{version:?}");
        assert_eq!(found.alpn, ["alpn".into()]);
    }
}

/// A post-quantum hello as Chromium sends it: over two datagrams, in shuffled CRYPTO frames with PING and PADDING in between.
#[test]
fn chromium_in_both_orders() {
    let datagrams = [
        from_hex(include_str!("../../testdata/chromium-initial-1-of-2.hex")),
        from_hex(include_str!("../../testdata/chromium-initial-2-of-2.hex")),
    ];
    for order in [[0, 1], [1, 0]] {
        let mut reassembly = InitialReassembly::new();
        assert!(matches!(reassembly.datagram(&datagrams[order[0]]), Initial::NeedMore(_)), "{order:?}");
        let found = complete(reassembly.datagram(&datagrams[order[1]]));
        assert_eq!((found.sni, found.alpn), (Some("quic.example".into()), vec!["h3".into()]), "{order:?}");
    }
}

#[test]
fn a_changed_bit_does_not_open() {
    let mut datagram = from_hex(include_str!("../../testdata/rfc9001-a2-client-initial.hex"));
    datagram[700] ^= 1;
    assert_eq!(InitialReassembly::new().datagram(&datagram), Initial::NotQuic);
}

#[test]
fn hello_over_three_datagrams_in_any_order() {
    let hello = hello("spread.example", 2000);
    let (a, b, c) = (&hello[..700], &hello[700..1500], &hello[1500..]);
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let pieces = [(0, a), (700, b), (1500, c)];
        let mut reassembly = InitialReassembly::new();
        for (number, index) in order.into_iter().enumerate() {
            let number = u8::try_from(number).unwrap();
            let datagram = build::quic_initial(Version::V1, &CLIENT_ID, &CLIENT_ID, number, &[pieces[index]]);
            let outcome = reassembly.datagram(&datagram);
            if number == 2 {
                assert_eq!(complete(outcome).sni, Some("spread.example".into()), "{order:?}");
            } else {
                assert!(matches!(outcome, Initial::NeedMore(_)), "{order:?} {number}");
            }
        }
    }
}

#[test]
fn coalesced_packets_are_all_read() {
    let hello = hello("coalesced.example", 0);
    let (a, b) = hello.split_at(50);
    let mut datagram = build::quic_initial(Version::V2, &CLIENT_ID, &CLIENT_ID, 0, &[(50, b)]);
    // A 0-RTT packet in between: type 1 of version 1 is type 2 of version 2.
    datagram.extend([0xe0, 0x6b, 0x33, 0x43, 0xcf, 0, 0, 3, 1, 2, 3]);
    datagram.extend(build::quic_initial(Version::V2, &CLIENT_ID, &CLIENT_ID, 1, &[(0, a)]));
    assert_eq!(complete(InitialReassembly::new().datagram(&datagram)).sni, Some("coalesced.example".into()));
}

#[test]
fn keys_stay_when_the_server_has_chosen_an_id_and_change_after_retry() {
    let hello = hello("later.example", 0);
    let (a, b) = hello.split_at(60);
    let mut reassembly = InitialReassembly::new();
    reassembly.datagram(&build::quic_initial(Version::V1, &CLIENT_ID, &CLIENT_ID, 0, &[(0, a)]));
    let second = build::quic_initial(Version::V1, &CLIENT_ID, b"server", 1, &[(60, b)]);
    assert_eq!(complete(reassembly.datagram(&second)).sni, Some("later.example".into()));

    let mut reassembly = InitialReassembly::new();
    reassembly.datagram(&build::quic_initial(Version::V1, &CLIENT_ID, &CLIENT_ID, 0, &[(0, a)]));
    let again = build::quic_initial(Version::V1, b"retry id", b"retry id", 1, &[(0, &hello)]);
    assert_eq!(complete(reassembly.datagram(&again)).sni, Some("later.example".into()));
}

#[test]
fn the_number_of_datagrams_is_limited() {
    let mut reassembly = InitialReassembly::new();
    let hello = hello("never.example", 0);
    for number in 0..MAX_DATAGRAMS {
        let datagram = build::quic_initial(Version::V1, &CLIENT_ID, &CLIENT_ID, number, &[(0, &hello[..40])]);
        let whole = matches!(reassembly.datagram(&datagram), Initial::Complete(_));
        assert_eq!(whole, number + 1 == MAX_DATAGRAMS, "the last one gives what is known");
    }
    let datagram = build::quic_initial(Version::V1, &CLIENT_ID, &CLIENT_ID, 9, &[(0, &hello)]);
    assert_eq!(reassembly.datagram(&datagram), Initial::NotQuic);
}

proptest! {
    #[test]
    fn round_trip_with_frames_in_any_order(
        name in "[a-z]{1,20}\\.[a-z]{2,5}",
        cuts in prop::collection::btree_set(1_usize..250, 0..12),
        turn in any::<usize>(),
        id in prop::collection::vec(any::<u8>(), 0..=20),
        second in any::<bool>(),
    ) {
        let version = if second { Version::V2 } else { Version::V1 };
        let hello = hello(&name, 120);
        let mut edges = vec![0];
        edges.extend(cuts.into_iter().filter(|cut| *cut < hello.len()));
        edges.push(hello.len());
        let mut pieces: Vec<_> =
            edges.windows(2).map(|w| (u32::try_from(w[0]).unwrap(), &hello[w[0]..w[1]])).collect();
        let turn = turn % pieces.len();
        pieces.rotate_left(turn);
        let datagram = build::quic_initial(version, &id, &id, 0, &pieces);
        let found = complete(InitialReassembly::new().datagram(&datagram));
        prop_assert_eq!(found.sni.as_ref().map(Untrusted::raw), Some(name.as_str()));
        prop_assert_eq!(found.alpn, vec![Untrusted::new("h3")]);
    }

    #[test]
    fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..1300)) {
        let _ = InitialReassembly::new().datagram(&bytes);
        let mut long = vec![0xc3, 0, 0, 0, 1, 8];
        long.extend(&bytes);
        let _ = InitialReassembly::new().datagram(&long);
        crypto_frames(&bytes).for_each(drop);
    }
}
