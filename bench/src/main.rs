//! The bench: what a packet costs Netwatch and its peers, side by side in one run.
//!
//! `netwatch-bench run` makes two network namespaces with a veth pair, generates frames on one side and runs one program after
//! another on the other: a bare ring reader (the floor), Netwatch, softflowd, nfpcapd, pmacctd. `rest`, `stream` and `store` ask what
//! clients wait for, `start` what a start takes and how much memory there is, `agents` what many agents cost and how they come back.
//! Each prints markdown; `all` (the default) is one after the other. `floor` and `generate` are parts of the others and can be run
//! alone. The machine's own interfaces are touched by these two only.
//!
//! Limits: needs root; a veth pair is no network card; other work on the machine disturbs the figures.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for developers, which answers on its terminal"
)]

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use error::BenchError;

mod agents;
mod api;
mod error;
mod floor;
mod generate;
mod lab;
mod process;
mod program;
mod rest;
mod run;
mod start;
mod storage;
mod store;
mod stream;
mod times;

/// What a packet costs Netwatch and its peers.
#[derive(Parser, Debug)]
#[command(name = "netwatch-bench")]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Many agents: their results, and a server that was away
    Agents(agents::Arguments),
    /// Every bench, one after the other
    All,
    /// Read an interface with a bare ring and only count
    Floor(floor::Arguments),
    /// Send frames from an interface
    Generate(generate::Arguments),
    /// REST over a million flows, many clients at once
    Rest(rest::Arguments),
    /// All programs side by side: CPU for a packet, drops, memory
    Run(run::Arguments),
    /// Time to begin, and memory
    Start(start::Arguments),
    /// What keeping samples costs, beside VictoriaMetrics and Prometheus
    Storage(storage::Arguments),
    /// The live store alone: memory, time to take records in, time to answer
    Store(store::Arguments),
    /// A thousand clients of the stream
    Stream(stream::Arguments),
}

/// What `all` runs: a title, and the arguments.
const ALL: [(&str, &[&str]); 8] = [
    ("What a packet costs", &["run"]),
    ("Time to begin, and memory", &["start"]),
    ("REST over a million flows", &["rest"]),
    ("A thousand clients of the stream", &["stream"]),
    ("The live store, one million flows", &["store"]),
    ("The live store, ten million flows", &["store", "--flows", "10000000"]),
    ("What keeping samples costs", &["storage"]),
    ("Two thousand agents", &["agents"]),
];

impl Command {
    fn run(&self) -> Result<String, BenchError> {
        match self {
            Self::Agents(arguments) => agents::main(arguments),
            Self::All => all(),
            Self::Floor(arguments) => floor::main(arguments),
            Self::Generate(arguments) => generate::main(arguments),
            Self::Rest(arguments) => rest::main(arguments),
            Self::Run(arguments) => run::main(arguments),
            Self::Start(arguments) => start::main(arguments),
            Self::Storage(arguments) => storage::main(arguments),
            Self::Store(arguments) => store::main(arguments),
            Self::Stream(arguments) => stream::main(arguments),
        }
    }
}

/// Runs every bench in a process of its own, so that none finds what another has left in memory.
fn all() -> Result<String, BenchError> {
    let own = std::env::current_exe().map_err(BenchError::system("find this program"))?;
    let system = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    println!("{} processors, Linux {}", std::thread::available_parallelism().map_or(1, usize::from), system.trim());
    for (title, arguments) in ALL {
        println!("\n## {title}\n");
        let status = std::process::Command::new(&own).args(arguments).status();
        let status = status.map_err(BenchError::system("start a bench"))?;
        if !status.success() {
            return Err(BenchError::Failed { what: arguments.join(" ") });
        }
    }
    Ok(String::new())
}

fn main() -> ExitCode {
    let result = Arguments::parse().command.unwrap_or(Command::All).run();
    match result {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("netwatch-bench: {}", error.chain());
            ExitCode::FAILURE
        }
    }
}
