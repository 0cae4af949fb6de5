//! What to measure: a kind, a target, how often, from where.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::kind::{ProbeKind, TargetForm};
use super::option::{OptionError, OptionForm, OptionValue, Options};

/// The shortest interval, seconds.
pub const MIN_INTERVAL: f64 = 1.0;
/// The longest interval, seconds.
pub const MAX_INTERVAL: f64 = 86_400.0;
/// The most packets, queries or cycles of a run.
pub const MAX_COUNT: u32 = 10_000;
/// The longest target, bytes: a URL.
pub const MAX_TARGET: usize = 2048;
/// The most labels of a probe.
pub const MAX_LABELS: usize = 16;
/// The longest name or value of a label, bytes.
pub const MAX_LABEL: usize = 128;

/// Which addresses of a name are measured.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ProbeFamily)]
pub enum Family {
    /// The first address that the resolver gives (RFC 6724 order).
    #[default]
    Any,
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
}

/// Where packets leave: an interface is bound by its name, an address by itself.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Source {
    /// An interface's name; at most 15 bytes on Linux.
    Interface(String),
    /// An address of this host.
    Address(IpAddr),
}

impl From<String> for Source {
    /// An address when it reads as one, an interface's name otherwise.
    fn from(text: String) -> Self {
        text.parse().map_or_else(|_| Self::Interface(text), Self::Address)
    }
}

impl From<Source> for String {
    fn from(source: Source) -> Self {
        match source {
            Source::Interface(name) => name,
            Source::Address(address) => address.to_string(),
        }
    }
}

/// What to measure.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProbeSpec {
    /// How.
    pub kind: ProbeKind,
    /// What: a host, `host:port` or URL, as the kind asks for.
    #[schema(max_length = 2048)]
    pub target: String,
    /// Seconds from one run to the next, 1 to 86400.
    pub interval: f64,
    /// Seconds that an answer is waited for.
    pub timeout: f64,
    /// Packets, queries or cycles of a run.
    pub count: u32,
    /// Seconds from one packet of a run to the next.
    pub spacing: f64,
    /// From where; the routing table decides when it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub source: Option<Source>,
    /// Which addresses of a name.
    #[serde(default)]
    pub family: Family,
    /// Differentiated services code point of what is sent (RFC 2474), 0 to 63.
    #[serde(default)]
    pub dscp: u8,
    /// What the kind can be told.
    #[serde(default)]
    pub options: Options,
    /// For people and for selection.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

impl fmt::Debug for ProbeSpec {
    /// Without its secrets, so that no log has them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, target, interval, timeout, count, spacing, source, family, dscp, options, labels } = self;
        let fields = kind.descriptor().options;
        let is_secret = |name: &str| fields.iter().any(|field| field.name == name && field.form == OptionForm::Secret);
        let hidden = OptionValue::Text("(hidden)".to_owned());
        let shown = |(name, value)| if is_secret(name) { (name, &hidden) } else { (name, value) };
        let options: BTreeMap<_, _> = options.iter().map(shown).collect();
        let mut spec = f.debug_struct("ProbeSpec");
        spec.field("kind", kind).field("target", target).field("interval", interval).field("timeout", timeout);
        spec.field("count", count).field("spacing", spacing).field("source", source).field("family", family);
        spec.field("dscp", dscp).field("options", &options).field("labels", labels).finish()
    }
}

