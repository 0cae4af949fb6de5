//! The extensions of test packets (RFC 8972 section 4): type, length, value, with flags that say what a reflector made of them.
//!
//! A sender writes them with [`request`], so that the packet gets the size that was asked for; a reflector fills them in place
//! ([`super::reflect`]); the sender reads the answers with [`answers`].

use super::Key;
use super::key::TAG;
use crate::reader::Reader;

/// Extensions of a packet that are looked at.
pub const MAX_TLVS: usize = 32;
/// Octets before a value.
pub const HEADER: usize = 4;

/// Set by the sender, cleared by a reflector that knows the type (U).
pub const UNRECOGNIZED: u8 = 0x80;
/// Set by a reflector that cannot read the extension (M).
pub const MALFORMED: u8 = 0x40;
/// Set by a reflector when the HMAC of the extensions is not right (I).
pub const NOT_AUTHENTIC: u8 = 0x20;

/// Types of extensions.
pub mod kind {
    /// Octets that make the packet longer.
    pub const EXTRA_PADDING: u8 = 1;
    /// Addresses and ports with which the packet arrived.
    pub const LOCATION: u8 = 2;
    /// Where the reflector's stamps come from.
    pub const TIMESTAMP_INFORMATION: u8 = 3;
    /// DSCP with which the packet arrived and with which the answer shall leave.
    pub const CLASS_OF_SERVICE: u8 = 4;
    /// Counts of packets.
    pub const DIRECT_MEASUREMENT: u8 = 5;
    /// Authenticates the extensions before it.
    pub const HMAC: u8 = 8;
}

/// One extension.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tlv<'a> {
    /// [`UNRECOGNIZED`], [`MALFORMED`], [`NOT_AUTHENTIC`].
    pub flags: u8,
    /// A type of [`kind`], or another.
    pub kind: u8,
    /// What it says.
    pub value: &'a [u8],
}

impl Tlv<'_> {
    /// Whether the reflector knew it and filled it.
    #[must_use]
    pub const fn is_answered(&self) -> bool {
        self.flags & (UNRECOGNIZED | MALFORMED | NOT_AUTHENTIC) == 0
    }
}

/// Reads extensions one after the other; ends at the first that is cut, and after [`MAX_TLVS`].
pub fn tlvs(bytes: &[u8]) -> impl Iterator<Item = Tlv<'_>> {
    let mut reader = Reader::new(bytes);
    std::iter::from_fn(move || {
        let mut ahead = reader;
        let (flags, kind) = (ahead.u8()?, ahead.u8()?);
        let value = ahead.vector16()?;
        reader = ahead;
        Some(Tlv { flags, kind, value })
    })
    .take(MAX_TLVS)
}

/// Writes an extension as a sender does: with the flag U.
pub fn push(out: &mut Vec<u8>, kind: u8, value: &[u8]) {
    let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
    out.extend([UNRECOGNIZED, kind]);
    out.extend(length.to_be_bytes());
    out.extend(value.iter().take(usize::from(length)));
}

/// Octets of the least request that has class of service.
const COS: usize = HEADER + ClassOfService::LENGTH;
const HMAC: usize = HEADER + TAG;

/// Writes what a sender asks for into `room` octets: the class of service when it fits, and padding to the end. With a key the class of
/// service is authenticated (RFC 8972, 4.8), and left out when the HMAC does not fit. Fewer than four octets stay zero: no extension is
/// that short.
pub fn request(out: &mut Vec<u8>, room: usize, dscp: u8, sequence: u32, key: Option<&Key>) {
    let begin = out.len();
    let end = begin + room;
    let wanted = COS + if key.is_some() { HMAC } else { 0 };
    let fits = |used: usize| room.checked_sub(used).is_some_and(|left| left == 0 || left >= HEADER);
    if fits(wanted) {
        push(out, kind::CLASS_OF_SERVICE, &ClassOfService { wanted: dscp, ..ClassOfService::default() }.to_bytes());
        if let (Some(key), Some(before)) = (key, out.get(begin..)) {
            let tag = key.tag(&[&sequence.to_be_bytes(), before]);
            push(out, kind::HMAC, &tag);
        }
    }
    while let Some(left) = end.checked_sub(out.len()).filter(|left| *left >= HEADER) {
        let length = u16::try_from(left - HEADER).unwrap_or(u16::MAX - 8);
        out.extend([UNRECOGNIZED, kind::EXTRA_PADDING]);
        out.extend(length.to_be_bytes());
        out.resize(out.len() + usize::from(length), 0);
    }
    out.resize(end, 0);
}

