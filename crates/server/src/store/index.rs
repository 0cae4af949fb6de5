//! What filters and orders ask for most, side by side, of all rows of a view that are not sealed.
//!
//! Made once for a view, when a query first needs it; going through it touches a tenth of the bytes that the rows have.

use netwatch_api::flow::{FlowSort, SortOrder};
use netwatch_model::{Protocol, Timestamp};

use super::archive::ArchiveView;
use super::chunk::{Chunk, ROWS};
use super::row::{Ends, Head, Volume};
use super::segment::{Block, Orders, key_of};
use super::texts::TextId;
use super::view::{Found, Place, at};

/// An address that is not one of IPv4 (or is the broadcast address): the row itself must be asked.
pub(crate) const ASK: u32 = u32::MAX;

/// Columns of the rows, the live ones first.
#[derive(Debug)]
pub(crate) struct Index {
    live: Vec<Chunk>,
    open: Vec<Chunk>,
    open_number: u32,
    slots: Vec<u32>,
    live_rows: usize,
    /// Source and destination as numbers, or [`ASK`].
    pub(crate) ends: Vec<[u32; 2]>,
    /// Source and destination.
    pub(crate) ports: Vec<[u16; 2]>,
    pub(crate) protocols: Vec<Protocol>,
    /// Application and name.
    pub(crate) texts: Vec<[TextId; 2]>,
    /// First and last packet in seconds since 1970, rounded down.
    pub(crate) times: Vec<[u32; 2]>,
    /// Of both directions.
    pub(crate) octets: Vec<u64>,
    orders: Orders,
}

impl Index {
    pub(super) fn new(live: &[Chunk], archive: &ArchiveView) -> Self {
        let mut index = Self {
            live: live.to_vec(),
            open: archive.open.clone(),
            open_number: archive.open_number,
            slots: Vec::new(),
            live_rows: 0,
            ends: Vec::new(),
            ports: Vec::new(),
            protocols: Vec::new(),
            texts: Vec::new(),
            times: Vec::new(),
            octets: Vec::new(),
            orders: Orders::default(),
        };
        index.reserve((live.len() + archive.open.len()) * ROWS);
        index.add_all(live);
        index.live_rows = index.slots.len();
        index.add_all(&archive.open);
        index
    }

    /// How many of the rows, the first ones, are live.
    pub(crate) const fn live_rows(&self) -> usize {
        self.live_rows
    }

    /// Where a row is.
    pub(crate) fn place(&self, row: usize) -> Place {
        let slot = self.slots.get(row).copied().unwrap_or(u32::MAX);
        if row < self.live_rows { Place::Live(slot) } else { Place::Ended(self.open_number, slot) }
    }

    /// The row.
    pub(crate) fn row(&self, row: usize) -> Option<(&Head, &Volume)> {
        let chunks = if row < self.live_rows { &self.live } else { &self.open };
        at(chunks, *self.slots.get(row)?)
    }

    fn reserve(&mut self, rows: usize) {
        self.slots.reserve_exact(rows);
        self.ends.reserve_exact(rows);
        self.ports.reserve_exact(rows);
        self.protocols.reserve_exact(rows);
        self.texts.reserve_exact(rows);
        self.times.reserve_exact(rows);
        self.octets.reserve_exact(rows);
    }

    fn add_all(&mut self, chunks: &[Chunk]) {
        for (number, chunk) in chunks.iter().enumerate() {
            for (place, head, volume) in chunk.rows() {
                self.slots.push(u32::try_from(number * ROWS + place).unwrap_or(u32::MAX));
                self.ends.push(match head.ends {
                    Ends::V4(source, destination) => [source.to_bits(), destination.to_bits()],
                    Ends::Far(_) => [ASK; 2],
                });
                self.ports.push([head.source_port, head.destination_port]);
                self.protocols.push(head.protocol);
                self.texts.push([head.texts.application, head.texts.name]);
                self.times.push([volume.start, volume.end].map(short_second));
                self.octets.push(volume.octets());
            }
        }
    }
}

impl Block for Index {
    fn rows(&self) -> usize {
        self.slots.len()
    }

    fn key(&self, sort: FlowSort, row: usize) -> u64 {
        match sort {
            FlowSort::Bytes => self.octets.get(row).copied().unwrap_or(0),
            sort => self.row(row).map_or(0, |(_, volume)| key_of(sort, volume)),
        }
    }

    fn found(&self, row: usize) -> Found {
        let id = self.row(row).map(|(head, _)| head.id).unwrap_or_default();
        Found { id, place: self.place(row) }
    }

    fn first(&self, sort: FlowSort, order: SortOrder) -> &[u32] {
        self.orders.first(self, sort, order)
    }
}

/// Seconds since 1970, rounded down; times before it, and after 2106, are put to the end of that range.
pub(crate) fn short_second(time: Timestamp) -> u32 {
    u32::try_from(time.secs().max(0)).unwrap_or(u32::MAX)
}
