//! Periods of the calendar and rolling ones, in a time zone, and their parts.
//!
//! Days of 23 and 25 hours are as long as they are: every boundary is a local midnight (or the first instant after it where clocks skip
//! it), looked up in the zone. Weeks begin on Monday (ISO 8601).
//!
//! Limits: [`MOST_PARTS`] parts.

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, ToSpan as _, Zoned};
use netwatch_api::uptime::UptimePeriod;

use super::Seconds;

/// Parts of one period.
const MOST_PARTS: usize = 100;

/// A period and the parts that it is shown in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Calendar {
    /// From its first second to where it ends, which may be later than now.
    pub(crate) whole: Seconds,
    /// One after the other without gaps, as far as there is something to tell; the first and the last may be cut.
    pub(crate) parts: Vec<Seconds>,
}

impl Calendar {
    /// The period that contains `at`, or ends then when it is a rolling one; its parts until `now`.
    ///
    /// `None` outside of the calendar.
    pub(crate) fn new(period: UptimePeriod, at: i64, now: i64, zone: &TimeZone) -> Option<Self> {
        let at = jiff::Timestamp::from_second(at).ok()?.to_zoned(zone.clone());
        let (start, end) = match rolling(period) {
            Some(length) => (at.checked_sub(length).ok()?, at),
            None => fixed(period, &at.start_of_day().ok()?)?,
        };
        let whole = (start.timestamp().as_second(), end.timestamp().as_second());
        Some(Self { whole, parts: parts(period, &start, whole.1.min(now))? })
    }
}

/// The parts of a period, the last one cut at `until`.
fn parts(period: UptimePeriod, start: &Zoned, until: i64) -> Option<Vec<Seconds>> {
    let mut parts = Vec::new();
    let mut at = first_part(period, start)?;
    let mut from = start.timestamp().as_second();
    while from < until && parts.len() < MOST_PARTS {
        at = next_part(period, &at)?;
        let to = at.timestamp().as_second().min(until);
        if to > from {
            parts.push((from, to));
            from = to;
        }
    }
    Some(parts)
}

/// The length of a period that ends at a time.
const fn rolling(period: UptimePeriod) -> Option<SignedDuration> {
    let days = match period {
        UptimePeriod::LastDay => 1,
        UptimePeriod::LastWeek => 7,
        UptimePeriod::LastMonth => 30,
        UptimePeriod::LastQuarter => 90,
        _ => return None,
    };
    Some(SignedDuration::from_hours(24 * days))
}

/// Start and end of the period of the calendar that contains a day.
fn fixed(period: UptimePeriod, day: &Zoned) -> Option<(Zoned, Zoned)> {
    let first = day.first_of_month().ok()?;
    let (start, length): (Zoned, Span) = match period {
        UptimePeriod::Week => (monday(day)?, 1.week()),
        UptimePeriod::Month => (first, 1.month()),
        UptimePeriod::Quarter => {
            let into = i32::from((day.month() - 1) % 3);
            (first.checked_sub(into.months()).ok()?, 3.months())
        }
        UptimePeriod::Year => (day.first_of_year().ok()?, 1.year()),
        _ => (day.clone(), 1.day()),
    };
    let start = start.start_of_day().ok()?;
    let end = start.checked_add(length).ok()?.start_of_day().ok()?;
    Some((start, end))
}

fn monday(day: &Zoned) -> Option<Zoned> {
    let since = i32::from(day.weekday().since(Weekday::Monday));
    day.checked_sub(since.days()).ok()
}

/// Where the part begins in which the period does.
fn first_part(period: UptimePeriod, start: &Zoned) -> Option<Zoned> {
    match period {
        UptimePeriod::Day | UptimePeriod::LastDay => {
            let into = i64::from(start.minute()) * 60 + i64::from(start.second());
            start.checked_sub(SignedDuration::from_secs(into)).ok()
        }
        _ => start.start_of_day().ok(),
    }
}

/// Where the next part begins: the next hour, day or month.
fn next_part(period: UptimePeriod, at: &Zoned) -> Option<Zoned> {
    match period {
        UptimePeriod::Day | UptimePeriod::LastDay => at.checked_add(SignedDuration::from_hours(1)).ok(),
        UptimePeriod::Year => at.checked_add(1.month()).ok()?.start_of_day().ok(),
        _ => at.checked_add(1.day()).ok()?.start_of_day().ok(),
    }
}
