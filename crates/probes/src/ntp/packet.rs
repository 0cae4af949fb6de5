//! Packets of NTP version 4 (RFC 5905, 7.3): the question of a client, and what an answer says.

use std::io;
use std::net::Ipv4Addr;

use netwatch_model::probe::FailureReason;
use netwatch_model::{Timestamp, Untrusted};

/// Octets of the header.
const HEADER: usize = 48;
/// Leap indicator 3: the clock is not synchronised.
pub(super) const LEAP_UNKNOWN: u8 = 3;
/// Stratum 16: not synchronised.
pub(super) const UNSYNCHRONISED: u8 = 16;
/// Seconds from 1900, when era 0 of NTP begins, to 1970.
const TO_UNIX: i64 = 2_208_988_800;
/// Units of a fraction in a second.
const FRACTION: f64 = 4_294_967_296.0;

/// A time in NTP: seconds and 2⁻³² seconds of its era.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stamp(pub(super) u64);

/// What a server says.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Answer {
    pub(super) leap: u8,
    pub(super) version: u8,
    pub(super) stratum: u8,
    /// Seconds.
    pub(super) root_delay: f64,
    /// Seconds.
    pub(super) root_dispersion: f64,
    pub(super) reference: Untrusted,
    /// When the question arrived there.
    pub(super) receive: Stamp,
    /// When the answer left.
    pub(super) transmit: Stamp,
}

/// An answer that cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum PacketError {
    /// It does not carry our stamp back.
    #[error("it belongs to another question")]
    NotOurs,
    /// It is too short, or no answer of a server.
    #[error("it is no answer of an NTP server")]
    Malformed,
    /// Stratum 0: the server refuses, and says why (RFC 5905, 7.4).
    #[error("the server refuses with the kiss code {0}: ask less often, or ask another server")]
    Kiss(Untrusted),
    /// A clock that stands at zero.
    #[error("the server has no time to give")]
    NoTime,
}

impl PacketError {
    pub(super) const fn reason(&self) -> FailureReason {
        match self {
            Self::NotOurs | Self::Malformed => FailureReason::Malformed,
            Self::Kiss(_) | Self::NoTime => FailureReason::Unexpected,
        }
    }
}

impl Stamp {
    /// Of a wall clock time.
    #[expect(clippy::cast_sign_loss, reason = "both parts are taken modulo their range: an era has 2^32 seconds")]
    pub(super) const fn of(time: Timestamp) -> Self {
        let seconds = (time.secs() + TO_UNIX) as u64;
        let nanos = time.nanos().rem_euclid(1_000_000_000) as u64;
        Self((seconds << 32) | ((nanos << 32) / 1_000_000_000))
    }

    /// Seconds from `other` to this, across the end of an era, too (RFC 5905, 6).
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_wrap,
        reason = "a difference of up to 68 years, to a fraction of a microsecond"
    )]
    pub(super) const fn since(self, other: Self) -> f64 {
        self.0.wrapping_sub(other.0) as i64 as f64 / FRACTION
    }
}

/// A number that the answer must carry back: it stands where our time would, which is nobody's business (RFC 9109 and the draft on data minimization).
pub(super) fn cookie() -> io::Result<u64> {
    let mut octets = [0_u8; 8];
    getrandom::fill(&mut octets).map_err(io::Error::other)?;
    Ok(u64::from_be_bytes(octets))
}

/// The question of a client: version 4, mode 3, and nothing of ours but the cookie.
pub(super) fn request(cookie: u64) -> [u8; HEADER] {
    let mut packet = [0_u8; HEADER];
    packet[0] = 4 << 3 | 3;
    packet[40..].copy_from_slice(&cookie.to_be_bytes());
    packet
}

/// Reads the answer to the question with this cookie.
pub(super) fn read(octets: &[u8], cookie: u64) -> Result<Answer, PacketError> {
    let header: &[u8; HEADER] = octets.first_chunk().ok_or(PacketError::Malformed)?;
    let word = |at: usize| header.get(at..at + 8).and_then(|w| w.first_chunk()).map_or(0, |w| u64::from_be_bytes(*w));
    let (mode, version, leap) = (header[0] & 7, header[0] >> 3 & 7, header[0] >> 6);
    if mode != 4 || !(1..=4).contains(&version) {
        return Err(PacketError::Malformed);
    }
    if word(24) != cookie {
        return Err(PacketError::NotOurs);
    }
    let (stratum, roots, identity) = (header[1], word(4), &header[12..16]);
    if stratum == 0 {
        return Err(PacketError::Kiss(ascii(identity)));
    }
    if word(40) == 0 || word(32) == 0 {
        return Err(PacketError::NoTime);
    }
    Ok(Answer {
        leap,
        version,
        stratum,
        root_delay: short(roots >> 32),
        root_dispersion: short(roots & 0xffff_ffff),
        reference: reference(stratum, identity),
        receive: Stamp(word(32)),
        transmit: Stamp(word(40)),
    })
}

/// Seconds of NTP's short form: 16 bits and a fraction of 16.
#[expect(clippy::cast_precision_loss, reason = "32 bits")]
fn short(word: u64) -> f64 {
    word as f64 / 65_536.0
}

/// A reference clock has a name (stratum 1), everything else the address of its server, or a hash of it (RFC 5905, 7.3).
fn reference(stratum: u8, identity: &[u8]) -> Untrusted {
    match <[u8; 4]>::try_from(identity) {
        Ok(octets) if stratum > 1 => Untrusted::new(&Ipv4Addr::from(octets).to_string()),
        _ => ascii(identity),
    }
}

fn ascii(identity: &[u8]) -> Untrusted {
    let end = identity.iter().rposition(|octet| *octet != 0).map_or(0, |last| last + 1);
    Untrusted::from_bytes(identity.get(..end).unwrap_or_default())
}
