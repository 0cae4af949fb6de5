//! What each probe carries so that its answer is known: which job, which packet, and a keyed hash that nobody else can make.
//!
//! The hash covers the address that the packet went to, so that an answer with a guessed or copied token, or from elsewhere, does not
//! count. Layout of the 16 octets: slot, number (32 bits each), hash (48 bits), and a word that makes checksums come out as wanted.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;

use netwatch_wire::icmp::Sum;

/// Octets of a token with the word behind it.
pub(crate) const LENGTH: usize = 16;
/// Octets before that word.
pub(crate) const BARE: usize = 14;

/// The secret of a hub.
#[derive(Debug, Default)]
pub(crate) struct Key(RandomState);

/// Which packet of which job.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Ticket {
    /// The place of the job.
    pub(crate) slot: u32,
    /// Tells the jobs apart that have the same place one after the other; not sent.
    pub(crate) generation: u32,
    /// The packet.
    pub(crate) number: u32,
}

impl Key {
    /// The token of a packet to `to`; the word behind it is 0.
    pub(crate) fn token(&self, ticket: Ticket, to: IpAddr) -> [u8; LENGTH] {
        let [a, b, c, d] = ticket.slot.to_be_bytes();
        let [e, f, g, h] = ticket.number.to_be_bytes();
        let [i, j, k, l, m, n, _, _] = self.hash(ticket, to).to_be_bytes();
        [a, b, c, d, e, f, g, h, i, j, k, l, m, n, 0, 0]
    }

    /// The slot and number that data claims to be of.
    pub(crate) fn claim(data: &[u8]) -> Option<(u32, u32)> {
        let (token, _) = data.split_first_chunk::<BARE>()?;
        let [a, b, c, d, e, f, g, h, ..] = *token;
        Some((u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h])))
    }

    /// Whether data begins with the token of this packet.
    pub(crate) fn is_of(&self, data: &[u8], ticket: Ticket, to: IpAddr) -> bool {
        data.get(..BARE).is_some_and(|token| self.token(ticket, to).starts_with(token))
    }

    /// A number that only this hub can foresee, the same for the same job.
    pub(crate) fn secret(&self, slot: u32, generation: u32) -> u32 {
        let [a, b, c, d, ..] = self.0.hash_one((slot, generation)).to_be_bytes();
        u32::from_be_bytes([a, b, c, d])
    }

    fn hash(&self, ticket: Ticket, to: IpAddr) -> u64 {
        self.0.hash_one((ticket, to))
    }
}

/// Sets the word behind the token so that the ones' complement sum of `rest` and the token gives `checksum`.
pub(crate) fn balance(token: &mut [u8; LENGTH], rest: Sum, checksum: u16) {
    let [high, low] = rest.octets(&token[..BARE]).missing(checksum).to_be_bytes();
    token[BARE..].copy_from_slice(&[high, low]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_token_is_of_one_packet_only(slot: u32, generation: u32, number: u32, to: [u8; 4], bit in 0_usize..112) {
            let key = Key::default();
            let (ticket, to) = (Ticket { slot, generation, number }, IpAddr::from(to));
            let mut token = key.token(ticket, to);
            prop_assert_eq!(Key::claim(&token), Some((slot, number)));
            prop_assert!(key.is_of(&token, ticket, to));
            let next = Ticket { generation: generation ^ 1, ..ticket };
            prop_assert!(!key.is_of(&token, next, to));
            prop_assert!(!key.is_of(&token, ticket, IpAddr::from([9, 9, 9, 9])));
            prop_assert!(!Key::default().is_of(&token, ticket, to), "another hub's key");
            token[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(!key.is_of(&token, ticket, to));
        }

        #[test]
        fn whatever_is_behind_it_the_checksum_is_constant(slot: u32, number: u32, sequence: u16) {
            let key = Key::default();
            let mut token = key.token(Ticket { slot, generation: 0, number }, IpAddr::from([192, 0, 2, 1]));
            balance(&mut token, Sum::new().word(sequence), 0x4e01);
            prop_assert_eq!(Sum::new().word(sequence).octets(&token).finish(), 0x4e01);
        }
    }
}
