//! The command line as it is written: flags and words, nothing resolved.
//!
//! Every flag that sets a key of the configuration says so in [`Overrides`], so that its value is read by the same code as a file's.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use netwatch_capture::file::pace::Speed;
use netwatch_model::probe::ProbeKind;

use crate::config::{Key, Raw};
use crate::engine::history::CHECK;

mod agent;
mod agents;
mod format;
mod import;
mod parts;
mod people;
mod probe;
mod ranges;
mod throughput;
mod voice;

pub use agent::{AgentArgs, AgentCommand, AgentRunArgs};
pub use agents::{AgentsAsk, AgentsCommand, AgentsListArgs, AgentsNameArgs, AgentsTokenArgs};
pub use format::{Color, Format};
pub use import::{ImportAsk, ImportBlackboxArgs, ImportCommand, ImportFileArgs, ReportFormat};
pub use parts::{CaptureArgs, FlowArgs, ListenArgs, Overrides, ServerArgs};
pub use people::{UserAddArgs, UserAsk, UserCommand, UserListArgs, UserNameArgs};
pub use probe::{OneShot, ProbeArgs};
pub use ranges::{RangesAsk, RangesCommand, RangesExportArgs, RangesImportArgs};
pub use throughput::{ServeArgs, ThroughputArgs};
pub use voice::{QualityArgs, ReflectorArgs};

/// See who uses the network, how much, with which protocol and which program.
#[derive(Parser, Debug)]
#[command(name = "netwatch", version = crate::version::short(), arg_required_else_help = true, max_term_width = 100)]
#[command(
    after_help = "Start with `netwatch up` and open the link that it prints. `netwatch doctor` says what is missing."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// What holds for all commands.
    #[command(flatten)]
    pub global: Global,
}

/// Flags of every command.
#[derive(Args, Debug, Default)]
pub struct Global {
    /// Configuration file [default: ~/.config/netwatch/netwatch.yaml, else /etc/netwatch/netwatch.yaml]
    #[arg(long, global = true, value_name = "FILE", env = "NETWATCH_CONFIG", help_heading = "Global options")]
    pub config: Option<PathBuf>,
    /// What is worth a log line: error, warn, info, debug or trace
    #[arg(long, global = true, value_name = "LEVEL", help_heading = "Global options")]
    pub log: Option<String>,
    /// Log lines for people (text) or for programs (json)
    #[arg(long, global = true, value_name = "FORMAT", help_heading = "Global options")]
    pub log_format: Option<String>,
    /// Colours; also off when NO_COLOR is set
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", help_heading = "Global options")]
    pub color: Color,
    /// More log lines: -v debug, -vv trace
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Global options")]
    pub verbose: u8,
    /// Fewer log lines: only errors
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Global options")]
    pub quiet: bool,
}

impl Global {
    /// The level, when a flag says one.
    pub fn level(&self) -> Option<&str> {
        let by_count = match (self.quiet, self.verbose) {
            (true, _) => Some("error"),
            (false, 0) => None,
            (false, 1) => Some("debug"),
            (false, _) => Some("trace"),
        };
        self.log.as_deref().or(by_count)
    }

    /// What the flags set.
    pub fn overrides(&self) -> Vec<(Key, Raw)> {
        let mut set = Overrides::default();
        set.text(Key::LogLevel, self.level());
        set.text(Key::LogFormat, self.log_format.as_deref());
        set.0
    }
}

