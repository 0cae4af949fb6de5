//! Numbers for people: three significant figures and an SI prefix.

#[cfg(feature = "server")]
use std::time::Duration;

/// `1.50 MB`
pub fn bytes(n: u64) -> String {
    scaled(n, "B")
}

/// `1.50 Mbit/s` of octets per second, or `188 kB/s`.
#[cfg(feature = "server")]
pub fn rate(octets_per_second: u64, bits: bool) -> String {
    if bits { scaled(octets_per_second.saturating_mul(8), "bit/s") } else { scaled(octets_per_second, "B/s") }
}

/// `12.3 k`, without a unit.
#[cfg(feature = "server")]
pub fn count(n: u64) -> String {
    scaled(n, "").trim_end().to_owned()
}

/// `12.3 s`, `45.6 ms`, `2 m 03 s`, `1 h 02 m`.
#[cfg(feature = "server")]
pub fn duration(d: Duration) -> String {
    let seconds = d.as_secs();
    match seconds {
        0 if d.as_millis() == 0 => format!("{} µs", d.as_micros()),
        0 => format!("{} ms", d.as_millis()),
        1..60 => format!("{:.1} s", d.as_secs_f64()),
        60..3600 => format!("{} m {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} m", seconds / 3600, seconds / 60 % 60),
    }
}

#[expect(clippy::cast_precision_loss, reason = "three figures are shown")]
fn scaled(n: u64, unit: &str) -> String {
    const PREFIXES: [&str; 7] = ["", "k", "M", "G", "T", "P", "E"];
    if n < 1000 {
        return format!("{n} {unit}");
    }
    let (mut value, mut prefix) = (n as f64, 0);
    // 999.5 would be shown as "1000".
    while value >= 999.5 && prefix + 1 < PREFIXES.len() {
        (value, prefix) = (value / 1000.0, prefix + 1);
    }
    let decimals = if value < 9.995 {
        2
    } else if value < 99.95 {
        1
    } else {
        0
    };
    format!("{value:.decimals$} {}{unit}", PREFIXES.get(prefix).unwrap_or(&""))
}

#[cfg(all(test, feature = "server"))]
mod tests {
    use super::*;

    #[test]
    fn three_figures_and_a_unit() {
        let texts: Vec<String> = [0, 999, 1000, 1500, 9_995, 12_345, 999_499, 999_500, u64::MAX].map(bytes).into();
        assert_eq!(texts, ["0 B", "999 B", "1.00 kB", "1.50 kB", "10.0 kB", "12.3 kB", "999 kB", "1.00 MB", "18.4 EB"]);
        assert_eq!(rate(125_000, true), "1.00 Mbit/s");
        assert_eq!(rate(125_000, false), "125 kB/s");
        assert_eq!(count(12_345), "12.3 k");
    }

    #[test]
    fn durations_by_size() {
        let shown = [0, 1_500, 45_600_000, 12_345_000_000, 123_000_000_000, 3_723_000_000_000]
            .map(|n| duration(Duration::from_nanos(n)));
        assert_eq!(shown, ["0 µs", "1 µs", "45 ms", "12.3 s", "2 m 03 s", "1 h 02 m"]);
    }
}
