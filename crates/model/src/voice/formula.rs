//! The formulas of G.107 clause 7, with its symbols and its numbering (edition 06/2015).

use super::{DelayImpairment, Parameters, Rating};

impl Parameters {
    /// R = Ro − Is − Id − Ie,eff + A (equation 7-1).
    #[must_use]
    pub fn rate(&self) -> Rating {
        let noise = self.noise();
        let ro = 15.0 - 1.5 * (self.sending_loudness + noise); // 7-2
        let ist = self.sidetone_impairment();
        let is = self.loudness_impairment(noise) + ist + self.quantizing_impairment(ro); // 7-8
        let delay = DelayImpairment {
            talker_echo: self.talker_echo_impairment(noise, ist),
            listener_echo: self.listener_echo_impairment(ro),
            absolute: self.absolute_delay_impairment(),
        };
        let equipment = self.equipment_impairment();
        let r_factor = ro - is - delay.total() - equipment + self.advantage;
        Rating { signal_to_noise: ro, simultaneous: is, delay, equipment, advantage: self.advantage, r_factor }
    }

    /// OLR: overall loudness rating.
    fn overall_loudness(&self) -> f64 {
        self.sending_loudness + self.receiving_loudness // 7-5
    }

    /// No: the power of all noise sources at the 0 dBr point, dBm0p (7-3 to 7-7).
    fn noise(&self) -> f64 {
        let (slr, rlr, olr) = (self.sending_loudness, self.receiving_loudness, self.overall_loudness());
        let (ps, ds) = (self.send_room_noise, self.send_d);
        let nos = ps - slr - ds - 100.0 + 0.004 * (ps - olr - ds - 14.0).powi(2);
        let pre = self.receive_room_noise + 10.0 * (1.0 + power(10.0 - self.listener_sidetone)).log10();
        let nor = rlr - 121.0 + pre + 0.008 * (pre - 35.0).powi(2);
        let nfo = self.noise_floor + rlr;
        10.0 * [self.circuit_noise, nos, nor, nfo].into_iter().map(power).sum::<f64>().log10()
    }

    /// Iolr: too low an overall loudness (7-9, 7-10).
    fn loudness_impairment(&self, noise: f64) -> f64 {
        let x = self.overall_loudness() + 0.2 * (64.0 + noise - self.receiving_loudness);
        20.0 * ((1.0 + (x / 8.0).powi(8)).powf(1.0 / 8.0) - x / 8.0)
    }

    /// Ist: a sidetone that is not optimal (7-11, 7-12).
    fn sidetone_impairment(&self) -> f64 {
        let echo = (-self.echo_delay / 4.0).exp() * power(-self.talker_echo);
        let stmro = -10.0 * (power(-self.sidetone) + echo).log10();
        let even = (1.0 + ((stmro - 13.0) / 6.0).powi(8)).powf(1.0 / 8.0);
        // The odd powers keep their sign.
        let odd = |offset: f64, scale: f64, n: i32| {
            let base = 1.0 + ((stmro + offset) / scale).powi(n);
            base.signum() * base.abs().powf(1.0 / f64::from(n))
        };
        12.0 * even - 28.0 * odd(1.0, 19.4, 35) - 13.0 * odd(-3.0, 33.0, 13) + 29.0
    }

    /// Iq: quantizing distortion (7-13 to 7-17).
    fn quantizing_impairment(&self, ro: f64) -> f64 {
        let q = 37.0 - 15.0 * self.quantization.max(1.0).log10();
        let g = 1.07 + 0.258 * q + 0.0602 * q * q;
        let y = (ro - 100.0) / 15.0 + 46.0 / 8.4 - g / 9.0;
        let z = 46.0 / 30.0 - g / 40.0;
        15.0 * (1.0 + 10_f64.powf(y) + 10_f64.powf(z)).log10()
    }

    /// Idte: talker echo (7-19 to 7-24).
    fn talker_echo_impairment(&self, noise: f64, ist: f64) -> f64 {
        let t = self.echo_delay;
        let ratio = (1.0 + t / 10.0) / (1.0 + t / 150.0);
        let mut terv = self.talker_echo - 40.0 * ratio.log10() + 6.0 * (-0.3 * t * t).exp();
        if self.sidetone < 9.0 {
            terv += ist / 2.0; // 7-23: a loud sidetone masks the echo
        }
        let re = 80.0 + 2.5 * (terv - 14.0);
        let roe = -1.5 * (noise - self.receiving_loudness);
        let half = (roe - re) / 2.0;
        let idte = (half + (half * half + 100.0).sqrt() - 1.0) * (1.0 - (-t).exp());
        if self.sidetone > 20.0 { idte.hypot(ist) } else { idte } // 7-24
    }

    /// Idle: listener echo (7-25, 7-26).
    fn listener_echo_impairment(&self, ro: f64) -> f64 {
        let rle = 10.5 * (self.echo_path_loss + 7.0) * (self.loop_delay + 1.0).powf(-0.25);
        let half = (ro - rle) / 2.0;
        half + (half * half + 169.0).sqrt()
    }

    /// Idd: an absolute delay that is too long even with perfect echo cancelling (7-27, 7-28).
    fn absolute_delay_impairment(&self) -> f64 {
        if self.delay <= self.least_delay {
            return 0.0;
        }
        let x = (self.delay / self.least_delay).log2();
        let n = 6.0 * self.delay_sensitivity;
        let root = |x: f64| (1.0 + x.powf(n)).powf(1.0 / n);
        25.0 * (root(x) - 3.0 * root(x / 3.0) + 2.0)
    }

    /// Ie,eff: codec and packet loss (7-29).
    fn equipment_impairment(&self) -> f64 {
        let (ie, ppl) = (self.equipment, self.loss_percent);
        ie + (95.0 - ie) * ppl / (ppl / self.burst_ratio + self.robustness)
    }
}

/// The power that a level in dB stands for.
fn power(level: f64) -> f64 {
    10_f64.powf(level / 10.0)
}

/// The distribution function of the normal distribution (Abramowitz and Stegun 26.2.17; error below 7.5e-8).
pub(super) fn normal(x: f64) -> f64 {
    const B: [f64; 5] = [0.319_381_530, -0.356_563_782, 1.781_477_937, -1.821_255_978, 1.330_274_429];
    let t = 1.0 / (1.0 + 0.231_641_9 * x.abs());
    let polynomial = B.iter().rev().fold(0.0, |sum, b| (sum + b) * t);
    let upper = (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt() * polynomial;
    if x < 0.0 { upper } else { 1.0 - upper }
}