/// What can be done.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Capture, and show it in the browser
    Up(UpArgs),
    /// The same in the terminal
    Top(TopArgs),
    /// Observe from this host for a server elsewhere
    Agent(AgentArgs),
    /// List flows of a capture file or of a running server
    Flows(FlowsArgs),
    /// Write packets to a pcapng file
    Capture(RecordArgs),
    /// Ping targets by ICMP: loss and round-trip time
    Ping(ProbeArgs<{ probe::place(ProbeKind::Ping) }>),
    /// Trace the path to targets: hops, their loss and delay
    Mtr(ProbeArgs<{ probe::place(ProbeKind::Mtr) }>),
    /// Ask name servers
    Dns(ProbeArgs<{ probe::place(ProbeKind::Dns) }>),
    /// Make a request of HTTP and time its phases
    Http(ProbeArgs<{ probe::place(ProbeKind::Http) }>),
    /// Make a TLS handshake and show the certificates
    Tls(ProbeArgs<{ probe::place(ProbeKind::Tls) }>),
    /// Connect by TCP
    Tcp(ProbeArgs<{ probe::place(ProbeKind::Tcp) }>),
    /// Send datagrams and wait for answers
    Udp(ProbeArgs<{ probe::place(ProbeKind::Udp) }>),
    /// Ask a time server how far its clock is
    Ntp(ProbeArgs<{ probe::place(ProbeKind::Ntp) }>),
    /// Greet a mail server
    Smtp(ProbeArgs<{ probe::place(ProbeKind::Smtp) }>),
    /// Greet a mailbox server
    Imap(ProbeArgs<{ probe::place(ProbeKind::Imap) }>),
    /// Get values of an SNMP agent
    Snmp(ProbeArgs<{ probe::place(ProbeKind::Snmp) }>),
    /// Send a stream of packets to a STAMP reflector and back
    Stamp(ProbeArgs<{ probe::place(ProbeKind::Simulation) }>),
    /// Measure how much a path carries
    Throughput(ThroughputArgs),
    /// Show what the agent sees of this machine: processor, memory, disks, octets of interfaces
    System(ProbeArgs<{ probe::place(ProbeKind::System) }>),
    /// Show the network of this machine: interfaces, addresses, routes, gateways
    Network(ProbeArgs<{ probe::place(ProbeKind::Network) }>),
    /// List, make, disable users of a running server, and print links for those who are locked out
    #[command(subcommand)]
    User(UserCommand),
    /// List agents of a running server, make tokens for new ones, end, switch off and delete them
    #[command(subcommand)]
    Agents(AgentsCommand),
    /// Import names of address ranges into a running server, or export them (CSV)
    #[command(subcommand)]
    Ranges(RangesCommand),
    /// Write everything that is edited (people, workspaces, settings) to a file
    Backup(BackupArgs),
    /// Put a backup in place of everything that is edited
    Restore(RestoreArgs),
    /// Seal all stored secrets with a new key
    RotateKeys(RotateKeysArgs),
    /// Check what this machine allows, and say what to do
    Doctor(DoctorArgs),
    /// Check or show the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print what can be edited in a running server as a file (YAML)
    Export(ExportArgs),
    /// Make a running server what a file says
    Apply(ApplyArgs),
    /// Make probes of what another monitor watches
    #[command(subcommand)]
    Import(ImportCommand),
    /// Have a running server read its configuration again
    Reload(ReloadArgs),
    /// Show or change what a running server logs
    LogLevel(LogLevelArgs),
    /// List the interfaces of this machine
    Interfaces(InterfacesArgs),
    /// Say how good a call is over a path with this delay and loss (ITU-T G.107)
    Quality(QualityArgs),
    /// Answer test packets of those that may ask (STAMP, RFC 8762)
    Reflector(ReflectorArgs),
    /// Print the completion script of a shell
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
    /// Write the manual pages to a directory
    Man {
        /// Directory, made when it is missing.
        directory: PathBuf,
    },
    /// Open files of the telemetry store, for the process that asks
    #[command(name = CHECK, hide = true)]
    CheckTelemetry {
        /// How thoroughly.
        depth: String,
        /// Folder of the store.
        root: PathBuf,
        /// Files to open.
        files: Vec<PathBuf>,
    },
    /// Print version, commit and features
    Version {
        /// How it is printed
        #[arg(long, value_name = "FORMAT", default_value = "table")]
        format: Format,
    },
}

/// `netwatch up`
#[derive(Args, Debug)]
pub struct UpArgs {
    #[command(flatten)]
    pub capture: CaptureArgs,
    #[command(flatten)]
    pub flows: FlowArgs,
    #[command(flatten)]
    pub listen: ListenArgs,
    /// Read a capture file (pcap, pcapng, gzip) instead of capturing
    #[arg(long, value_name = "FILE", conflicts_with = "interface")]
    pub read: Option<PathBuf>,
    /// How fast the file is read: as it was captured (1x), by another factor (2.5x), or as fast as possible (max)
    #[arg(long, value_name = "SPEED", default_value = "max", requires = "read", value_parser = speed)]
    pub speed: Speed,
}

fn speed(text: &str) -> Result<Speed, netwatch_capture::file::pace::ParseSpeedError> {
    text.parse()
}

/// `netwatch top`
#[derive(Args, Debug)]
pub struct TopArgs {
    #[command(flatten)]
    pub server: ServerArgs,
    #[command(flatten)]
    pub capture: CaptureArgs,
    #[command(flatten)]
    pub flows: FlowArgs,
    /// Directory of the running server, for its token
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Which flows are shown, for example `src in 10.0.0.0/8 and not port 443`
    #[arg(long, value_name = "FILTER")]
    pub filter: Option<String>,
}

/// `netwatch flows`
#[derive(Args, Debug)]
pub struct FlowsArgs {
    /// Read a capture file (pcap, pcapng, gzip); `-` for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "server")]
    pub read: Option<PathBuf>,
    #[command(flatten)]
    pub server: ServerArgs,
    /// Directory of the running server, for its token
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// How it is printed
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
    /// Which flows, for example `sni ~ "*.example.com" and bytes > 1MB`
    #[arg(long, value_name = "FILTER")]
    pub filter: Option<String>,
    /// Column that orders the list; all but start are largest first
    #[arg(long, value_name = "COLUMN", default_value = "start")]
    pub sort: SortColumn,
    /// Most rows
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
    /// Frames that are read from the file, in tcpdump syntax
    #[arg(long, value_name = "EXPRESSION")]
    pub capture_filter: Option<String>,
    /// Octets looked at of each frame
    #[arg(long, value_name = "SIZE")]
    pub capture_length: Option<String>,
    #[command(flatten)]
    pub flows: FlowArgs,
}

