//! Thousands of damaged messages, the same in every run, through every decoder: none may panic.
//!
//! This is what the fuzz targets do, in small, on a stable compiler.

use netwatch_wire::build::{self, DnsRecord, HelloOptions};
use netwatch_wire::quic::{InitialReassembly, Version};
use netwatch_wire::{dns, http, quic, tls};

const ROUNDS: usize = 3000;

/// A small generator of numbers (xorshift), so that a failure can be repeated.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % limit.max(1)
    }

    fn byte(&mut self) -> u8 {
        const ODD: [u8; 8] = [0, 1, 0x3f, 0x40, 0x7f, 0x80, 0xc0, 0xff];
        if self.below(2) == 0 { ODD[self.below(ODD.len())] } else { u8::try_from(self.below(256)).unwrap() }
    }

    fn damage(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            match self.below(4) {
                0 => bytes.truncate(at.max(1)),
                1 => bytes.insert(at, self.byte()),
                2 => bytes.extend_from_within(at.min(bytes.len())..),
                _ => bytes[at] = self.byte(),
            }
        }
    }
}

fn mutate(seed: &[u8], mut decode: impl FnMut(&[u8])) {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for _ in 0..ROUNDS {
        let mut bytes = seed.to_vec();
        numbers.damage(&mut bytes);
        decode(&bytes);
    }
    (0..=seed.len()).for_each(|length| decode(&seed[..length]));
}

fn hello() -> Vec<u8> {
    build::client_hello(&HelloOptions { sni: Some(b"seed.example"), alpn: &["h2", "h3"], key_share: 40 })
}

#[test]
fn tls_hello() {
    mutate(&build::tls_records(&hello(), 70), |bytes| drop(tls::client_hello(bytes)));
    mutate(&hello(), |bytes| drop(tls::handshake_hello(bytes)));
}

#[test]
fn http_head() {
    let seed = b"GET http://u@seed.example:80/a HTTP/1.1\r\nAccept: */*\r\nHost: [2001:db8::1]:80\r\n\r\n";
    mutate(seed, |bytes| drop(http::request_head(bytes)));
}

#[test]
fn dns_message() {
    let records = [
        DnsRecord::Alias("seed.example", 9, "b.example"),
        DnsRecord::Address("b.example", 9, "192.0.2.1".parse().unwrap()),
        DnsRecord::Address("b.example", 9, "2001:db8::1".parse().unwrap()),
    ];
    let mut seed = build::dns_response(Some("seed.example"), &records);
    seed.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 1, 2, 3, 4]);
    seed[7] += 1;
    assert_eq!(dns::message(&seed).unwrap().answers.len(), 3);
    mutate(&seed, |bytes| drop(dns::message(bytes)));
}

/// Damage under the encryption is what matters: the payload is changed, then sealed.
#[test]
fn quic_initial() {
    let id = [7; 8];
    mutate(&hello(), |bytes| {
        let pieces =
            [(0, &bytes[..bytes.len() / 2]), (u32::try_from(bytes.len() / 2).unwrap(), &bytes[bytes.len() / 2..])];
        let datagram = build::quic_initial(Version::V1, &id, &id, 0, &pieces);
        assert!(quic::is_initial(&datagram));
        let _ = InitialReassembly::new().datagram(&datagram);
    });
    let sealed = build::quic_initial(Version::V2, &id, &id, 0, &[(0, &hello())]);
    let mut reassembly = InitialReassembly::new();
    mutate(&sealed, |bytes| {
        if matches!(reassembly.datagram(bytes), quic::Initial::NotQuic) {
            reassembly.clear();
        }
    });
}
