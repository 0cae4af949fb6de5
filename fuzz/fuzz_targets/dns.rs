//! A DNS message, as UDP and as TCP carry it.
#![no_main]

use netwatch_wire::dns;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(message) = dns::message(bytes) {
        assert!(message.answers.len() <= dns::MAX_ANSWERS);
    }
    let _ = dns::tcp_message(bytes).map(dns::message);
});
