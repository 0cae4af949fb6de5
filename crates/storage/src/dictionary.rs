//! Which series there are: each has a small number by which chunks name it.
//!
//! A series is what an agent's samples of one metric and one set of labels are. Numbers are given in the order of arrival and stay the
//! same for as long as any file holds the series; every file with chunks lists those that occur in it, so that each file can be read
//! without any other.
//!
//! Limits: a number of series set by the configuration; when it is reached, samples of new series are refused and counted.

use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::HashTable;
use netwatch_model::{AgentId, Direction, Label, Metric, Series, Untrusted};

/// What stands for the name of an external metric where labels are stored.
const NAME: &str = "+name";
/// What stands before the names of a program's own labels where labels are stored.
const OTHER: &str = "-";

/// One series of one agent.
#[derive(Clone, PartialEq, Debug)]
pub struct SeriesKey {
    /// Who measured it.
    pub agent: AgentId,
    /// What was measured.
    pub series: Arc<Series>,
}

impl SeriesKey {
    /// What it measures, as people call it: the word of the metric, or the name that a program gave it.
    #[must_use]
    pub fn metric(&self) -> String {
        metric_name(&self.series)
    }

    /// Whether its values only grow, until they begin anew.
    #[must_use]
    pub fn is_counter(&self) -> bool {
        self.series.metric.is_counter()
    }
}

/// All series of a workspace, by number.
#[derive(Debug)]
pub(crate) struct Dictionary {
    list: Vec<Option<SeriesKey>>,
    index: HashTable<u32>,
    hasher: foldhash::quality::RandomState,
    limit: usize,
    /// The number that was asked for last: samples come in the same order again and again.
    last: u32,
}

impl Dictionary {
    pub(crate) fn new(limit: usize) -> Self {
        let hasher = foldhash::quality::RandomState::default();
        Self { list: Vec::new(), index: HashTable::new(), hasher, limit, last: 0 }
    }

    /// The number of a series, a new one when it is not known; `None` when there are too many.
    #[inline]
    pub(crate) fn number(&mut self, agent: AgentId, series: &Arc<Series>) -> Option<u32> {
        let is_it = |key: &SeriesKey| key.agent == agent && Arc::ptr_eq(&key.series, series);
        let likely = [self.last.wrapping_add(1), self.last, 0].into_iter().find(|n| self.get(*n).is_some_and(is_it));
        let number = likely.or_else(|| self.look_up(agent, series))?;
        self.last = number;
        Some(number)
    }

    fn look_up(&mut self, agent: AgentId, series: &Arc<Series>) -> Option<u32> {
        let hash = self.hash(agent, series);
        if let Some(found) = self.find(hash, agent, series) {
            // The next sample is known by the address of its series.
            if let Some(Some(key)) = self.list.get_mut(found as usize) {
                key.series = Arc::clone(series);
            }
            return Some(found);
        }
        if self.index.len() >= self.limit {
            return None;
        }
        let number = u32::try_from(self.list.len()).ok()?;
        self.list.push(Some(SeriesKey { agent, series: Arc::clone(series) }));
        self.insert(hash, number);
        Some(number)
    }

    /// Takes in a series that a file lists under that number. A number that stands for another series already keeps its meaning.
    pub(crate) fn learn(&mut self, number: u32, key: SeriesKey) -> bool {
        let place = number as usize;
        if place >= self.limit.saturating_mul(4) {
            return false;
        }
        if self.list.len() <= place {
            self.list.resize(place + 1, None);
        }
        if let Some(known) = &self.list[place] {
            return *known == key;
        }
        let hash = self.hash(key.agent, &key.series);
        let known = self.find(hash, key.agent, &key.series).is_some();
        self.list[place] = Some(key);
        if !known {
            self.insert(hash, number);
        }
        true
    }

    /// The series of a number.
    pub(crate) fn get(&self, number: u32) -> Option<&SeriesKey> {
        self.list.get(number as usize)?.as_ref()
    }

    /// All series with their numbers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &SeriesKey)> {
        let numbered = self.list.iter().zip(0..);
        numbered.filter_map(|(key, n)| key.as_ref().map(|k| (n, k)))
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    fn hash(&self, agent: AgentId, series: &Series) -> u64 {
        self.hasher.hash_one((agent, series))
    }

    fn find(&self, hash: u64, agent: AgentId, series: &Series) -> Option<u32> {
        let same = |n: &u32| self.get(*n).is_some_and(|k| k.agent == agent && *k.series == *series);
        self.index.find(hash, same).copied()
    }

    fn insert(&mut self, hash: u64, number: u32) {
        let Self { list, index, hasher, .. } = self;
        index.insert_unique(hash, number, |n| match list.get(*n as usize) {
            Some(Some(key)) => hasher.hash_one((key.agent, &*key.series)),
            _ => 0,
        });
    }
}

