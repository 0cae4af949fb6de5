//! The binary form of a batch: any bytes are an error or a batch, and a batch comes back as it was written, alone and shared.
#![no_main]

use netwatch_model::Batch;
use netwatch_model::codec::{Decoder, Encoder, decode, encode};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut late = Decoder::default();
    let _lacks = late.lacks(bytes);
    let learnt = late.learn(bytes);
    let Ok(first) = decode(bytes) else { return };
    learnt.expect("what can be read can be learnt from");
    // What was read may take more bytes than a batch may have when it is written without what was shared.
    let Ok(again) = encode(&first.batch) else { return };
    let second = decode(&again).expect("what was written is read");
    check(&second.batch, &first.batch);
    let (mut encoder, mut decoder) = (Encoder::sharing(1), Decoder::default());
    for _ in 0..2 {
        let mut shared = Vec::new();
        let Ok(encoded) = encoder.encode(first.batch.key, &first.batch.records, &mut shared) else { return };
        let third = decoder.decode(&shared).expect("what was written is read");
        assert_eq!((third.skipped, third.lost), (0, 0));
        check(&third.batch, &first.batch);
        encoder.settle(encoded.mark);
    }
});

/// Not a number is not equal to itself: its text is.
fn check(found: &Batch, expected: &Batch) {
    assert_eq!(format!("{found:?}"), format!("{expected:?}"));
}
