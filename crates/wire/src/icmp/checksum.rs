//! The Internet checksum (RFC 1071): the ones' complement of the ones' complement sum of 16-bit words.

use std::net::IpAddr;

/// A sum that grows. Each part but the last must have an even number of octets.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sum(u64);

impl Sum {
    /// Of nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self(0)
    }

    /// Adds octets; an odd last one counts as the upper half of a word.
    #[must_use]
    pub fn octets(mut self, bytes: &[u8]) -> Self {
        let mut words = bytes.chunks_exact(4);
        for word in &mut words {
            if let [a, b, c, d] = *word {
                self.0 += u64::from(u32::from_be_bytes([a, b, c, d]));
            }
        }
        let mut last = [0; 4];
        for (to, from) in last.iter_mut().zip(words.remainder()) {
            *to = *from;
        }
        self.0 += u64::from(u32::from_be_bytes(last));
        self
    }

    /// Adds one word.
    #[must_use]
    pub fn word(mut self, word: u16) -> Self {
        self.0 += u64::from(word);
        self
    }

    /// Adds the pseudo-header of TCP, UDP and ICMPv6 (RFC 9293, 3.1; RFC 8200, 8.1). `length` is in octets.
    #[must_use]
    pub fn pseudo_header(self, source: IpAddr, destination: IpAddr, protocol: u8, length: u16) -> Self {
        let of = |sum: Self, address| match address {
            IpAddr::V4(address) => sum.octets(&address.octets()),
            IpAddr::V6(address) => sum.octets(&address.octets()),
        };
        of(of(self, source), destination).word(u16::from(protocol)).word(length)
    }

    /// The sum itself, folded to 16 bits.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "folded to 16 bits")]
    pub const fn folded(self) -> u16 {
        let mut sum = self.0;
        while sum > 0xffff {
            sum = (sum >> 16) + (sum & 0xffff);
        }
        sum as u16
    }

    /// The checksum.
    #[must_use]
    pub const fn finish(self) -> u16 {
        !self.folded()
    }

    /// The word that must be added so that [`Sum::finish`] gives `checksum`.
    #[must_use]
    pub const fn missing(self, checksum: u16) -> u16 {
        // Ones' complement subtraction: the complement is the negative.
        let (sum, carry) = (!checksum).overflowing_add(!self.folded());
        if carry { sum.wrapping_add(1) } else { sum }
    }
}