/// A metric as it is stored.
pub(crate) fn metric_word(metric: Metric) -> String {
    match serde_json::to_value(metric) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// The metric of a word.
pub(crate) fn metric_of(word: &str) -> Option<Metric> {
    serde_json::from_value(serde_json::Value::String(word.to_owned())).ok()
}

/// What a series measures, as people call it: the word of the metric, or the name that a program gave it.
pub(crate) fn metric_name(series: &Series) -> String {
    series.external_name().map_or_else(|| metric_word(series.metric), str::to_owned)
}

/// Name of a label, and its value as it came. The name of an external metric is none of its labels.
pub(crate) fn label_parts(label: &Label) -> Option<(&str, &str)> {
    Some(match label {
        Label::Name(_) => return None,
        Label::Other(name, value) => (name, value.raw()),
        own => own_parts(own),
    })
}

fn own_parts(label: &Label) -> (&'static str, &str) {
    match label {
        Label::Name(name) => (NAME, name),
        Label::Other(_, value) => (OTHER, value.raw()),
        Label::Interface(name) => ("interface", name.raw()),
        Label::Direction(direction) => ("direction", direction.as_str()),
        Label::Protocol(word) => ("protocol", word),
        Label::Application(word) => ("application", word),
        Label::Reason(word) => ("reason", word),
    }
}

fn label_of(name: &str, value: &str) -> Option<Label> {
    if let Some(name) = name.strip_prefix(OTHER) {
        return Some(Label::Other(name.into(), Untrusted::new(value)));
    }
    Some(match name {
        NAME => Label::Name(value.into()),
        "interface" => Label::Interface(Untrusted::new(value)),
        "direction" => Label::Direction([Direction::In, Direction::Out].into_iter().find(|d| d.as_str() == value)?),
        "protocol" => Label::Protocol(value.into()),
        "application" => Label::Application(value.into()),
        "reason" => Label::Reason(value.into()),
        _ => return None,
    })
}

fn stored_parts(label: &Label) -> (String, &str) {
    match label {
        Label::Other(name, value) => (format!("{OTHER}{name}"), value.raw()),
        own => (own_parts(own).0.to_owned(), own_parts(own).1),
    }
}

/// The labels of a series as they are stored: a list of pairs.
pub(crate) fn labels_text(series: &Series) -> String {
    let pairs: Vec<(String, &str)> = series.labels.iter().map(stored_parts).collect();
    serde_json::to_string(&pairs).unwrap_or_default()
}

/// The series of stored texts; `None` for a metric or label of a later version.
pub(crate) fn series_of(metric: &str, labels: &str) -> Option<Series> {
    let pairs: Vec<(String, String)> = serde_json::from_str(labels).ok()?;
    let labels = pairs.iter().map(|(name, value)| label_of(name, value)).collect::<Option<_>>()?;
    Some(Series { metric: metric_of(metric)?, labels })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(name: &str) -> Arc<Series> {
        let labels = vec![Label::Interface(Untrusted::new(name)), Label::Direction(Direction::In)];
        Arc::new(Series { metric: Metric::TrafficOctets, labels })
    }

    #[test]
    fn a_series_keeps_its_number() {
        let mut dictionary = Dictionary::new(2);
        let (a, b) = (AgentId(1), AgentId(2));
        assert_eq!(dictionary.number(a, &series("eth0")), Some(0));
        assert_eq!(dictionary.number(b, &series("eth0")), Some(1));
        assert_eq!(dictionary.number(a, &series("eth0")), Some(0));
        assert_eq!(dictionary.number(a, &series("eth1")), None, "there is room for two");
    }

    #[test]
    fn whoever_shares_a_series_has_a_number_of_its_own() {
        let mut dictionary = Dictionary::new(100);
        let shared: Vec<_> = (0..5).map(|n| series(&format!("eth{n}"))).collect();
        let numbers = |dictionary: &mut Dictionary, agent, list: &[Arc<Series>]| -> Vec<u32> {
            list.iter().map(|series| dictionary.number(AgentId(agent), series).unwrap()).collect()
        };
        for _ in 0..3 {
            assert_eq!(numbers(&mut dictionary, 1, &shared), [0, 1, 2, 3, 4]);
            assert_eq!(numbers(&mut dictionary, 2, &shared), [5, 6, 7, 8, 9]);
            let equal: Vec<_> = (0..5).rev().map(|n| series(&format!("eth{n}"))).collect();
            assert_eq!(numbers(&mut dictionary, 1, &equal), [4, 3, 2, 1, 0]);
        }
        assert_eq!(dictionary.len(), 10);
    }

    #[test]
    fn a_new_number_is_none_that_a_file_uses() {
        let mut dictionary = Dictionary::new(100);
        assert!(dictionary.learn(7, SeriesKey { agent: AgentId(1), series: series("eth0") }));
        assert!(!dictionary.learn(7, SeriesKey { agent: AgentId(1), series: series("eth1") }));
        assert_eq!(dictionary.number(AgentId(1), &series("eth0")), Some(7));
        assert_eq!(dictionary.number(AgentId(1), &series("eth1")), Some(8));
        assert!(!dictionary.learn(4_000_000, SeriesKey { agent: AgentId(1), series: series("x") }), "damaged");
    }

    #[test]
    fn stored_series_read_back() {
        let hostile = series("$(reboot)\u{202e}\"'");
        let back = series_of(&metric_word(hostile.metric), &labels_text(&hostile)).unwrap();
        assert_eq!(back, *hostile);
        let labels = vec![Label::Name("cpu".into()), Label::Other("interface".into(), Untrusted::new("x"))];
        let external = Series { metric: Metric::External, labels };
        assert_eq!(series_of(&metric_word(external.metric), &labels_text(&external)).unwrap(), external);
        assert_eq!(series_of("no_such_metric", "[]"), None);
    }
}
