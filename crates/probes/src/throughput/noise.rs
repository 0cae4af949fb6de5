//! Octets that mean nothing: cookies, and blocks that no link can compress.

use netwatch_telemetry::clock;

use super::protocol::COOKIE;

/// What tells this test from others: letters that end with a zero.
pub(super) fn cookie() -> [u8; COOKIE] {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut numbers = Numbers::new();
    let mut cookie = [0; COOKIE];
    for place in cookie.iter_mut().take(COOKIE - 1) {
        *place = LETTERS.get(usize::from(numbers.next_octet() & 31)).copied().unwrap_or(b'a');
    }
    cookie
}

/// A block that no link can compress.
pub(super) fn noise(octets: usize) -> Vec<u8> {
    let mut numbers = Numbers::new();
    (0..octets).map(|_| numbers.next_octet()).collect()
}

/// A generator (xorshift) that begins somewhere else each time; its numbers guard nothing.
struct Numbers(u64);

impl Numbers {
    fn new() -> Self {
        Self(clock::monotonic().as_nanos() as u64 | 1)
    }

    const fn next_octet(&mut self) -> u8 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 40) as u8
    }
}
