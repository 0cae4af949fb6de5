use std::time::Duration;

use netwatch_model::Timestamp;
use proptest::prelude::*;

use super::reflect::{Arrival, Sequences, reflect};
use super::tlv::{ClassOfService, TimestampInformation, answers, kind, push, request, tlvs};
use super::*;

fn key() -> Key {
    Key::new(b"a secret of both sides")
}

fn moment() -> Timestamp {
    Timestamp::from_nanos(1_795_000_000_123_456_789)
}

fn sent() -> Sent {
    let error = ErrorEstimate::of(Duration::from_millis(3), true);
    Sent { sequence: 0x0102_0304, time: StampTime::ntp(moment()), error, session: 0xabcd }
}

fn reflected() -> Reflected {
    Reflected {
        sequence: 7,
        time: StampTime::ntp(moment() + Duration::from_micros(40)),
        error: ErrorEstimate::of(Duration::from_micros(5), false),
        received: StampTime::ntp(moment() + Duration::from_micros(20)),
        sent: sent(),
        ttl: 250,
    }
}

fn arrival() -> Arrival {
    Arrival {
        source: "192.0.2.7:4000".parse().unwrap(),
        destination: "[2001:db8::1]:862".parse().unwrap(),
        dscp: 34,
        ecn: 1,
        timestamps: TimestampInformation { source_in: 5, method_in: 2, source_out: 5, method_out: 3 },
        received: 8,
        sent: 9,
    }
}

#[test]
fn both_packets_have_the_layout_of_rfc_8762() {
    let base = sent().encode(None);
    let bytes = base.as_ref();
    assert_eq!((bytes.len(), &bytes[..4], &bytes[14..16]), (44, &[1, 2, 3, 4][..], &[0xab, 0xcd][..]));
    assert_eq!(bytes[4..12], StampTime::ntp(moment()).to_bytes());
    assert!(bytes[16..].iter().all(|octet| *octet == 0));

    let base = reflected().encode(None);
    let bytes = base.as_ref();
    assert_eq!((bytes.len(), bytes[3], bytes[27], bytes[40]), (44, 7, 4, 250));
    assert_eq!(bytes[16..24], reflected().received.to_bytes());
    assert_eq!(bytes[28..36], sent().time.to_bytes());

    let base = reflected().encode(Some(&key()));
    let bytes = base.as_ref();
    assert_eq!((bytes.len(), bytes[3], bytes[51], bytes[80]), (112, 7, 4, 250));
    assert_eq!((&bytes[26..28], &bytes[32..40]), (&[0xab, 0xcd][..], &reflected().received.to_bytes()[..]));
    assert_eq!(bytes[64..72], sent().time.to_bytes());
}

#[test]
fn packets_read_back_as_they_were_written() {
    for key in [None, Some(key())] {
        let key = key.as_ref();
        assert_eq!(Sent::decode(sent().encode(key).as_ref(), key), Ok(sent()));
        assert_eq!(Reflected::decode(reflected().encode(key).as_ref(), key), Ok(reflected()));
    }
}

#[test]
fn a_changed_octet_or_another_key_is_noticed() {
    let base = sent().encode(Some(&key()));
    for at in 0..AUTHENTICATED_LENGTH {
        let mut bytes = base.as_ref().to_vec();
        bytes[at] ^= 1;
        assert_eq!(Sent::decode(&bytes, Some(&key())), Err(StampError::NotAuthentic), "octet {at}");
    }
    let other = Key::new(b"another");
    assert_eq!(Sent::decode(base.as_ref(), Some(&other)), Err(StampError::NotAuthentic));
    assert_eq!(
        Reflected::decode(reflected().encode(Some(&other)).as_ref(), Some(&key())),
        Err(StampError::NotAuthentic)
    );
    assert_eq!(format!("{other:?}"), "Key(hidden)");
}

#[test]
fn a_twamp_light_peer_is_understood() {
    let bytes = sent().encode(None);
    let short = Sent::decode(&bytes.as_ref()[..14], None).expect("14 octets are enough");
    assert_eq!(short, Sent { session: 0, ..sent() });
    let mut padded = bytes.as_ref().to_vec();
    padded[20] = 0x5a;
    assert_eq!(Sent::decode(&padded, None).map(|sent| sent.session), Ok(0), "padding is no session");
    let answer = reflected().encode(None);
    assert_eq!(Reflected::decode(&answer.as_ref()[..41], None), Ok(reflected()));
    assert_eq!(Sent::decode(&[0; 13], None), Err(StampError::Short { length: 13, least: 14 }));
    assert_eq!(Reflected::decode(&[0; 40], None), Err(StampError::Short { length: 40, least: 41 }));
}

