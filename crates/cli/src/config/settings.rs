//! The resolved configuration: what will run.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use netwatch_server::{Network, ProbePolicy};

use super::agents::Agents;
use super::sign_in::SignIn;
use super::storage::Storage;
use super::telemetry::Telemetry;
use super::{ConfigError, Key, Layers, Value};

/// Everything that is set, with its type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Address of web app and API.
    pub listen: SocketAddr,
    /// Directory for what must outlive the process.
    pub data_dir: PathBuf,
    /// Bearer token of a new data directory.
    pub token: Option<Secret>,
    /// Host names that are accepted besides localhost and the listen address.
    pub allowed_hosts: Vec<String>,
    /// Which networks may be measured.
    pub probes: ProbePolicy,
    /// Modules of blackbox_exporter; none are those that are there without a file.
    pub blackbox: Option<PathBuf>,
    /// How agents on other hosts come in.
    pub agents: Agents,
    /// Requests a second of one client; zero is no limit.
    pub rate_limit: u32,
    /// How long ended flows and rates are kept.
    pub retention: Duration,
    /// Bytes for ended flows.
    pub archive_size: u64,
    /// What the telemetry store keeps.
    pub storage: Storage,
    /// How people sign in.
    pub sign_in: SignIn,
    /// Interfaces by name; empty means "choose".
    pub interfaces: Vec<String>,
    /// Filter in tcpdump syntax; empty means "all frames".
    pub capture_filter: String,
    /// Octets kept of each frame.
    pub capture_length: u32,
    /// Worker threads; zero means "choose".
    pub workers: usize,
    /// Whether frames for others are captured.
    pub promiscuous: bool,
    /// Bytes of each ring.
    pub ring_size: u64,
    /// Places of the flow table.
    pub capacity: usize,
    /// Whether payload is looked at for names.
    pub inspect: bool,
    /// Whether processes are looked up.
    pub processes: bool,
    /// When records end.
    pub timeouts: netwatch_capture::config::Timeouts,
    /// Least severe level that is logged.
    pub log_level: String,
    /// Whether logs are JSON.
    pub log_json: bool,
    /// Where traces of our own work go.
    pub telemetry: Telemetry,
}

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text, for those who need it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(hidden)")
    }
}

/// Shortest token that is accepted.
const MIN_TOKEN: usize = 16;

impl Settings {
    /// Resolves what was written. `root` and `home` tell where data goes when nothing is said.
    ///
    /// # Errors
    /// Everything that is wrong with the configuration.
    pub fn resolve(layers: &Layers, default_data_dir: PathBuf) -> Result<Self, ConfigError> {
        layers.check()?;
        let get = Typed(layers);
        let token = Some(get.text(Key::Token)).filter(|t| !t.is_empty()).map(Secret);
        if token.as_ref().is_some_and(|t| t.0.len() < MIN_TOKEN) {
            let message = format!("the token is shorter than {MIN_TOKEN} characters: choose a longer one");
            return Err(ConfigError::of(layers, Key::Token, message));
        }
        let data_dir = Some(get.text(Key::DataDir)).filter(|t| !t.is_empty()).map_or(default_data_dir, PathBuf::from);
        Ok(Self {
            // The kind of the key has accepted the text.
            listen: get.text(Key::Listen).parse().unwrap_or_else(|_| SocketAddr::from(([127, 0, 0, 1], 8470))),
            data_dir,
            token,
            allowed_hosts: get.list(Key::AllowedHosts),
            probes: probes(layers)?,
            blackbox: super::storage::path(layers, Key::ProbesBlackbox)?,
            agents: Agents::resolve(layers)?,
            rate_limit: u32::try_from(get.number(Key::RateLimit)).unwrap_or(u32::MAX),
            retention: get.duration(Key::Retention),
            archive_size: get.number(Key::ArchiveSize),
            storage: Storage::resolve(layers)?,
            sign_in: SignIn::resolve(layers)?,
            interfaces: get.list(Key::Interfaces),
            capture_filter: get.text(Key::CaptureFilter),
            capture_length: u32::try_from(get.number(Key::CaptureLength)).unwrap_or(u32::MAX),
            workers: get.count(Key::Workers),
            promiscuous: get.flag(Key::Promiscuous),
            ring_size: get.number(Key::RingSize),
            capacity: get.count(Key::Capacity),
            inspect: get.flag(Key::Inspect),
            processes: get.flag(Key::Processes),
            timeouts: netwatch_capture::config::Timeouts {
                tcp: get.duration(Key::TcpTimeout),
                tcp_opening: get.duration(Key::TcpOpeningTimeout),
                tcp_closed: get.duration(Key::TcpClosedTimeout),
                udp: get.duration(Key::UdpTimeout),
                icmp: get.duration(Key::IcmpTimeout),
                other: get.duration(Key::OtherTimeout),
                active: get.duration(Key::ActiveTimeout),
            },
            log_level: get.text(Key::LogLevel),
            log_json: get.text(Key::LogFormat) == "json",
            telemetry: Telemetry::resolve(layers)?,
        })
    }
}

/// Values by type; each key's kind has guaranteed the type before.
pub(super) struct Typed<'a>(pub(super) &'a Layers);

/// Which networks may be measured.
fn probes(layers: &Layers) -> Result<ProbePolicy, ConfigError> {
    let networks = |key| {
        let check = |text: String| match text.parse::<Network>() {
            Ok(_) => Ok(text),
            Err(error) => Err(ConfigError::of(layers, key, error.to_string())),
        };
        Typed(layers).list(key).into_iter().map(check).collect::<Result<Vec<_>, _>>()
    };
    Ok(ProbePolicy { allow: networks(Key::ProbesAllow)?, deny: networks(Key::ProbesDeny)? })
}

impl Typed<'_> {
    pub(super) fn text(&self, key: Key) -> String {
        match &self.0.get(key).value {
            Value::Text(text) => text.clone(),
            _ => String::new(),
        }
    }

    pub(super) fn list(&self, key: Key) -> Vec<String> {
        match &self.0.get(key).value {
            Value::List(list) => list.clone(),
            _ => Vec::new(),
        }
    }

    pub(super) fn flag(&self, key: Key) -> bool {
        self.0.get(key).value == Value::Flag(true)
    }

    pub(super) fn number(&self, key: Key) -> u64 {
        match self.0.get(key).value {
            Value::Number(n) => n,
            _ => 0,
        }
    }

    fn count(&self, key: Key) -> usize {
        usize::try_from(self.number(key)).unwrap_or(usize::MAX)
    }

    pub(super) fn duration(&self, key: Key) -> Duration {
        Duration::from_nanos(self.number(key))
    }
}
