//! Voice quality by the E-model (ITU-T G.107, narrowband): the one place where a path becomes an R-factor and a mean opinion score.
//!
//! [`Parameters`] are all inputs of the Recommendation with its defaults; [`Parameters::rate`] computes it in full. [`Call`] is what a
//! monitor of IP paths knows (delay, loss, burst ratio, codec), and gives the parameters of a call with perfect echo control: T = Tr = 0.
//!
//! Limits: narrowband only. Opus and wideband codecs have scales of their own (G.107.1, G.107.2), and are not given a score of this
//! one. The formulas are computed for any finite input; the Recommendation vouches for loss up to 20 per cent.

mod codec;
mod formula;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use codec::{Codec, ParseCodecError};

/// The inputs of the E-model, with the symbols of G.107 Table 2.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Parameters {
    /// SLR: sending loudness rating, dB.
    pub sending_loudness: f64,
    /// RLR: receiving loudness rating, dB.
    pub receiving_loudness: f64,
    /// STMR: sidetone masking rating, dB.
    pub sidetone: f64,
    /// LSTR: listener sidetone rating, dB.
    pub listener_sidetone: f64,
    /// Ds: D-value of the telephone at the sending side.
    pub send_d: f64,
    /// Dr: D-value of the telephone at the receiving side.
    pub receive_d: f64,
    /// TELR: talker echo loudness rating, dB.
    pub talker_echo: f64,
    /// WEPL: weighted echo path loss, dB.
    pub echo_path_loss: f64,
    /// T: mean one-way delay of the echo path, ms.
    pub echo_delay: f64,
    /// Tr: round-trip delay in a four-wire loop, ms.
    pub loop_delay: f64,
    /// Ta: absolute delay in echo-free connections, mouth to ear, ms.
    pub delay: f64,
    /// qdu: quantization distortion units.
    pub quantization: f64,
    /// Ie: equipment impairment factor.
    pub equipment: f64,
    /// Bpl: packet-loss robustness factor.
    pub robustness: f64,
    /// Ppl: random packet-loss probability, **per cent**.
    pub loss_percent: f64,
    /// BurstR: burst ratio; 1 for random loss.
    pub burst_ratio: f64,
    /// Nc: circuit noise referred to the 0 dBr point, dBm0p.
    pub circuit_noise: f64,
    /// Nfor: noise floor at the receiving side, dBmp.
    pub noise_floor: f64,
    /// Ps: room noise at the sending side, dB(A).
    pub send_room_noise: f64,
    /// Pr: room noise at the receiving side, dB(A).
    pub receive_room_noise: f64,
    /// A: advantage factor.
    pub advantage: f64,
    /// mT: least perceivable delay, ms.
    pub least_delay: f64,
    /// sT: delay sensitivity.
    pub delay_sensitivity: f64,
}

impl Default for Parameters {
    /// The defaults of G.107 Table 2.
    fn default() -> Self {
        Self {
            sending_loudness: 8.0,
            receiving_loudness: 2.0,
            sidetone: 15.0,
            listener_sidetone: 18.0,
            send_d: 3.0,
            receive_d: 3.0,
            talker_echo: 65.0,
            echo_path_loss: 110.0,
            echo_delay: 0.0,
            loop_delay: 0.0,
            delay: 0.0,
            quantization: 1.0,
            equipment: 0.0,
            robustness: 4.3,
            loss_percent: 0.0,
            burst_ratio: 1.0,
            circuit_noise: -70.0,
            noise_floor: -64.0,
            send_room_noise: 35.0,
            receive_room_noise: 35.0,
            advantage: 0.0,
            least_delay: 100.0,
            delay_sensitivity: 1.0,
        }
    }
}

/// What the E-model says of a connection, and what contributes to it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Rating {
    /// Ro: the basic signal-to-noise ratio.
    pub signal_to_noise: f64,
    /// Is: impairments that come with the voice signal itself.
    pub simultaneous: f64,
    /// Id: impairments by delay.
    pub delay: DelayImpairment,
    /// Ie,eff: impairment by codec and packet loss.
    pub equipment: f64,
    /// A: the advantage factor.
    pub advantage: f64,
    /// R: the transmission rating factor.
    pub r_factor: f64,
}

