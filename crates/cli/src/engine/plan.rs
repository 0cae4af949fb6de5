//! Everything that can go wrong before anything is started.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use netwatch_capture::bpf::BpfError;
use netwatch_capture::config::{Budget, FlowConfig};
use netwatch_capture::driver::{CaptureConfig, default_workers};
use netwatch_capture::file::pace::Speed;
use netwatch_capture::file::{FileOptions, FileSource};
use netwatch_capture::ring::RingSettings;
use netwatch_capture::source::{FileReplay, LiveFilter, LiveSource, Source};
use netwatch_model::Untrusted;
use netwatch_server::blackbox::Modules;
use netwatch_server::{Access, Config as ServerConfig, ServerError};

use crate::commands::{flows, interfaces};
use crate::config::Settings;
use crate::failure::Failure;

/// Where packets are to come from.
#[derive(Clone, Debug)]
pub enum Input {
    /// The interfaces of the settings.
    Live,
    /// A capture file, at this speed.
    File(PathBuf, Speed),
}

/// What will run; nothing runs yet.
pub struct Plan {
    /// Source and flow engine.
    pub capture: CaptureConfig,
    /// The server's settings.
    pub server: ServerConfig,
    /// Its socket, bound.
    pub listener: TcpListener,
    /// What `/probe` can do.
    pub modules: Modules,
    /// That of agents, bound; none when they are not served.
    pub agents: Option<TcpListener>,
}

/// Octets of a block of a ring: the longest super-frame fits.
const BLOCK: u32 = 512 << 10;

impl Plan {
    /// Checks the source, binds the port, makes the data directory. Nothing has a thread yet.
    ///
    /// # Errors
    /// An unknown interface or a bad filter is a wrong question; a port in use, a file or directory that cannot be used is not.
    pub fn new(settings: &Settings, input: &Input) -> Result<Self, Failure> {
        let source = match input {
            Input::Live => Source::Live(live(settings)?),
            Input::File(path, speed) => Source::File(file(settings, path, *speed)?),
        };
        let workers = if settings.workers == 0 { default_workers() } else { settings.workers };
        let capture = CaptureConfig { source, workers, flow: flow_config(settings, Budget::LIVE) };
        let modules = crate::config::blackbox::modules(settings.blackbox.as_deref())?;
        let listener = bind(settings.listen)?;
        let agents = settings.agents.listen.filter(|_| matches!(input, Input::Live)).map(bind).transpose()?;
        if agents.is_some() {
            super::remote::allow_connections();
        }
        let server = ServerConfig {
            listen: listener.local_addr().unwrap_or(settings.listen),
            hosts: settings.allowed_hosts.clone(),
            public_url: settings.sign_in.public_url.clone(),
            address_rate: super::rate(settings),
            credential_rate: super::rate(settings),
            ..ServerConfig::default()
        };
        let token = settings.token.as_ref().map(crate::config::settings::Secret::reveal);
        Access::prepare(&settings.data_dir, token).map_err(anyhow::Error::new)?;
        Ok(Self { capture, server, listener, modules, agents })
    }

    /// Whether a capture file is read.
    pub const fn is_file(&self) -> bool {
        matches!(self.capture.source, Source::File(_))
    }

    /// The interfaces that are to be captured; none for a file.
    pub fn interfaces(&self) -> Vec<Untrusted> {
        match &self.capture.source {
            Source::Live(live) => live.interfaces.clone(),
            Source::File(_) => Vec::new(),
        }
    }

    /// Names of interfaces, or of the file.
    pub fn sources(&self) -> String {
        match &self.capture.source {
            Source::Live(live) => live.interfaces.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
            Source::File(file) => crate::failure::visible(&file.path.display().to_string()),
        }
    }
}

/// The flow engine as the settings want it.
pub fn flow_config(settings: &Settings, budget: Budget) -> FlowConfig {
    FlowConfig { capacity: settings.capacity, timeouts: settings.timeouts, budget, inspect: settings.inspect }
}

fn live(settings: &Settings) -> Result<LiveSource, Failure> {
    let links = interfaces::list()?;
    let names = interfaces::choose(&settings.interfaces, &links)?;
    if names.is_empty() {
        let message = "no interface is up: bring one up (sudo ip link set NAME up), or name one with --interface";
        return Err(Failure::Other(anyhow::anyhow!(message)));
    }
    let names: Vec<Untrusted> = names.iter().map(|n| Untrusted::new(n)).collect();
    let wanted = Some(settings.capture_filter.as_str()).filter(|f| !f.is_empty());
    let filter = wanted.map(|f| LiveFilter::compile(f, &names, &links)).transpose().map_err(refused)?;
    let ring = ring_settings(settings);
    Ok(LiveSource { interfaces: names, ring, filter })
}

/// Rings as the settings want them.
pub fn ring_settings(settings: &Settings) -> RingSettings {
    RingSettings {
        block_size: BLOCK,
        block_count: u32::try_from(settings.ring_size / u64::from(BLOCK)).unwrap_or(u32::MAX).max(2),
        capture_length: settings.capture_length,
        promiscuous: settings.promiscuous,
        ..RingSettings::default()
    }
}

/// What libpcap does not understand is a wrong question.
pub fn refused(error: BpfError) -> Failure {
    if matches!(error, BpfError::Invalid { .. } | BpfError::LiveOnly { .. }) {
        Failure::Usage(anyhow::Error::new(error))
    } else {
        Failure::Other(anyhow::Error::new(error))
    }
}

/// Opens the file while this process may; what it is must be seen before anything is started.
fn file(settings: &Settings, path: &Path, speed: Speed) -> Result<FileReplay, Failure> {
    flows::check_capture_filter(&settings.capture_filter)?;
    let filter = Some(settings.capture_filter.clone()).filter(|f| !f.is_empty());
    let replay = FileReplay {
        path: path.to_owned(),
        opened: None,
        speed,
        options: FileOptions { filter, ..FileOptions::default() },
    };
    if path == Path::new("-") {
        return Ok(replay);
    }
    // A pipe cannot be looked at twice.
    let pipe = std::fs::metadata(path).is_ok_and(|m| m.file_type().is_fifo());
    if !pipe {
        let _: FileSource = flows::open(path, settings)?;
    }
    let opened = File::open(path).with_context(|| format!("cannot open the capture file {}", path.display()))?;
    Ok(FileReplay { opened: Some(Arc::new(opened)), ..replay })
}

fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    let listener = TcpListener::bind(address).and_then(|l| l.set_nonblocking(true).map(|()| l));
    listener.map_err(|source| {
        let in_use = source.kind() == std::io::ErrorKind::AddrInUse;
        let error =
            if in_use { ServerError::InUse { address, source } } else { ServerError::Listen { address, source } };
        Failure::Other(anyhow::Error::new(error))
    })
}
