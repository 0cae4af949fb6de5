//! Named address ranges.

use std::collections::BTreeMap;
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

type Address = (u64, u64);

/// Names of networks; the longest prefix wins.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Ranges {
    /// By length of the prefix (of 128 bits), longest last; in each the first address.
    lengths: BTreeMap<u8, BTreeMap<Address, Untrusted>>,
}

impl Ranges {
    /// Reads `network,name` lines. Empty lines, lines that begin with `#`, and a first line that says so are skipped.
    ///
    /// # Errors
    /// Says which line is wrong and how.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut ranges = Self::default();
        let mut count = 0;
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            let heading = number == 1 && line.to_ascii_lowercase().starts_with("network");
            if line.is_empty() || line.starts_with('#') || heading {
                continue;
            }
            let (network, name) = line
                .split_once(',')
                .ok_or_else(|| format!("line {number} has no comma: write for example 10.1.0.0/16,Office"))?;
            let network = Network::parse(network.trim().trim_matches('"')).ok_or_else(|| {
                format!("line {number}: the first column is no network: write for example 10.1.0.0/16")
            })?;
            let name = name.trim().trim_matches('"').trim();
            if name.is_empty() {
                return Err(format!("line {number} has no name after the comma"));
            }
            count += 1;
            if count > MAX_RANGES {
                return Err(format!("there are more than {MAX_RANGES} ranges"));
            }
            let bits = network.bits() + if network.address().is_ipv4() { 96 } else { 0 };
            ranges.lengths.entry(bits).or_default().insert(bounds(&network).0, Untrusted::new(name));
        }
        Ok(ranges)
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

pub(super) fn read(path: &Path) -> Result<Ranges, StoreError> {
    let fail = |reason: String| StoreError::Lookup { path: path.to_owned(), reason };
    let bytes = std::fs::metadata(path).map_err(|e| fail(e.to_string()))?.len();
    if bytes > MAX_BYTES {
        return Err(fail(format!("it has {bytes} bytes, and at most {MAX_BYTES} are read")));
    }
    let text = std::fs::read_to_string(path).map_err(|e| fail(e.to_string()))?;
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
    fn a_wrong_line_is_named() {
        for (text, says) in [
            ("10.0.0.0/8", "line 1 has no comma"),
            ("10.0.0.0/8,a\n10.0.0.0/40,b", "line 2: the first column is no network"),
            ("10.0.0.0/8, ", "line 1 has no name"),
        ] {
            assert!(Ranges::parse(text).unwrap_err().starts_with(says), "{text}");
        }
    }
}
