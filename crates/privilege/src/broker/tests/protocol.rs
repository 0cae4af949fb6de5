//! The decoders are total, and undo the encoders.

use proptest::prelude::*;

use crate::broker::protocol::*;

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::Ready),
        Just(Kind::Socket),
        Just(Kind::Part),
        Just(Kind::Last),
        any::<i32>().prop_map(|errno| Kind::Failed(Failure::System(errno))),
        any::<u32>().prop_map(|bytes| Kind::Failed(Failure::TooLarge(bytes))),
        Just(Kind::Failed(Failure::Panicked)),
        Just(Kind::Failed(Failure::Refused)),
    ]
}

proptest! {
    #[test]
    fn requests_round_trip(sequence: u32, owners: bool) {
        let operation = if owners { Operation::Owners } else { Operation::OpenPacketSocket };
        let request = Request { sequence, operation };
        prop_assert_eq!(Request::decode(&request.encode()), Some(request));
    }

    #[test]
    fn replies_round_trip(sequence: u32, kind in kinds(), payload in proptest::collection::vec(any::<u8>(), 0..64)) {
        let reply = Reply { sequence, kind, payload: &payload };
        let message = [&reply.header()[..], &payload].concat();
        prop_assert_eq!(Reply::decode(&message), Some(reply));
    }

    #[test]
    fn any_bytes_are_a_request_only_if_they_encode_to_themselves(message in proptest::collection::vec(0_u8..4, 0..20)) {
        if let Some(request) = Request::decode(&message) {
            prop_assert_eq!(&request.encode()[..], &message[..]);
        }
    }

    #[test]
    fn any_bytes_decode_without_panic(message in proptest::collection::vec(any::<u8>(), 0..40)) {
        if let Some(reply) = Reply::decode(&message) {
            prop_assert_eq!(reply.payload.len() + HEADER_BYTES, message.len());
        }
        let _ = decode_ready(&message);
    }

    #[test]
    fn greetings_round_trip(capabilities: u64, seccomp: bool) {
        prop_assert_eq!(decode_ready(&encode_ready(capabilities, seccomp)), Some((capabilities, seccomp)));
    }
}

#[test]
fn a_reply_is_bounded() {
    let header = Reply::new(1, Kind::Part).header();
    let longest = [&header[..], &vec![0; PART_BYTES]].concat();
    assert!(Reply::decode(&longest).is_some());
    assert_eq!(longest.len(), MESSAGE_BYTES);
    assert!(Reply::decode(&[&longest[..], &[0]].concat()).is_none());
}
