//! The commands of the agent alone.

use std::io::{self, BufWriter, Write as _};

mod agent;
mod probe;

pub use agent::is_on_trial;

use crate::args::{Cli, Command};
use crate::failure::Outcome;
use crate::version;

/// Runs the command.
///
/// # Errors
/// Why it ended early, with the exit code.
pub fn run(cli: &Cli) -> Outcome {
    match &cli.command {
        Command::Agent(args) => agent::run(&cli.global, args),
        Command::Ping(args) => probe::run(&args.0),
        Command::Mtr(args) => probe::run(&args.0),
        Command::Dns(args) => probe::run(&args.0),
        Command::Http(args) => probe::run(&args.0),
        Command::Tcp(args) => probe::run(&args.0),
        Command::Ntp(args) => probe::run(&args.0),
        Command::Stamp(args) => probe::run(&args.0),
        Command::System(args) => probe::run(&args.0),
        Command::Network(args) => probe::run(&args.0),
        Command::Version => print_version(),
    }
}

/// Standard output with a buffer: flush it before the end.
fn stdout() -> BufWriter<io::Stdout> {
    BufWriter::new(io::stdout())
}

fn print_version() -> Outcome {
    let version = version::long();
    let commit = version.commit.map(|commit| format!(" ({commit})")).unwrap_or_default();
    let mut out = stdout();
    writeln!(out, "netwatch {}{commit} {}, agent alone", version.version, version.target)?;
    out.flush()?;
    Ok(())
}
