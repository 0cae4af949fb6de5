//! What the telemetry store keeps, and the files that tell about addresses, as the configuration says.
//!
//! Only what was written counts here: a key at its default leaves the choice to the web app and the API, a written one takes it away.

use std::path::PathBuf;

use netwatch_server::history::{LimitKey, StorageRules};
use netwatch_storage::{Kind, LookupPaths};

use super::settings::Typed;
use super::{ConfigError, Key, Layers, Origin, Value};

/// What the configuration says of the telemetry store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Storage {
    /// How much is kept.
    pub rules: StorageRules,
    /// Where files about addresses are.
    pub lookups: LookupPaths,
}

/// Each limit with its key.
const LIMITS: [(LimitKey, Key); 19] = [
    (LimitKey::Age(Kind::Samples), Key::SamplesAge),
    (LimitKey::Size(Kind::Samples), Key::SamplesSize),
    (LimitKey::Age(Kind::SampleMinutes), Key::SampleMinutesAge),
    (LimitKey::Size(Kind::SampleMinutes), Key::SampleMinutesSize),
    (LimitKey::Age(Kind::SampleHours), Key::SampleHoursAge),
    (LimitKey::Size(Kind::SampleHours), Key::SampleHoursSize),
    (LimitKey::Age(Kind::Flows), Key::FlowsAge),
    (LimitKey::Size(Kind::Flows), Key::FlowsSize),
    (LimitKey::Age(Kind::FlowMinutes), Key::FlowMinutesAge),
    (LimitKey::Size(Kind::FlowMinutes), Key::FlowMinutesSize),
    (LimitKey::Age(Kind::FlowHours), Key::FlowHoursAge),
    (LimitKey::Size(Kind::FlowHours), Key::FlowHoursSize),
    (LimitKey::Age(Kind::Events), Key::EventsAge),
    (LimitKey::Size(Kind::Events), Key::EventsSize),
    (LimitKey::Age(Kind::ProbeResults), Key::ResultsAge),
    (LimitKey::Size(Kind::ProbeResults), Key::ResultsSize),
    (LimitKey::WarnPercent, Key::DiskWarnPercent),
    (LimitKey::StopPercent, Key::DiskStopPercent),
    (LimitKey::StopSize, Key::DiskStopSize),
];

impl Storage {
    /// Resolves what was written.
    ///
    /// # Errors
    /// What is wrong, and where it was written.
    pub fn resolve(layers: &Layers) -> Result<Self, ConfigError> {
        let number = |key| match layers.get(key).value {
            Value::Number(n) => n,
            _ => 0,
        };
        let (warn, stop) = (number(Key::DiskWarnPercent), number(Key::DiskStopPercent));
        if warn < stop {
            let is_written = layers.get(Key::DiskWarnPercent).origin != Origin::Default;
            let key = if is_written { Key::DiskWarnPercent } else { Key::DiskStopPercent };
            let message = format!(
                "storage.disk_warn_percent ({warn}) is less than storage.disk_stop_percent ({stop}): the warning must come first"
            );
            return Err(ConfigError::of(layers, key, message));
        }
        let written = LIMITS.iter().filter(|(_, key)| layers.get(*key).origin != Origin::Default);
        let rule = |(limit, key): &(LimitKey, Key)| {
            let value = match limit {
                LimitKey::Age(_) => number(*key) / 1_000_000_000,
                _ => number(*key),
            };
            (*limit, value, layers.get(*key).origin.to_string())
        };
        let lookups = LookupPaths {
            ranges: path(layers, Key::RangesFile)?,
            country: path(layers, Key::CountryFile)?,
            asn: path(layers, Key::AsnFile)?,
        };
        Ok(Self { rules: StorageRules(written.map(rule).collect()), lookups })
    }

    /// The files that are read while Netwatch runs.
    pub fn files(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.lookups.ranges, &self.lookups.country, &self.lookups.asn].into_iter().flatten()
    }
}

/// The file of a key. That it can be read is not asked here: without it everything else works.
pub(super) fn path(layers: &Layers, key: Key) -> Result<Option<PathBuf>, ConfigError> {
    let text = Typed(layers).text(key);
    if text.is_empty() {
        return Ok(None);
    }
    let path = PathBuf::from(text);
    if path.is_absolute() {
        return Ok(Some(path));
    }
    let name = key.descriptor().path();
    let message = format!("{name}: write the whole path, from the root: /{}", path.display());
    Err(ConfigError::of(layers, key, message))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::file;

    fn read(text: &str) -> Result<Storage, ConfigError> {
        let mut layers = Layers::default();
        file::apply(&mut layers, Path::new("n.yaml"), text);
        layers.check()?;
        Storage::resolve(&layers)
    }

    #[test]
    fn every_limit_has_a_key_of_its_name_and_default() {
        assert_eq!(LIMITS.len(), LimitKey::all().count());
        for (limit, key) in LIMITS {
            assert_eq!(key.descriptor().path(), format!("storage.{}", limit.word()));
            let unit = if matches!(limit, LimitKey::Age(_)) { 1_000_000_000 } else { 1 };
            assert_eq!(key.descriptor().default_value(), Value::Number(limit.default() * unit), "{}", limit.word());
            let (low, high) = limit.bounds().into_inner();
            let kind = key.descriptor().kind;
            assert!(kind.bounds() == Some((low * unit, high * unit)), "{}: {:?}", limit.word(), kind.bounds());
        }
    }

    #[test]
    fn what_is_written_is_a_rule_with_its_place_and_defaults_are_none() {
        assert_eq!(read("").unwrap(), Storage { rules: StorageRules::default(), lookups: LookupPaths::default() });
        let storage =
            read("storage:\n  flows_age: 7d\n  disk_warn_percent: 30\n  country_file: /srv/country.mmdb\n").unwrap();
        let rules = [
            (LimitKey::Age(Kind::Flows), 7 * 86_400, "n.yaml:2:14".to_owned()),
            (LimitKey::WarnPercent, 30, "n.yaml:3:22".to_owned()),
        ];
        assert_eq!(storage.rules.0, rules);
        assert_eq!(storage.files().collect::<Vec<_>>(), [Path::new("/srv/country.mmdb")]);
    }

    #[test]
    fn what_is_wrong_is_placed() {
        for (text, says) in [
            ("storage: {flows_age: 5m}", "n.yaml:1:22: storage.flows_age: 5m is out of range: expected 1h to"),
            ("storage: {flows_size: 1MB}", "n.yaml:1:23: storage.flows_size: 1MB is out of range: expected 64MiB to"),
            ("storage: {flow_age: 5d}", "n.yaml:1:11: unknown key in storage: `flow_age`: did you mean `flows_age`?"),
            ("storage: {disk_stop_percent: 50}", "n.yaml:1:30: storage.disk_warn_percent (20) is less than"),
            ("storage:\n  asn_file: asn.mmdb", "n.yaml:2:13: storage.asn_file: write the whole path, from the root"),
        ] {
            let found = read(text).unwrap_err().to_string();
            assert!(found.starts_with(says), "{found}");
        }
    }
}
