//! Values as people write them: numbers with units, durations, times, words.

use std::fmt;

use super::Kind;
use super::error::cite;
use super::field::nearest;
use crate::{FlowId, Protocol, Timestamp};

/// A unit and how many of the smallest unit it is.
type Unit = (&'static str, u64);

const K: u64 = 1000;

/// Canonical spellings stand first for each size.
const COUNTS: &[Unit] = &[("G", K * K * K), ("M", K * K), ("k", K), ("", 1)];
const BYTES: &[Unit] = &[
    ("TB", K * K * K * K),
    ("TiB", 1 << 40),
    ("GB", K * K * K),
    ("GiB", 1 << 30),
    ("MB", K * K),
    ("MiB", 1 << 20),
    ("kB", K),
    ("KiB", 1 << 10),
    ("B", 1),
    ("", 1),
    ("T", K * K * K * K),
    ("G", K * K * K),
    ("M", K * K),
    ("k", K),
];
const RATES: &[Unit] = &[
    ("Gbit", K * K * K),
    ("Mbit", K * K),
    ("kbit", K),
    ("bit", 1),
    ("", 1),
    ("Gbps", K * K * K),
    ("Mbps", K * K),
    ("kbps", K),
    ("bps", 1),
    ("Gbit/s", K * K * K),
    ("Mbit/s", K * K),
    ("kbit/s", K),
    ("bit/s", 1),
    ("G", K * K * K),
    ("M", K * K),
    ("k", K),
];
const SPANS: &[Unit] = &[
    ("d", 86_400 * K * K * K),
    ("h", 3_600 * K * K * K),
    ("m", 60 * K * K * K),
    ("s", K * K * K),
    ("ms", K * K),
    ("us", K),
    ("ns", 1),
    ("min", 60 * K * K * K),
    ("µs", K),
];

const fn units(kind: Kind) -> &'static [Unit] {
    match kind {
        Kind::Count => COUNTS,
        Kind::Bytes => BYTES,
        Kind::Rate => RATES,
        Kind::Duration => SPANS,
        _ => &[("", 1)],
    }
}

/// A number with the largest unit that divides it: what [`parse`] reads back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quantity(pub Kind, pub u64);

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, self.0, self.1)
    }
}

/// Reads the number that `word` stands for in a field of that kind: the one place that knows units.
///
/// # Errors
/// Says what is wrong with the word and what was expected.
pub fn parse(kind: Kind, word: &str) -> Result<u64, String> {
    match kind {
        Kind::Number(max) => plain(word).filter(|n| *n <= max).ok_or_else(|| {
            format!("{} is no value of this field: expected a whole number from 0 to {max}", cite(word))
        }),
        Kind::Count => scaled(word, COUNTS)
            .ok_or_else(|| format!("{} is not a count: expected for example 10, 10k or 1M", cite(word))),
        Kind::Bytes => scaled(word, BYTES)
            .ok_or_else(|| format!("{} is not a size: expected for example 1500, 10kB, 1MB or 1GiB", cite(word))),
        Kind::Rate => scaled(word, RATES)
            .ok_or_else(|| format!("{} is not a rate: expected for example 500kbit, 1Mbit or 1Gbit/s", cite(word))),
        Kind::Duration => scaled(word, SPANS)
            .ok_or_else(|| format!("{} is not a duration: expected for example 50ms, 10s or 5m", cite(word))),
        Kind::Time => word.parse().ok().and_then(|t: Timestamp| u64::try_from(t.nanos()).ok()).ok_or_else(|| {
            format!("{} is not a time: expected RFC 3339, for example 2026-11-21T04:00:00Z", cite(word))
        }),
        Kind::Word(list) => word_index(list, word),
        Kind::Protocol => protocol(word),
        Kind::Id => word
            .parse::<FlowId>()
            .map(FlowId::bits)
            .map_err(|_| format!("{} is not a flow id: expected 16 hexadecimal digits", cite(word))),
        Kind::Address | Kind::Name | Kind::Text => Err(format!("{} is not a number", cite(word))),
    }
}

/// Writes a number so that [`parse`] reads it back.
pub(super) fn write(f: &mut fmt::Formatter<'_>, kind: Kind, n: u64) -> fmt::Result {
    match kind {
        Kind::Word(list) => f.write_str(usize::try_from(n).ok().and_then(|i| list.get(i)).unwrap_or(&"unknown")),
        Kind::Protocol => match u8::try_from(n) {
            Ok(p) => write!(f, "{}", Protocol(p)),
            Err(_) => write!(f, "{n}"),
        },
        Kind::Time => write!(f, "{}", Timestamp::from_nanos(i64::try_from(n).unwrap_or(i64::MAX))),
        Kind::Id => write!(f, "{}", FlowId::from_bits(n)),
        _ => {
            let fits = |unit: &&Unit| n.is_multiple_of(unit.1) && (n != 0 || unit.1 == 1);
            let (unit, size) = units(kind).iter().find(fits).unwrap_or(&("", 1));
            write!(f, "{}{unit}", n / size)
        }
    }
}

fn plain(word: &str) -> Option<u64> {
    (!word.is_empty() && word.bytes().all(|b| b.is_ascii_digit())).then(|| word.parse().ok())?
}

/// A decimal number with a unit; a fraction is rounded to the nearest whole. Exact spelling of the unit goes before any case.
fn scaled(word: &str, units: &[Unit]) -> Option<u64> {
    let end = word.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(word.len());
    let (number, unit) = word.split_at(end);
    let size = units.iter().find(|u| u.0 == unit).or_else(|| units.iter().find(|u| u.0.eq_ignore_ascii_case(unit)))?.1;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = fraction.len().min(18);
    let fraction = fraction.get(..digits).and_then(plain)?;
    let denominator = 10_u128.pow(u32::try_from(digits).ok()?);
    let part = (u128::from(fraction) * u128::from(size) + denominator / 2) / denominator;
    u64::try_from(u128::from(plain(whole)?) * u128::from(size) + part).ok()
}

fn word_index(list: &[&str], word: &str) -> Result<u64, String> {
    if let Some(i) = list.iter().position(|w| w.eq_ignore_ascii_case(word)) {
        return Ok(i as u64);
    }
    let hint = nearest(word, list.iter().copied()).map(|w| format!(" (did you mean `{w}`?)")).unwrap_or_default();
    Err(format!("{} is not known here{hint}: expected one of {}", cite(word), list.join(", ")))
}

fn protocol(word: &str) -> Result<u64, String> {
    if let Some(p) = Protocol::from_name(word) {
        return Ok(p.0.into());
    }
    plain(word).filter(|n| *n <= 255).ok_or_else(|| {
        format!(
            "{} is not a protocol: expected a keyword such as tcp, udp or icmp, or a number from 0 to 255",
            cite(word)
        )
    })
}
