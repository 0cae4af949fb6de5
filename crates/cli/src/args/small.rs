//! The command line of the agent alone.

use clap::{Args, Parser, Subcommand};
use netwatch_model::probe::ProbeKind;

mod agent;
mod format;
mod probe;

pub use agent::{AgentArgs, AgentCommand, AgentRunArgs};
pub use format::{Color, Format};
pub use probe::{OneShot, ProbeArgs};

/// Observe from this host for a Netwatch server elsewhere.
#[derive(Parser, Debug)]
#[command(name = "netwatch", version = crate::version::short(), arg_required_else_help = true, max_term_width = 100)]
#[command(after_help = "This is the agent alone. The whole program has the server, capture and the web app, too.")]
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
    /// What is worth a log line: error, warn, info, debug or trace
    #[arg(long, global = true, value_name = "LEVEL", help_heading = "Global options")]
    pub log: Option<String>,
    /// Log lines for people (text) or for programs (json)
    #[arg(long, global = true, value_name = "FORMAT", help_heading = "Global options")]
    pub log_format: Option<String>,
    /// Colours; also off when NO_COLOR is set
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", help_heading = "Global options")]
    pub color: Color,
}

impl Global {
    /// The level, when a flag says one.
    pub fn level(&self) -> Option<&str> {
        self.log.as_deref()
    }
}

/// What can be done.
#[derive(Subcommand, Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one, at the start")]
pub enum Command {
    /// Observe from this host for a server elsewhere
    Agent(AgentArgs),
    /// Ping targets by ICMP: loss and round-trip time
    Ping(ProbeArgs<{ probe::place(ProbeKind::Ping) }>),
    /// Trace the path to targets: hops, their loss and delay
    Mtr(ProbeArgs<{ probe::place(ProbeKind::Mtr) }>),
    /// Ask name servers
    Dns(ProbeArgs<{ probe::place(ProbeKind::Dns) }>),
    /// Make a request of HTTP and time its phases
    Http(ProbeArgs<{ probe::place(ProbeKind::Http) }>),
    /// Connect by TCP
    Tcp(ProbeArgs<{ probe::place(ProbeKind::Tcp) }>),
    /// Ask a time server how far its clock is
    Ntp(ProbeArgs<{ probe::place(ProbeKind::Ntp) }>),
    /// Send a stream of packets to a STAMP reflector and back
    Stamp(ProbeArgs<{ probe::place(ProbeKind::Simulation) }>),
    /// Show what the agent sees of this machine: processor, memory, disks, octets of interfaces
    System(ProbeArgs<{ probe::place(ProbeKind::System) }>),
    /// Show the network of this machine: interfaces, addresses, routes, gateways
    Network(ProbeArgs<{ probe::place(ProbeKind::Network) }>),
    /// Print version and commit
    Version,
}
