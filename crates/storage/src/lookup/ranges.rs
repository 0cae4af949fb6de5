//! Named address ranges.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::path::Path;

use netwatch_model::Untrusted;
use netwatch_model::filter::Network;

use crate::address::bounds;
use crate::error::StoreError;

/// Ranges of one file.
const MAX_RANGES: usize = 1_000_000;
/// Bytes of one file.
const MAX_BYTES: u64 = 64 << 20;

/// Longest name, bytes.
const MAX_NAME: usize = 128;

type Address = (u64, u64);

/// A network with its name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NamedRange {
    /// Which addresses.
    pub network: Network,
    /// What they are called.
    pub name: Untrusted,
}

/// A line that is no named range.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct WrongLine {
    /// Which, from 1.
    pub line: usize,
    /// What is wrong with it, and what to write.
    pub reason: String,
}

/// Names of networks; the longest prefix wins.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Ranges {
    /// By length of the prefix (of 128 bits), longest last; in each the first address.
    lengths: BTreeMap<u8, BTreeMap<Address, Untrusted>>,
}

impl NamedRange {
    /// Reads `network,name` lines (RFC 4180; a field lies on one line). Empty lines, lines that begin with `#`, and a first line that
    /// says so are skipped.
    ///
    /// # Errors
    /// Every line that is wrong, at most `most_wrong`.
    pub fn parse_all(text: &str, most_wrong: usize) -> Result<Vec<Self>, Vec<WrongLine>> {
        let (mut ranges, mut wrong) = (Vec::new(), Vec::new());
        let mut seen: HashMap<Network, usize> = HashMap::new();
        for (line, text) in (1..).zip(text.strip_prefix('\u{feff}').unwrap_or(text).lines()) {
            let text = text.trim();
            let heading = line == 1 && text.to_ascii_lowercase().trim_start_matches('"').starts_with("network");
            if text.is_empty() || text.starts_with('#') || heading {
                continue;
            }
            let range = Self::parse(text).and_then(|range| match seen.insert(range.network, line) {
                Some(before) => Err(format!("{} is in line {before} already: remove one of them", range.network)),
                None => Ok(range),
            });
            match range {
                Ok(range) => ranges.push(range),
                Err(reason) => wrong.push(WrongLine { line, reason }),
            }
            if wrong.len() >= most_wrong {
                break;
            }
        }
        if wrong.is_empty() { Ok(ranges) } else { Err(wrong) }
    }

    /// Reads a network and its name, each on its own.
    ///
    /// # Errors
    /// Says what is wrong, and what to write.
    pub fn read(network: &str, name: &str) -> Result<Self, String> {
        let wrong = || format!("`{}` is no network: write for example 10.1.0.0/16", Untrusted::new(network));
        let network = Network::parse(network.trim()).ok_or_else(wrong)?;
        Ok(Self { network, name: checked(name)? })
    }

    fn parse(line: &str) -> Result<Self, String> {
        let (network, rest) = field(line)?;
        let Some(rest) = rest else {
            return Err("there is no comma: write for example 10.1.0.0/16,Office".to_owned());
        };
        let network = Network::parse(network.trim())
            .ok_or("the first column is no network: write for example 10.1.0.0/16,Office")?;
        let (name, _) = field(rest)?;
        Ok(Self { network, name: checked(&name)? })
    }
}

/// A name that a range may have.
fn checked(name: &str) -> Result<Untrusted, String> {
    let name = name.trim();
    if name.is_empty() {
        return Err("there is no name".to_owned());
    }
    if name.len() > MAX_NAME {
        return Err(format!("the name is longer than {MAX_NAME} bytes"));
    }
    Ok(Untrusted::new(name))
}

/// The first field of a line, and what follows its comma.
fn field(line: &str) -> Result<(String, Option<&str>), String> {
    let Some(quoted) = line.trim_start().strip_prefix('"') else {
        return Ok(match line.split_once(',') {
            Some((field, rest)) => (field.to_owned(), Some(rest)),
            None => (line.to_owned(), None),
        });
    };
    let (mut field, mut rest) = (String::new(), quoted);
    loop {
        let (part, after) = rest.split_once('"').ok_or("a quotation mark is not closed")?;
        field.push_str(part);
        match after.strip_prefix('"') {
            Some(more) => {
                field.push('"');
                rest = more;
            }
            None => return Ok((field, after.trim_start().strip_prefix(','))),
        }
    }
}

