//! Which file a record lies in: one file for each kind and day, and for each month of rollups by hour and of events.
//!
//! A file's name says what it holds, so that retention is a deleted file and damage stays inside one day:
//! `flows-2026-11-21.duckdb`, `sample_hours-2026-11.duckdb`. Days and months are those of UTC.

use std::fmt;

use netwatch_model::Timestamp;

/// Milliseconds of a minute.
pub(crate) const MINUTE: i64 = 60_000;
/// Milliseconds of an hour.
pub(crate) const HOUR: i64 = 60 * MINUTE;
/// Milliseconds of a day.
pub(crate) const DAY: i64 = 24 * HOUR;
/// Name of what is set aside begins with the file's own name and this.
pub(crate) const CORRUPT: &str = ".corrupt-";
const SUFFIX: &str = ".duckdb";

/// What is stored, and kept for its own time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Kind {
    /// Samples as they came.
    Samples,
    /// Samples rolled up by minute.
    SampleMinutes,
    /// Samples rolled up by hour.
    SampleHours,
    /// Flow records as they came.
    Flows,
    /// Sums of flows by minute.
    FlowMinutes,
    /// Sums of flows by hour.
    FlowHours,
    /// Events.
    Events,
    /// Results of probes.
    ProbeResults,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::Samples,
        Self::SampleMinutes,
        Self::SampleHours,
        Self::Flows,
        Self::FlowMinutes,
        Self::FlowHours,
        Self::Events,
        Self::ProbeResults,
    ];

    /// The word used in every surface, and in file names.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Samples => "samples",
            Self::SampleMinutes => "sample_minutes",
            Self::SampleHours => "sample_hours",
            Self::Flows => "flows",
            Self::FlowMinutes => "flow_minutes",
            Self::FlowHours => "flow_hours",
            Self::Events => "events",
            Self::ProbeResults => "probe_results",
        }
    }

    /// Whether a file holds a month and not a day.
    #[must_use]
    pub const fn is_monthly(self) -> bool {
        matches!(self, Self::SampleHours | Self::FlowHours | Self::Events)
    }

    /// Whether the file is made from other files of the store, and not from the log.
    #[must_use]
    pub const fn is_derived(self) -> bool {
        matches!(self, Self::SampleHours | Self::FlowHours)
    }

    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == word)
    }
}

/// One file: a kind, and the first day that it holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub(crate) struct Partition {
    pub(crate) kind: Kind,
    /// Days since the epoch.
    pub(crate) day: i32,
}

impl Partition {
    /// The file in which `time` (milliseconds) lies.
    pub(crate) fn at(kind: Kind, time: i64) -> Self {
        let day = i32::try_from(time.div_euclid(DAY)).unwrap_or(i32::MAX);
        if !kind.is_monthly() {
            return Self { kind, day };
        }
        let (year, month, _) = civil(day);
        Self { kind, day: days(year, month, 1) }
    }

    /// First millisecond of the file.
    pub(crate) fn start(self) -> i64 {
        i64::from(self.day) * DAY
    }

    /// First millisecond after the file.
    pub(crate) fn end(self) -> i64 {
        if !self.kind.is_monthly() {
            return self.start() + DAY;
        }
        let (year, month, _) = civil(self.day);
        let next = if month == 12 { days(year + 1, 1, 1) } else { days(year, month + 1, 1) };
        i64::from(next) * DAY
    }

    /// Name of the file.
    pub(crate) fn file_name(self) -> String {
        format!("{self}{SUFFIX}")
    }

    /// The partition of that file name.
    pub(crate) fn from_file_name(name: &str) -> Option<Self> {
        let (word, date) = name.strip_suffix(SUFFIX)?.split_once('-')?;
        let kind = Kind::from_word(word)?;
        let mut parts = date.split('-').map(|p| p.parse::<i32>().ok());
        let (year, month) = (parts.next()??, parts.next()??);
        let day = if kind.is_monthly() { 1 } else { parts.next()?? };
        let fits = parts.next().is_none() && (1970..=9999).contains(&year) && (1..=12).contains(&month);
        let partition = Self { kind, day: days(year, month, day) };
        (fits && (1..=31).contains(&day) && partition.file_name() == name).then_some(partition)
    }

    /// What DuckDB calls the file: made of our words and digits only.
    pub(crate) fn alias(self, tenant: u32) -> String {
        format!("w{tenant}_{}_{}", self.kind.as_str(), self.day)
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil(self.day);
        write!(f, "{}-{year:04}-{month:02}", self.kind.as_str())?;
        if self.kind.is_monthly() { Ok(()) } else { write!(f, "-{day:02}") }
    }
}

/// A stretch of time, half-open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// The first instant.
    pub from: Timestamp,
    /// The first instant that does not belong to it.
    pub to: Timestamp,
}

impl Span {
    /// Both ends in milliseconds; what begins within a millisecond begins with it, and an end within one includes it.
    pub(crate) fn millis(self) -> (i64, i64) {
        let end = self.to.millis();
        (self.from.millis(), if Timestamp::from_millis(end) < self.to { end + 1 } else { end })
    }
}

/// Year, month and day of a day of the proleptic Gregorian calendar (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn civil(day: i32) -> (i32, i32, i32) {
    let z = i64::from(day) + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    let small = |n: i64| i32::try_from(n).unwrap_or(0);
    (small(year), small(month), small(doy - (153 * mp + 2) / 5 + 1))
}

/// Days since the epoch of a date.
fn days(year: i32, month: i32, day: i32) -> i32 {
    let y = i64::from(year) - i64::from(month <= 2);
    let (era, yoe) = (y.div_euclid(400), y.rem_euclid(400));
    let mp = i64::from((month + 9) % 12);
    let doy = (153 * mp + 2) / 5 + i64::from(day) - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    i32::try_from(era * 146_097 + doe - 719_468).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_by_kind_and_date() {
        let time = "2026-11-21T23:59:59.999Z".parse::<Timestamp>().unwrap().millis();
        let names = Kind::ALL.map(|k| Partition::at(k, time).file_name());
        assert_eq!(names[3], "flows-2026-11-21.duckdb");
        assert_eq!(names[2], "sample_hours-2026-11.duckdb");
        for name in names {
            let back = Partition::from_file_name(&name).unwrap();
            assert!(back.start() <= time && time < back.end(), "{name}");
        }
        for bad in [
            "flows-2026-11-31.duckdb",
            "flows-2026-11.duckdb",
            "flow-2026-11-21.duckdb",
            "flows-2026-11-21.duckdb.wal",
            "x",
        ] {
            assert_eq!(Partition::from_file_name(bad), None, "{bad}");
        }
    }

    #[test]
    fn months_end_where_the_next_begins() {
        for (month, days) in [("2024-02", 29), ("2026-02", 28), ("2026-12", 31)] {
            let file = Partition::from_file_name(&format!("events-{month}.duckdb")).unwrap();
            assert_eq!(file.end() - file.start(), days * DAY, "{month}");
        }
    }

    #[test]
    fn a_span_keeps_its_last_millisecond() {
        let span = |from, to| Span { from: Timestamp::from_nanos(from), to: Timestamp::from_nanos(to) }.millis();
        assert_eq!(span(1_999_999, 5_000_000), (1, 5));
        assert_eq!(span(0, 5_000_001), (0, 6));
    }
}
