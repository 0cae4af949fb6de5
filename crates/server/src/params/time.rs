//! Points in time as people write them: RFC 3339, `now`, or so long ago (`-15m`, `-90s`, `-2h`, `-1d`).

use std::time::Duration;

use netwatch_model::Timestamp;

/// A text that is none of these.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time: write it as 2026-11-21T04:00:00Z, `now`, or so long ago as `-15m`, `-90s`, `-2h`, `-1d`")]
pub(crate) struct TimeError(String);

/// Reads a time relative to `now`.
pub(crate) fn parse(text: &str, now: Timestamp) -> Result<Timestamp, TimeError> {
    if text == "now" {
        return Ok(now);
    }
    let relative = text.strip_prefix('-').and_then(parse_span).map(|ago| now - ago);
    relative.or_else(|| text.parse().ok()).ok_or_else(|| TimeError(text.chars().take(40).collect()))
}

/// A whole number and its unit.
fn parse_span(text: &str) -> Option<Duration> {
    let unit = text.find(|c: char| !c.is_ascii_digit())?;
    let (digits, unit) = text.split_at_checked(unit)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86400,
        _ => return None,
    };
    digits.parse::<u32>().ok().map(|n| Duration::from_secs(u64::from(n) * seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_all_three_forms() {
        let now = Timestamp::from_secs(1_000_000);
        let cases = [("now", 1_000_000), ("-90s", 999_910), ("-15m", 999_100), ("-2h", 992_800), ("-1d", 913_600)];
        for (text, secs) in cases {
            assert_eq!(parse(text, now), Ok(Timestamp::from_secs(secs)), "{text}");
        }
        assert_eq!(parse("1970-01-01T00:01:00Z", now), Ok(Timestamp::from_secs(60)));
        assert_eq!(parse("1970-01-01T02:01:00+02:00", now), Ok(Timestamp::from_secs(60)));
    }

    #[test]
    fn refuses_everything_else() {
        for text in ["", "-", "-m", "-5", "-5w", "15m", "+5m", "-99999999999s", "yesterday", "1970-01-01", "-5mm"] {
            assert!(parse(text, Timestamp::ZERO).is_err(), "{text}");
        }
    }
}