impl Ranges {
    /// Reads a whole file, as [`NamedRange::parse_all`] does.
    ///
    /// # Errors
    /// Says which line is wrong and how.
    pub fn parse(text: &str) -> Result<Self, String> {
        let ranges = NamedRange::parse_all(text, 1).map_err(|wrong| {
            let first = wrong.first().map(ToString::to_string);
            first.unwrap_or_default()
        })?;
        if ranges.len() > MAX_RANGES {
            return Err(format!("there are more than {MAX_RANGES} ranges"));
        }
        Ok(ranges.into_iter().collect())
    }

    /// The name of the smallest range that holds `address`.
    #[must_use]
    pub fn find(&self, address: IpAddr) -> Option<&Untrusted> {
        self.lengths.iter().rev().find_map(|(bits, ranges)| {
            let own = if address.is_ipv4() { bits.checked_sub(96)? } else { *bits };
            ranges.get(&bounds(&Network::new(address, own)?).0)
        })
    }
}

impl FromIterator<NamedRange> for Ranges {
    fn from_iter<I: IntoIterator<Item = NamedRange>>(named: I) -> Self {
        let mut ranges = Self::default();
        for NamedRange { network, name } in named {
            let bits = network.bits() + if network.address().is_ipv4() { 96 } else { 0 };
            ranges.lengths.entry(bits).or_default().insert(bounds(&network).0, name);
        }
        ranges
    }
}

pub(super) fn read(path: &Path) -> Result<Ranges, StoreError> {
    let fail = |reason: String| StoreError::Lookup { path: path.to_owned(), reason };
    let bytes = std::fs::metadata(path).map_err(|e| super::unreadable(path, &e))?.len();
    if bytes > MAX_BYTES {
        return Err(fail(format!("it has {bytes} bytes, and at most {MAX_BYTES} are read")));
    }
    let text = std::fs::read_to_string(path).map_err(|e| super::unreadable(path, &e))?;
    Ranges::parse(&text).map_err(fail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_wins() {
        let ranges =
            Ranges::parse("network,name\n10.0.0.0/8,Company\n10.1.0.0/16,\"Office\"\n# note\n\n2001:db8::/32,Lab\n")
                .unwrap();
        let name = |text: &str| ranges.find(text.parse().unwrap()).map(ToString::to_string);
        assert_eq!(name("10.1.2.3").as_deref(), Some("Office"));
        assert_eq!(name("10.2.2.3").as_deref(), Some("Company"));
        assert_eq!(name("2001:db8::1").as_deref(), Some("Lab"));
        assert_eq!(name("11.0.0.1"), None);
        assert_eq!(name("2001:db9::1"), None);
    }

    #[test]
    fn wrong_lines_are_named_with_their_numbers() {
        for (text, says) in [
            ("10.0.0.0/8", "line 1: there is no comma"),
            ("10.0.0.0/8,a\n10.0.0.0/40,b", "line 2: the first column is no network"),
            ("10.0.0.0/8, ", "line 1: there is no name"),
            ("10.0.0.0/8,\"a", "line 1: a quotation mark is not closed"),
            ("10.0.0.0/8,a\n10.1.2.3/8,b", "line 2: 10.0.0.0/8 is in line 1 already"),
        ] {
            let found = Ranges::parse(text).unwrap_err();
            assert!(found.starts_with(says), "{found}");
        }
        let wrong = NamedRange::parse_all("network,name\nx\n10.0.0.0/8,a\ny,b\n", 20).unwrap_err();
        assert_eq!(wrong.iter().map(|w| w.line).collect::<Vec<_>>(), [2, 4]);
    }

    #[test]
    fn quoted_fields_hold_commas_and_quotation_marks() {
        let read = NamedRange::parse_all("\u{feff}\"Network\",\"Name\"\r\n\"10.0.0.0/8\",\"a, \"\"b\"\"\",more\r\n", 9);
        let names: Vec<String> = read.unwrap().iter().map(|r| r.name.raw().to_owned()).collect();
        assert_eq!(names, ["a, \"b\""]);
    }
}
