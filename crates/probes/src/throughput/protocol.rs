//! The words of iperf3: a cookie that names a test, states of one octet, and JSON behind a length of four octets.
//!
//! Learned from the documentation and from what the program sends; numbers of states are those of its version 3.

use serde::{Deserialize, Deserializer, Serialize};

/// Octets of a cookie, with the zero at its end.
pub(super) const COOKIE: usize = 37;
/// The longest JSON that is read, octets.
pub(super) const MAX_JSON: u32 = 1 << 20;

/// Where a test is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    TestStart,
    TestRunning,
    TestEnd,
    ParamExchange,
    CreateStreams,
    ServerTerminate,
    ClientTerminate,
    ExchangeResults,
    DisplayResults,
    IperfDone,
    AccessDenied,
    ServerError,
    Other(u8),
}

impl State {
    const TABLE: [(Self, u8); 12] = [
        (Self::TestStart, 1),
        (Self::TestRunning, 2),
        (Self::TestEnd, 4),
        (Self::ParamExchange, 9),
        (Self::CreateStreams, 10),
        (Self::ServerTerminate, 11),
        (Self::ClientTerminate, 12),
        (Self::ExchangeResults, 13),
        (Self::DisplayResults, 14),
        (Self::IperfDone, 16),
        (Self::AccessDenied, 0xff),
        (Self::ServerError, 0xfe),
    ];

    pub(super) fn from_octet(octet: u8) -> Self {
        Self::TABLE.iter().find(|(_, known)| *known == octet).map_or(Self::Other(octet), |(state, _)| *state)
    }

    pub(super) fn octet(self) -> u8 {
        match self {
            Self::Other(octet) => octet,
            known => Self::TABLE.iter().find(|(state, _)| *state == known).map_or(0, |(_, octet)| *octet),
        }
    }
}

/// What a client asks for.
#[derive(Serialize, Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Parameters {
    pub tcp: bool,
    pub omit: u32,
    /// Whole seconds.
    pub time: u64,
    pub num: u64,
    pub blockcount: u64,
    pub parallel: usize,
    /// Octets of a block.
    pub len: usize,
    pub pacing_timer: u32,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub reverse: bool,
    pub client_version: &'static str,
}

/// What a client of iperf3 asks for, as far as a server needs it. What only tunes sockets (window, segment size, congestion control) is not
/// read.
#[derive(Deserialize, Clone, Copy, PartialEq, Debug, Default)]
#[serde(default)]
pub(super) struct Asked {
    #[serde(deserialize_with = "flag")]
    pub tcp: bool,
    #[serde(deserialize_with = "flag")]
    pub udp: bool,
    /// Seconds at the beginning that do not count.
    pub omit: f64,
    /// Seconds; 0 when it ends by octets or blocks.
    pub time: f64,
    /// Octets after which the client ends it; 0 when it ends by time.
    pub num: f64,
    /// Streams of each direction.
    pub parallel: f64,
    /// Octets of a block or datagram.
    pub len: f64,
    /// Bits a second of each stream; 0 for as many as there can be.
    pub bandwidth: f64,
    #[serde(deserialize_with = "flag")]
    pub reverse: bool,
    #[serde(deserialize_with = "flag")]
    pub bidirectional: bool,
    #[serde(deserialize_with = "flag")]
    pub nodelay: bool,
    /// Type of service or traffic class.
    #[serde(rename = "TOS")]
    pub tos: f64,
    /// Whether numbers of datagrams have 64 bits.
    #[serde(deserialize_with = "flag")]
    pub udp_counters_64bit: bool,
}

/// What one side has seen. Numbers are read as they come: large ones may be written with an exponent.
#[derive(Serialize, Deserialize, Clone, PartialEq, Debug, Default)]
#[serde(default)]
pub(super) struct Results {
    pub cpu_util_total: f64,
    pub cpu_util_user: f64,
    pub cpu_util_system: f64,
    /// 1 when the sender counts retransmissions, 0 or -1 when not.
    pub sender_has_retransmits: f64,
    pub streams: Vec<StreamResult>,
}

/// One stream.
#[derive(Serialize, Deserialize, Clone, PartialEq, Debug, Default)]
#[serde(default)]
pub(super) struct StreamResult {
    pub id: f64,
    pub bytes: f64,
    pub retransmits: f64,
    pub jitter: f64,
    pub errors: f64,
    pub omitted_errors: f64,
    pub packets: f64,
    pub omitted_packets: f64,
    pub start_time: f64,
    pub end_time: f64,
}

impl Results {
    /// Octets of all streams.
    pub(super) fn octets(&self) -> u64 {
        whole(self.streams.iter().map(|stream| stream.bytes).sum())
    }

    /// Segments that the sender sent again, when it counts them.
    pub(super) fn retransmits(&self) -> Option<u64> {
        (self.sender_has_retransmits > 0.0).then(|| whole(self.streams.iter().map(|stream| stream.retransmits).sum()))
    }

    /// Seconds of the longest stream, when they are said.
    pub(super) fn seconds(&self) -> Option<f64> {
        let longest = self.streams.iter().map(|stream| stream.end_time - stream.start_time).fold(0.0, f64::max);
        (longest > 0.0 && longest.is_finite()).then_some(longest)
    }
}

/// The identifier that both sides give the n-th stream: 2 is left out.
pub(super) const fn stream_id(n: usize) -> usize {
    if n == 0 { 1 } else { n + 2 }
}

/// A flag, as versions of iperf3 write it: a boolean or a number.
fn flag<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Flag(bool),
        Number(f64),
    }
    Ok(match Written::deserialize(from)? {
        Written::Flag(on) => on,
        Written::Number(number) => number != 0.0,
    })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count; what is none becomes zero")]
pub(super) fn whole(number: f64) -> u64 {
    number.max(0.0) as u64
}
