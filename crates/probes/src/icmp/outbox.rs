//! Packets that wait to be sent together on one channel.

use super::datagram::Datagram;
use super::os::BATCH;

/// The most octets of a batch, unless one packet alone is longer.
const MOST_OCTETS: usize = 256 << 10;

/// Whose packet it is: place and generation of the job, and the packet's number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Owner {
    pub(super) slot: u32,
    pub(super) generation: u32,
    pub(super) number: u32,
}

/// A batch.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// On which channel.
    pub(super) channel: usize,
    /// The octets of all packets.
    pub(super) bytes: Vec<u8>,
    /// The packets.
    pub(super) datagrams: Vec<Datagram>,
    /// Whose they are, in the same order.
    pub(super) owners: Vec<Owner>,
}

impl Outbox {
    /// Whether a packet of `octets` for `channel` must wait for the next batch.
    pub(super) const fn is_full_for(&self, channel: usize, octets: usize) -> bool {
        let is_crowded =
            self.datagrams.len() >= BATCH || self.bytes.len() + octets > MOST_OCTETS || self.channel != channel;
        is_crowded && !self.datagrams.is_empty()
    }

    /// Forgets what was sent.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.datagrams.clear();
        self.owners.clear();
    }
}
