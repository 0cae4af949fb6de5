//! A TLS stream's first bytes, with and without records.
#![no_main]

libfuzzer_sys::fuzz_target!(|stream: &[u8]| {
    if let netwatch_wire::tls::Hello::NeedMore { at_least, .. } = netwatch_wire::tls::client_hello(stream) {
        assert!(at_least > stream.len());
    }
    let _ = netwatch_wire::tls::handshake_hello(stream);
});
