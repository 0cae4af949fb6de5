//! One line for Nagios and its kin: state, what was found, performance data; and the exit code.

use std::io::{self, Write};

use netwatch_model::probe::metric::Unit;
use netwatch_model::probe::{ProbeMetric, ProbeResult};

/// Loss from which on there is a warning.
const WARNING_LOSS: f64 = 0.05;

/// Prints a line for each result; gives the worst exit code, where UNKNOWN is worse than WARNING and CRITICAL worse than all.
pub fn report(out: &mut impl Write, results: &[ProbeResult]) -> io::Result<u8> {
    let mut worst = State::Ok;
    for result in results {
        let state = state(result);
        worst = worst.max(state);
        let found = match &result.failure {
            Some(failure) => failure.message.to_string(),
            None => format!("{:.3} s", result.duration),
        };
        // What stands after a bar is performance data.
        let found = found.replace(['|', '\n'], " ");
        let kind = result.kind.name().to_uppercase();
        writeln!(out, "{kind} {} - {}: {found} |{}", state.word(), result.target, performance(result))?;
    }
    Ok(worst.code())
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Ok,
    Warning,
    Unknown,
    Critical,
}

impl State {
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Unknown => "UNKNOWN",
            Self::Critical => "CRITICAL",
        }
    }

    const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Warning => 1,
            Self::Critical => 2,
            Self::Unknown => 3,
        }
    }
}

fn state(result: &ProbeResult) -> State {
    let loss = result.measures().into_iter().find(|m| m.metric == ProbeMetric::Loss).map_or(0.0, |m| m.value);
    match &result.failure {
        Some(failure) if failure.reason.is_unknown() => State::Unknown,
        Some(_) => State::Critical,
        None if loss >= WARNING_LOSS => State::Warning,
        None => State::Ok,
    }
}

fn performance(result: &ProbeResult) -> String {
    let one = |m: netwatch_model::probe::Measure| {
        let (name, unit) = (m.metric.name().trim_start_matches("probe_"), m.metric.unit());
        match unit {
            Unit::Seconds => format!(" {name}={}s", m.value),
            Unit::Ratio => format!(" {name}={}%", m.value * 100.0),
            Unit::Octets => format!(" {name}={}B", m.value),
            _ => format!(" {name}={}", m.value),
        }
    };
    result.measures().into_iter().map(one).collect()
}
