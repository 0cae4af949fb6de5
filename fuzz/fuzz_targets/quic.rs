//! QUIC datagrams of one connection: each stands behind a length of two bytes.
#![no_main]

use netwatch_wire::dns::tcp_message as behind_length;
use netwatch_wire::quic::{InitialReassembly, is_initial};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut reassembly = InitialReassembly::new();
    let mut rest = bytes;
    while let Some(datagram) = behind_length(rest) {
        let _ = (is_initial(datagram), reassembly.datagram(datagram));
        rest = rest.get(2 + datagram.len()..).unwrap_or_default();
    }
});
