//! The messages between Netwatch and its broker: fixed layouts, each in one `SOCK_SEQPACKET` record, host byte order.
//!
//! Request, 8 bytes: version, operation, two zeros, sequence number (4).
//! Reply, 12 bytes and payload: version, kind, two zeros, sequence number of the request (4), value (4), payload.
//! A long answer comes in [`Kind::Part`] messages and ends with [`Kind::Last`].
//!
//! Both decoders are total: whatever comes is a message or a refusal. Neither side trusts the other's.

/// The layout above.
pub(super) const VERSION: u8 = 1;
/// Length of every request.
pub(super) const REQUEST_BYTES: usize = 8;
/// Length of a reply without payload.
pub(super) const HEADER_BYTES: usize = 12;
/// The most payload in one reply.
pub(super) const PART_BYTES: usize = 32 * 1024 - HEADER_BYTES;
/// The longest message of all.
pub(super) const MESSAGE_BYTES: usize = HEADER_BYTES + PART_BYTES;

/// What can be asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Operation {
    OpenPacketSocket,
    Owners,
    /// A raw socket for ICMP of IPv4 or, with `v6`, IPv6.
    OpenIcmpSocket {
        v6: bool,
    },
    /// The same for TCP.
    OpenTcpSocket {
        v6: bool,
    },
}

/// One question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Request {
    pub sequence: u32,
    pub operation: Operation,
}

/// Why there is no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Failure {
    /// The kernel's error number.
    System(i32),
    /// The owners function wrote this many bytes.
    TooLarge(u32),
    /// The owners function panicked.
    Panicked,
    /// The request was none.
    Refused,
}

/// What a reply is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// The first message of all: the child is confined. Payload: capability bits (8), filtered (1).
    Ready,
    /// A descriptor comes with it.
    Socket,
    /// Payload, and more follows.
    Part,
    /// Payload, and that is all.
    Last,
    /// No answer.
    Failed(Failure),
}

/// One reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Reply<'a> {
    pub sequence: u32,
    pub kind: Kind,
    pub payload: &'a [u8],
}

impl Request {
    pub(super) fn encode(self) -> [u8; REQUEST_BYTES] {
        let operation = match self.operation {
            Operation::OpenPacketSocket => 1,
            Operation::Owners => 2,
            Operation::OpenIcmpSocket { v6: false } => 3,
            Operation::OpenIcmpSocket { v6: true } => 4,
            Operation::OpenTcpSocket { v6: false } => 5,
            Operation::OpenTcpSocket { v6: true } => 6,
        };
        let [a, b, c, d] = self.sequence.to_ne_bytes();
        [VERSION, operation, 0, 0, a, b, c, d]
    }

    pub(super) fn decode(message: &[u8]) -> Option<Self> {
        let &[VERSION, operation, 0, 0, a, b, c, d] = message else { return None };
        let operation = match operation {
            1 => Operation::OpenPacketSocket,
            2 => Operation::Owners,
            3 => Operation::OpenIcmpSocket { v6: false },
            4 => Operation::OpenIcmpSocket { v6: true },
            5 => Operation::OpenTcpSocket { v6: false },
            6 => Operation::OpenTcpSocket { v6: true },
            _ => return None,
        };
        Some(Self { sequence: u32::from_ne_bytes([a, b, c, d]), operation })
    }
}

impl<'a> Reply<'a> {
    pub(super) fn new(sequence: u32, kind: Kind) -> Self {
        Self { sequence, kind, payload: &[] }
    }

    /// The first 12 bytes.
    pub(super) fn header(&self) -> [u8; HEADER_BYTES] {
        let (kind, value) = match self.kind {
            Kind::Ready => (0, 0),
            Kind::Socket => (1, 0),
            Kind::Part => (2, 0),
            Kind::Last => (3, 0),
            Kind::Failed(Failure::System(errno)) => (4, errno.cast_unsigned()),
            Kind::Failed(Failure::TooLarge(bytes)) => (5, bytes),
            Kind::Failed(Failure::Panicked) => (6, 0),
            Kind::Failed(Failure::Refused) => (7, 0),
        };
        let ([a, b, c, d], [e, f, g, h]) = (self.sequence.to_ne_bytes(), value.to_ne_bytes());
        [VERSION, kind, 0, 0, a, b, c, d, e, f, g, h]
    }

    pub(super) fn decode(message: &'a [u8]) -> Option<Self> {
        let (header, payload) = message.split_first_chunk::<HEADER_BYTES>()?;
        let &[VERSION, kind, 0, 0, a, b, c, d, e, f, g, h] = header else { return None };
        let value = u32::from_ne_bytes([e, f, g, h]);
        let kind = match kind {
            0 => Kind::Ready,
            1 => Kind::Socket,
            2 => Kind::Part,
            3 => Kind::Last,
            4 => Kind::Failed(Failure::System(value.cast_signed())),
            5 => Kind::Failed(Failure::TooLarge(value)),
            6 => Kind::Failed(Failure::Panicked),
            7 => Kind::Failed(Failure::Refused),
            _ => return None,
        };
        (payload.len() <= PART_BYTES).then_some(Self { sequence: u32::from_ne_bytes([a, b, c, d]), kind, payload })
    }
}

/// The payload of [`Kind::Ready`].
pub(super) fn encode_ready(capabilities: u64, seccomp: bool) -> [u8; 9] {
    let [a, b, c, d, e, f, g, h] = capabilities.to_ne_bytes();
    [a, b, c, d, e, f, g, h, u8::from(seccomp)]
}

/// What [`encode_ready`] made.
pub(super) fn decode_ready(payload: &[u8]) -> Option<(u64, bool)> {
    let &[a, b, c, d, e, f, g, h, seccomp @ (0 | 1)] = payload else { return None };
    Some((u64::from_ne_bytes([a, b, c, d, e, f, g, h]), seccomp == 1))
}