#[test]
fn a_multiplier_of_zero_is_refused() {
    let mut bytes = sent().encode(None).as_ref().to_vec();
    bytes[13] = 0;
    assert_eq!(Sent::decode(&bytes, None), Err(StampError::ErrorEstimate));
}

#[test]
fn error_estimates_are_rounded_up() {
    for nanos in [0, 1, 999, 12_345, 3_000_000, 500_000_000, 16_000_000_000, 1 << 50] {
        let error = ErrorEstimate::of(Duration::from_nanos(nanos), true);
        let (is, must) = (error.seconds(), nanos as f64 / 1e9);
        assert!(is >= must && is <= (must * 1.02).max(must + 2.4e-10), "{nanos} ns became {is} s");
        assert!(error.is_valid() && error.is_synchronised() && !error.is_ptp());
    }
    let unknown = ErrorEstimate::of(Duration::MAX, false).with_ptp();
    assert!(unknown.is_valid() && !unknown.is_synchronised() && unknown.is_ptp());
}

#[test]
fn stamps_know_the_era_after_2036() {
    // 2036-02-07T06:28:16Z is second 0 of era 1.
    let begin = Timestamp::from_secs(2_085_978_496);
    assert_eq!(StampTime::ntp(begin).to_bytes(), [0; 8]);
    for seconds in [-2, -1, 0, 1, 400_000_000] {
        let time = Timestamp::from_nanos(begin.nanos() + seconds * 1_000_000_000 + 123_456_789);
        for near in [time, time + Duration::from_secs(3600), time - Duration::from_secs(3600)] {
            assert_eq!(StampTime::ntp(time).to_timestamp(false, near), time);
        }
    }
}

#[test]
fn a_request_has_the_size_that_was_asked_for() {
    for key in [None, Some(key())] {
        for room in (0..200).chain([1428, 8956, 70_000]) {
            let mut out = vec![9; 3];
            request(&mut out, room, 46, 5, key.as_ref());
            assert_eq!(out.len(), 3 + room);
            let kinds: Vec<u8> = tlvs(&out[3..]).map(|tlv| tlv.kind).collect();
            let least = if key.is_some() { 28 } else { 8 };
            let has_class = kinds.contains(&kind::CLASS_OF_SERVICE);
            assert_eq!(has_class, room == least || room >= least + 4, "{room}: {kinds:?}");
        }
    }
}

#[test]
fn a_reflector_says_how_the_packet_arrived() {
    for key in [None, Some(key())] {
        let key = key.as_ref();
        let mut bytes = Vec::new();
        request(&mut bytes, 128, 46, 5, key);
        assert_eq!(answers(&bytes, 5, None).class_of_service, None, "nobody has answered yet");
        let wanted = reflect(&mut bytes, Sequences { request: 5, answer: 3 }, &arrival(), key);
        assert_eq!((wanted, bytes.len()), (Some(46), 128));
        let class = answers(&bytes, 3, key).class_of_service.expect("it is answered");
        assert_eq!(class, ClassOfService { wanted: 46, arrived: 34, ecn: 1, reverse_path: 0 });
        assert!(tlvs(&bytes).all(|tlv| tlv.is_answered()));
    }
    let mut bytes = Vec::new();
    request(&mut bytes, 128, 46, 5, None);
    assert_eq!(answers(&bytes, 5, Some(&key())), tlv::Answers::default(), "nothing without HMAC is believed");
}