/// Column that orders a list of flows.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SortColumn {
    /// Time of the first packet, oldest first.
    #[default]
    Start,
    /// IP octets of both directions.
    Bytes,
    /// Packets of both directions.
    Packets,
    /// From first to last packet.
    Duration,
    /// Octets by duration.
    Rate,
}

/// `netwatch capture`
#[derive(Args, Debug)]
pub struct RecordArgs {
    /// File to write (pcapng); `-` for standard output
    #[arg(short, long, value_name = "FILE")]
    pub write: PathBuf,
    /// Interfaces, separated by commas
    #[arg(short, long, value_name = "IF", value_delimiter = ',')]
    pub interface: Vec<String>,
    /// Stop when the file has this size
    #[arg(long, value_name = "SIZE")]
    pub max_size: Option<String>,
    /// Stop after this time
    #[arg(long, value_name = "TIME")]
    pub duration: Option<String>,
    /// Stop after this many packets
    #[arg(short = 'c', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_packets: Option<u64>,
    /// Octets kept of each frame [default: whole frames]
    #[arg(long, value_name = "SIZE")]
    pub capture_length: Option<String>,
    /// Capture frames for other machines, too
    #[arg(long)]
    pub promiscuous: bool,
    /// Overwrite a file that exists
    #[arg(long)]
    pub force: bool,
    /// Which frames, in tcpdump syntax
    #[arg(value_name = "EXPRESSION", conflicts_with = "capture_filter")]
    pub expression: Vec<String>,
    /// The same as a flag
    #[arg(long, visible_alias = "filter", value_name = "EXPRESSION")]
    pub capture_filter: Option<String>,
}

/// `netwatch backup`
#[derive(Args, Debug)]
pub struct BackupArgs {
    /// New file, or a directory for one with the time in its name
    #[arg(value_name = "FILE|DIR", default_value = ".")]
    pub to: PathBuf,
    #[command(flatten)]
    pub server: ServerArgs,
    /// Directory of the server, for its token, or for its database when it is stopped
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

/// `netwatch rotate-keys`
#[derive(Args, Debug)]
pub struct RotateKeysArgs {
    #[command(flatten)]
    pub server: ServerArgs,
    /// Directory of the server, for its token, or for its database when it is stopped
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

/// `netwatch restore`
#[derive(Args, Debug)]
pub struct RestoreArgs {
    /// Backup, or one of the copies in `backups` of the data directory
    #[arg(value_name = "FILE")]
    pub from: PathBuf,
    #[command(flatten)]
    pub server: ServerArgs,
    /// Directory of the server, for its token, or for its database when it is stopped
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

/// `netwatch doctor`
#[derive(Args, Debug)]
pub struct DoctorArgs {
    /// How it is printed
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
    #[command(flatten)]
    pub listen: ListenArgs,
}

/// `netwatch export`
#[derive(Args, Debug)]
pub struct ExportArgs {
    #[command(flatten)]
    pub server: ServerArgs,
    /// Directory of the running server, for its token
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<String>,
}

/// `netwatch apply`
#[derive(Args, Debug)]
pub struct ApplyArgs {
    #[command(flatten)]
    pub server: ServerArgs,
    /// Directory of the running server, for its token
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<String>,
    /// File in the form that `netwatch export` prints; `-` for standard input
    #[arg(short, long, value_name = "FILE")]
    pub file: PathBuf,
    /// Only tell what would change
    #[arg(long)]
    pub dry_run: bool,
    /// Remove what a file owned before and is not in this one any more
    #[arg(long)]
    pub prune: bool,
}

/// `netwatch reload`
#[derive(Args, Debug)]
pub struct ReloadArgs {
    #[command(flatten)]
    pub server: ServerArgs,
    /// Directory of the running server, for its token
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<String>,
}

/// `netwatch log-level`
#[derive(Args, Debug)]
pub struct LogLevelArgs {
    #[command(flatten)]
    pub server: ServerArgs,
    /// Directory of the running server, for its token
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<String>,
    /// A level, or module=level parts such as `info,netwatch_capture=debug` [default: show what is in force]
    pub filter: Option<String>,
}

/// `netwatch interfaces`
#[derive(Args, Debug)]
pub struct InterfacesArgs {
    /// How it is printed
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
}

/// `netwatch config`
#[derive(Subcommand, Debug)]
pub enum ConfigCommand {
    /// Check files, variables and flags; exit code 2 when something is wrong
    Check,
    /// Print what is in force; secrets are hidden
    Show {
        /// Also print where each value was written
        #[arg(long)]
        origin: bool,
    },
    /// Print the JSON Schema of the file
    Schema,
    /// Print a file with every key at its default
    Sample,
}
