//! What filters and orders ask for most, side by side, of all rows of a view that are not sealed.
//!
//! Made once for a view, when a query first needs it; going through it touches a tenth of the bytes that the rows have.

use netwatch_api::flow::{FlowSort, SortOrder};
use netwatch_model::{FlowId, Protocol, Timestamp};

use super::archive::ArchiveView;
use super::chunk::{Chunk, ROWS};
use super::row::{Ends, Head, Volume};
use super::segment::{Block, Orders, ordered_time, rate};
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
    /// Whether a row has an end that is [`ASK`].
    pub(crate) has_far: bool,
    /// Earliest last packet and latest first packet of all rows.
    pub(crate) common: Option<[Timestamp; 2]>,
    ids: Vec<FlowId>,
    packets: Vec<u64>,
    /// First packet as a number of the same order, and nanoseconds until the last.
    starts: Vec<u64>,
    durations: Vec<u64>,
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
            has_far: false,
            common: None,
            ids: Vec::new(),
            packets: Vec::new(),
            starts: Vec::new(),
            durations: Vec::new(),
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

    /// The row of a flow.
    pub(crate) fn find(&self, id: FlowId) -> Option<(&Head, &Volume)> {
        self.row(self.ids.iter().position(|known| *known == id)?)
    }

    /// Finds the orders that were asked of an older index, before anybody waits for them.
    pub(super) fn prepare(&self, older: &Self) {
        self.orders.prepare(self, &older.orders);
    }

    fn reserve(&mut self, rows: usize) {
        self.slots.reserve_exact(rows);
        self.ends.reserve_exact(rows);
        self.ports.reserve_exact(rows);
        self.protocols.reserve_exact(rows);
        self.texts.reserve_exact(rows);
        self.times.reserve_exact(rows);
        self.octets.reserve_exact(rows);
        self.ids.reserve_exact(rows);
        self.packets.reserve_exact(rows);
        self.starts.reserve_exact(rows);
        self.durations.reserve_exact(rows);
    }

    fn add_all(&mut self, chunks: &[Chunk]) {
        for (number, chunk) in chunks.iter().enumerate() {
            for (place, head, volume) in chunk.rows() {
                self.slots.push(u32::try_from(number * ROWS + place).unwrap_or(u32::MAX));
                let ends = match head.ends {
                    Ends::V4(source, destination) => [source.to_bits(), destination.to_bits()],
                    Ends::Far(_) => [ASK; 2],
                };
                self.has_far |= ends.contains(&ASK);
                self.ends.push(ends);
                self.ports.push([head.source_port, head.destination_port]);
                self.protocols.push(head.protocol);
                self.texts.push([head.texts.application, head.texts.name]);
                self.times.push([volume.start, volume.end].map(short_second));
                self.octets.push(volume.octets());
                self.ids.push(head.id);
                self.packets.push(volume.packets());
                self.starts.push(ordered_time(volume.start));
                self.durations.push(nanos(volume));
                let [end, start] = self.common.unwrap_or([volume.end, volume.start]);
                self.common = Some([end.min(volume.end), start.max(volume.start)]);
            }
        }
    }
}

impl Block for Index {
    fn rows(&self) -> usize {
        self.slots.len()
    }

    fn key(&self, sort: FlowSort, row: usize) -> u64 {
        let of = |column: &[u64]| column.get(row).copied().unwrap_or(0);
        match sort {
            FlowSort::Bytes => of(&self.octets),
            FlowSort::Packets => of(&self.packets),
            FlowSort::Duration => of(&self.durations),
            FlowSort::Rate => rate(of(&self.octets), of(&self.durations)),
            FlowSort::Start => of(&self.starts),
        }
    }

    fn found(&self, row: usize) -> Found {
        Found { id: self.ids.get(row).copied().unwrap_or_default(), place: self.place(row) }
    }

    fn first(&self, sort: FlowSort, order: SortOrder) -> &[u32] {
        self.orders.first(self, sort, order)
    }
}

fn nanos(volume: &Volume) -> u64 {
    u64::try_from(volume.end.since(volume.start).as_nanos()).unwrap_or(u64::MAX)
}

/// Seconds since 1970, rounded down; times before it, and after 2106, are put to the end of that range.
pub(crate) fn short_second(time: Timestamp) -> u32 {
    u32::try_from(time.secs().max(0)).unwrap_or(u32::MAX)
}
