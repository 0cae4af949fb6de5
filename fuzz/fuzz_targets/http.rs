//! An HTTP request's first bytes.
#![no_main]

libfuzzer_sys::fuzz_target!(|stream: &[u8]| {
    let _ = netwatch_wire::http::request_head(stream);
});
