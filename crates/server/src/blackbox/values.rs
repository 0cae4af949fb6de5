//! Values of keys: each reader says what it wants when it gets something else.

use std::io::Read as _;
use std::path::Path;

use regex::bytes::{Regex, RegexBuilder};

use super::yaml::{Node, Value};

/// Memory for a compiled expression, bytes; that of probes.
const MAX_REGEX: usize = 1 << 20;
/// The longest file that a key names, bytes: the longest option of a probe.
const MAX_FILE: u64 = netwatch_model::probe::option::MAX_TEXT as u64;

/// Why a value is not taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Why {
    /// No version of the exporter would take it.
    Wrong(String),
    /// The exporter would, our probes cannot.
    Unable(String),
}

pub(super) type Taken<T = ()> = Result<T, Why>;

pub(super) fn unable<T>(message: impl Into<String>) -> Taken<T> {
    Err(Why::Unable(message.into()))
}

pub(super) fn wrong<T>(message: impl Into<String>) -> Taken<T> {
    Err(Why::Wrong(message.into()))
}

pub(super) fn text(node: &Node) -> Taken<&str> {
    match &node.value {
        Value::Scalar(text) => Ok(text),
        Value::Null => Ok(""),
        _ => wrong("expected a text"),
    }
}

pub(super) fn flag(node: &Node) -> Taken<bool> {
    match text(node)? {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => wrong("expected true or false"),
    }
}

pub(super) fn texts(node: &Node) -> Taken<Vec<String>> {
    match &node.value {
        Value::List(list) => list.iter().map(|element| text(element).map(str::to_owned)).collect(),
        Value::Null => Ok(Vec::new()),
        _ => wrong("expected a list"),
    }
}

pub(super) fn whole(node: &Node) -> Taken<i64> {
    text(node)?.parse().or_else(|_| wrong("expected a whole number"))
}

/// An expression that takes time in proportion to what it is matched with.
pub(super) fn expression(text: &str) -> Taken<Regex> {
    let built = RegexBuilder::new(text).size_limit(MAX_REGEX).dfa_size_limit(MAX_REGEX).build();
    built.or_else(|error| {
        let last = error.to_string().lines().last().unwrap_or_default().to_owned();
        unable(format!("the regular expression cannot be used: {last}"))
    })
}

pub(super) fn expressions(node: &Node) -> Taken<Vec<Regex>> {
    texts(node)?.iter().map(|text| expression(text)).collect()
}

/// The seconds of a duration.
pub(super) fn seconds(node: &Node) -> Taken<f64> {
    duration(text(node)?).map_or_else(|| wrong("expected a duration such as 500ms, 5s or 1m30s"), Ok)
}

/// Seconds of a duration as Prometheus writes it: `500ms`, `5s`, `1m30s`; none when it is none.
#[must_use]
pub fn duration(text: &str) -> Option<f64> {
    const UNITS: [(&str, f64); 10] = [
        ("ns", 1e-9),
        ("us", 1e-6),
        ("µs", 1e-6),
        ("ms", 1e-3),
        ("s", 1.0),
        ("m", 60.0),
        ("h", 3600.0),
        ("d", 86_400.0),
        ("w", 604_800.0),
        ("y", 31_536_000.0),
    ];
    if text == "0" {
        return Some(0.0);
    }
    let (mut rest, mut sum) = (text, 0.0);
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at_checked(end)?;
        let unit_end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(unit_end)?;
        let factor = UNITS.iter().find(|(name, _)| *name == unit)?.1;
        sum += number.parse::<f64>().ok()? * factor;
        rest = tail;
    }
    (!text.is_empty() && sum.is_finite()).then_some(sum)
}

/// Octets: `10MB`, `1KiB`, `500`.
pub(super) fn octets(node: &Node) -> Taken<u64> {
    let text = text(node)?;
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end).unwrap_or((text, ""));
    // Upstream's units are powers of two in both spellings.
    let factor = match unit {
        "" | "B" => 1_u64,
        "KB" | "KiB" => 1 << 10,
        "MB" | "MiB" => 1 << 20,
        "GB" | "GiB" => 1 << 30,
        _ => return wrong("expected a size such as 500KB or 10MB"),
    };
    let octets = number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
    octets.map_or_else(|| wrong("expected a size such as 500KB or 10MB"), Ok)
}

/// The text of a file that a key names; relative to the folder of the file that names it.
pub(super) fn file(node: &Node, folder: &Path) -> Taken<String> {
    let name = text(node)?;
    if name.is_empty() {
        return Ok(String::new());
    }
    let path = folder.join(name);
    let mut content = String::new();
    let read = std::fs::File::open(&path).and_then(|file| file.take(MAX_FILE + 1).read_to_string(&mut content));
    if let Err(error) = read {
        return unable(format!("{} cannot be read: {error}", path.display()));
    }
    if content.len() as u64 > MAX_FILE {
        return unable(format!(
            "{} is longer than {MAX_FILE} bytes, which is the most that a probe takes",
            path.display()
        ));
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_prometheus() {
        for (text, seconds) in [("5s", 5.0), ("1m30s", 90.0), ("500ms", 0.5), ("1.5s", 1.5), ("2h", 7200.0), ("0", 0.0)]
        {
            assert_eq!(duration(text), Some(seconds), "{text}");
        }
        for text in ["", "5", "s", "5 s", "-5s", "5x", "s5", "1.2.3s"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
