//! How long answers took, by kind of question.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// Times by kind of question.
#[derive(Debug, Default)]
pub struct Times(BTreeMap<&'static str, Vec<Duration>>);

/// What is told of many times.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Summary {
    /// How many there were.
    pub answers: usize,
    /// Half of them were not longer.
    pub median: Duration,
    /// 99 of 100 were not longer.
    pub p99: Duration,
    /// The longest.
    pub longest: Duration,
}

impl Times {
    /// Adds one.
    pub fn note(&mut self, kind: &'static str, time: Duration) {
        self.0.entry(kind).or_default().push(time);
    }

    /// Adds those of another client.
    pub fn merge(&mut self, other: Self) {
        other.0.into_iter().for_each(|(kind, times)| self.0.entry(kind).or_default().extend(times));
    }

    /// Of all kinds together.
    pub fn all(&self) -> Summary {
        summary(self.0.values().flatten().copied().collect())
    }
}

fn summary(mut times: Vec<Duration>) -> Summary {
    times.sort_unstable();
    let at = |part: usize| times.get(times.len() * part / 100).copied().unwrap_or_default();
    Summary { answers: times.len(), median: at(50), p99: at(99), longest: times.last().copied().unwrap_or_default() }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| question | answers | p50 | p99 | longest |\n|---|---:|---:|---:|---:|")?;
        let kinds = self.0.iter().map(|(kind, times)| (*kind, summary(times.clone())));
        for (kind, Summary { answers, median, p99, longest }) in kinds.chain([("all", self.all())]) {
            writeln!(f, "| {kind} | {answers} | {median:.1?} | {p99:.1?} | {longest:.1?} |")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_tells_the_parts_of_a_hundred() {
        let of = |range: std::ops::Range<u64>| summary(range.rev().map(Duration::from_millis).collect());
        let expected = Summary {
            answers: 1000,
            median: Duration::from_millis(500),
            p99: Duration::from_millis(990),
            longest: Duration::from_millis(999),
        };
        assert_eq!(of(0..1000), expected);
        assert_eq!(of(0..0).answers, 0);
    }
}