/// What a reflector answered to extensions.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Answers {
    /// The class of service.
    pub class_of_service: Option<ClassOfService>,
    /// Where its stamps come from.
    pub timestamps: Option<TimestampInformation>,
}

/// Reads the answers. With a key nothing is believed that no HMAC covers.
#[must_use]
pub fn answers(bytes: &[u8], sequence: u32, key: Option<&Key>) -> Answers {
    let mut answers = Answers::default();
    let mut read = 0;
    for tlv in tlvs(bytes) {
        let before = bytes.get(..read).unwrap_or_default();
        read += HEADER + tlv.value.len();
        match tlv.kind {
            kind::HMAC => {
                let authentic = key.is_none_or(|key| key.is_tag(&[&sequence.to_be_bytes(), before], tlv.value));
                return if authentic { answers } else { Answers::default() };
            }
            _ if !tlv.is_answered() => {}
            kind::CLASS_OF_SERVICE => answers.class_of_service = ClassOfService::from_bytes(tlv.value),
            kind::TIMESTAMP_INFORMATION => answers.timestamps = TimestampInformation::from_bytes(tlv.value),
            _ => {}
        }
    }
    if key.is_none() { answers } else { Answers::default() }
}

/// Class of service (RFC 8972, 4.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ClassOfService {
    /// DSCP1: with which the answer shall leave.
    pub wanted: u8,
    /// DSCP2: with which the packet arrived at the reflector.
    pub arrived: u8,
    /// ECN with which it arrived.
    pub ecn: u8,
    /// RP: 0 when the answer leaves as wanted, 1 when the reflector's policy does not allow it.
    pub reverse_path: u8,
}

impl ClassOfService {
    /// Octets of the value.
    pub const LENGTH: usize = 4;

    /// As it stands in a packet.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; Self::LENGTH] {
        let high = (self.wanted & 0x3f) << 2 | (self.arrived & 0x3f) >> 4;
        let low = (self.arrived & 0x0f) << 4 | (self.ecn & 3) << 2 | self.reverse_path & 3;
        [high, low, 0, 0]
    }

    /// From a packet.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let [high, low, _, _] = *bytes.as_array::<{ Self::LENGTH }>()?;
        let arrived = (high & 3) << 4 | low >> 4;
        Some(Self { wanted: high >> 2, arrived, ecn: (low >> 2) & 3, reverse_path: low & 3 })
    }
}

/// Where stamps come from (RFC 8972, 4.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TimestampInformation {
    /// What the clock of T2 follows: 1 NTP, 2 PTP, 5 nothing.
    pub source_in: u8,
    /// How T2 is taken: 1 by hardware, 2 by software, 3 by the control plane.
    pub method_in: u8,
    /// The same for T3.
    pub source_out: u8,
    /// The same for T3.
    pub method_out: u8,
}

impl TimestampInformation {
    /// Octets of the value.
    pub const LENGTH: usize = 4;
    /// The clock follows NTP.
    pub const NTP: u8 = 1;
    /// The clock runs free.
    pub const FREE: u8 = 5;
    /// The stamp is taken by software of this host.
    pub const SOFTWARE: u8 = 2;

    /// As it stands in a packet.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; Self::LENGTH] {
        [self.source_in, self.method_in, self.source_out, self.method_out]
    }

    /// From a packet.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let [source_in, method_in, source_out, method_out] = *bytes.as_array::<{ Self::LENGTH }>()?;
        Some(Self { source_in, method_in, source_out, method_out })
    }
}
