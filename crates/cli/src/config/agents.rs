//! How agents on other hosts come in, as the configuration says.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use netwatch_server::{AgentRules, AgentsConfig};

use super::settings::Typed;
use super::{ConfigError, Key, Layers};

/// The folder of the server's own key in the data directory.
const FOLDER: &str = "agents";

/// How agents are served.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Agents {
    /// Where; none when they are not.
    pub listen: Option<SocketAddr>,
    /// How commands name the server.
    address: Option<String>,
    /// Certificate and key, when they are not the server's own.
    files: Option<(PathBuf, PathBuf)>,
    /// When agents count as silent.
    pub rules: AgentRules,
    /// Programs that are offered.
    releases: Option<PathBuf>,
    /// UDP port of the reflector of the server's own agent; none when it has none.
    pub reflector: Option<u16>,
    /// Port at which the server's own agent serves throughput tests; none when it never does.
    pub throughput: Option<u16>,
}

impl Agents {
    /// Resolves what was written.
    ///
    /// # Errors
    /// What is wrong, and where it was written.
    pub fn resolve(layers: &Layers) -> Result<Self, ConfigError> {
        let get = Typed(layers);
        let text = |key| Some(get.text(key)).filter(|text| !text.is_empty());
        let listen = text(Key::AgentsListen).map(|text| {
            let wrong = |_| format!("`{text}` is no address with port: expected for example 0.0.0.0:8471 or [::]:8471");
            text.parse().map_err(wrong).map_err(|message| ConfigError::of(layers, Key::AgentsListen, message))
        });
        let files = match (text(Key::AgentsCertificate), text(Key::AgentsKeyFile)) {
            (Some(certificate), Some(key)) => Some((certificate.into(), key.into())),
            (None, None) => None,
            (given, _) => {
                let key = if given.is_some() { Key::AgentsCertificate } else { Key::AgentsKeyFile };
                let message = "agents.certificate and agents.key stand together: write both, or none".to_owned();
                return Err(ConfigError::of(layers, key, message));
            }
        };
        let rules = AgentRules {
            stale_after: get.duration(Key::AgentsStaleAfter),
            offline_after: get.duration(Key::AgentsOfflineAfter),
        };
        if rules.offline_after <= rules.stale_after {
            let message =
                "agents.offline_after must be longer than agents.stale_after: an agent is stale first".to_owned();
            return Err(ConfigError::of(layers, Key::AgentsOfflineAfter, message));
        }
        let address = text(Key::AgentsAddress).map(|text| checked(layers, text)).transpose()?;
        let releases = text(Key::AgentsReleases).map(PathBuf::from);
        let reflector = port(layers, Key::AgentsReflector, "agents.reflector")?;
        let throughput = port(layers, Key::AgentsThroughput, "agents.throughput")?;
        Ok(Self { listen: listen.transpose()?, address, files, rules, releases, reflector, throughput })
    }

    /// What the server is told, when it listens there.
    pub fn config(&self, listen: SocketAddr, data_dir: &Path) -> AgentsConfig {
        let Self { address, files, releases, .. } = self.clone();
        AgentsConfig { listen, address, folder: data_dir.join(FOLDER), files, releases }
    }

    /// Files that are read while Netwatch runs.
    pub fn files(&self) -> impl Iterator<Item = PathBuf> {
        self.files.iter().flat_map(|(certificate, key)| [certificate.clone(), key.clone()])
    }

    /// TCP ports at which something listens later.
    pub fn ports(&self) -> Vec<u16> {
        self.throughput.filter(|_| self.listen.is_some()).into_iter().collect()
    }

    /// Folders that are; those that are missing at the start are not found later either.
    pub fn folders(&self) -> Vec<PathBuf> {
        self.releases.iter().filter(|folder| folder.exists()).cloned().collect()
    }
}

/// A port that this process can still listen at when it has given up its rights; 0 is none.
fn port(layers: &Layers, key: Key, name: &str) -> Result<Option<u16>, ConfigError> {
    let port = u16::try_from(Typed(layers).number(key)).ok().filter(|port| *port > 0);
    if port.is_some_and(|port| port < 1024) {
        let message = format!(
            "{name} must be a port from 1024 to 65535, or 0 for none: Netwatch has given up the right to lower ones when it listens"
        );
        return Err(ConfigError::of(layers, key, message));
    }
    Ok(port)
}

/// `HOST:PORT` that may stand in a command.
fn checked(layers: &Layers, text: String) -> Result<String, ConfigError> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']');
    let port =
        text.rsplit_once(':').and_then(|(host, port)| port.parse::<u16>().ok().filter(|p| *p > 0 && !host.is_empty()));
    if port.is_some() && text.bytes().all(is_plain) {
        return Ok(text);
    }
    let message = "expected HOST:PORT, such as netwatch.example.org:8471".to_owned();
    Err(ConfigError::of(layers, Key::AgentsAddress, message))
}
