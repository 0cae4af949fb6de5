//! The binary form of a batch: any bytes are an error or a batch, and a batch comes back as it was written.
#![no_main]

use netwatch_model::codec::{decode, encode};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(first) = decode(bytes) else { return };
    // What was read may take more bytes than a batch may have when it is written without what was shared.
    let Ok(again) = encode(&first.batch) else { return };
    let second = decode(&again).expect("what was written is read");
    assert_eq!(second.skipped, 0);
    // Not a number is not equal to itself: its text is.
    assert_eq!(format!("{:?}", second.batch), format!("{:?}", first.batch));
});
