//! The pool of what waits to be complete: a fixed number of buffers, by flow.
//!
//! When all are taken, the one whose turn it is gives way: about the one that was held longest. That is counted. Buffers are made
//! when they are first needed and go back to the allocator when their flow is done.

use foldhash::quality::RandomState;
use hashbrown::HashMap;
use netwatch_wire::quic::InitialReassembly;
use netwatch_wire::window::Window;

use super::Kind;

/// What waits.
#[derive(Debug)]
pub enum Content {
    /// The start of a TCP stream, and what it was taken for.
    Stream(Kind, Stream),
    /// A DNS message over TCP that is not complete yet.
    Answer(Stream),
    /// The Initial packets of a QUIC connection.
    Quic(Box<InitialReassembly>),
}

/// Bytes of one direction of a TCP connection, from a place on.
#[derive(Debug)]
pub struct Stream {
    first: u32,
    window: Box<Window>,
}

impl Stream {
    /// A stream whose first byte has the sequence number `first`.
    #[must_use]
    pub fn new(first: u32) -> Self {
        Self { first, window: Box::default() }
    }

    /// The sequence number of the first byte.
    #[must_use]
    pub const fn first(&self) -> u32 {
        self.first
    }

    /// Whether a segment that begins there may belong to these bytes; else the connection has gone on without them.
    #[must_use]
    pub const fn reaches(&self, sequence: u32) -> bool {
        let offset = sequence.wrapping_sub(self.first);
        offset < Window::CAPACITY as u32 || offset >= 1 << 31
    }

    /// Adds a segment, which may be late, repeated or overlapping. What stands before the first byte is left out.
    pub fn add(&mut self, sequence: u32, bytes: &[u8]) {
        let offset = sequence.wrapping_sub(self.first);
        if offset < 1 << 31 {
            self.window.insert(offset.into(), bytes);
        } else {
            let before = usize::try_from(offset.wrapping_neg()).unwrap_or(usize::MAX);
            self.window.insert(0, bytes.get(before..).unwrap_or_default());
        }
    }

    /// The bytes up to the first gap.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.window.prefix()
    }

    /// Whether no more byte has a place.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.window.is_full()
    }
}

/// The pool.
#[derive(Debug)]
pub struct Buffers {
    places: Vec<Option<(u32, Content)>>,
    by_flow: HashMap<u32, usize, RandomState>,
    free: Vec<usize>,
    capacity: usize,
    turn: usize,
    evicted: u64,
}

impl Buffers {
    /// A pool of at most `capacity` buffers, at least one.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            places: Vec::new(),
            by_flow: HashMap::default(),
            free: Vec::new(),
            capacity: capacity.max(1),
            turn: 0,
            evicted: 0,
        }
    }

    /// What waits for the flow.
    pub fn get(&mut self, flow: u32) -> Option<&mut Content> {
        if self.by_flow.is_empty() {
            return None;
        }
        let place = self.by_flow.get(&flow).copied()?;
        self.places.get_mut(place)?.as_mut().map(|(_, content)| content)
    }

    /// Lets it wait, in place of what waited for the same flow.
    pub fn insert(&mut self, flow: u32, content: Content) {
        self.remove(flow);
        let place = self.place();
        if let Some(slot) = self.places.get_mut(place) {
            *slot = Some((flow, content));
            self.by_flow.insert(flow, place);
        }
    }

    /// Gives back what waits for the flow, if anything does.
    pub fn remove(&mut self, flow: u32) {
        self.take(flow);
    }

    /// Takes out what waits for the flow.
    pub fn take(&mut self, flow: u32) -> Option<Content> {
        if self.by_flow.is_empty() {
            return None;
        }
        let place = self.by_flow.remove(&flow)?;
        self.free.push(place);
        self.places.get_mut(place)?.take().map(|(_, content)| content)
    }

    /// How many are in use.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_flow.len()
    }

    /// Whether none is in use.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_flow.is_empty()
    }

    /// How many gave way.
    #[must_use]
    pub const fn evicted(&self) -> u64 {
        self.evicted
    }

    /// A place that is free now.
    fn place(&mut self) -> usize {
        if let Some(place) = self.free.pop() {
            return place;
        }
        if self.places.len() < self.capacity {
            self.places.push(None);
            return self.places.len() - 1;
        }
        let place = self.turn % self.capacity;
        self.turn = place + 1;
        if let Some((flow, _)) = self.places.get_mut(place).and_then(Option::take) {
            self.by_flow.remove(&flow);
            self.evicted += 1;
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn content() -> Content {
        Content::Stream(Kind::Tls, Stream::new(0))
    }

    #[test]
    fn a_full_pool_lets_the_oldest_go_and_counts_it() {
        let mut buffers = Buffers::new(3);
        (0..5).for_each(|flow| buffers.insert(flow, content()));
        let waiting: Vec<bool> = (0..5).map(|flow| buffers.get(flow).is_some()).collect();
        assert_eq!((waiting, buffers.evicted(), buffers.len()), (vec![false, false, true, true, true], 2, 3));
    }

    #[test]
    fn segments_before_the_start_are_cut() {
        let mut stream = Stream::new(2);
        stream.add(u32::MAX, b"xyzab");
        stream.add(4, b"cd");
        assert_eq!(stream.bytes(), b"abcd");
        stream.add(u32::MAX - 9, b"short");
        assert_eq!(stream.bytes(), b"abcd");
    }

    proptest! {
        #[test]
        fn never_more_than_the_capacity(actions in prop::collection::vec((any::<bool>(), 0_u32..12), 0..200)) {
            let mut buffers = Buffers::new(4);
            for (insert, flow) in actions {
                if insert {
                    buffers.insert(flow, content());
                    prop_assert!(buffers.get(flow).is_some());
                } else {
                    buffers.remove(flow);
                    prop_assert!(buffers.get(flow).is_none());
                }
                prop_assert!(buffers.len() <= 4 && buffers.places.len() <= 4);
                prop_assert_eq!(buffers.len(), buffers.places.iter().flatten().count());
            }
        }
    }
}