/// A probe that cannot be run as it is written.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum SpecError {
    /// No target, or one that does not fit the kind.
    #[error("the target `{target}` is not {must}")]
    Target {
        /// What was said, cut.
        target: String,
        /// What it must be.
        must: &'static str,
    },
    /// Each agent runs it of itself.
    #[error("`{0}` is read by each agent of itself: no probe is made of it")]
    BuiltIn(&'static str),
    /// A number out of its range.
    #[error("`{name}` must be {must}")]
    Range {
        /// The field.
        name: &'static str,
        /// What it must be.
        must: String,
    },
    /// An option.
    #[error(transparent)]
    Option(#[from] OptionError),
}

impl ProbeSpec {
    /// A probe of a kind with everything at its default.
    #[must_use]
    pub fn new(kind: ProbeKind, target: &str) -> Self {
        let descriptor = kind.descriptor();
        Self {
            kind,
            target: target.to_owned(),
            interval: descriptor.interval,
            timeout: descriptor.timeout,
            count: descriptor.count,
            spacing: descriptor.spacing,
            source: None,
            family: Family::Any,
            dscp: 0,
            options: Options::default(),
            labels: BTreeMap::new(),
        }
    }

    /// Whether a probe may be made of it: it can be run, and agents do not run it anyway.
    ///
    /// # Errors
    /// Names the first field that cannot be.
    pub fn check_offered(&self) -> Result<(), SpecError> {
        if self.kind.is_built_in() {
            return Err(SpecError::BuiltIn(self.kind.name()));
        }
        self.check()
    }

    /// Whether it can be run as it is written.
    ///
    /// # Errors
    /// Names the first field that cannot be.
    pub fn check(&self) -> Result<(), SpecError> {
        let descriptor = self.kind.descriptor();
        check_target(&self.target, descriptor.target)?;
        within("interval", self.interval, descriptor.least_interval, MAX_INTERVAL, "seconds")?;
        within("timeout", self.timeout, 0.001, 300.0, "seconds")?;
        let most = if self.kind.is_single() { 1 } else { MAX_COUNT };
        within("count", f64::from(self.count), 1.0, f64::from(most), "a whole number")?;
        within("spacing", self.spacing, 0.0, 60.0, "seconds")?;
        within("dscp", f64::from(self.dscp), 0.0, 63.0, "a whole number")?;
        if self.labels.len() > MAX_LABELS
            || self
                .labels
                .iter()
                .any(|(name, value)| name.is_empty() || name.len() > MAX_LABEL || value.len() > MAX_LABEL)
        {
            let must = format!("at most {MAX_LABELS} names and values of at most {MAX_LABEL} bytes");
            return Err(SpecError::Range { name: "labels", must });
        }
        if let Some(Source::Interface(name)) = &self.source
            && (name.is_empty() || name.len() > 64 || name.chars().any(|c| c.is_whitespace() || c == '/'))
        {
            return Err(SpecError::Range { name: "source", must: "an address or the name of an interface".to_owned() });
        }
        Ok(self.options.check(descriptor.name, descriptor.options)?)
    }
}

fn within(name: &'static str, is: f64, min: f64, max: f64, what: &str) -> Result<(), SpecError> {
    if (min..=max).contains(&is) {
        return Ok(());
    }
    Err(SpecError::Range { name, must: format!("{what} from {min} to {max}") })
}

fn check_target(target: &str, form: TargetForm) -> Result<(), SpecError> {
    if form == TargetForm::Own && target.is_empty() {
        return Ok(());
    }
    let plain = !target.is_empty()
        && target.len() <= MAX_TARGET
        && !target.chars().any(|c| c.is_whitespace() || c.is_control());
    let fits = plain
        && match form {
            TargetForm::Host => is_host(target),
            TargetForm::HostPort { port } => split_port(target, port).is_some_and(|(host, _)| is_host(host)),
            TargetForm::Url => target.starts_with("http://") || target.starts_with("https://"),
            TargetForm::Own => false,
            TargetForm::Agent => target.parse::<crate::AgentId>().is_ok(),
        };
    let cut = || target.chars().take(100).collect();
    if fits { Ok(()) } else { Err(SpecError::Target { target: cut(), must: form.must() }) }
}

/// Host and port of `host`, `host:port`, `[v6]:port` or a bare IPv6 address; `None` when there is no port and no default, or it is wrong.
#[must_use]
pub fn split_port(target: &str, default: Option<u16>) -> Option<(&str, u16)> {
    if let Some(rest) = target.strip_prefix('[') {
        let (host, port) = rest.split_once(']')?;
        return match port.strip_prefix(':') {
            Some(port) => Some((host, port.parse().ok().filter(|port| *port > 0)?)),
            None if port.is_empty() => Some((host, default?)),
            None => None,
        };
    }
    match target.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') => Some((host, port.parse().ok().filter(|port| *port > 0)?)),
        _ => Some((target, default?)),
    }
}

/// An address, or a name that DNS could hold (RFC 1123, with underscores).
fn is_host(text: &str) -> bool {
    let bare = text.split_once('%').map_or(text, |(address, _)| address);
    bare.parse::<IpAddr>().is_ok()
        || (text.len() <= 253
            && text.trim_end_matches('.').split('.').all(|label| {
                (1..=63).contains(&label.len())
                    && !label.starts_with('-')
                    && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
            }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_of_each_kind_are_within_their_ranges() {
        for kind in ProbeKind::ALL {
            let target = match kind.descriptor().target {
                TargetForm::Host => "192.0.2.1",
                TargetForm::HostPort { .. } => "[2001:db8::1]:99",
                TargetForm::Url => "https://example.org/",
                TargetForm::Own => "",
                TargetForm::Agent => "00000000000000b2",
            };
            ProbeSpec::new(kind, target).check().unwrap_or_else(|error| panic!("{kind:?}: {error}"));
        }
    }

    #[test]
    fn a_host_and_its_port_are_told_apart() {
        assert_eq!(split_port("a.example:53", None), Some(("a.example", 53)));
        assert_eq!(split_port("2001:db8::1", Some(53)), Some(("2001:db8::1", 53)));
        assert_eq!(split_port("[2001:db8::1]:5", Some(53)), Some(("2001:db8::1", 5)));
        for wrong in ["a:0", "a:x", "[::1", "[::1]x", "a"] {
            assert_eq!(split_port(wrong, None), None, "{wrong}");
        }
    }

    #[test]
    fn no_probe_is_made_of_what_agents_read_of_themselves() {
        let own = ProbeSpec::new(ProbeKind::System, "");
        assert_eq!(own.check(), Ok(()));
        assert_eq!(own.check_offered(), Err(SpecError::BuiltIn("system")));
        assert_eq!(ProbeSpec::new(ProbeKind::Ping, "192.0.2.1").check_offered(), Ok(()));
        let error = ProbeSpec::new(ProbeKind::Network, "192.0.2.1").check().expect_err("no target");
        assert_eq!(error.to_string(), "the target `192.0.2.1` is not empty: it is the agent's own host");
    }

    #[test]
    fn what_cannot_be_run_is_named() {
        let wrong = |change: fn(&mut ProbeSpec)| {
            let mut spec = ProbeSpec::new(ProbeKind::Ping, "192.0.2.1");
            change(&mut spec);
            spec.check().expect_err("it is wrong").to_string()
        };
        assert_eq!(wrong(|s| s.interval = 0.5), "`interval` must be seconds from 1 to 86400");
        assert_eq!(wrong(|s| s.interval = f64::NAN), "`interval` must be seconds from 1 to 86400");
        assert_eq!(wrong(|s| s.count = 0), "`count` must be a whole number from 1 to 10000");
        assert_eq!(wrong(|s| s.dscp = 64), "`dscp` must be a whole number from 0 to 63");
        assert_eq!(wrong(|s| s.target = "a b".into()), "the target `a b` is not a host name or an address");
    }
}
