//! Applications: what a flow is used for, from its ports and from what its payload shows.
//!
//! The table comes from a data file inside the program (`data/applications.toml`), which a file of the user's may replace or extend.
//! Ports give a first answer in constant time when a flow begins ([`AppTable::by_ports`]). What the payload shows refines a general
//! answer ("https", "quic") or a missing one, and never a special one ([`AppTable::refine`]).
//!
//! Limits: fewer than [`AppId::LIMIT`] applications, names of [`MAX_NAME`] characters. Ports are a convention: a service on a port of
//! another one gets the other's name unless its payload tells better.

mod file;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use netwatch_model::{Protocol, Untrusted};

use self::file::Entry;

/// The file inside the program.
const EMBEDDED: &str = include_str!("../data/applications.toml");
const EMBEDDED_NAME: &str = "applications.toml (in the program)";

/// The longest name of an application, in characters.
pub const MAX_NAME: usize = 32;

/// Labels of a server's name that are compared, from its end.
const MAX_LABELS: usize = 6;

/// The number of an application, below [`AppId::LIMIT`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, PartialOrd, Ord)]
pub struct AppId(pub u16);

impl AppId {
    /// Nothing fits: "unknown".
    pub const UNKNOWN: Self = Self(0);

    /// How many applications there may be, the unknown one included.
    pub const LIMIT: usize = 1024;
}

/// What the start of a payload looks like.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Hint {
    /// A TLS ClientHello.
    Tls,
    /// A QUIC Initial.
    Quic,
    /// An HTTP/1 request.
    Http,
    /// An SSH identification (RFC 4253 section 4.2).
    Ssh,
    /// A BitTorrent handshake (BEP 3).
    Bittorrent,
    /// A VNC protocol version (RFC 6143 section 7.1.1).
    Vnc,
    /// SSDP: HTTP over UDP.
    Ssdp,
}

impl Hint {
    /// The application's name in the table.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tls => "tls",
            Self::Quic => "quic",
            Self::Http => "http",
            Self::Ssh => "ssh",
            Self::Bittorrent => "bittorrent",
            Self::Vnc => "vnc",
            Self::Ssdp => "ssdp",
        }
    }
}

/// Kinds of general name, which something more exact may replace.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum Family {
    Tls,
    Quic,
    Http,
}

/// Why there is no table.
#[derive(Debug, thiserror::Error)]
pub enum AppsError {
    /// The user's file cannot be read.
    #[error("cannot read the application file {}: check that it exists and may be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The file says something that has no meaning.
    #[error("{file}, line {line}, `{key}`: {problem}")]
    Invalid {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The key in that line.
        key: String,
        /// What is wrong, and what to write.
        problem: String,
    },
}

/// The applications and the ways to find them.
#[derive(Clone, Debug)]
pub struct AppTable {
    apps: Vec<App>,
    by_name: HashMap<Arc<str>, AppId>,
    tcp: Ports,
    udp: Ports,
    sctp: Ports,
    protocols: [AppId; 256],
    alpn: HashMap<Box<str>, AppId>,
    domains: HashMap<Box<str>, AppId>,
}

#[derive(Clone, Debug)]
struct App {
    name: Arc<str>,
    family: Option<Family>,
}

impl AppTable {
    /// Reads the table inside the program and, over it, the user's file.
    ///
    /// # Errors
    /// When the file cannot be read, or says something that has no meaning.
    pub fn load(user: Option<&Path>) -> Result<Self, AppsError> {
        let Some(path) = user else { return Self::from_texts(None) };
        let text = std::fs::read_to_string(path).map_err(|source| AppsError::Read { path: path.to_owned(), source })?;
        Self::from_texts(Some((&path.display().to_string(), &text)))
    }

    /// The same from the text of the user's file and the name for it in errors.
    ///
    /// # Errors
    /// When the text says something that has no meaning.
    pub fn from_texts(user: Option<(&str, &str)>) -> Result<Self, AppsError> {
        let mut entries = file::parse(EMBEDDED_NAME, EMBEDDED)?;
        let own = user.map(|(name, text)| file::parse(name, text)).transpose()?.unwrap_or_default();
        entries.retain(|entry| own.iter().all(|replacement| replacement.name != entry.name));
        entries.extend(own); // later entries win their ports
        if entries.len() >= AppId::LIMIT {
            let problem = format!("{} applications are too many: leave fewer than {}", entries.len(), AppId::LIMIT);
            let file = user.map_or(EMBEDDED_NAME, |(name, _)| name).to_owned();
            return Err(AppsError::Invalid { file, line: 1, key: "application".to_owned(), problem });
        }
        Ok(Self::build(entries))
    }

    fn build(entries: Vec<Entry>) -> Self {
        let unknown = App { name: Arc::from("unknown"), family: None };
        let mut table = Self {
            by_name: HashMap::from([(Arc::clone(&unknown.name), AppId::UNKNOWN)]),
            apps: vec![unknown],
            tcp: Ports::new(),
            udp: Ports::new(),
            sctp: Ports::new(),
            protocols: [AppId::UNKNOWN; 256],
            alpn: HashMap::new(),
            domains: HashMap::new(),
        };
        for entry in entries {
            table.add(entry);
        }
        table
    }