/// Id and its parts.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct DelayImpairment {
    /// Idte: talker echo.
    pub talker_echo: f64,
    /// Idle: listener echo.
    pub listener_echo: f64,
    /// Idd: too long an absolute delay.
    pub absolute: f64,
}

impl DelayImpairment {
    /// Id: their sum.
    #[must_use]
    pub fn total(self) -> f64 {
        self.talker_echo + self.listener_echo + self.absolute
    }
}

impl Rating {
    /// Mean opinion score (conversational, narrowband).
    #[must_use]
    pub fn mos(&self) -> f64 {
        mos(self.r_factor)
    }

    /// Share of people who would call it good or better, 0 to 1 (GoB of G.107 Annex B).
    #[must_use]
    pub fn good_or_better(&self) -> f64 {
        formula::normal((self.r_factor - 60.0) / 16.0)
    }

    /// Share of people who would call it poor or worse, 0 to 1 (PoW of G.107 Annex B).
    #[must_use]
    pub fn poor_or_worse(&self) -> f64 {
        formula::normal((45.0 - self.r_factor) / 16.0)
    }

    /// The word for it.
    #[must_use]
    pub fn grade(&self) -> Grade {
        Grade::of(self.mos())
    }
}

/// Mean opinion score of an R-factor (G.107 Annex B), within 1 and 4.5: the cubic dips to 0.989 at R = 3.2.
#[must_use]
pub fn mos(r: f64) -> f64 {
    if r <= 0.0 {
        return 1.0;
    }
    if r >= 100.0 {
        return 4.5;
    }
    (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).clamp(1.0, 4.5)
}

/// A word for a mean opinion score.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = VoiceGrade)]
pub enum Grade {
    /// Below 3.1.
    Bad,
    /// From 3.1.
    Poor,
    /// From 3.6.
    Fair,
    /// From 4.0.
    Good,
    /// From 4.3.
    Excellent,
}

impl Grade {
    /// Of a mean opinion score.
    #[must_use]
    pub fn of(mos: f64) -> Self {
        match mos {
            m if m >= 4.3 => Self::Excellent,
            m if m >= 4.0 => Self::Good,
            m if m >= 3.6 => Self::Fair,
            m if m >= 3.1 => Self::Poor,
            _ => Self::Bad,
        }
    }

    /// As the API names it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bad => "bad",
            Self::Poor => "poor",
            Self::Fair => "fair",
            Self::Good => "good",
            Self::Excellent => "excellent",
        }
    }
}

/// A call as a monitor of IP paths sees it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Call {
    /// The codec.
    pub codec: Codec,
    /// Mouth to ear, one way: network, packetisation and jitter buffer.
    pub delay: Duration,
    /// Share of packets that the listener does not hear, 0 to 1: lost, or too late for the buffer.
    pub loss: f64,
    /// Mean length of a run of lost packets over that of random loss; at least 1.
    pub burst_ratio: f64,
}

impl Call {
    /// The inputs of the E-model: the defaults, the codec's figures, and perfect echo control.
    #[must_use]
    pub fn parameters(&self) -> Parameters {
        Parameters {
            delay: self.delay.as_secs_f64() * 1000.0,
            equipment: self.codec.impairment(),
            robustness: self.codec.robustness(),
            loss_percent: finite(self.loss, 0.0).clamp(0.0, 1.0) * 100.0,
            burst_ratio: finite(self.burst_ratio, 1.0).max(1.0),
            ..Parameters::default()
        }
    }

    /// What the E-model says of it.
    #[must_use]
    pub fn rate(&self) -> Rating {
        self.parameters().rate()
    }
}

fn finite(value: f64, otherwise: f64) -> f64 {
    if value.is_finite() { value } else { otherwise }
}

#[cfg(test)]
mod tests;
