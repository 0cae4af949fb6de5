//! How fast a capture file is replayed.
//!
//! A [`Pacer`] maps elapsed time to packet time. It reads no clock and never sleeps: it says up to which packet time frames are
//! due, and how long to wait for a frame.

use std::time::Duration;

use netwatch_model::Timestamp;

/// How fast.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub enum Speed {
    /// As fast as the machine can.
    #[default]
    Max,
    /// So many seconds of packet time for each second; above zero.
    Factor(f64),
}

/// A text that is not a speed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a speed: write `max`, or a factor above zero such as `1x` or `2.5x`")]
pub struct ParseSpeedError(String);

impl std::str::FromStr for Speed {
    type Err = ParseSpeedError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "max" {
            return Ok(Self::Max);
        }
        let factor = text.strip_suffix('x').unwrap_or(text).parse::<f64>().ok();
        factor
            .filter(|factor| factor.is_finite() && *factor > 0.0)
            .map(Self::Factor)
            .ok_or_else(|| ParseSpeedError(text.to_owned()))
    }
}

/// Keeps packet time in step with elapsed time.
#[derive(Clone, Copy, Debug)]
pub struct Pacer {
    speed: Speed,
    /// The first packet, and when it was handed over.
    origin: Option<(Timestamp, Duration)>,
}

impl Pacer {
    /// A pacer that has seen nothing.
    #[must_use]
    pub const fn new(speed: Speed) -> Self {
        Self { speed, origin: None }
    }

    /// Up to which packet time frames are due at `elapsed` (any monotonic clock); before the first frame, none.
    #[must_use]
    pub fn horizon(&self, elapsed: Duration) -> Timestamp {
        match (self.speed, self.origin) {
            (Speed::Max, _) => Timestamp::MAX,
            (Speed::Factor(_), None) => Timestamp::from_nanos(i64::MIN),
            (Speed::Factor(factor), Some((first, since))) => {
                let passed = elapsed.saturating_sub(since).as_secs_f64() * factor;
                first + Duration::try_from_secs_f64(passed).unwrap_or(Duration::MAX)
            }
        }
    }

    /// How long to wait until a frame of `time` is due. The first frame is due at once and sets the origin.
    pub fn wait(&mut self, time: Timestamp, elapsed: Duration) -> Duration {
        let Speed::Factor(factor) = self.speed else { return Duration::ZERO };
        let (first, since) = *self.origin.get_or_insert((time, elapsed));
        let due = time.since(first).as_secs_f64() / factor;
        let due = since.saturating_add(Duration::try_from_secs_f64(due).unwrap_or(Duration::MAX));
        due.saturating_sub(elapsed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_read_and_nonsense_is_refused() {
        assert_eq!("max".parse(), Ok(Speed::Max));
        assert_eq!("1x".parse(), Ok(Speed::Factor(1.0)));
        assert_eq!("2.5".parse(), Ok(Speed::Factor(2.5)));
        for text in ["", "x", "0x", "-1x", "nan", "inf", "fast"] {
            assert!(text.parse::<Speed>().is_err(), "{text}");
        }
    }

    #[test]
    fn twice_as_fast_halves_the_waiting() {
        let mut pacer = Pacer::new(Speed::Factor(2.0));
        let (first, start) = (Timestamp::from_secs(1000), Duration::from_secs(7));
        assert_eq!(pacer.wait(first, start), Duration::ZERO);
        assert_eq!(pacer.wait(Timestamp::from_secs(1004), start), Duration::from_secs(2));
        assert_eq!(pacer.horizon(start + Duration::from_secs(1)), Timestamp::from_secs(1002));
        assert_eq!(
            pacer.wait(Timestamp::from_secs(1004), start + Duration::from_secs(5)),
            Duration::ZERO,
            "late is due"
        );
        assert_eq!(pacer.wait(Timestamp::from_secs(900), start), Duration::ZERO, "time that goes back is due");
    }

    #[test]
    fn at_full_speed_everything_is_due() {
        let mut pacer = Pacer::new(Speed::Max);
        assert_eq!(pacer.horizon(Duration::ZERO), Timestamp::MAX);
        assert_eq!(pacer.wait(Timestamp::MAX, Duration::ZERO), Duration::ZERO);
    }
}