#[test]
fn other_extensions_are_filled_and_unknown_ones_are_not() {
    let mut bytes = Vec::new();
    push(&mut bytes, kind::TIMESTAMP_INFORMATION, &[0; 4]);
    push(&mut bytes, kind::DIRECT_MEASUREMENT, &[0, 0, 0, 77, 0, 0, 0, 0, 0, 0, 0, 0]);
    let mut location = vec![0; 4];
    push(&mut location, 4, &[0; 16]);
    push(&mut location, 7, &[0; 16]);
    push(&mut location, 1, &[0; 8]);
    push(&mut bytes, kind::LOCATION, &location);
    push(&mut bytes, 99, &[1, 2, 3]);
    push(&mut bytes, kind::CLASS_OF_SERVICE, &[0; 3]);
    let wanted = reflect(&mut bytes, Sequences { request: 1, answer: 1 }, &arrival(), None);
    assert_eq!(wanted, None);
    let read: Vec<_> = tlvs(&bytes).collect();
    assert_eq!(TimestampInformation::from_bytes(read[0].value), Some(arrival().timestamps));
    assert_eq!(read[1].value, [0, 0, 0, 77, 0, 0, 0, 8, 0, 0, 0, 9]);
    assert_eq!(read[2].value[..4], [3, 94, 15, 160]);
    let inner: Vec<_> = tlvs(&read[2].value[4..]).map(|tlv| (tlv.kind, tlv.value.to_vec())).collect();
    assert_eq!((inner[0].0, &inner[0].1[..4]), (6, &[0x20, 0x01, 0x0d, 0xb8][..]));
    assert_eq!((inner[1].0, &inner[1].1[..5]), (8, &[192, 0, 2, 7, 0][..]));
    assert_eq!(inner[2].0, 1, "hardware addresses are not told");
    assert_eq!((read[3].flags, read[3].value), (tlv::UNRECOGNIZED, &[1, 2, 3][..]));
    assert_eq!(read[4].flags, tlv::MALFORMED);
}

#[test]
fn extensions_that_are_not_authentic_come_back_marked_and_empty() {
    let mut bytes = Vec::new();
    request(&mut bytes, 64, 46, 5, Some(&Key::new(b"another")));
    let wanted = reflect(&mut bytes, Sequences { request: 5, answer: 3 }, &arrival(), Some(&key()));
    assert_eq!(wanted, None);
    assert!(tlvs(&bytes).all(|tlv| tlv.flags & tlv::NOT_AUTHENTIC != 0));
    assert_eq!(answers(&bytes, 3, Some(&key())), tlv::Answers::default());
    // Padding alone needs no HMAC.
    let mut padding = Vec::new();
    push(&mut padding, kind::EXTRA_PADDING, &[0; 20]);
    reflect(&mut padding, Sequences { request: 5, answer: 3 }, &arrival(), Some(&key()));
    assert_eq!(padding[0], 0);
}

proptest! {
    #[test]
    fn stamps_are_exact_to_the_nanosecond(nanos in -2_000_000_000_000_000_000_i64..8_000_000_000_000_000_000, off in -60_000_000_i64..60_000_000) {
        let (time, near) = (Timestamp::from_nanos(nanos), Timestamp::from_nanos(nanos + off * 1_000_000_000));
        prop_assert_eq!(StampTime::ntp(time).to_timestamp(false, near), time);
        prop_assert_eq!(StampTime::ptp(time).to_timestamp(true, near), time);
    }

    #[test]
    fn any_packet_reads_back(sequence: u32, stamp: u64, error in 1_u16.., session: u16, ttl: u8, wide: bool) {
        let key = wide.then(key);
        let error = ErrorEstimate::from_bytes((error | 1).to_be_bytes());
        let sent = Sent { sequence, time: StampTime::from_bytes(stamp.to_be_bytes()), error, session };
        prop_assert_eq!(Sent::decode(sent.encode(key.as_ref()).as_ref(), key.as_ref()), Ok(sent));
        let answer = Reflected { sequence: !sequence, time: sent.time, error, received: sent.time, sent, ttl };
        prop_assert_eq!(Reflected::decode(answer.encode(key.as_ref()).as_ref(), key.as_ref()), Ok(answer));
    }

    #[test]
    fn no_octets_are_too_strange(mut bytes in proptest::collection::vec(any::<u8>(), 0..300), wide: bool) {
        let key = wide.then(key);
        let _ = Sent::decode(&bytes, key.as_ref());
        let _ = Reflected::decode(&bytes, key.as_ref());
        let _ = answers(&bytes, 1, key.as_ref());
        let length = bytes.len();
        reflect(&mut bytes, Sequences { request: 1, answer: 2 }, &arrival(), key.as_ref());
        prop_assert_eq!(bytes.len(), length);
    }
}
