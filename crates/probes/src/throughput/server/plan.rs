//! What a client asks for, judged: what the server will do, or why it will not.

use std::time::Duration;

use super::Limits;
use crate::throughput::protocol::{Asked, whole};

/// Octets of a block of TCP and of a datagram when the client names none.
const BLOCK: usize = 128 << 10;
const DATAGRAM: usize = 1448;
/// The longest block and datagram, octets.
const LONGEST: (usize, usize) = (1 << 20, 65_507);
/// The longest warm-up, seconds; that of iperf3.
const MAX_OMIT: f64 = 600.0;

/// What a test does.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Plan {
    pub udp: bool,
    /// Streams that are received, and that are sent.
    pub receive: usize,
    pub send: usize,
    /// How long nothing counts at the beginning.
    pub omit: Duration,
    /// How long it takes by itself; none when the client ends it by octets.
    pub time: Option<Duration>,
    /// Octets of a block or datagram.
    pub length: usize,
    /// Bits a second of each stream that is sent.
    pub rate: Option<f64>,
    pub no_delay: bool,
    pub traffic_class: u8,
    /// Whether numbers of datagrams have 64 bits.
    pub wide: bool,
}

/// Why a test is not made. The number is that by which clients of iperf3 3.x know the reason.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum Denied {
    /// `IEDURATION`
    #[error("it would take longer than a test may here")]
    Duration = 5,
    /// `IENUMSTREAMS`
    #[error("it wants more streams than a test may have here")]
    Streams = 6,
    /// `IEBLOCKSIZE`
    #[error("its blocks are longer than they may be here")]
    Block = 7,
    /// `IEOMIT`
    #[error("its warm-up is too long")]
    Omit = 12,
    /// `IEUNIMP`
    #[error("it is neither of TCP nor of UDP")]
    Transport = 13,
    /// `IETOTALRATE`
    #[error("it carries more octets than a test may here")]
    Octets = 27,
}

impl Plan {
    /// Judges what a client asks for.
    pub(super) fn of(asked: &Asked, limits: &Limits) -> Result<Self, Denied> {
        if asked.tcp == asked.udp {
            return Err(Denied::Transport);
        }
        let parallel = usize::try_from(whole(asked.parallel)).unwrap_or(usize::MAX).max(1);
        let is_both = asked.bidirectional;
        let (receive, send) = (!asked.reverse || is_both, asked.reverse || is_both);
        let of = |wanted: bool| if wanted { parallel } else { 0 };
        if parallel > limits.streams {
            return Err(Denied::Streams);
        }
        let seconds = |number: f64| Duration::try_from_secs_f64(number.max(0.0)).unwrap_or(Duration::MAX);
        if seconds(asked.omit) > seconds(MAX_OMIT) {
            return Err(Denied::Omit);
        }
        let time = (asked.time > 0.0 || whole(asked.num) == 0).then(|| seconds(asked.time));
        if time.unwrap_or_default().saturating_add(seconds(asked.omit)) > limits.time {
            return Err(Denied::Duration);
        }
        Ok(Self {
            udp: asked.udp,
            receive: of(receive),
            send: of(send),
            omit: seconds(asked.omit),
            time: time.filter(|time| !time.is_zero()),
            length: length(asked)?,
            rate: (asked.bandwidth > 0.0).then_some(asked.bandwidth),
            no_delay: asked.nodelay,
            traffic_class: u8::try_from(whole(asked.tos)).unwrap_or(0),
            wide: asked.udp_counters_64bit,
        })
    }

    /// Streams of both directions.
    pub(super) const fn streams(&self) -> usize {
        self.receive + self.send
    }
}

fn length(asked: &Asked) -> Result<usize, Denied> {
    let (usual, longest) = if asked.udp { (DATAGRAM, LONGEST.1) } else { (BLOCK, LONGEST.0) };
    match usize::try_from(whole(asked.len)).unwrap_or(usize::MAX) {
        0 => Ok(usual),
        length if length <= longest => Ok(length),
        _ => Err(Denied::Block),
    }
}
