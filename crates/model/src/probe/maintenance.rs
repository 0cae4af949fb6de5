//! Windows of maintenance: when some probes are not held to anything.
//!
//! A window is once, or comes back every day or on some days of the week, at a time of a zone, in the manner of RFC 5545 (FREQ=DAILY or
//! WEEKLY with BYDAY, DTSTART and UNTIL). A time that the clocks skip is the one so much later (RFC 5545, 3.3.5); its length is time that
//! really passes. Probes go on measuring; what they find then counts nowhere.
//!
//! Limits: [`MAX_PER_WORKSPACE`](Maintenance::MAX_PER_WORKSPACE) windows of a workspace, each at most [`MAX_LENGTH`] long when it comes
//! back, [`MAX_PROBES`] probes by name.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::ToSpan as _;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::kept::Probe;
use crate::Timestamp;
use crate::people::{DisplayName, MaintenanceId, ProbeId, WorkspaceId};

/// The longest window that comes back, seconds: a week.
pub const MAX_LENGTH: u32 = 604_800;
/// The longest window that does not, seconds: a year.
pub const MAX_ONCE: u64 = 366 * 86_400;
/// Probes that a window names.
pub const MAX_PROBES: usize = 500;
/// Days that are looked at for one answer.
const MOST_DAYS: usize = 800;

/// A window of maintenance. It goes with the workspace.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Maintenance {
    /// Its identity.
    pub id: MaintenanceId,
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// What it is called.
    pub name: DisplayName,
    /// Which probes.
    pub selection: Selection,
    /// When.
    pub schedule: Schedule,
    /// When it was made.
    pub created: Timestamp,
}

/// Which probes: those that are named, and those that have all the labels.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = MaintenanceSelection)]
pub struct Selection {
    /// All of them.
    pub all: bool,
    /// These.
    #[schema(value_type = Vec<String>, max_items = 500)]
    pub probes: BTreeSet<ProbeId>,
    /// Those with all of these labels; none when it is empty.
    pub labels: BTreeMap<String, String>,
}

/// When it is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "repeat", deny_unknown_fields)]
#[schema(as = MaintenanceSchedule)]
pub enum Schedule {
    /// From one time to another.
    Once {
        /// Its first instant.
        #[schema(value_type = String, format = DateTime)]
        start: Timestamp,
        /// The first instant after it.
        #[schema(value_type = String, format = DateTime)]
        end: Timestamp,
    },
    /// Every day, or on some days of the week.
    Weekly {
        /// On which days it begins; all when it is empty.
        #[serde(default)]
        days: BTreeSet<Day>,
        /// At which time of the day it begins, as `22:30`.
        #[schema(value_type = String)]
        time: TimeOfDay,
        /// How long it is, seconds, at most a week.
        duration: u32,
        /// Whose time that is: a name of the IANA time zone database.
        #[schema(max_length = 64)]
        zone: String,
        /// None begins earlier.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>, format = DateTime)]
        from: Option<Timestamp>,
        /// None begins then or later.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>, format = DateTime)]
        until: Option<Timestamp>,
    },
}

/// A day of the week, as RFC 5545 writes it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = DayOfWeek)]
pub enum Day {
    /// Monday.
    Mo,
    /// Tuesday.
    Tu,
    /// Wednesday.
    We,
    /// Thursday.
    Th,
    /// Friday.
    Fr,
    /// Saturday.
    Sa,
    /// Sunday.
    Su,
}

/// A time of the day, in minutes after midnight by the clock. Text form: `22:30`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TimeOfDay(u16);

/// A window that cannot be.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MaintenanceError {
    /// It ends before it begins, or is too long.
    #[error("`{name}` must be {must}")]
    Range {
        /// The field.
        name: &'static str,
        /// What it must be.
        must: &'static str,
    },
    /// No such zone.
    #[error("there is no time zone `{0}`: write a name of the IANA database, as `Europe/Berlin` or `UTC`")]
    Zone(String),
    /// Not a time of the day.
    #[error("`{0}` is no time of the day: write it as `22:30`")]
    Time(String),
    /// No probe.
    #[error("it has no probes: name some, or labels, or choose all")]
    Nothing,
}

impl MaintenanceError {
    /// The field that is wrong.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Range { name, .. } => name,
            Self::Zone(_) => "schedule.zone",
            Self::Time(_) => "schedule.time",
            Self::Nothing => "selection",
        }
    }
}

impl Maintenance {
    /// Windows of one workspace.
    pub const MAX_PER_WORKSPACE: u64 = 500;
}

impl Selection {
    /// Whether a probe belongs to it.
    #[must_use]
    pub fn has(&self, probe: &Probe) -> bool {
        let labelled = !self.labels.is_empty()
            && self.labels.iter().all(|(name, value)| probe.spec.labels.get(name) == Some(value));
        self.all || labelled || self.probes.contains(&probe.id)
    }

    /// Whether it can be.
    ///
    /// # Errors
    /// When it chooses nothing or too much.
    pub fn check(&self) -> Result<(), MaintenanceError> {
        if !self.all && self.probes.is_empty() && self.labels.is_empty() {
            return Err(MaintenanceError::Nothing);
        }
        let fits = self.probes.len() <= MAX_PROBES && self.labels.len() <= super::spec::MAX_LABELS;
        let (name, must) = ("selection", "at most 500 probes and 16 labels");
        if fits { Ok(()) } else { Err(MaintenanceError::Range { name, must }) }
    }
}

