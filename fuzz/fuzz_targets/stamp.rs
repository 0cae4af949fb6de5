//! Test packets of STAMP and their extensions, as a sender and as a reflector reads them.
#![no_main]

use netwatch_wire::stamp::reflect::{Arrival, Sequences, reflect};
use netwatch_wire::stamp::tlv::{self, TimestampInformation};
use netwatch_wire::stamp::{Key, LENGTH, Reflected, Sent};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let key = Key::new(b"fuzz");
    for key in [None, Some(&key)] {
        if let Ok(sent) = Sent::decode(bytes, key) {
            assert_eq!(Sent::decode(sent.encode(key).as_ref(), key), Ok(sent));
        }
        if let Ok(answer) = Reflected::decode(bytes, key) {
            assert_eq!(Reflected::decode(answer.encode(key).as_ref(), key), Ok(answer));
        }
        let mut tlvs = bytes.get(LENGTH..).unwrap_or_default().to_vec();
        let _ = tlv::answers(&tlvs, 0, key);
        let end = ([192, 0, 2, 1], 862).into();
        let timestamps = TimestampInformation::default();
        let arrival = Arrival { source: end, destination: end, dscp: 46, ecn: 0, timestamps, received: 1, sent: 1 };
        let _ = reflect(&mut tlvs, Sequences { request: 0, answer: 0 }, &arrival, key);
        assert_eq!(tlvs.len(), bytes.len().saturating_sub(LENGTH));
    }
});
