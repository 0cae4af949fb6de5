//! The codecs that the E-model has figures for (ITU-T G.113 Appendix I), and how long they hold speech back.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A narrowband codec.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Codec {
    /// G.711 with packet-loss concealment (G.711 Appendix I).
    #[default]
    G711Plc,
    /// G.711 without concealment.
    G711,
    /// G.729A with voice activity detection.
    G729a,
    /// G.723.1 at 6.3 kbit/s with voice activity detection.
    G7231,
    /// GSM enhanced full rate.
    GsmEfr,
}

impl Codec {
    /// Every codec.
    pub const ALL: [Self; 5] = [Self::G711Plc, Self::G711, Self::G729a, Self::G7231, Self::GsmEfr];

    /// As files, the API and the command line name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::G711Plc => "g711-plc",
            Self::G711 => "g711",
            Self::G729a => "g729a",
            Self::G7231 => "g723.1",
            Self::GsmEfr => "gsm-efr",
        }
    }

    /// Ie: equipment impairment factor without loss.
    #[must_use]
    pub const fn impairment(self) -> f64 {
        match self {
            Self::G711Plc | Self::G711 => 0.0,
            Self::G729a => 11.0,
            Self::G7231 => 15.0,
            Self::GsmEfr => 5.0,
        }
    }

    /// Bpl: packet-loss robustness factor.
    #[must_use]
    pub const fn robustness(self) -> f64 {
        match self {
            Self::G711Plc => 25.1,
            Self::G711 => 4.3,
            Self::G729a => 19.0,
            Self::G7231 => 16.1,
            Self::GsmEfr => 10.0,
        }
    }

    /// How long the first sample of a packet waits before the packet leaves: the speech in it, and the codec's look-ahead.
    ///
    /// A packet holds at least one frame of the codec, and is not taken to hold more than 60 ms when packets are sent more rarely.
    #[must_use]
    pub fn packetisation(self, spacing: Duration) -> Duration {
        const LONGEST: Duration = Duration::from_millis(60);
        spacing.clamp(self.frame(), LONGEST) + self.look_ahead()
    }

    /// Speech in one frame. G.711 has samples, not frames: 10 ms is the shortest packet in use.
    const fn frame(self) -> Duration {
        match self {
            Self::G711Plc | Self::G711 | Self::G729a => Duration::from_millis(10),
            Self::G7231 => Duration::from_millis(30),
            Self::GsmEfr => Duration::from_millis(20),
        }
    }

    /// Speech that the codec has to have heard beyond the frame.
    const fn look_ahead(self) -> Duration {
        match self {
            Self::G711Plc | Self::G711 | Self::GsmEfr => Duration::ZERO,
            Self::G729a => Duration::from_millis(5),
            Self::G7231 => Duration::from_micros(7500),
        }
    }
}

/// A word that is no codec with figures in G.113.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "`{0}` is not a codec that voice quality can be reckoned for: use one of g711-plc, g711, g729a, g723.1, gsm-efr"
)]
pub struct ParseCodecError(String);

impl FromStr for Codec {
    type Err = ParseCodecError;
    fn from_str(text: &str) -> Result<Self, ParseCodecError> {
        let found = Self::ALL.into_iter().find(|codec| codec.name().eq_ignore_ascii_case(text));
        found.ok_or_else(|| ParseCodecError(text.chars().take(32).collect()))
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
