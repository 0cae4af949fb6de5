//! What must come out of messages, and that nothing panics whatever comes in.

use std::net::IpAddr;

use proptest::prelude::*;

use super::*;

const ROUTER_QUOTE: [u8; 28] = [
    0x45, 0, 0, 64, 0x12, 0x34, 0x40, 0, 1, 17, 0, 0, 192, 0, 2, 1, 198, 51, 100, 7, // IPv4, TTL 1, UDP
    0xad, 0x10, 0x82, 0x9a, 0, 44, 0xbe, 0xef, // ports 44304 and 33434, checksum
];

fn error(kind: u8, code: u8, fifth: u8, mtu: u16, rest: &[u8]) -> Vec<u8> {
    let [high, low] = mtu.to_be_bytes();
    let mut message = vec![kind, code, 0, 0, 0, fifth, high, low];
    message.extend_from_slice(rest);
    message
}

/// An extension structure with one object, its checksum right.
fn structure(object: &[u8]) -> Vec<u8> {
    let length = u16::try_from(object.len() + 4).unwrap().to_be_bytes();
    let mut bytes = vec![0x20, 0, 0, 0, length[0], length[1], 1, 1];
    bytes.extend_from_slice(object);
    let sum = Sum::new().octets(&bytes).finish().to_be_bytes();
    bytes[2..4].copy_from_slice(&sum);
    bytes
}

const STACK: [u8; 8] = [0x05, 0xdc, 0x10, 0x01, 0x00, 0x06, 0x43, 0xfe];

fn labels() -> Vec<MplsLabel> {
    vec![MplsLabel { label: 24001, class: 0, ttl: 1 }, MplsLabel { label: 100, class: 1, ttl: 254 }]
}

#[test]
fn an_error_of_a_router_that_quotes_eight_octets_is_understood() {
    let message = error(11, 0, 0, 0, &ROUTER_QUOTE);
    let Some(Message::Error(error)) = decode_v4(&message) else { panic!("no error") };
    assert_eq!(error.cause, Cause::TimeExceeded);
    assert_eq!(error.quote.destination, IpAddr::from([198, 51, 100, 7]));
    assert_eq!(error.quote.ttl, 1);
    let udp = error.quote.udp().expect("UDP");
    assert_eq!((udp.source, udp.destination, udp.checksum, udp.data), (44304, 33434, 0xbeef, &[][..]));
    assert_eq!((error.quote.echo(), error.quote.tcp()), (None, None));
}

#[test]
fn labels_are_read_behind_a_length_and_behind_128_octets() {
    let mut padded = ROUTER_QUOTE.to_vec();
    padded.resize(128, 0);
    padded.extend(structure(&STACK));
    for words in [0, 32] {
        let message = error(11, 0, words, 0, &padded);
        let Some(Message::Error(error)) = decode_v4(&message) else { panic!("no error") };
        assert_eq!(error.labels, labels(), "length {words}");
        assert_eq!(error.quote.transport.len(), 108);
    }
}

#[test]
fn a_label_stack_with_a_wrong_checksum_is_not_believed() {
    let mut bytes = structure(&STACK);
    assert_eq!(extensions(&bytes, true), labels());
    bytes[9] ^= 1;
    assert_eq!(extensions(&bytes, false), []);
    bytes[2..4].copy_from_slice(&[0, 0]);
    assert_eq!(extensions(&bytes, true), []);
    assert_eq!(extensions(&bytes, false).len(), 2, "no checksum was sent");
}

#[test]
fn causes_have_one_meaning_in_both_families() {
    assert_eq!(Cause::of_v4(3, 4, 1400), Some(Cause::TooBig { mtu: Some(1400) }));
    assert_eq!(Cause::of_v6(2, 0, 1280), Some(Cause::TooBig { mtu: Some(1280) }));
    assert_eq!(Cause::of_v4(3, 4, 0), Some(Cause::TooBig { mtu: None }));
    assert_eq!(Cause::of_v4(3, 13, 0), Cause::of_v6(1, 1, 0));
    assert_eq!(Cause::of_v4(3, 3, 0), Cause::of_v6(1, 4, 0));
    assert_eq!((Cause::of_v4(11, 1, 0), Cause::of_v6(3, 1, 0)), (None, None), "reassembly is no hop");
}

#[test]
fn a_written_echo_has_the_checksum_of_rfc_1071() {
    let mut out = Vec::new();
    write_echo(false, false, Echo { identifier: 0x1234, sequence: 1, data: b"abc" }, &mut out);
    assert_eq!(Sum::new().octets(&out).finish(), 0);
    assert_eq!(&out[..2], [8, 0]);
}

proptest! {
    #[test]
    fn whatever_comes_in_nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400), strict: bool) {
        for message in [decode_v4(&bytes), decode_v6(&bytes)].into_iter().flatten() {
            if let Message::Error(error) = message {
                let _ = (error.quote.echo(), error.quote.udp(), error.quote.tcp());
                prop_assert!(error.labels.len() <= MAX_LABELS);
            }
        }
        prop_assert!(extensions(&bytes, strict).len() <= MAX_LABELS);
    }

    #[test]
    fn an_error_is_read_whatever_follows_its_header(kind in prop_oneof![Just(3_u8), Just(11)], code in 0_u8..16, words: u8, mtu: u16,
                                                    tail in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut rest = ROUTER_QUOTE.to_vec();
        rest.extend(tail);
        if let Some(Message::Error(error)) = decode_v4(&error(kind, code, words, mtu, &rest)) {
            prop_assert_eq!(error.quote.destination, IpAddr::from([198, 51, 100, 7]));
        }
    }

    #[test]
    fn an_echo_comes_back_as_it_was_written(v6: bool, reply: bool, identifier: u16, sequence: u16,
                                            data in proptest::collection::vec(any::<u8>(), 0..100)) {
        let echo = Echo { identifier, sequence, data: &data };
        let mut out = Vec::new();
        write_echo(v6, reply, echo, &mut out);
        let read = if v6 { decode_v6(&out) } else { decode_v4(&out) };
        prop_assert_eq!(read, Some(if reply { Message::EchoReply(echo) } else { Message::EchoRequest(echo) }));
    }

    #[test]
    fn the_missing_word_makes_the_checksum(bytes in proptest::collection::vec(any::<u8>(), 0..64), checksum: u16) {
        let even = &bytes[..bytes.len() & !1];
        let sum = Sum::new().octets(even);
        let made = sum.word(sum.missing(checksum)).finish();
        // All zeros and all ones are the same number in ones' complement.
        prop_assert!(made == checksum || (made ^ checksum) == 0xffff && (made == 0 || checksum == 0));
    }
}
