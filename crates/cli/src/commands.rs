//! One module for each command, and what they share.

mod agent;
mod agents;
mod backup;
mod capture;
mod config;
mod declare;
mod doctor;
pub mod flows;
mod generate;
mod import;
pub mod interfaces;
mod probe;
mod quality;
mod ranges;
mod reflector;
mod serving;
mod source;
mod steer;
mod throughput;
mod top;
mod up;
mod user;

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

pub use agent::is_on_trial;
pub use source::Source;

use crate::args::{Cli, Command, Format, Overrides};
use crate::config::{Layers, Settings};
use crate::failure::{Failure, Outcome};
use crate::{logging, output, version};

/// Runs the command.
///
/// # Errors
/// Why it ended early, with the exit code.
pub fn run(cli: &Cli) -> Outcome {
    match &cli.command {
        Command::Flows(flows) => flows::run(cli, flows),
        Command::Config(command) => config::run(cli, command),
        Command::Interfaces(args) => interfaces::run(args),
        Command::Quality(args) => quality::run(args),
        Command::Reflector(args) => reflector::run(cli, args),
        Command::Agent(args) => agent::run(&cli.global, args),
        Command::Up(args) => up::run(cli, args),
        Command::Top(args) => top::run(cli, args),
        Command::Capture(args) => capture::run(cli, args),
        Command::Ping(args) => probe::run(&args.0),
        Command::Mtr(args) => probe::run(&args.0),
        Command::Dns(args) => probe::run(&args.0),
        Command::Http(args) => probe::run(&args.0),
        Command::Tls(args) => probe::run(&args.0),
        Command::Tcp(args) => probe::run(&args.0),
        Command::Udp(args) => probe::run(&args.0),
        Command::Ntp(args) => probe::run(&args.0),
        Command::Smtp(args) => probe::run(&args.0),
        Command::Imap(args) => probe::run(&args.0),
        Command::Snmp(args) => probe::run(&args.0),
        Command::Stamp(args) => probe::run(&args.0),
        Command::System(args) => probe::run(&args.0),
        Command::Network(args) => probe::run(&args.0),
        Command::Throughput(args) => throughput::run(cli, args),
        Command::User(command) => user::run(cli, command),
        Command::Agents(command) => agents::run(cli, command),
        Command::Ranges(command) => ranges::run(cli, command),
        Command::Backup(args) => backup::backup(cli, args),
        Command::Restore(args) => backup::restore(cli, args),
        Command::RotateKeys(args) => backup::rotate_keys(cli, args),
        Command::Doctor(args) => doctor::run(cli, args),
        Command::LogLevel(args) => steer::log_level(cli, args),
        Command::Export(args) => declare::export(cli, args),
        Command::Apply(args) => declare::apply(cli, args),
        Command::Import(command) => import::run(cli, command),
        Command::Reload(args) => steer::reload(cli, args),
        Command::Completions { shell } => generate::completions(*shell),
        Command::Man { directory } => generate::man(directory),
        Command::CheckTelemetry { depth, root, files } => Ok(crate::engine::history::check(depth, root, files)?),
        Command::Version { format } => print_version(*format),
    }
}

/// Standard output with a buffer: flush it before the end.
fn stdout() -> BufWriter<io::Stdout> {
    BufWriter::new(io::stdout())
}

/// Reads files, environment and flags.
fn layers(cli: &Cli, flags: Overrides) -> Layers {
    Source::new(cli, flags).layers()
}

/// The resolved configuration.
fn resolve(cli: &Cli, flags: Overrides) -> Result<Settings, Failure> {
    Ok(Settings::resolve(&layers(cli, flags), default_data_dir())?)
}

/// The resolved configuration; logging runs from here on.
fn settings(cli: &Cli, flags: Overrides) -> Result<Settings, Failure> {
    let settings = resolve(cli, flags)?;
    logging::start(&settings, cli.global.color).map_err(anyhow::Error::new)?;
    Ok(settings)
}

/// `/var/lib/netwatch` for root, else `$XDG_DATA_HOME/netwatch` or `~/.local/share/netwatch`.
fn default_data_dir() -> PathBuf {
    if rustix::process::geteuid().is_root() {
        return PathBuf::from("/var/lib/netwatch");
    }
    let path = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
    let data = path("XDG_DATA_HOME").or_else(|| path("HOME").map(|h| h.join(".local/share")));
    data.unwrap_or_else(std::env::temp_dir).join("netwatch")
}

fn print_version(format: Format) -> Outcome {
    let version = version::long();
    let mut out = stdout();
    match format {
        Format::Json => output::json_line(&mut out, &version)?,
        Format::Yaml => output::yaml_document(&mut out, &version)?,
        Format::Table | Format::Csv => {
            let commit = version.commit.map(|c| format!(" ({c})")).unwrap_or_default();
            writeln!(out, "netwatch {}{commit} {}", version.version, version.target)?;
        }
    }
    out.flush()?;
    Ok(())
}