    fn add(&mut self, entry: Entry) {
        let app = AppId(u16::try_from(self.apps.len()).unwrap_or(0));
        let name: Arc<str> = entry.name.into();
        self.by_name.insert(Arc::clone(&name), app);
        self.apps.push(App { name, family: entry.family });
        entry.tcp.into_iter().for_each(|ports| self.tcp.claim(ports, app));
        entry.udp.into_iter().for_each(|ports| self.udp.claim(ports, app));
        entry.sctp.into_iter().for_each(|ports| self.sctp.claim(ports, app));
        for protocol in entry.protocol {
            self.protocols[usize::from(protocol)] = app;
        }
        self.alpn.extend(entry.alpn.into_iter().map(|name| (name.into(), app)));
        self.domains.extend(entry.domains.into_iter().map(|name| (name.into(), app)));
    }

    /// Gives our own web page's TCP port its name, "netwatch".
    pub fn label_own_port(&mut self, port: u16) {
        if let Some(own) = self.by_name("netwatch") {
            self.tcp.claim(port..=port, own);
        }
    }

    /// The application by ports: the responder's tells best, then the initiator's. Constant time.
    ///
    /// Ports from 32768, where clients take theirs (`ip_local_port_range`), tell nothing on the initiator's side.
    #[must_use]
    pub fn by_ports(&self, protocol: Protocol, initiator: u16, responder: u16) -> AppId {
        const FIRST_CLIENT_PORT: u16 = 32768;
        let ports = match protocol {
            Protocol::TCP => &self.tcp,
            Protocol::UDP | Protocol(33 | 136) => &self.udp, // DCCP and UDP-Lite follow UDP's conventions
            Protocol::SCTP => &self.sctp,
            Protocol(number) => return self.protocols[usize::from(number)],
        };
        match ports.get(responder) {
            AppId::UNKNOWN if initiator < FIRST_CLIENT_PORT => ports.get(initiator),
            found => found,
        }
    }

    /// A better answer from what the payload showed: its start, the protocols of ALPN by preference, the server's name.
    #[must_use]
    pub fn refine(&self, app: AppId, hint: Option<Hint>, alpn: &[Untrusted], name: Option<&Untrusted>) -> AppId {
        let mut best = hint.map_or(app, |hint| self.with_hint(app, hint));
        let known = alpn.iter().filter_map(|protocol| self.alpn.get(protocol.raw()));
        if let Some(found) = known.copied().next().filter(|_| self.is_general(best)) {
            best = found;
        }
        match name.filter(|_| self.is_general(best)).and_then(|name| self.by_domain(name)) {
            Some(found) => found,
            None => best,
        }
    }

    /// Its name. A number that is not in the table is "unknown".
    #[must_use]
    pub fn name(&self, app: AppId) -> Arc<str> {
        Arc::clone(&self.apps.get(usize::from(app.0)).unwrap_or(&self.apps[0]).name)
    }

    /// The application of that name.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<AppId> {
        self.by_name.get(name).copied()
    }

    /// How many applications there are, the unknown one included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.apps.len()
    }

    /// Never: there is always the unknown one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.apps.is_empty()
    }

    /// A special start (SSH) always wins, a general one (TLS) wins over unknown and over general names of another family.
    fn with_hint(&self, app: AppId, hint: Hint) -> AppId {
        let Some(hinted) = self.by_name(hint.as_str()) else { return app };
        let (before, now) = (self.family(app), self.family(hinted));
        let same = before.is_some() && before == now;
        if now.is_none() || (self.is_general(app) && !same) { hinted } else { app }
    }

    /// The longest domain of the table that the name is in.
    fn by_domain(&self, name: &Untrusted) -> Option<AppId> {
        let name = name.raw();
        let dots = name.rmatch_indices('.').take(MAX_LABELS - 1).map(|(at, _)| at + 1);
        let starts: Vec<usize> = dots.collect();
        let whole = (name.matches('.').count() < MAX_LABELS).then_some(0);
        whole
            .into_iter()
            .chain(starts.into_iter().rev())
            .find_map(|start| self.domains.get(name.get(start..)?))
            .copied()
    }

    fn family(&self, app: AppId) -> Option<Family> {
        self.apps.get(usize::from(app.0)).and_then(|app| app.family)
    }

    fn is_general(&self, app: AppId) -> bool {
        app == AppId::UNKNOWN || self.family(app).is_some()
    }
}

impl Default for AppTable {
    /// A table that knows nothing: everything is "unknown".
    fn default() -> Self {
        Self::build(Vec::new())
    }
}

/// The application of each port.
#[derive(Clone, Debug)]
struct Ports(Box<[AppId]>);

impl Ports {
    fn new() -> Self {
        Self(vec![AppId::UNKNOWN; 1 << 16].into_boxed_slice())
    }

    fn get(&self, port: u16) -> AppId {
        self.0.get(usize::from(port)).copied().unwrap_or_default()
    }

    fn claim(&mut self, ports: std::ops::RangeInclusive<u16>, app: AppId) {
        let range = usize::from(*ports.start())..=usize::from(*ports.end());
        if let Some(places) = self.0.get_mut(range) {
            places.fill(app);
        }
    }
}
