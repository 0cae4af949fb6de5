//! Whom a reflector answers, how often, and what it remembers of each session. Plain logic: it takes the time and a packet.
//!
//! Every packet is judged in this order: is its source known, is the source slow enough, is the packet long enough and authentic by a key of
//! that source ([`Known`]), is there room for its session. Who fails is not answered at all, and counted.
//!
//! A packet that comes again is answered again, because the network may have doubled it, and the sender counts that. Whoever replays one
//! reaches the true sender with answers that it does not count for another packet; at another reflector it is not authentic.
//!
//! Limits: [`Limits`] bound sources and sessions; what was silent for [`Limits::idle`] is forgotten when room is needed.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use netwatch_egress::Network;
use netwatch_model::assignment::Sender;
use netwatch_wire::stamp::{Key, Sent, StampError, TWAMP_REFLECTOR_LENGTH};

use super::known::Known;

/// How much a reflector does for how many.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Sources at once.
    pub sources: usize,
    /// Sessions of one source at once.
    pub sessions: usize,
    /// Packets a second of one source, on average; twice as many at once.
    pub rate: u32,
    /// How long a silent session or source is remembered at least.
    pub idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { sources: 1024, sessions: 1024, rate: 5000, idle: Duration::from_secs(120) }
    }
}

/// Why a packet is not answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// Its source is not among those that may be answered.
    Stranger,
    /// Its source sends more than it may.
    TooFast,
    /// It is shorter than an answer would be, or longer than a datagram may be.
    Size,
    /// It has no HMAC of a key of its source.
    NotAuthentic,
    /// Its error estimate is none.
    Malformed,
    /// There is no room for another source or session.
    Full,
}

impl Refusal {
    /// Every reason.
    pub const ALL: [Self; 6] =
        [Self::Stranger, Self::TooFast, Self::Size, Self::NotAuthentic, Self::Malformed, Self::Full];

    /// For logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stranger => "stranger",
            Self::TooFast => "too fast",
            Self::Size => "size",
            Self::NotAuthentic => "not authentic",
            Self::Malformed => "malformed",
            Self::Full => "full",
        }
    }
}

/// A packet that is answered.
#[derive(Clone, Debug)]
pub(crate) struct Admitted {
    /// What its sender says.
    pub sent: Sent,
    /// Our number of the answer: how many were sent before in this session.
    pub number: u32,
    /// With which it is authentic, and the answer must be; none for plain packets.
    pub key: Option<Key>,
}

/// All that is remembered.
#[derive(Debug)]
pub(crate) struct Table {
    limits: Limits,
    known: Known,
    sources: HashMap<IpAddr, Source>,
    swept: Duration,
}

#[derive(Debug)]
struct Source {
    /// Packets that it may send at once.
    tokens: f64,
    seen: Duration,
    sessions: HashMap<(u16, u16), Session>,
    swept: Duration,
}

#[derive(Debug)]
struct Session {
    next: u32,
    seen: Duration,
}

impl Table {
    pub(crate) fn new(limits: Limits, allowed: Vec<Network>, key: Option<Key>) -> Self {
        Self { limits, known: Known::new(allowed, key), sources: HashMap::new(), swept: Duration::ZERO }
    }

    /// Says anew who may be answered; sessions of others are forgotten.
    pub(crate) fn allow(&mut self, allowed: Vec<Network>, senders: &[Sender]) {
        self.known.set(allowed, senders);
        let known = &self.known;
        self.sources.retain(|source, _| known.mode(*source).is_some());
    }

    /// Whether and how a packet is answered.
    pub(crate) fn admit(&mut self, now: Duration, from: SocketAddr, bytes: &[u8]) -> Result<Admitted, Refusal> {
        let address = from.ip().to_canonical();
        let mode = self.known.mode(address).ok_or(Refusal::Stranger)?;
        let limits = self.limits;
        let source = self.source(now, address)?;
        source.spend(now, limits.rate)?;
        // An answer has at least this length, and must not be longer than what asked for it.
        if bytes.len() < TWAMP_REFLECTOR_LENGTH {
            return Err(Refusal::Size);
        }
        let (sent, key) = mode.read(bytes).map_err(|error| match error {
            StampError::Short { .. } => Refusal::Size,
            StampError::NotAuthentic => Refusal::NotAuthentic,
            StampError::ErrorEstimate => Refusal::Malformed,
        })?;
        let number = source.number(now, (from.port(), sent.session), &limits)?;
        Ok(Admitted { sent, number, key })
    }

    fn source(&mut self, now: Duration, address: IpAddr) -> Result<&mut Source, Refusal> {
        let Limits { sources, idle, .. } = self.limits;
        if self.sources.len() >= sources && !self.sources.contains_key(&address) {
            // Not at every packet of a flood: what is idle does not become so in a moment.
            if now.saturating_sub(self.swept) >= idle / 8 {
                self.swept = now;
                self.sources.retain(|_, source| now.saturating_sub(source.seen) < idle);
            }
            if self.sources.len() >= sources {
                return Err(Refusal::Full);
            }
        }
        let burst = f64::from(self.limits.rate) * Source::BURST;
        let fresh = || Source { tokens: burst, seen: now, sessions: HashMap::new(), swept: Duration::ZERO };
        Ok(self.sources.entry(address).or_insert_with(fresh))
    }
}

impl Source {
    /// Seconds at the full rate that may come at once.
    const BURST: f64 = 2.0;

    /// Takes one of the packets that the source may send.
    fn spend(&mut self, now: Duration, rate: u32) -> Result<(), Refusal> {
        let rate = f64::from(rate);
        let passed = now.saturating_sub(self.seen).as_secs_f64();
        self.seen = now;
        self.tokens = (self.tokens + passed * rate).min(rate * Self::BURST);
        if self.tokens < 1.0 {
            return Err(Refusal::TooFast);
        }
        self.tokens -= 1.0;
        Ok(())
    }

    /// The number of the next answer of a session.
    fn number(&mut self, now: Duration, session: (u16, u16), limits: &Limits) -> Result<u32, Refusal> {
        if self.sessions.len() >= limits.sessions && !self.sessions.contains_key(&session) {
            if now.saturating_sub(self.swept) >= limits.idle / 8 {
                self.swept = now;
                self.sessions.retain(|_, session| now.saturating_sub(session.seen) < limits.idle);
            }
            if self.sessions.len() >= limits.sessions {
                return Err(Refusal::Full);
            }
        }
        let session = self.sessions.entry(session).or_insert(Session { next: 0, seen: now });
        // After so long a silence it is another session from the same port.
        if now.saturating_sub(session.seen) >= limits.idle {
            session.next = 0;
        }
        let number = session.next;
        (session.next, session.seen) = (number.wrapping_add(1), now);
        Ok(number)
    }
}

#[cfg(test)]
mod tests;