impl Schedule {
    /// Whether it can be.
    ///
    /// # Errors
    /// When it ends before it begins, is too long, or its zone is unknown.
    pub fn check(&self) -> Result<(), MaintenanceError> {
        let range = |name, must| Err(MaintenanceError::Range { name, must });
        match self {
            Self::Once { start, end } if start >= end || end.since(*start) > Duration::from_secs(MAX_ONCE) => {
                range("schedule.end", "later than `start`, by at most a year")
            }
            Self::Once { .. } => Ok(()),
            Self::Weekly { duration, .. } if !(60..=MAX_LENGTH).contains(duration) => {
                range("schedule.duration", "from 60 seconds to a week")
            }
            Self::Weekly { from: Some(from), until: Some(until), .. } if from >= until => {
                range("schedule.until", "later than `from`")
            }
            Self::Weekly { zone, .. } => zone_of(zone).map(drop),
        }
    }

    /// The windows that touch `from..to`, in order. At most those of 800 days.
    #[must_use]
    pub fn within(&self, from: Timestamp, to: Timestamp) -> Vec<(Timestamp, Timestamp)> {
        let touches = |(start, end): &(Timestamp, Timestamp)| *start < to && *end > from;
        match self {
            Self::Once { start, end } => [(*start, *end)].into_iter().filter(touches).collect(),
            Self::Weekly { days, time, duration, zone, from: first, until } => {
                let length = Duration::from_secs((*duration).into());
                let may = |start: &Timestamp| {
                    first.is_none_or(|first| *start >= first) && until.is_none_or(|until| *start < until)
                };
                let starts = starts(days, *time, zone, from - length, to);
                starts.into_iter().filter(may).map(|start| (start, start + length)).filter(touches).collect()
            }
        }
    }

    /// The window that is now, or the next one.
    #[must_use]
    pub fn next(&self, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
        if let Self::Once { start, end } = self {
            return (*end > now).then_some((*start, *end));
        }
        let begin = match self {
            Self::Weekly { from: Some(from), .. } => now.max(*from),
            _ => now,
        };
        let fortnight = Duration::from_secs(14 * 86_400);
        self.within(begin, begin + fortnight).into_iter().next()
    }
}

/// Every time of the days from the one before `from` to `to` at which a window begins.
fn starts(days: &BTreeSet<Day>, time: TimeOfDay, zone: &str, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
    let Ok(zone) = zone_of(zone) else { return Vec::new() };
    let Ok(begin) = jiff::Timestamp::from_second(from.secs()) else { return Vec::new() };
    let Ok(mut date) = begin.to_zoned(zone.clone()).date().checked_sub(1.day()) else { return Vec::new() };
    let mut found = Vec::new();
    for _ in 0..MOST_DAYS {
        if days.is_empty() || days.contains(&Day::of(date.weekday())) {
            // A time that does not exist is so much later: the "compatible" way of RFC 5545.
            let Ok(start) = date.at(time.hour(), time.minute(), 0, 0).to_zoned(zone.clone()) else { break };
            let start = Timestamp::from_secs(start.timestamp().as_second());
            if start >= to {
                break;
            }
            found.push(start);
        }
        let Ok(next) = date.checked_add(1.day()) else { break };
        date = next;
    }
    found
}

/// A zone by its name.
///
/// # Errors
/// When there is none of that name.
pub fn zone_of(name: &str) -> Result<TimeZone, MaintenanceError> {
    let unknown = || MaintenanceError::Zone(name.chars().take(64).collect());
    let fits = name.len() <= 64 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_+-".contains(&b));
    if !fits {
        return Err(unknown());
    }
    TimeZone::get(name).map_err(|_| unknown())
}

impl Day {
    const fn of(day: jiff::civil::Weekday) -> Self {
        use jiff::civil::Weekday as W;
        match day {
            W::Monday => Self::Mo,
            W::Tuesday => Self::Tu,
            W::Wednesday => Self::We,
            W::Thursday => Self::Th,
            W::Friday => Self::Fr,
            W::Saturday => Self::Sa,
            W::Sunday => Self::Su,
        }
    }
}

impl TimeOfDay {
    fn hour(self) -> i8 {
        i8::try_from(self.0 / 60).unwrap_or(0)
    }

    fn minute(self) -> i8 {
        i8::try_from(self.0 % 60).unwrap_or(0)
    }
}

impl FromStr for TimeOfDay {
    type Err = MaintenanceError;

    fn from_str(text: &str) -> Result<Self, MaintenanceError> {
        let wrong = || MaintenanceError::Time(text.chars().take(16).collect());
        let (hour, minute) = text.split_once(':').ok_or_else(wrong)?;
        let number = |part: &str, most: u16| {
            let digits = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| part.parse::<u16>().ok()).flatten().filter(|n| *n < most)
        };
        let minutes = number(hour, 24).zip(number(minute, 60)).map(|(h, m)| h * 60 + m);
        minutes.map(Self).ok_or_else(wrong)
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
