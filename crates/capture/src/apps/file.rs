//! The application file: TOML to entries, with file, line and key in every complaint.

use std::collections::HashMap;
use std::hash::Hash;
use std::ops::RangeInclusive;

use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};
use toml::Spanned;

use super::{AppsError, Family, MAX_NAME};

/// One application of a file.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) family: Option<Family>,
    pub(super) tcp: Vec<RangeInclusive<u16>>,
    pub(super) udp: Vec<RangeInclusive<u16>>,
    pub(super) sctp: Vec<RangeInclusive<u16>>,
    pub(super) protocol: Vec<u8>,
    pub(super) alpn: Vec<String>,
    pub(super) domains: Vec<String>,
}

/// Reads a file: nothing may be said twice in it.
pub(super) fn parse(file: &str, text: &str) -> Result<Vec<Entry>, AppsError> {
    let places = Places { file, text };
    let written: Written = toml::from_str(text).map_err(|error| places.syntax(&error))?;
    let mut checks = Checks { places, taken: HashMap::new(), protocols: HashMap::new(), words: HashMap::new() };
    written.application.into_iter().map(|entry| checks.entry(entry)).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    application: Vec<WrittenEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenEntry {
    name: Spanned<String>,
    family: Option<Family>,
    #[serde(default)]
    tcp: Vec<Spanned<PortRange>>,
    #[serde(default)]
    udp: Vec<Spanned<PortRange>>,
    #[serde(default)]
    sctp: Vec<Spanned<PortRange>>,
    #[serde(default)]
    protocol: Vec<Spanned<u8>>,
    #[serde(default)]
    alpn: Vec<Spanned<String>>,
    #[serde(default)]
    domains: Vec<Spanned<String>>,
}

/// A port, or `"first-last"`.
struct PortRange(RangeInclusive<u16>);

impl<'de> Deserialize<'de> for PortRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PortRangeVisitor)
    }
}

struct PortRangeVisitor;

impl Visitor<'_> for PortRangeVisitor {
    type Value = PortRange;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a port from 1 to 65535, or a range such as \"6881-6889\"")
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<PortRange, E> {
        let port = u16::try_from(number).ok().filter(|port| *port > 0);
        let port = port.ok_or_else(|| E::invalid_value(de::Unexpected::Signed(number), &self))?;
        Ok(PortRange(port..=port))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<PortRange, E> {
        let range = text.split_once('-').and_then(|(first, last)| {
            let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
            (0 < first && first <= last).then_some(PortRange(first..=last))
        });
        range.ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

/// What was said so far, and by which application.
struct Checks<'a> {
    places: Places<'a>,
    taken: HashMap<(&'static str, u16), String>,
    protocols: HashMap<u8, String>,
    words: HashMap<(&'static str, String), String>,
}

impl Checks<'_> {
    fn entry(&mut self, written: WrittenEntry) -> Result<Entry, AppsError> {
        let name = self.name(&written.name)?;
        Ok(Entry {
            family: written.family,
            tcp: self.ports("tcp", &name, written.tcp)?,
            udp: self.ports("udp", &name, written.udp)?,
            sctp: self.ports("sctp", &name, written.sctp)?,
            protocol: self.protocols(&name, &written.protocol)?,
            alpn: self.words("alpn", &name, written.alpn)?,
            domains: self.words("domains", &name, written.domains)?,
            name,
        })
    }

    fn name(&mut self, written: &Spanned<String>) -> Result<String, AppsError> {
        let name = written.get_ref();
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.' | '+' | '_');
        let complain = |problem| Err(self.places.invalid(written.span().start, "name", problem));
        if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(fits) {
            return complain(format!("write 1 to {MAX_NAME} lower-case letters, digits, `-`, `.`, `+` or `_`"));
        }
        if name == "unknown" {
            return complain("this name is for flows that nothing fits: choose another".to_owned());
        }
        claim(&mut self.words, ("name", name.clone()), name).map_err(|_| {
            let problem = format!("`{name}` is there twice: put both into one entry");
            self.places.invalid(written.span().start, "name", problem)
        })?;
        Ok(name.clone())
    }

    fn ports(
        &mut self,
        key: &'static str,
        name: &str,
        written: Vec<Spanned<PortRange>>,
    ) -> Result<Vec<RangeInclusive<u16>>, AppsError> {
        let mut ranges = Vec::with_capacity(written.len());
        for item in written {
            let at = item.span().start;
            let PortRange(range) = item.into_inner();
            for port in range.clone() {
                claim(&mut self.taken, (key, port), name)
                    .map_err(|other| self.places.twice(at, key, &format!("port {port}"), &other))?;
            }
            ranges.push(range);
        }
        Ok(ranges)
    }

    fn protocols(&mut self, name: &str, written: &[Spanned<u8>]) -> Result<Vec<u8>, AppsError> {
        for item in written {
            let number = *item.get_ref();
            claim(&mut self.protocols, number, name)
                .map_err(|other| self.places.twice(item.span().start, "protocol", &number.to_string(), &other))?;
        }
        Ok(written.iter().map(|item| *item.get_ref()).collect())
    }

    fn words(
        &mut self,
        key: &'static str,
        name: &str,
        written: Vec<Spanned<String>>,
    ) -> Result<Vec<String>, AppsError> {
        let mut words = Vec::with_capacity(written.len());
        for item in written {
            let at = item.span().start;
            let word = item.into_inner();
            let is_domain = key == "domains";
            if word.is_empty() || is_domain && (word.starts_with('.') || word.chars().any(|c| c.is_ascii_uppercase())) {
                let problem = format!("`{word}` is not usable: write it in lower case and without a dot in front");
                return Err(self.places.invalid(at, key, problem));
            }
            claim(&mut self.words, (key, word.clone()), name)
                .map_err(|other| self.places.twice(at, key, &format!("`{word}`"), &other))?;
            words.push(word);
        }
        Ok(words)
    }
}

/// Notes who said it first; gives the other's name when it was said before.
fn claim<K: Eq + Hash>(taken: &mut HashMap<K, String>, key: K, name: &str) -> Result<(), String> {
    match taken.insert(key, name.to_owned()) {
        Some(other) => Err(other),
        None => Ok(()),
    }
}

/// Where things stand in the text.
struct Places<'a> {
    file: &'a str,
    text: &'a str,
}

impl Places<'_> {
    fn line(&self, at: usize) -> usize {
        self.text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
    }

    fn invalid(&self, at: usize, key: &str, problem: String) -> AppsError {
        AppsError::Invalid { file: self.file.to_owned(), line: self.line(at), key: key.to_owned(), problem }
    }

    fn twice(&self, at: usize, key: &str, what: &str, other: &str) -> AppsError {
        self.invalid(at, key, format!("{what} already belongs to `{other}` in this file: leave it in one of the two"))
    }

    fn syntax(&self, error: &toml::de::Error) -> AppsError {
        let at = error.span().map_or(0, |span| span.start);
        let line = self.text.lines().nth(self.line(at) - 1).unwrap_or_default();
        let key = line.split('=').next().unwrap_or_default().trim();
        self.invalid(at, key, error.message().to_owned())
    }
}
