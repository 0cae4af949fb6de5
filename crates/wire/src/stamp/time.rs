//! The stamps of test packets, and how far a clock is trusted.
//!
//! A stamp has 64 bits: seconds since 1900 and a fraction of 2^32 (NTP, RFC 5905), or seconds and nanoseconds (PTP, IEEE 1588). Which of
//! both is said by the error estimate beside it. The seconds of NTP begin again in 2036; a stamp is taken from the era that is nearest to
//! the time at which it is read.

use std::time::Duration;

use netwatch_model::Timestamp;

/// Seconds from 1900 to 1970.
const NTP_TO_UNIX: u32 = 2_208_988_800;

/// 64 bits of a stamp.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct StampTime(u64);

impl StampTime {
    /// In the format of NTP.
    #[must_use]
    pub fn ntp(time: Timestamp) -> Self {
        let nanos = time.nanos();
        let (seconds, rest) = (nanos.div_euclid(1_000_000_000), nanos.rem_euclid(1_000_000_000));
        let fraction = ((rest.unsigned_abs() << 32) + 500_000_000) / 1_000_000_000;
        Self((u64::from(low32(seconds).wrapping_add(NTP_TO_UNIX)) << 32) | fraction)
    }

    /// In the format of PTP.
    #[must_use]
    pub fn ptp(time: Timestamp) -> Self {
        let nanos = time.nanos();
        let (seconds, rest) = (nanos.div_euclid(1_000_000_000), nanos.rem_euclid(1_000_000_000));
        Self((u64::from(low32(seconds)) << 32) | rest.unsigned_abs())
    }

    /// The time that it says, of the era nearest to `near`. PTP counts leap seconds (TAI); differences of its stamps are right, and the
    /// time itself is ahead of UTC by the seconds that have been put in.
    #[must_use]
    pub fn to_timestamp(self, ptp: bool, near: Timestamp) -> Timestamp {
        let (seconds, low) = ((self.0 >> 32) as u32, self.0 & u64::from(u32::MAX));
        let (seconds, nanos) = if ptp {
            (seconds, low.min(999_999_999))
        } else {
            (seconds.wrapping_sub(NTP_TO_UNIX), (low * 1_000_000_000 + (1 << 31)) >> 32)
        };
        // The difference to `near` modulo 2^32, from -2^31 to 2^31 seconds (68 years).
        let difference = seconds.wrapping_sub(low32(near.secs())).cast_signed();
        let seconds = near.secs().saturating_add(i64::from(difference));
        Timestamp::from_secs(seconds) + Duration::from_nanos(nanos)
    }

    /// As it stands in a packet.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }

    /// From a packet.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(u64::from_be_bytes(bytes))
    }
}

/// Seconds are counted modulo 2^32 on the wire.
const fn low32(seconds: i64) -> u32 {
    (seconds & 0xffff_ffff) as u32
}

/// How far a clock is trusted (RFC 4656, 4.1.2; RFC 8186 for the bit Z).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ErrorEstimate(u16);

impl Default for ErrorEstimate {
    /// Not synchronised; the smallest error that can be said.
    fn default() -> Self {
        Self(1)
    }
}

impl ErrorEstimate {
    const SYNCHRONISED: u16 = 0x8000;
    const PTP: u16 = 0x4000;

    /// An error of at most `error`, rounded up. `synchronised` only when the clock follows UTC by an external source.
    #[must_use]
    pub fn of(error: Duration, synchronised: bool) -> Self {
        let units = (error.as_nanos() << 32).div_ceil(1_000_000_000); // of 2^-32 s
        let fits = |scale: &u16| units.div_ceil(1 << scale) <= 255;
        let scale = (0..64).find(fits).unwrap_or(63);
        let multiplier = u16::try_from(units.div_ceil(1 << scale)).unwrap_or(255).clamp(1, 255);
        Self(if synchronised { Self::SYNCHRONISED } else { 0 } | (scale << 8) | multiplier)
    }

    /// The same for stamps in the format of PTP.
    #[must_use]
    pub const fn with_ptp(self) -> Self {
        Self(self.0 | Self::PTP)
    }

    /// Whether the clock follows UTC by an external source.
    #[must_use]
    pub const fn is_synchronised(self) -> bool {
        self.0 & Self::SYNCHRONISED != 0
    }

    /// Whether the stamps beside it are in the format of PTP.
    #[must_use]
    pub const fn is_ptp(self) -> bool {
        self.0 & Self::PTP != 0
    }

    /// A multiplier of zero is not allowed.
    #[must_use]
    pub const fn is_valid(self) -> bool {
        self.0 & 0xff != 0
    }

    /// Seconds: multiplier · 2^-32 · 2^scale.
    #[must_use]
    pub fn seconds(self) -> f64 {
        let scale = i32::from((self.0 >> 8) & 0x3f);
        f64::from(self.0 & 0xff) * 2_f64.powi(scale - 32)
    }

    /// As it stands in a packet.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 2] {
        self.0.to_be_bytes()
    }

    /// From a packet.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 2]) -> Self {
        Self(u16::from_be_bytes(bytes))
    }
}
