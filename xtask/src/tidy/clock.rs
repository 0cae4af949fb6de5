//! The clock is read in one module; everything else is given `now`.
//!
//! The timer of tokio (`tokio::time::Instant`) is not meant: it is for the deadlines of shells, and stands still in tests that pause it.

use super::Violation;
use super::rust;
use crate::tree::Tree;

const THE_MODULE: &str = "crates/telemetry/src/clock";
const READS: &[&str] = &[
    "Instant::now",
    "SystemTime::now",
    "ClockId::Realtime",
    "ClockId::Monotonic",
    "ClockId::Boottime",
    "CLOCK_REALTIME",
    "CLOCK_MONOTONIC",
    "CLOCK_BOOTTIME",
    "Utc::now",
    "Local::now",
    "Zoned::now",
    "Timestamp::now",
    "UNIX_EPOCH.elapsed",
];

/// No read of a clock outside of the one module.
pub fn read_in_one_module(tree: &Tree) -> Vec<Violation> {
    let message = |read| format!("`{read}` reads the clock: take `now` as a value, or call {THE_MODULE}.rs");
    rust::files(tree)
        .filter(|file| !file.path.starts_with(THE_MODULE))
        .flat_map(|file| {
            let has_timer = file.code.iter().any(|code| code.contains("tokio::time::") && code.contains("Instant"));
            file.find(READS)
                .filter(|(_, read)| !(has_timer && *read == "Instant::now"))
                .map(|(line, read)| Violation::new(file.path, line, message(read)))
                .collect::<Vec<_>>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::assert_finds;
    use super::*;

    #[test]
    fn a_read_elsewhere_is_found() {
        let text = "fn a() {\n    // Instant::now in a comment\n    Instant::now();\n}\n";
        assert_finds(
            read_in_one_module,
            &[("crates/x/src/a.rs", text), ("crates/telemetry/src/clock.rs", text)],
            &[("crates/x/src/a.rs", 3)],
        );
    }
}
